#include "model/open/bind.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/tower/positions.h"

#define NAME_SIZE 192

typedef struct binder {
    flaw_binding *b;
    const flaw_name_table *table;
    flaw_arena *arena;
    bool *used; /* [tensors->count] */
    bool failed;
} binder;

static void list_add(binder *x, flaw_name_list *list, const char *text)
{
    list->name[list->count] = flaw_arena_copy_string(x->arena, text, strlen(text));
    if (list->name[list->count]) list->count++;
    else x->failed = true;
}

static void shape_text(char *out, size_t size, const size_t *shape, int rank)
{
    size_t used = (size_t)snprintf(out, size, "[");
    for (int i = 0; i < rank && used < size; i++)
        used += (size_t)snprintf(out + used, size - used, i ? ", %zu" : "%zu", shape[i]);
    if (used < size) snprintf(out + used, size - used, "]");
}

/* Does the tensor's shape, without leading sides of 1, equal `want`? */
static bool same_shape(const flaw_tensor *t, const size_t *want, int rank)
{
    int skip = 0;
    while (t->rank - skip > rank && t->shape[skip] == 1) skip++;
    if (t->rank == 0) return rank == 1 && want[0] == 1;
    if (t->rank - skip != rank) return false;
    for (int i = 0; i < rank; i++)
        if (t->shape[skip + i] != want[i]) return false;
    return true;
}

/* The shape a foreign tensor must have for parameter p; returns its rank. */
static int foreign_shape(const flaw_parameter *p, flaw_layout layout, size_t shape[5])
{
    shape[0] = p->shape[0];
    shape[1] = p->shape[1];
    switch (layout) {
    case FLAW_LAYOUT_PICTURE:
    case FLAW_LAYOUT_FRAMES: {
        size_t side = 1, frames = layout == FLAW_LAYOUT_FRAMES;
        while (3 * side * side < p->shape[1]) side++;
        shape[1] = 3;
        shape[2] = frames ? 2 : side;
        shape[3] = shape[4] = side;
        return frames ? 5 : 4;
    }
    case FLAW_LAYOUT_KERNEL_3:
    case FLAW_LAYOUT_KERNEL_5:
        shape[2] = shape[3] = layout == FLAW_LAYOUT_KERNEL_3 ? 3 : 5;
        shape[1] /= shape[2] * shape[3];
        return 4;
    case FLAW_LAYOUT_TRANSPOSE:
        shape[0] = p->shape[1];
        shape[1] = p->shape[0];
        return 2;
    case FLAW_LAYOUT_QKV: shape[0] /= 3; return p->rank;
    default: return p->rank;
    }
}

static const flaw_tensor *take(binder *x, const char *name, const size_t *want, int rank)
{
    const flaw_tensor *t = flaw_tensors_find(x->b->tensors, name);
    if (!t) {
        list_add(x, &x->b->missing, name);
        return NULL;
    }
    x->used[t - x->b->tensors->item] = true;
    if (same_shape(t, want, rank)) return t;
    char is[96], expected[96], text[NAME_SIZE + 256];
    shape_text(is, sizeof is, t->shape, t->rank);
    shape_text(expected, sizeof expected, want, rank);
    snprintf(text, sizeof text, "%s is %s, expected %s", name, is, expected);
    list_add(x, &x->b->misshapen, text);
    return NULL;
}

/* Are all tensors of a rule in the file? Asked of the first block for all: where a later one lacks something it is
 * missing, not another kind of block. */
static bool holds(const binder *x, const flaw_name_rule *rule)
{
    for (const char *foreign = rule->foreign; foreign; foreign = strchr(foreign, '|')) {
        char name[NAME_SIZE];
        if (*foreign == '|') foreign++;
        if (!flaw_names_fill(name, sizeof name, foreign, 0, 0) || !flaw_tensors_find(x->b->tensors, name)) return false;
    }
    return true;
}

static const flaw_name_rule *choose_rule(const binder *x, const char *canonical, int *block)
{
    int other;
    const flaw_name_rule *rule = flaw_names_find(x->table, NULL, canonical, block);
    for (const flaw_name_rule *next = rule; next && !holds(x, rule);) {
        next = flaw_names_find(x->table, rule, canonical, &other);
        if (next) rule = next;
    }
    return rule;
}

static bool is_position(flaw_layout layout)
{
    return layout == FLAW_LAYOUT_POSITION || layout == FLAW_LAYOUT_POSITION_SMOOTH ||
           layout == FLAW_LAYOUT_POSITION_OFFSET;
}

