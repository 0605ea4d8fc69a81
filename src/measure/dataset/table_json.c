/* Tables in JSON: one object a line, or the lists of meta.json (APRIL-GAN, AnomalyCLIP, AdaCLIP). */
#include <stdio.h>
#include <string.h>

#include "base/cursor.h"
#include "measure/dataset/table.h"

enum { NUMBER = 32 };

static flaw_status too_long(const char *where, size_t line, const char *key, flaw_error *err)
{
    return flaw_fail(err, FLAW_BAD_DATA, "'%s':%zu: '%.40s' is longer than %d bytes", where, line, key,
                     FLAW_TABLE_MAX_FIELD);
}

/* A value as the text that a CSV file would have; `number` is room for one. NULL for what no column may be. */
static const char *text_of(const json_t *value, char number[NUMBER])
{
    if (json_is_string(value)) return json_string_value(value);
    if (json_is_null(value)) return "";
    if (json_is_boolean(value)) return json_is_true(value) ? "1" : "0";
    if (!json_is_number(value)) return NULL;
    snprintf(number, NUMBER, "%.10g", json_number_value(value));
    return number;
}

/* Several masks of one picture. */
static flaw_status add_masks(flaw_rows *rows, const json_t *list, const char *where, flaw_error *err)
{
    flaw_row *row = &rows->row[rows->count - 1];
    size_t count = json_array_size(list);
    const char **mask = flaw_arena_alloc(rows->arena, count + 1, sizeof *mask);
    for (size_t i = 0; mask && i < count; i++) {
        const char *text = json_string_value(json_array_get(list, i));
        if (!text || !*text)
            return flaw_fail(err, FLAW_BAD_DATA, "'%s':%zu: mask %zu of the list is no path", where, row->line, i + 1);
        if (strlen(text) > FLAW_TABLE_MAX_FIELD) return too_long(where, row->line, "mask", err);
        mask[i] = flaw_rows_copy(rows, text);
        if (!mask[i]) mask = NULL;
    }
    if (!mask) return flaw_fail(err, FLAW_NO_MEMORY, "'%s': no memory", where);
    row->mask = mask;
    row->masks = count;
    return FLAW_OK;
}

/* An object as a row; split and category, when not NULL, are known from elsewhere. */
static flaw_status add_object(flaw_rows *rows, json_t *object, const char *split, const char *category, size_t line,
                              const char *where, flaw_error *err)
{
    const char *text[FLAW_COLUMNS] = {NULL}, *key;
    char number[FLAW_COLUMNS][NUMBER];
    const json_t *masks = NULL;
    json_t *value;
    if (!json_is_object(object))
        return flaw_fail(err, FLAW_BAD_DATA, "'%s':%zu: not an object, expected {\"image_path\": ...}", where, line);
    json_object_foreach(object, key, value)
    {
        flaw_column column = flaw_column_named(key);
        if (column == FLAW_COLUMN_OTHER || (text[column] && *text[column])) continue;
        if (column == FLAW_COLUMN_MASK && json_is_array(value)) masks = value;
        else if (!(text[column] = text_of(value, number[column])))
            return flaw_fail(err, FLAW_BAD_DATA, "'%s':%zu: '%.40s' is neither text nor a number", where, line, key);
        if (text[column] && strlen(text[column]) > FLAW_TABLE_MAX_FIELD) return too_long(where, line, key, err);
    }
    if (split) text[FLAW_COLUMN_SPLIT] = split;
    if (category) text[FLAW_COLUMN_CATEGORY] = category;
    flaw_status status = flaw_rows_add(rows, text, line, where, err);
    return status == FLAW_OK && masks ? add_masks(rows, masks, where, err) : status;
}

static bool is_blank(const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (bytes[i] != ' ' && bytes[i] != '\t' && bytes[i] != '\r') return false;
    return true;
}

