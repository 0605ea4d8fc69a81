#include "model/bundle/binding_part.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/weights.h"

enum { PIECE = 1 << 18 }; /* elements on their way at a time */

/* What an item of the part comes from. */
typedef struct origin {
    const flaw_binding *b;
    const flaw_tensors *const *files;
    size_t file_count;
    struct {
        size_t parameter;
        bool scale; /* of int8 rows */
    } * item;
} origin;

/* Elements in another order, or sums of them: read as one. */
static bool is_rearranged(flaw_layout layout)
{
    return layout == FLAW_LAYOUT_FRAMES || layout == FLAW_LAYOUT_TRANSPOSE;
}

static flaw_dtype type_of(const struct flaw_bound *bound, const flaw_parameter *p, bool halves)
{
    flaw_dtype type = bound->part[0]->dtype;
    for (int i = 1; i < 3 && bound->layout == FLAW_LAYOUT_QKV; i++)
        if (bound->part[i]->dtype != type) type = FLAW_DTYPE_F32;
    if (bound->layout == FLAW_LAYOUT_FRAMES || type > FLAW_DTYPE_BF16) type = FLAW_DTYPE_F32;
    return halves && p->rank == 2 && type == FLAW_DTYPE_F32 ? FLAW_DTYPE_F16 : type;
}

static flaw_status add_item(flaw_part *part, origin *o, size_t parameter, bool halves, flaw_error *err)
{
    const flaw_parameter *p = &o->b->list->item[parameter];
    const struct flaw_bound *bound = &o->b->bound[parameter];
    const bool rows = bound->layout == FLAW_LAYOUT_INT8;
    flaw_tensor t = {.name = p->name, .rank = p->rank, .shape = {p->shape[0], p->shape[1]}};
    t.dtype = rows ? FLAW_DTYPE_I8 : type_of(bound, p, halves);
    o->item[part->count].parameter = parameter;
    flaw_status status = flaw_part_add(part, &t, err);
    if (status || !rows) return status;
    o->item[part->count].parameter = parameter;
    o->item[part->count].scale = true;
    t = (flaw_tensor){.name = bound->part[1]->name, .dtype = FLAW_DTYPE_F32, .rank = 1, .shape = {p->shape[0]}};
    return flaw_part_add(part, &t, err);
}

/* Floats on their way into the file. */
typedef struct passage {
    const origin *o;
    flaw_dtype to;
    flaw_tensor_writer *file;
    const char *name, *where;
    float *floats; /* [PIECE] */
    uint16_t *half;
} passage;

static flaw_status write_floats(const passage *w, const float *x, size_t first, size_t count, flaw_error *err)
{
    if (w->to == FLAW_DTYPE_F32) return flaw_tensor_writer_data(w->file, x, count * sizeof *x, err);
    flaw_weight_pack(w->to == FLAW_DTYPE_F16 ? FLAW_WEIGHT_F16 : FLAW_WEIGHT_BF16, count, x, w->half);
    for (size_t i = 0; w->to == FLAW_DTYPE_F16 && i < count; i++)
        if ((w->half[i] & 0x7c00u) == 0x7c00u)
            return flaw_fail(err, FLAW_BAD_DATA, "%s: '%s': element %zu is %g, too large for F16", w->where, w->name,
                             first + i, (double)x[i]);
    return flaw_tensor_writer_data(w->file, w->half, count * sizeof *w->half, err);
}

/* A tensor from its first element to its last. What keeps its type is read as floats too, which finds what is no
 * number, and written as it is. */
static flaw_status write_tensor(const passage *w, const flaw_tensor *t, flaw_error *err)
{
    const flaw_tensors *const from = w->o->b->tensors;
    const size_t size = flaw_dtype_size(t->dtype);
    for (size_t first = 0; first < t->count; first += PIECE) {
        const size_t count = t->count - first < PIECE ? t->count - first : PIECE;
        flaw_status status = FLAW_OK;
        if (t->dtype != FLAW_DTYPE_I8) status = flaw_tensor_part_to_f32(from, t, first, count, w->floats, err);
        if (!status && t->dtype == w->to)
            status = flaw_tensor_writer_data(w->file, t->data + first * size, count * size, err);
        else if (!status) status = write_floats(w, w->floats, first, count, err);
        for (size_t i = 0; i < w->o->file_count; i++)
            flaw_tensor_drop_part(w->o->files[i], t, first * size, count * size);
        if (status) return status;
    }
    return FLAW_OK;
}

static flaw_status write_rearranged(const passage *w, size_t parameter, flaw_error *err)
{
    const flaw_binding *b = w->o->b;
    const flaw_parameter *p = &b->list->item[parameter];
    float *x = malloc(p->count * sizeof *x);
    if (!x) return flaw_fail(err, FLAW_NO_MEMORY, "%s: no memory for '%s'", w->where, p->name);
    flaw_status status = flaw_binding_read_one(b, parameter, x, err);
    for (size_t first = 0; first < p->count && !status; first += PIECE)
        status = write_floats(w, x + first, first, p->count - first < PIECE ? p->count - first : PIECE, err);
    for (size_t i = 0; i < w->o->file_count; i++) flaw_tensor_drop(w->o->files[i], b->bound[parameter].part[0]);
    free(x);
    return status;
}

static flaw_status write_item(const flaw_part *part, size_t item, flaw_tensor_writer *to, flaw_error *err)
{
    const origin *o = part->from;
    const size_t parameter = o->item[item].parameter;
    const struct flaw_bound *bound = &o->b->bound[parameter];
    passage w = {.o = o, .to = part->item[item].dtype, .file = to, .name = part->item[item].name, .where = part->name};
    w.floats = malloc(PIECE * sizeof *w.floats);
    w.half = malloc(PIECE * sizeof *w.half);
    flaw_status status =
        w.floats && w.half ? FLAW_OK : flaw_fail(err, FLAW_NO_MEMORY, "%s: no memory for '%s'", w.where, w.name);
    if (!status && is_rearranged(bound->layout)) {
        status = write_rearranged(&w, parameter, err);
    } else {
        const int first = o->item[item].scale ? 1 : 0, last = bound->layout == FLAW_LAYOUT_QKV ? 2 : first;
        for (int i = first; i <= last && !status; i++) status = write_tensor(&w, bound->part[i], err);
    }
    free(w.floats);
    free(w.half);
    return status;
}

flaw_status flaw_binding_part(flaw_part *out, const flaw_binding *b, bool halves, const flaw_tensors *const *files,
                              size_t count, const char *name, flaw_error *err)
{
    flaw_part part;
    flaw_status status = flaw_part_init(&part, 2 * b->list->count, name, err);
    if (status) return status;
    origin *o = flaw_arena_alloc(&part.arena, 1, sizeof *o);
    if (o) *o = (origin){.b = b, .files = files, .file_count = count};
    if (o) o->item = flaw_arena_alloc(&part.arena, 2 * b->list->count, sizeof *o->item);
    if (!o || !o->item) status = flaw_fail(err, FLAW_NO_MEMORY, "%s: no memory to write a bundle", name);
    for (size_t i = 0; i < b->list->count && !status; i++) status = add_item(&part, o, i, halves, err);
    part.write = write_item;
    part.from = o;
    if (status) flaw_part_release(&part);
    else *out = part;
    return status;
}
