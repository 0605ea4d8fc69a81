#include "detect/record.h"

#include <math.h>
#include <string.h>

#include "base/checked.h"

void flaw_record_init(flaw_record *r)
{
    *r = (flaw_record){0};
    flaw_arena_init(&r->arena, 0);
}

void flaw_record_release(flaw_record *r)
{
    flaw_arena_release(&r->arena);
    *r = (flaw_record){0};
}

const flaw_record_item *flaw_record_find(const flaw_record *r, const char *name)
{
    for (size_t i = 0; i < r->count; i++)
        if (!strcmp(r->item[i].name, name)) return &r->item[i];
    return NULL;
}

static flaw_status refused(flaw_error *err, const char *name)
{
    return flaw_fail(err, FLAW_NO_MEMORY, "record: memory for \"%s\" was refused", name);
}

static flaw_status add(flaw_record *r, const char *name, flaw_record_item **out, flaw_error *err)
{
    if (flaw_record_find(r, name)) return flaw_fail(err, FLAW_INTERNAL, "record: \"%s\" is there twice", name);
    if (r->count == r->room) {
        size_t room = r->room ? 2 * r->room : 32;
        flaw_record_item *more = flaw_arena_alloc(&r->arena, room, sizeof *more);
        if (!more) return refused(err, name);
        if (r->count) memcpy(more, r->item, r->count * sizeof *more);
        r->item = more;
        r->room = room;
    }
    char *copy = flaw_arena_copy_string(&r->arena, name, strlen(name));
    if (!copy) return refused(err, name);
    *out = &r->item[r->count];
    **out = (flaw_record_item){.name = copy};
    return FLAW_OK;
}

flaw_status flaw_record_put_number(flaw_record *r, const char *name, double value, flaw_error *err)
{
    flaw_record_item *item = NULL;
    flaw_status s = add(r, name, &item, err);
    if (s) return s;
    item->kind = FLAW_RECORD_NUMBER;
    item->number = value;
    r->count++;
    return FLAW_OK;
}

flaw_status flaw_record_put_text(flaw_record *r, const char *name, const char *text, flaw_error *err)
{
    flaw_record_item *item = NULL;
    flaw_status s = add(r, name, &item, err);
    if (s) return s;
    item->kind = FLAW_RECORD_TEXT;
    item->text = flaw_arena_copy_string(&r->arena, text, strlen(text));
    if (!item->text) return refused(err, name);
    r->count++;
    return FLAW_OK;
}

flaw_status flaw_record_put_table(flaw_record *r, const char *name, const float *table, size_t rows, size_t columns,
                                  flaw_error *err)
{
    flaw_record_item *item = NULL;
    flaw_status s = add(r, name, &item, err);
    if (s) return s;
    size_t count;
    float *copy = flaw_mul_ok(&count, rows, columns) ? flaw_arena_alloc(&r->arena, count, sizeof(float)) : NULL;
    if (!copy) return refused(err, name);
    if (count) memcpy(copy, table, count * sizeof(float));
    item->kind = FLAW_RECORD_TABLE;
    item->rows = rows;
    item->columns = columns;
    item->table = copy;
    r->count++;
    return FLAW_OK;
}

static flaw_status get(const flaw_record *r, const char *name, flaw_record_kind kind, const flaw_record_item **out,
                       flaw_error *err)
{
    static const char *const kinds[] = {"number", "text", "table"};
    const flaw_record_item *item = flaw_record_find(r, name);
    if (!item) return flaw_fail(err, FLAW_BAD_DATA, "the recipe has no %s \"%s\"", kinds[kind], name);
    if (item->kind != kind)
        return flaw_fail(err, FLAW_BAD_DATA, "\"%s\" of the recipe is a %s, needed is a %s", name, kinds[item->kind],
                         kinds[kind]);
    *out = item;
    return FLAW_OK;
}

flaw_status flaw_record_number(const flaw_record *r, const char *name, double *out, flaw_error *err)
{
    const flaw_record_item *item = NULL;
    flaw_status s = get(r, name, FLAW_RECORD_NUMBER, &item, err);
    if (!s) *out = item->number;
    return s;
}

flaw_status flaw_record_integer(const flaw_record *r, const char *name, int low, int high, int *out, flaw_error *err)
{
    double value;
    flaw_status s = flaw_record_number(r, name, &value, err);
    if (s) return s;
    if (!(value >= low && value <= high) || value != floor(value))
        return flaw_fail(err, FLAW_BAD_DATA, "\"%s\" of the recipe is %g, allowed are whole numbers from %d to %d",
                         name, value, low, high);
    *out = (int)value;
    return FLAW_OK;
}

flaw_status flaw_record_text(const flaw_record *r, const char *name, const char **out, flaw_error *err)
{
    const flaw_record_item *item = NULL;
    flaw_status s = get(r, name, FLAW_RECORD_TEXT, &item, err);
    if (!s) *out = item->text;
    return s;
}

flaw_status flaw_record_table(const flaw_record *r, const char *name, size_t columns, const float **out, size_t *rows,
                              flaw_error *err)
{
    const flaw_record_item *item = NULL;
    flaw_status s = get(r, name, FLAW_RECORD_TABLE, &item, err);
    if (s) return s;
    if (columns && item->columns != columns)
        return flaw_fail(err, FLAW_BAD_DATA, "\"%s\" of the recipe has %zu columns, needed are %zu", name,
                         item->columns, columns);
    for (size_t i = 0; i < item->rows * item->columns; i++)
        if (!isfinite(item->table[i]))
            return flaw_fail(err, FLAW_BAD_DATA, "\"%s\" of the recipe is not finite at index %zu", name, i);
    *out = item->table;
    *rows = item->rows;
    return FLAW_OK;
}