/* Positions of a square grid of any side. */
static const flaw_tensor *take_position(binder *x, const char *name, const flaw_parameter *p)
{
    const flaw_tensor *t = flaw_tensors_find(x->b->tensors, name);
    int grid;
    bool whole;
    if (!t || t->rank < 2 || !flaw_positions_grid(&grid, &whole, t->shape[t->rank - 2]))
        return take(x, name, p->shape, p->rank);
    const size_t shape[2] = {t->shape[t->rank - 2], p->shape[1]};
    return take(x, name, shape, 2);
}

static void bind_foreign(binder *x, const flaw_parameter *p, struct flaw_bound *bound)
{
    int block;
    const flaw_name_rule *rule = choose_rule(x, p->name, &block);
    if (!rule) {
        list_add(x, &x->b->missing, p->name);
        return;
    }
    size_t shape[5];
    int rank = foreign_shape(p, rule->layout, shape);
    bound->layout = rule->layout;
    for (int part = 0; part < (rule->layout == FLAW_LAYOUT_QKV ? 3 : 1); part++) {
        char name[NAME_SIZE];
        if (!flaw_names_fill(name, sizeof name, rule->foreign, block, part)) continue;
        bound->part[part] = is_position(rule->layout) ? take_position(x, name, p) : take(x, name, shape, rank);
    }
    if (rule->layout != FLAW_LAYOUT_SCALED) return;
    char name[NAME_SIZE];
    if (flaw_names_fill(name, sizeof name, strchr(rule->foreign, '|') + 1, block, 0))
        bound->part[1] = take(x, name, p->shape, 1);
}

static void bind_canonical(binder *x, const flaw_parameter *p, struct flaw_bound *bound)
{
    bound->layout = FLAW_LAYOUT_SAME;
    bound->part[0] = take(x, p->name, p->shape, p->rank);
    if (!bound->part[0] || bound->part[0]->dtype != FLAW_DTYPE_I8 || p->rank != 2) return;
    char name[NAME_SIZE];
    snprintf(name, sizeof name, "%s.scale", p->name);
    bound->layout = FLAW_LAYOUT_INT8;
    bound->part[1] = take(x, name, p->shape, 1);
}

/* A bundle may hold several parts (docs/decisions/0013): names of another part than the list's are that part's
 * business. What is under no part, or under one whose metadata is not there, counts to the towers. */
static const char *part_of(const flaw_tensors *t, const char *name)
{
    static const char *const parts[] = {"language", "voice"};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        size_t length = strlen(parts[i]);
        if (strncmp(name, parts[i], length) == 0 && name[length] == '.' && flaw_tensors_metadata(t, parts[i]))
            return parts[i];
    }
    return "flaw";
}

static bool is_ignored(const binder *x, const char *name)
{
    int block;
    for (const char *const *i = x->table ? x->table->ignored : NULL; i && *i; i++)
        if (flaw_names_match(*i, name, &block)) return true;
    if (x->table || !x->b->list->count) return false;
    const char *part = part_of(x->b->tensors, name);
    return part != part_of(x->b->tensors, x->b->list->item[0].name) || strcmp(name, "language.tokenizer") == 0;
}

static void list_left_over(binder *x)
{
    for (size_t i = 0; i < x->b->tensors->count; i++) {
        const char *name = x->b->tensors->item[i].name;
        if (x->used[i] || is_ignored(x, name)) continue;
        const char *why = x->table && x->table->why_unsupported ? x->table->why_unsupported(name) : NULL;
        char text[NAME_SIZE + 128];
        snprintf(text, sizeof text, why ? "%.180s: %s" : "%.180s", name, why);
        list_add(x, &x->b->left_over, text);
    }
}

flaw_status flaw_binding_make(flaw_binding *out, const flaw_tensors *tensors, const flaw_name_table *table,
                              const flaw_parameters *list, flaw_arena *arena, flaw_error *err)
{
    flaw_binding b = {.tensors = tensors, .list = list};
    binder x = {.b = &b, .table = table, .arena = arena};
    b.bound = flaw_arena_alloc(arena, list->count, sizeof *b.bound);
    b.missing.name = flaw_arena_alloc(arena, 3 * list->count, sizeof *b.missing.name);
    b.misshapen.name = flaw_arena_alloc(arena, 3 * list->count, sizeof *b.misshapen.name);
    b.left_over.name = flaw_arena_alloc(arena, tensors->count, sizeof *b.left_over.name);
    x.used = flaw_arena_alloc(arena, tensors->count, sizeof *x.used);
    x.failed = !b.bound || !b.missing.name || !b.misshapen.name || !b.left_over.name || !x.used;
    for (size_t i = 0; i < list->count && !x.failed; i++) {
        if (table) bind_foreign(&x, &list->item[i], &b.bound[i]);
        else bind_canonical(&x, &list->item[i], &b.bound[i]);
    }
    if (!x.failed) list_left_over(&x);
    if (x.failed) return flaw_fail(err, FLAW_NO_MEMORY, "%s: no memory to match the tensors", tensors->path);
    *out = b;
    return FLAW_OK;
}