/* The next line without its end; false after the last. */
static bool next_line(flaw_cursor *c, const uint8_t **line, size_t *size)
{
    size_t left = flaw_cursor_left(c);
    if (left == 0) return false;
    const uint8_t *end = memchr(c->at, '\n', left);
    *size = end ? (size_t)(end - c->at) : left;
    *line = flaw_cursor_bytes(c, *size);
    if (end) flaw_cursor_u8(c);
    return true;
}

flaw_status flaw_rows_jsonl(flaw_rows *rows, const void *bytes, size_t size, bool manifest, const char *name,
                            flaw_error *err)
{
    flaw_cursor c = flaw_cursor_over(bytes, size);
    flaw_status status = FLAW_OK;
    const uint8_t *line;
    size_t length;
    for (size_t number = 1; status == FLAW_OK && next_line(&c, &line, &length); number++) {
        if (is_blank(line, length)) continue;
        json_error_t wrong;
        json_t *object = json_loadb((const char *)line, length, 0, &wrong);
        if (!object)
            status = flaw_fail(err, FLAW_BAD_DATA, "'%s':%zu: no JSON (column %d: %s)", name, number, wrong.column,
                               wrong.text);
        else if (manifest) status = flaw_row_from_manifest(rows, object, number, name, err);
        else status = add_object(rows, object, NULL, NULL, number, name, err);
        json_decref(object);
    }
    return status;
}

bool flaw_table_is_jsonl(const void *bytes, size_t size, bool manifest)
{
    flaw_cursor c = flaw_cursor_over(bytes, size);
    const uint8_t *line;
    size_t length;
    bool is = false;
    while (next_line(&c, &line, &length)) {
        if (is_blank(line, length)) continue;
        json_t *object = json_loadb((const char *)line, length, 0, NULL), *value;
        const char *key;
        bool source = json_object_get(object, "source-ref") != NULL;
        if (manifest) is = source;
        else if (json_is_object(object) && !source)
            json_object_foreach(object, key, value) is |= flaw_column_named(key) == FLAW_COLUMN_IMAGE;
        json_decref(object);
        break;
    }
    return is;
}

static flaw_status add_classes(flaw_rows *rows, const char *split, json_t *classes, const char *name, flaw_error *err)
{
    const char *category;
    json_t *list;
    if (!json_is_object(classes))
        return flaw_fail(err, FLAW_BAD_DATA, "'%s': \"%s\" is no object of lists, one for each class", name, split);
    json_object_foreach(classes, category, list)
    {
        char where[512];
        snprintf(where, sizeof where, "%.400s [%s] [%.80s]", name, split, category);
        if (!json_is_array(list)) return flaw_fail(err, FLAW_BAD_DATA, "'%s' is no list of pictures", where);
        if (strlen(category) > 255)
            return flaw_fail(err, FLAW_BAD_DATA, "'%s': a class of %zu bytes, allowed are 255", where,
                             strlen(category));
        for (size_t i = 0; i < json_array_size(list); i++) {
            flaw_status status = add_object(rows, json_array_get(list, i), split, category, i + 1, where, err);
            if (status != FLAW_OK) return status;
        }
    }
    return FLAW_OK;
}

flaw_status flaw_rows_meta(flaw_rows *rows, const void *bytes, size_t size, const char *name, flaw_error *err)
{
    json_error_t wrong;
    json_t *meta = json_loadb(bytes, size, 0, &wrong), *classes;
    flaw_status status = FLAW_OK;
    const char *key;
    size_t splits = 0;
    if (!meta) return flaw_fail(err, FLAW_BAD_DATA, "'%s':%d: %s", name, wrong.line, wrong.text);
    json_object_foreach(meta, key, classes)
    {
        flaw_row row = {0};
        if (status != FLAW_OK || !flaw_row_split(&row, key)) continue;
        status = add_classes(rows, key, classes, name, err);
        splits++;
    }
    if (status == FLAW_OK && splits == 0)
        status = flaw_fail(err, FLAW_BAD_DATA, "'%s': expected an object with \"train\" and \"test\"", name);
    json_decref(meta);
    return status;
}
