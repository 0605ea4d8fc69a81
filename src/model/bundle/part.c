#include "model/bundle/part.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static flaw_status no_memory(const flaw_part *p, flaw_error *err)
{
    return flaw_fail(err, FLAW_NO_MEMORY, "%s: no memory to write a bundle", p->name);
}

flaw_status flaw_part_init(flaw_part *out, size_t room, const char *name, flaw_error *err)
{
    flaw_part p = {.room = room};
    flaw_arena_init(&p.arena, 0);
    p.item = flaw_arena_alloc(&p.arena, room, sizeof *p.item);
    p.name = flaw_arena_copy_string(&p.arena, name, strlen(name));
    if (!p.item || !p.name) {
        flaw_part_release(&p);
        return flaw_fail(err, FLAW_NO_MEMORY, "%s: no memory to write a bundle", name);
    }
    *out = p;
    return FLAW_OK;
}

void flaw_part_release(flaw_part *p)
{
    flaw_arena_release(&p->arena);
    *p = (flaw_part){0};
}

flaw_status flaw_part_tell(flaw_part *p, const char *key, const char *text, size_t size, flaw_error *err)
{
    const char *copy = flaw_arena_copy_string(&p->arena, text, size);
    if (!copy || 2 * p->pairs + 2 > sizeof p->metadata / sizeof p->metadata[0]) return no_memory(p, err);
    p->metadata[2 * p->pairs] = key;
    p->metadata[2 * p->pairs++ + 1] = copy;
    return FLAW_OK;
}

flaw_status flaw_part_add(flaw_part *p, const flaw_tensor *t, flaw_error *err)
{
    if (p->count == p->room) return no_memory(p, err);
    p->item[p->count++] = *t;
    return FLAW_OK;
}

static flaw_status add(flaw_part *p, const char *name, flaw_dtype dtype, int rank, const size_t *shape,
                       const void *data, flaw_error *err)
{
    flaw_tensor t = {.name = name, .dtype = dtype, .rank = rank, .data = data};
    for (int i = 0; i < rank; i++) t.shape[i] = shape[i];
    return flaw_part_add(p, &t, err);
}

static flaw_status add_half(flaw_part *part, const flaw_parameter *p, const float *x, flaw_error *err)
{
    uint16_t *half = flaw_arena_alloc(&part->arena, p->count, sizeof *half);
    if (!half) return no_memory(part, err);
    for (size_t i = 0; i < p->count; i++) {
        half[i] = flaw_half_of(x[i]);
        if ((half[i] & 0x7c00u) == 0x7c00u)
            return flaw_fail(err, FLAW_BAD_DATA, "%s: '%s': element %zu is %g, too large for F16", part->name, p->name,
                             i, (double)x[i]);
    }
    return add(part, p->name, FLAW_DTYPE_F16, p->rank, p->shape, half, err);
}

/* Symmetric: the largest magnitude of a row becomes 127. */
static flaw_status add_int8(flaw_part *part, const flaw_parameter *p, const float *x, flaw_error *err)
{
    size_t rows = p->shape[0], columns = p->shape[1], length = strlen(p->name) + sizeof ".scale";
    int8_t *q = flaw_arena_alloc(&part->arena, p->count, sizeof *q);
    float *scale = flaw_arena_alloc(&part->arena, rows, sizeof *scale);
    char *name = flaw_arena_alloc(&part->arena, length, 1);
    if (!q || !scale || !name) return no_memory(part, err);
    for (size_t r = 0; r < rows; r++, x += columns, q += columns) {
        float top = 0;
        for (size_t c = 0; c < columns; c++) top = fmaxf(top, fabsf(x[c]));
        scale[r] = top / 127.0f;
        if (scale[r] < 1e-30f) scale[r] = 0; /* a row of nothing; also keeps the division finite */
        for (size_t c = 0; c < columns && scale[r] > 0; c++) q[c] = (int8_t)lrintf(x[c] / scale[r]);
    }
    snprintf(name, length, "%s.scale", p->name);
    flaw_status status = add(part, p->name, FLAW_DTYPE_I8, 2, p->shape, q - p->count, err);
    return status ? status : add(part, name, FLAW_DTYPE_F32, 1, p->shape, scale, err);
}

static bool ends_with(const char *name, const char *end)
{
    size_t a = strlen(name), b = strlen(end);
    return a >= b && strcmp(name + a - b, end) == 0;
}

static flaw_status add_parameter(flaw_part *part, const flaw_parameter *p, const float *x, flaw_storage storage,
                                 flaw_error *err)
{
    flaw_status status = flaw_floats_check(x, p->count, p->name, part->name, err);
    if (status) return status;
    bool position = ends_with(p->name, ".position");
    if (storage == FLAW_STORE_I8 && p->rank == 2 && !position) return add_int8(part, p, x, err);
    if (storage == FLAW_STORE_F16 || (storage == FLAW_STORE_I8 && position)) return add_half(part, p, x, err);
    return add(part, p->name, FLAW_DTYPE_F32, p->rank, p->shape, x, err);
}