typedef struct complaint {
    const char *what;
    const flaw_name_list *list;
} complaint;

/* "2 missing: a, b" or "2 missing, 1 left over: missing a, b; left over c": counts first, or long names would cut them.
 */
static void count_and_name(char *out, size_t size, const complaint *all, size_t count)
{
    size_t used = 0, kinds = 0;
    for (size_t i = 0; i < count && used < size; i++)
        if (all[i].list->count && ++kinds)
            used += (size_t)snprintf(out + used, size - used, "%s%zu %s", used ? ", " : "", all[i].list->count,
                                     all[i].what);
    for (size_t i = 0, parts = 0; i < count && used < size; i++) {
        const flaw_name_list *list = all[i].list;
        if (!list->count) continue;
        used += (size_t)snprintf(out + used, size - used, "%s%s%s", parts++ ? "; " : ": ", kinds > 1 ? all[i].what : "",
                                 kinds > 1 ? " " : "");
        for (size_t j = 0; j < list->count && j < 3 && used < size; j++)
            used += (size_t)snprintf(out + used, size - used, j ? ", %s" : "%s", list->name[j]);
        if (list->count > 3 && used < size) used += (size_t)snprintf(out + used, size - used, ", ...");
    }
}

flaw_status flaw_binding_verdict(const flaw_binding *b, flaw_error *err)
{
    const complaint all[] = {{"misshapen", &b->misshapen}, {"missing", &b->missing}, {"left over", &b->left_over}};
    char text[400];
    if (!b->missing.count && !b->left_over.count && !b->misshapen.count) return FLAW_OK;
    count_and_name(text, sizeof text, all, sizeof all / sizeof all[0]);
    bool only_missing = !b->left_over.count && !b->misshapen.count;
    return flaw_fail(err, only_missing ? FLAW_MISSING : FLAW_BAD_DATA, "%s: tensors do not fit: %s", b->tensors->path,
                     text);
}

static flaw_status read_transposed(const flaw_binding *b, const flaw_parameter *p, const flaw_tensor *t, float *out,
                                   flaw_error *err)
{
    float *turned = malloc(p->count * sizeof *turned);
    if (!turned) return flaw_fail(err, FLAW_NO_MEMORY, "%s: no memory for tensor '%s'", b->tensors->path, t->name);
    flaw_status status = flaw_tensor_to_f32(b->tensors, t, turned, err);
    size_t rows = p->shape[0], columns = p->shape[1];
    for (size_t r = 0; r < rows && !status; r++)
        for (size_t c = 0; c < columns; c++) out[r * columns + c] = turned[c * rows + r];
    free(turned);
    return status;
}

/* Both frames are the same picture, so their weights act as one: their sum. */
static flaw_status read_frames(const flaw_binding *b, const flaw_parameter *p, const flaw_tensor *t, float *out,
                               flaw_error *err)
{
    float *both = malloc(2 * p->count * sizeof *both);
    if (!both) return flaw_fail(err, FLAW_NO_MEMORY, "%s: no memory for tensor '%s'", b->tensors->path, t->name);
    flaw_status status = flaw_tensor_to_f32(b->tensors, t, both, err);
    size_t area = p->shape[1] / 3;
    for (size_t plane = 0; plane < 3 * p->shape[0] && !status; plane++)
        for (size_t i = 0; i < area; i++) {
            const float *first = both + 2 * plane * area;
            out[plane * area + i] = first[i] + first[area + i];
        }
    free(both);
    return status;
}

/* value = int8 * scale of its row; rows first .. first + count - 1. */
static flaw_status read_int8(const flaw_binding *b, const flaw_parameter *p, const flaw_tensor *const part[3], size_t first,
                             size_t count, float *out, flaw_error *err)
{
    size_t columns = p->shape[1];
    const int8_t *q = (const int8_t *)part[0]->data + first * columns;
    flaw_status status = FLAW_OK;
    for (size_t r = 0; r < count && !status; r++) {
        float scale;
        status = flaw_tensor_part_to_f32(b->tensors, part[1], first + r, 1, &scale, err);
        for (size_t c = 0; c < columns; c++) out[r * columns + c] = (float)q[r * columns + c] * scale;
    }
    return status ? status : flaw_floats_check(out, count * columns, p->name, b->tensors->path, err);
}

