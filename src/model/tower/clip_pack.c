/* Binding of the linears to the weights, packing, and the scratch that the passes need. */
#include "model/open/clip_load.h"

#include <stdlib.h>

/* One pass over all linears. With `read`, a matrix comes from the file just before it is packed and is forgotten after. */
typedef struct packer {
    flaw_clip *m;
    flaw_compute *c;
    bool *read; /* [list.count] parameters read so far; NULL: all are there */
    flaw_error *err;
} packer;

/* The parameter whose values begin at `w`. */
static size_t index_of(const flaw_clip *m, const float *w)
{
    size_t offset = (size_t)(w - m->weights), low = 0, high = m->list.count - 1;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (m->list.item[middle].offset < offset) low = middle + 1;
        else high = middle;
    }
    return low;
}

/* The file's own pages go back: they count as memory of this process as long as it holds them. */
static void drop(const flaw_binding *b, size_t index)
{
    for (int i = 0; i < 3; i++)
        if (b->bound[index].part[i]) flaw_tensor_drop(b->tensors, b->bound[index].part[i]);
}

static flaw_status read_parameter(packer *p, size_t index, float *out)
{
    const flaw_binding *b = &p->m->origin->binding;
    p->read[index] = true;
    flaw_status status = flaw_binding_read_one(b, index, out, p->err);
    drop(b, index);
    return status;
}

typedef struct matrix_rows {
    const flaw_binding *b;
    size_t index;
} matrix_rows;

static flaw_status read_rows(const void *context, int row, int rows, float *out, flaw_error *err)
{
    const matrix_rows *r = context;
    return flaw_binding_read_rows(r->b, r->index, row, rows, out, err);
}

/* A matrix that cannot be read by rows: as a whole. */
static flaw_status pack_whole(packer *p, flaw_linear *l, size_t index)
{
    size_t count = p->m->list.item[index].count;
    float *all = malloc(count * sizeof *all);
    if (!all) return flaw_fail(p->err, FLAW_NO_MEMORY, "%s: no memory for %zu weights", p->m->name, count);
    flaw_status status = read_parameter(p, index, all);
    l->w = all;
    if (!status) status = flaw_linear_pack(l, p->c, &p->m->arena, p->err);
    free(all);
    return status;
}

static flaw_status pack_bound(packer *p, flaw_linear *l)
{
    if (!p->read) return flaw_linear_pack(l, p->c, &p->m->arena, p->err);
    matrix_rows from = {.b = &p->m->origin->binding, .index = index_of(p->m, l->w)};
    flaw_status status;
    if (flaw_binding_by_rows(from.b, from.index)) {
        p->read[from.index] = true;
        status = flaw_linear_pack_from(l, &(flaw_row_source){read_rows, &from}, p->c, &p->m->arena, p->err);
        drop(from.b, from.index);
    } else {
        status = pack_whole(p, l, from.index);
    }
    l->w = NULL;
    return status;
}

/* A projection, embedding or head on its own; absent ones (w NULL) are left alone. */
static flaw_status pack(packer *p, flaw_linear *l, int in, int out, const float *w, const float *b)
{
    if (!w) return FLAW_OK;
    l->in = in;
    l->out = out;
    l->w = w;
    l->b = b;
    return pack_bound(p, l);
}

/* In narrow towers a few hidden numbers outweigh the rest of their row, and 255 steps leave too little of it: DeiT-Tiny's
 * last stage has a cosine of 0.985 to float32 with int8 in its MLP and 0.996 without (tests/golden/test_precision.c). */
enum { NARROW = 512 };

static flaw_status pack_blocks(packer *p, flaw_block *block, const flaw_block_weights *w, const flaw_block_shape *shape,
                               int layers, int tokens)
{
    flaw_status status = layers ? flaw_compute_reserve(p->c, flaw_block_scratch(p->c, shape, tokens), p->err) : FLAW_OK;
    for (int l = 0; l < layers && !status; l++) {
        block[l].shape = *shape;
        block[l].weights = w[l];
        flaw_block_bind(&block[l]);
        flaw_linear *linears[] = {&block[l].qkv, &block[l].out, &block[l].fc1, &block[l].fc2};
        linears[2]->not_int8 = linears[3]->not_int8 = shape->width < NARROW;
        /* What the first block loses here grows through all others: half of DeiT-Tiny's loss, for under 1 % of the work. */
        linears[1]->twice = l == 0;
        for (int i = 0; i < 4 && !status; i++) status = pack_bound(p, linears[i]);
    }
    return status;
}

static flaw_status pack_all(packer *p)
{
    flaw_clip *m = p->m;
    const flaw_clip_shape *s = &m->shape;
    const flaw_clip_view *v = &m->view;
    int d = s->image.width, tokens = flaw_clip_tokens(s);
    m->patch.exact = true; /* what is lost of the pixels grows through all blocks, and this is under 1 % of the work */
    flaw_status status = pack(p, &m->patch, 3 * s->patch * s->patch, d, v->patch_w, v->patch_b);
    if (!status) status = pack(p, &m->image_proj, d, s->joint, v->image_proj, NULL);
    if (!status) status = pack(p, &m->head, d, s->classes, v->head_w, v->head_b);
    if (!status) status = pack(p, &m->text_proj, s->text.width, s->joint, v->text_proj, NULL);
    for (int i = 0; i < FLAW_STAGES && !status; i++)
        status = pack(p, &m->local[i], d, s->joint, v->local_w[i], i ? NULL : v->local_b);
    if (!status) status = pack_blocks(p, m->image_block, v->image_block, &s->image, s->image_layers, tokens);
    if (!status) status = pack_blocks(p, m->text_block, v->text_block, &s->text, s->text_layers, s->context);
    return status;
}

flaw_status flaw_clip_pack(flaw_clip *m, flaw_compute *c, flaw_error *err)
{
    packer p = {.m = m, .c = c, .err = err};
    return pack_all(&p);
}

flaw_status flaw_clip_load_packed(flaw_clip *m, flaw_compute *c, flaw_error *err)
{
    packer p = {.m = m, .c = c, .read = flaw_arena_alloc(&m->origin->arena, m->list.count, sizeof *p.read), .err = err};
    if (!p.read) return flaw_fail(err, FLAW_NO_MEMORY, "%s: no memory to read the model", m->name);
    flaw_status status = pack_all(&p);
    for (size_t i = 0; i < m->list.count && !status; i++)
        if (!p.read[i]) status = read_parameter(&p, i, m->weights + m->list.item[i].offset);
    return status;
}
