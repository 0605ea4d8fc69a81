/* A tiny language model with adapters and a batch of it: tokens, given rows, padding, two texts of different length. For the
 * gradient tests and for the dump that tools/check_language.py compares with PyTorch. */
#ifndef FLAW_TESTS_TINY_LANGUAGE_H
#define FLAW_TESTS_TINY_LANGUAGE_H

#include <string.h>

#include "learn/language/lora.h"
#include "model/language/language_train.h"

enum { TINY_N = 3, TINY_T = 11, TINY_ROWS = 4, TINY_VOCAB = 300, TINY_RANK = 3 };
#define TINY_SCALE 0.13f      /* of the loss */
#define TINY_LORA_SCALE 0.5f

typedef struct tiny_language {
    flaw_compute c;
    flaw_language *m;
    flaw_language_train t;
    flaw_lora lora;
    flaw_language_batch batch;
    int32_t ids[TINY_N * TINY_T], target[TINY_N * TINY_T];
    float rows[TINY_ROWS * 24], d_rows[TINY_ROWS * 24];
} tiny_language;

static inline flaw_language_shape tiny_language_shape(bool tied)
{
    return (flaw_language_shape){
        .block = {.width = 24, .heads = 6, .kv_heads = 2, .hidden = 38, .act = FLAW_ACT_SILU, .eps = 1e-5f, .causal = true,
                  .rms = true, .gated = true, .rotary = tied ? FLAW_ROTARY_HALVES : FLAW_ROTARY_PAIRS, .rotary_base = 50},
        .layers = 2, .vocab = TINY_VOCAB, .context = 16, .tied = tied};
}

/* The second text ends early, the third begins with given rows (one of them twice). */
static inline void tiny_batch(tiny_language *x, flaw_random *r)
{
    for (int i = 0; i < TINY_N * TINY_T; i++) {
        int n = i / TINY_T, t = i % TINY_T, end = n == 1 ? 6 : TINY_T;
        x->ids[i] = t < end ? flaw_random_below(r, TINY_VOCAB) : 0;
        x->target[i] = t + 1 < end && t >= 2 ? flaw_random_below(r, TINY_VOCAB) : -1;
    }
    for (int k = 0; k < TINY_ROWS; k++) x->ids[2 * TINY_T + 1 + k] = -1 - k;
    x->ids[2 * TINY_T + 6] = -1 - 2;
    for (int i = 0; i < TINY_ROWS * 24; i++) x->rows[i] = (float)flaw_random_normal(r);
    x->batch = (flaw_language_batch){.n = TINY_N, .tokens = TINY_T, .ids = x->ids, .target = x->target, .rows = x->rows,
                                     .d_rows = x->d_rows};
}

/* Weights are W + scale B A with both adapters nonzero. */
static inline flaw_status tiny_language_open(tiny_language *x, bool tied, int threads, flaw_level level)
{
    flaw_random r;
    flaw_error err;
    flaw_language_shape shape = tiny_language_shape(tied);
    flaw_language_limits limits = {.rows = TINY_N * TINY_T, .tokens = TINY_T};
    memset(x, 0, sizeof *x);
    flaw_random_init(&r, 41, tied);
    flaw_status status = flaw_compute_open(&x->c, threads, level, FLAW_F32, &err);
    if (!status) status = flaw_language_new(&x->m, &shape, "tiny", &err);
    if (status) return status;
    for (size_t i = 0; i < x->m->list.count; i++) {
        const flaw_parameter *p = &x->m->list.item[i];
        for (size_t k = 0; k < p->count; k++)
            x->m->weights[p->offset + k] = (float)((p->rank == 1 ? 1 : 0) + 0.2 * flaw_random_normal(&r));
    }
    tiny_batch(x, &r);
    status = flaw_lora_open(&x->lora, x->m, TINY_RANK, TINY_LORA_SCALE, &r, &err);
    if (status) return status;
    for (size_t i = 0; i < x->lora.list.total; i++) x->lora.weights[i] = (float)(0.2 * flaw_random_normal(&r));
    flaw_lora_apply(&x->c, &x->lora);
    status = flaw_language_train_open(&x->t, x->m, limits, &x->c, &err);
    return status ? status : flaw_language_train_pack(&x->t, &x->c, &err);
}

static inline void tiny_language_close(tiny_language *x)
{
    flaw_language_train_close(&x->t);
    flaw_lora_close(&x->lora);
    flaw_language_close(x->m);
    flaw_compute_close(&x->c);
}

#endif