/* Rows, or the elements of a vector, times their scale. */
static flaw_status read_scaled(const flaw_binding *b, const flaw_parameter *p, const flaw_tensor *const part[3],
                               float *out, flaw_error *err)
{
    size_t rows = p->shape[0], columns = p->count / rows;
    float *scale = malloc(rows * sizeof *scale);
    if (!scale) return flaw_fail(err, FLAW_NO_MEMORY, "%s: no memory for '%s'", b->tensors->path, part[1]->name);
    flaw_status status = flaw_tensor_to_f32(b->tensors, part[1], scale, err);
    if (!status) status = flaw_tensor_to_f32(b->tensors, part[0], out, err);
    for (size_t r = 0; r < rows && !status; r++)
        for (size_t c = 0; c < columns; c++) out[r * columns + c] *= scale[r];
    free(scale);
    return status ? status : flaw_floats_check(out, p->count, p->name, b->tensors->path, err);
}

static flaw_status read_positions(const flaw_binding *b, const flaw_parameter *p, const flaw_tensor *t,
                                  flaw_layout layout, float *out, flaw_error *err)
{
    static const flaw_positions_way ways[] = {FLAW_POSITIONS_PLAIN, FLAW_POSITIONS_SMOOTH, FLAW_POSITIONS_OFFSET};
    float *given = malloc(t->count * sizeof *given);
    if (!given) return flaw_fail(err, FLAW_NO_MEMORY, "%s: no memory for tensor '%s'", b->tensors->path, t->name);
    flaw_status status = flaw_tensor_to_f32(b->tensors, t, given, err);
    if (!status)
        status = flaw_positions_bring(out, p->shape[0], given, t->shape[t->rank - 2], p->shape[1],
                                      ways[layout - FLAW_LAYOUT_POSITION], err);
    free(given);
    return status;
}

flaw_status flaw_binding_read_one(const flaw_binding *b, size_t index, float *out, flaw_error *err)
{
    const flaw_parameter *p = &b->list->item[index];
    const struct flaw_bound *bound = &b->bound[index];
    flaw_status status = FLAW_OK;
    switch (bound->layout) {
    case FLAW_LAYOUT_TRANSPOSE: return read_transposed(b, p, bound->part[0], out, err);
    case FLAW_LAYOUT_FRAMES: return read_frames(b, p, bound->part[0], out, err);
    case FLAW_LAYOUT_QKV:
        for (size_t part = 0; part < 3 && !status; part++)
            status = flaw_tensor_to_f32(b->tensors, bound->part[part], out + part * (p->count / 3), err);
        return status;
    case FLAW_LAYOUT_SCALED: return read_scaled(b, p, bound->part, out, err);
    case FLAW_LAYOUT_POSITION:
    case FLAW_LAYOUT_POSITION_SMOOTH:
    case FLAW_LAYOUT_POSITION_OFFSET: return read_positions(b, p, bound->part[0], bound->layout, out, err);
    case FLAW_LAYOUT_INT8: return read_int8(b, p, bound->part, 0, p->shape[0], out, err);
    default: return flaw_tensor_to_f32(b->tensors, bound->part[0], out, err);
    }
}

bool flaw_binding_by_rows(const flaw_binding *b, size_t index)
{
    flaw_layout layout = b->bound[index].layout;
    return layout == FLAW_LAYOUT_SAME || layout == FLAW_LAYOUT_PICTURE || layout == FLAW_LAYOUT_QKV ||
           layout == FLAW_LAYOUT_INT8;
}

flaw_status flaw_binding_read_rows(const flaw_binding *b, size_t index, int row, int rows, float *out, flaw_error *err)
{
    const flaw_parameter *p = &b->list->item[index];
    const struct flaw_bound *bound = &b->bound[index];
    size_t columns = p->count / p->shape[0], first = (size_t)row, count = (size_t)rows;
    if (bound->layout == FLAW_LAYOUT_INT8) return read_int8(b, p, bound->part, first, count, out, err);
    if (bound->layout != FLAW_LAYOUT_QKV)
        return flaw_tensor_part_to_f32(b->tensors, bound->part[0], first * columns, count * columns, out, err);
    size_t third = p->shape[0] / 3;
    flaw_status status = FLAW_OK;
    for (size_t done = 0, n; done < count && !status; done += n) { /* up to the end of a part at a time */
        size_t at = (first + done) % third;
        n = count - done < third - at ? count - done : third - at;
        status = flaw_tensor_part_to_f32(b->tensors, bound->part[(first + done) / third], at * columns, n * columns,
                                         out + done * columns, err);
    }
    return status;
}

flaw_status flaw_binding_read(const flaw_binding *b, float *weights, flaw_error *err)
{
    flaw_status status = FLAW_OK;
    for (size_t i = 0; i < b->list->count && !status; i++)
        status = flaw_binding_read_one(b, i, weights + b->list->item[i].offset, err);
    return status;
}
