#include "learn/language/lora.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "model/tower/walk.h"

static const char *const part_name[FLAW_LORA_PARTS] = {"q", "k", "v", "o"};

/* Where part p lies in a block: rows of the stacked qkv, or out. */
static float *place(const flaw_block_shape *s, const flaw_block_weights *w, int part, int *rows)
{
    size_t d = (size_t)s->width, kv = (size_t)flaw_block_kv_width(s);
    *rows = part == 0 || part == 3 ? s->width : (int)kv;
    if (part == 3) return w->out_w;
    return w->qkv_w + (part == 0 ? 0 : part == 1 ? d : d + kv) * d;
}

static size_t base_floats(const flaw_block_shape *s)
{
    size_t d = (size_t)s->width;
    return (size_t)flaw_block_qkv_width(s) * d + d * d;
}

/* The frozen matrix of a part. */
static const float *base_of(const flaw_lora *l, int layer, int part)
{
    const flaw_block_shape *s = &l->model->shape.block;
    const flaw_block_weights zero = {.qkv_w = l->base + (size_t)layer * base_floats(s),
                                     .out_w = l->base + (size_t)layer * base_floats(s) + base_floats(s) -
                                              (size_t)s->width * (size_t)s->width};
    int rows;
    return place(s, &zero, part, &rows);
}

/* Listing only: nothing is pointed at the parameters, they are found by their offsets. */
static void visit_all(flaw_walk *w, void *view, const void *shape)
{
    const flaw_lora *l = shape;
    const flaw_language_shape *s = &l->model->shape;
    float *slot;
    (void)view;
    for (int i = 0; i < s->layers * FLAW_LORA_PARTS; i++) {
        int layer = i / FLAW_LORA_PARTS, part = i % FLAW_LORA_PARTS, rows;
        char name[96];
        place(&s->block, &l->model->view.block[layer], part, &rows);
        for (int b = 0; b < 2; b++) {
            snprintf(name, sizeof name, "layers.%d.self_attn.%s_proj.lora_%s.weight", layer, part_name[part], b ? "B" : "A");
            flaw_walk_visit(w, &slot, b ? rows : l->rank, b ? l->rank : s->block.width, name);
        }
    }
}

static flaw_status fill(flaw_lora *l, flaw_random *random, flaw_error *err)
{
    const flaw_language_shape *s = &l->model->shape;
    size_t d = (size_t)s->block.width, each = base_floats(&s->block);
    flaw_status status = flaw_walk_list(&l->list, visit_all, NULL, l, &l->arena, err);
    if (status) return status;
    l->weights = flaw_arena_alloc(&l->arena, l->list.total, sizeof *l->weights);
    l->grads = flaw_arena_alloc(&l->arena, l->list.total, sizeof *l->grads);
    l->base = flaw_arena_alloc(&l->arena, each * (size_t)s->layers, sizeof *l->base);
    if (!l->weights || !l->grads || !l->base) return flaw_fail(err, FLAW_NO_MEMORY, "no memory for adapters of rank %d", l->rank);
    for (int i = 0; i < s->layers; i++) {
        const flaw_block_weights *w = &l->model->view.block[i];
        memcpy(l->base + (size_t)i * each, w->qkv_w, (each - d * d) * sizeof(float));
        memcpy(l->base + (size_t)(i + 1) * each - d * d, w->out_w, d * d * sizeof(float));
    }
    for (size_t i = 0; i < l->list.count; i += 2) { /* every A */
        const flaw_parameter *a = &l->list.item[i];
        for (size_t k = 0; k < a->count; k++)
            l->weights[a->offset + k] = (float)((2 * flaw_random_uniform(random) - 1) / sqrt((double)d));
    }
    return FLAW_OK;
}

flaw_status flaw_lora_open(flaw_lora *out, flaw_language *model, int rank, float scale, flaw_random *random, flaw_error *err)
{
    flaw_lora l = {.model = model, .rank = rank, .scale = scale};
    if (rank < 1 || rank > model->shape.block.width)
        return flaw_fail(err, FLAW_USAGE, "rank of adapters is %d, allowed are 1 to the width %d", rank,
                         model->shape.block.width);
    if (!model->view.token)
        return flaw_fail(err, FLAW_USAGE, "%s: opened for reading, its weights cannot be trained", model->name);
    flaw_arena_init(&l.arena, 0);
    flaw_status status = fill(&l, random, err);
    if (status) flaw_arena_release(&l.arena);
    else *out = l;
    return status;
}

void flaw_lora_close(flaw_lora *l)
{
    if (!l->model) return;
    flaw_arena_release(&l->arena);
    memset(l, 0, sizeof *l);
}

typedef struct lora_pass {
    const flaw_compute *c;
    const flaw_lora *l;
    const flaw_language_view *dw;
} lora_pass;

static void apply_piece(void *context, int piece, int worker)
{
    const lora_pass *p = context;
    const flaw_lora *l = p->l;
    const flaw_block_shape *s = &l->model->shape.block;
    (void)worker;
    int layer = piece / FLAW_LORA_PARTS, part = piece % FLAW_LORA_PARTS, rows;
    size_t d = (size_t)s->width, r = (size_t)l->rank;
    float *w = place(s, &l->model->view.block[layer], part, &rows);
    const float *a = l->weights + l->list.item[2 * piece].offset, *b = l->weights + l->list.item[2 * piece + 1].offset;
    memcpy(w, base_of(l, layer, part), (size_t)rows * d * sizeof *w);
    for (int o = 0; o < rows; o++, w += d, b += r)
        for (size_t k = 0; k < r; k++) p->c->kernels->axpy(d, l->scale * b[k], a + k * d, w);
}

void flaw_lora_apply(flaw_compute *c, const flaw_lora *l)
{
    lora_pass p = {.c = c, .l = l};
    flaw_pool_run(c->pool, apply_piece, &p, l->model->shape.layers * FLAW_LORA_PARTS);
}

static void backward_piece(void *context, int piece, int worker)
{
    const lora_pass *p = context;
    const flaw_lora *l = p->l;
    const flaw_block_shape *s = &l->model->shape.block;
    (void)worker;
    int rows;
    size_t d = (size_t)s->width, r = (size_t)l->rank, at_a = l->list.item[2 * piece].offset;
    size_t at_b = l->list.item[2 * piece + 1].offset;
    const float *dw = place(s, &p->dw->block[piece / FLAW_LORA_PARTS], piece % FLAW_LORA_PARTS, &rows);
    for (size_t o = 0; o < (size_t)rows; o++, dw += d) {
        for (size_t k = 0; k < r; k++) {
            float b = l->scale * l->weights[at_b + o * r + k];
            l->grads[at_b + o * r + k] += l->scale * p->c->kernels->dot(d, dw, l->weights + at_a + k * d);
            p->c->kernels->axpy(d, b, dw, l->grads + at_a + k * d);
        }
    }
}

void flaw_lora_backward(flaw_compute *c, flaw_lora *l, const flaw_language_view *dw)
{
    lora_pass p = {.c = c, .l = l, .dw = dw};
    flaw_pool_run(c->pool, backward_piece, &p, l->model->shape.layers * FLAW_LORA_PARTS);
}
