/* Writer of flaw bundles; they are read by source.c (shape, tokenizer) and bind.c (weights). */
#include "model/bundle.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "format/tensors.h"
#include "model/config.h"

typedef struct writer {
    flaw_arena arena;
    flaw_tensor *item;
    size_t count;
    const char *path;
    flaw_error *err;
} writer;

static flaw_status no_memory(writer *w)
{
    return flaw_fail(w->err, FLAW_NO_MEMORY, "%s: no memory to write a bundle", w->path);
}

static bool ends_with(const char *name, const char *end)
{
    size_t a = strlen(name), b = strlen(end);
    return a >= b && strcmp(name + a - b, end) == 0;
}

static void add(writer *w, const char *name, flaw_dtype dtype, int rank, const size_t *shape, const void *data)
{
    flaw_tensor *t = &w->item[w->count++];
    *t = (flaw_tensor){.name = name, .dtype = dtype, .rank = rank, .data = data};
    for (int i = 0; i < rank; i++) t->shape[i] = shape[i];
}

static flaw_status add_half(writer *w, const flaw_parameter *p, const float *x)
{
    uint16_t *half = flaw_arena_alloc(&w->arena, p->count, sizeof *half);
    if (!half) return no_memory(w);
    for (size_t i = 0; i < p->count; i++) {
        half[i] = flaw_half_of(x[i]);
        if ((half[i] & 0x7c00u) == 0x7c00u)
            return flaw_fail(w->err, FLAW_BAD_DATA, "%s: '%s': element %zu is %g, too large for F16", w->path, p->name,
                             i, (double)x[i]);
    }
    add(w, p->name, FLAW_DTYPE_F16, p->rank, p->shape, half);
    return FLAW_OK;
}

/* Symmetric: the largest magnitude of a row becomes 127. */
static flaw_status add_int8(writer *w, const flaw_parameter *p, const float *x)
{
    size_t rows = p->shape[0], columns = p->shape[1], length = strlen(p->name) + sizeof ".scale";
    int8_t *q = flaw_arena_alloc(&w->arena, p->count, sizeof *q);
    float *scale = flaw_arena_alloc(&w->arena, rows, sizeof *scale);
    char *name = flaw_arena_alloc(&w->arena, length, 1);
    if (!q || !scale || !name) return no_memory(w);
    for (size_t r = 0; r < rows; r++, x += columns, q += columns) {
        float top = 0;
        for (size_t c = 0; c < columns; c++) top = fmaxf(top, fabsf(x[c]));
        scale[r] = top / 127.0f;
        if (scale[r] < 1e-30f) scale[r] = 0; /* a row of nothing; also keeps the division finite */
        for (size_t c = 0; c < columns && scale[r] > 0; c++) q[c] = (int8_t)lrintf(x[c] / scale[r]);
    }
    snprintf(name, length, "%s.scale", p->name);
    add(w, p->name, FLAW_DTYPE_I8, 2, p->shape, q - p->count);
    add(w, name, FLAW_DTYPE_F32, 1, p->shape, scale);
    return FLAW_OK;
}

static flaw_status add_parameter(writer *w, const flaw_parameter *p, const float *x, flaw_storage storage)
{
    flaw_status status = flaw_floats_check(x, p->count, p->name, w->path, w->err);
    if (status) return status;
    bool position = ends_with(p->name, ".position");
    if (storage == FLAW_STORE_I8 && p->rank == 2 && !position) return add_int8(w, p, x);
    if (storage == FLAW_STORE_F16 || (storage == FLAW_STORE_I8 && position)) return add_half(w, p, x);
    add(w, p->name, FLAW_DTYPE_F32, p->rank, p->shape, x);
    return FLAW_OK;
}

static flaw_status write_file(writer *w, const flaw_clip_shape *shape, const char *merges, size_t merges_size,
                              const char *card_json)
{
    const char *metadata[6], **next = metadata;
    flaw_buffer json;
    flaw_buffer_init(&json, 65536);
    flaw_config_bundle_write(&json, shape);
    flaw_status status = json.failed ? no_memory(w) : FLAW_OK;
    *next++ = "flaw";
    *next++ = json.data;
    if (merges) {
        *next++ = "merges";
        *next++ = flaw_arena_copy_string(&w->arena, merges, merges_size);
        if (!next[-1]) status = no_memory(w);
    }
    if (card_json) {
        *next++ = "card";
        *next++ = card_json;
    }
    if (!status)
        status = flaw_safetensors_write(w->path, w->item, w->count, metadata, (size_t)(next - metadata) / 2, w->err);
    flaw_buffer_release(&json);
    return status;
}

flaw_status flaw_bundle_write(const char *path, const flaw_clip_shape *shape, const flaw_parameters *list,
                              const float *weights, const char *merges, size_t merges_size, const char *card_json,
                              flaw_storage storage, flaw_error *err)
{
    writer w = {.path = path, .err = err};
    if (shape->text.width && !merges)
        return flaw_fail(err, FLAW_USAGE, "%s: a bundle with a text tower needs the tokenizer's merges", path);
    flaw_arena_init(&w.arena, 0);
    w.item = flaw_arena_alloc(&w.arena, 2 * list->count, sizeof *w.item);
    flaw_status status = w.item ? FLAW_OK : no_memory(&w);
    for (size_t i = 0; i < list->count && !status; i++)
        status = add_parameter(&w, &list->item[i], weights + list->item[i].offset, storage);
    if (!status) status = write_file(&w, shape, merges, merges_size, card_json);
    flaw_arena_release(&w.arena);
    return status;
}