flaw_status flaw_part_floats(flaw_part *p, const flaw_parameters *list, const float *weights, flaw_storage storage,
                             flaw_error *err)
{
    flaw_status status = FLAW_OK;
    for (size_t i = 0; i < list->count && !status; i++)
        status = add_parameter(p, &list->item[i], weights + list->item[i].offset, storage, err);
    return status;
}

/* ---- the file ---- */

/* One tensor of one part. */
typedef struct place {
    const flaw_part *part;
    size_t item;
} place;

/* Bytes that an element is aligned to: blocks are written as bytes. */
static size_t alignment(const flaw_tensor *t)
{
    return flaw_dtype_block(t->dtype) > 1 ? 1 : flaw_dtype_size(t->dtype);
}

static int compare_places(const void *a, const void *b)
{
    const place *x = a, *y = b;
    const flaw_tensor *s = &x->part->item[x->item], *t = &y->part->item[y->item];
    size_t p = alignment(s), q = alignment(t);
    if (p != q) return p > q ? -1 : 1;
    return strcmp(s->name, t->name);
}

static size_t bytes_of(const flaw_tensor *t)
{
    size_t bytes = flaw_dtype_size(t->dtype);
    for (int i = 0; i < t->rank; i++) bytes *= t->shape[i];
    return bytes / flaw_dtype_block(t->dtype);
}

static flaw_status write_data(const place *at, flaw_tensor_writer *to, flaw_error *err)
{
    const flaw_tensor *t = &at->part->item[at->item];
    if (!t->data) return at->part->write(at->part, at->item, to, err);
    return flaw_tensor_writer_data(to, t->data, bytes_of(t), err);
}

typedef struct bundle {
    place *at;
    flaw_tensor *item;
    const char **metadata;
    size_t count, pairs;
} bundle;

static flaw_status collect(bundle *b, const flaw_part *const *part, size_t count, const char *const *metadata,
                           size_t pairs)
{
    size_t items = 0, all = pairs;
    for (size_t i = 0; i < count; i++) {
        items += part[i]->count;
        all += part[i]->pairs;
    }
    b->at = calloc(items + 1, sizeof *b->at);
    b->item = calloc(items + 1, sizeof *b->item);
    b->metadata = calloc(2 * all + 1, sizeof *b->metadata);
    if (!b->at || !b->item || !b->metadata) return FLAW_NO_MEMORY;
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < part[i]->count; k++) b->at[b->count++] = (place){part[i], k};
        for (size_t k = 0; k < 2 * part[i]->pairs; k++) b->metadata[2 * b->pairs + k] = part[i]->metadata[k];
        b->pairs += part[i]->pairs;
    }
    for (size_t k = 0; k < 2 * pairs; k++) b->metadata[2 * b->pairs + k] = metadata[k];
    b->pairs += pairs;
    qsort(b->at, b->count, sizeof *b->at, compare_places);
    for (size_t i = 0; i < b->count; i++) b->item[i] = b->at[i].part->item[b->at[i].item];
    return FLAW_OK;
}

static flaw_status write_all(const bundle *b, flaw_tensor_writer *to, flaw_progress progress, void *context,
                             flaw_error *err)
{
    const size_t megabyte = 1000000;
    size_t done = 0, total = 0;
    flaw_status status = FLAW_OK;
    for (size_t i = 0; i < b->count; i++) total += bytes_of(&b->item[i]);
    for (size_t i = 0; i < b->count && !status; i++) {
        status = write_data(&b->at[i], to, err);
        done += bytes_of(&b->item[i]);
        if (!status && progress && progress(context, done / megabyte, total / megabyte, "MB"))
            status = flaw_fail(err, FLAW_USAGE, "cancelled");
    }
    return status;
}

flaw_status flaw_parts_write_watched(const char *path, const flaw_part *const *part, size_t count,
                                     const char *const *metadata, size_t pairs, flaw_progress progress, void *context,
                                     flaw_error *err)
{
    bundle b = {.count = 0};
    flaw_tensor_writer *to = NULL;
    flaw_status status = collect(&b, part, count, metadata, pairs);
    if (status) flaw_fail(err, status, "%s: no memory for the list of tensors", path);
    if (!status) status = flaw_tensor_writer_begin(&to, path, b.item, b.count, b.metadata, b.pairs, err);
    if (!status) status = write_all(&b, to, progress, context, err);
    if (!status) status = flaw_tensor_writer_end(to, NULL, err);
    else flaw_tensor_writer_abandon(to);
    free(b.at);
    free(b.item);
    free(b.metadata);
    return status;
}

flaw_status flaw_parts_write(const char *path, const flaw_part *const *part, size_t count, const char *const *metadata,
                             size_t pairs, flaw_error *err)
{
    return flaw_parts_write_watched(path, part, count, metadata, pairs, NULL, NULL, err);
}
