/* A tiny CLIP with every kind of parameter, and a batch for it: for the gradient tests and for the dump that
 * tools/check_gradients.py compares with PyTorch. */
#ifndef FLAW_TESTS_TINY_CLIP_H
#define FLAW_TESTS_TINY_CLIP_H

#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "learn/tower/train_loss.h"

enum { TINY_PAIRS = 3, TINY_SENTENCES = 2, TINY_PICTURES = 2 * TINY_PAIRS,
       TINY_TEXTS = TINY_PICTURES + 2 * TINY_PAIRS * TINY_SENTENCES };

typedef struct tiny {
    flaw_compute c;
    flaw_arena arena;
    flaw_clip_train t;
    float *pixels, *target, *teacher[FLAW_STAGES], *work;
    int32_t *ids, group[TINY_PICTURES];
    int end[TINY_TEXTS], tokens;
    flaw_train_weights weight;
} tiny;

static inline flaw_clip_shape tiny_shape(void)
{
    flaw_clip_shape s = {.joint = 20, .image = {.width = 24, .heads = 3, .hidden = 40, .act = FLAW_ACT_GELU, .eps = 1e-5f},
                         .image_layers = 4, .side = 16, .patch = 4, .pre_norm = true, .patch_bias = true, .local_head = true,
                         .text = {.width = 16, .heads = 2, .hidden = 36, .act = FLAW_ACT_QUICK_GELU, .eps = 1e-5f,
                                  .causal = true},
                         .text_layers = 2, .context = 12, .vocab = 40, .text_end = 39,
                         .prepare = {.resize_to = 16, .std = {1, 1, 1}}};
    flaw_clip_shape_derive(&s);
    return s;
}

static inline float *tiny_normal(tiny *x, flaw_random *r, size_t n, double size)
{
    float *p = flaw_arena_alloc(&x->arena, n, sizeof *p);
    for (size_t i = 0; p && i < n; i++) p[i] = (float)(size * flaw_random_normal(r));
    return p;
}

static inline void tiny_weights(tiny *x, flaw_random *r)
{
    for (size_t i = 0; i < x->t.list.count; i++) {
        const flaw_parameter *p = &x->t.list.item[i];
        size_t length = strlen(p->name);
        bool scale = p->rank == 1 && length > 2 && !strcmp(p->name + length - 2, ".w");
        for (size_t k = 0; k < p->count; k++)
            x->t.weights[p->offset + k] = (float)((scale ? 1 : 0) + 0.2 * flaw_random_normal(r));
    }
    x->t.w.logit_scale[0] = 1.5f;
}

static inline void tiny_texts(tiny *x, flaw_random *r)
{
    const flaw_clip_shape *s = &x->t.shape;
    for (int m = 0; m < TINY_TEXTS; m++) {
        x->end[m] = 2 + flaw_random_below(r, s->context - 4);
        for (int k = 0; k < x->end[m]; k++) x->ids[m * s->context + k] = flaw_random_below(r, s->vocab - 1);
        x->ids[m * s->context + x->end[m]] = s->vocab - 1;
        if (x->end[m] + 1 > x->tokens) x->tokens = x->end[m] + 1;
    }
}

static inline flaw_status tiny_open(tiny *x, int threads, flaw_level level, flaw_precision precision, int first_trained)
{
    flaw_clip_shape s = tiny_shape();
    flaw_random r;
    memset(x, 0, sizeof *x);
    flaw_arena_init(&x->arena, 0);
    flaw_random_init(&r, 5, 5);
    flaw_status status = flaw_compute_open(&x->c, threads, level, precision, NULL);
    flaw_clip_train_limits limits = {.pictures = TINY_PICTURES, .sentences = TINY_TEXTS, .first_trained = first_trained};
    if (!status) status = flaw_clip_train_open(&x->t, &s, limits, &x->c, NULL);
    if (status) return status;
    size_t patches = (size_t)flaw_clip_patches(&s), tokens = TINY_PICTURES * (1 + patches);
    tiny_weights(x, &r);
    x->pixels = tiny_normal(x, &r, TINY_PICTURES * 3 * 16 * 16, 1);
    x->target = tiny_normal(x, &r, TINY_PICTURES * patches, 1);
    for (size_t i = 0; i < TINY_PICTURES * patches; i++)
        x->target[i] = i / patches % 2 && x->target[i] > 0 ? (x->target[i] > 1 ? 1 : x->target[i]) : 0;
    for (int k = 0; k < FLAW_STAGES; k++) x->teacher[k] = tiny_normal(x, &r, tokens * 24, 1);
    x->ids = flaw_arena_alloc(&x->arena, TINY_TEXTS * (size_t)s.context, sizeof *x->ids);
    x->work = flaw_arena_alloc(&x->arena, flaw_train_loss_floats(&s, TINY_PAIRS, TINY_SENTENCES), sizeof(float));
    tiny_texts(x, &r);
    for (int i = 0; i < TINY_PICTURES; i++) x->group[i] = i == 4 ? 2 : i;
    x->weight = (flaw_train_weights){.contrast = 0.7f, .state = 1.1f, .peak = 0.6f, .local = 3, .dice = 0.9f, .distil = 0.8f};
    return FLAW_OK;
}

static inline void tiny_close(tiny *x)
{
    flaw_clip_train_close(&x->t);
    flaw_compute_close(&x->c);
    flaw_arena_release(&x->arena);
}

static inline flaw_loss_values tiny_forward(tiny *x)
{
    flaw_loss_batch batch = {.pairs = TINY_PAIRS, .sentences = TINY_SENTENCES, .target = x->target, .group = x->group,
                             .teacher = (const float *const *)x->teacher};
    flaw_clip_train_pack(&x->t, &x->c, NULL);
    flaw_clip_train_images(&x->c, &x->t, TINY_PICTURES, x->pixels);
    flaw_clip_train_texts(&x->c, &x->t, TINY_TEXTS, x->tokens, x->ids, x->t.shape.context, x->end);
    return flaw_train_loss(&x->c, &x->t, &batch, &x->weight, x->work);
}

static inline flaw_loss_values tiny_step(tiny *x)
{
    memset(x->t.grads, 0, x->t.list.total * sizeof(float));
    flaw_loss_values loss = tiny_forward(x);
    flaw_clip_train_texts_backward(&x->c, &x->t);
    flaw_clip_train_images_backward(&x->c, &x->t);
    return loss;
}

#endif
