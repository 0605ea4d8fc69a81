/* A block that reads on: new tokens beside the keys and values of those read before. */
#include <limits.h>
#include <math.h>
#include <string.h>

#include "nn/block_pass.h"
#include "nn/norm.h"

/* New queries of one head that a piece of the pool takes. */
#define CACHED_QUERIES 8

typedef struct cached_pass {
    const flaw_compute *c;
    const flaw_block_shape *shape;
    const flaw_block_cache *cache;
    int tokens;
    const float *qkv; /* [T, Q] */
    float *out;       /* [T, D] */
} cached_pass;

/* out = softmax(scale q k^T) v of a few queries of one head, key by key: the sums know nothing of the other queries. */
static void cached_piece(void *context, int piece, int worker)
{
    const cached_pass *p = context;
    const flaw_block_shape *s = p->shape;
    const flaw_kernels *k = p->c->kernels;
    int head = piece % s->heads, first = piece / s->heads * CACHED_QUERIES, width = s->width / s->heads;
    int end = first + CACHED_QUERIES < p->tokens ? first + CACHED_QUERIES : p->tokens;
    ptrdiff_t kv = flaw_block_kv_width(s), column = head * flaw_block_kv_heads(s) / s->heads * width;
    const float *keys = p->cache->k + column, *values = p->cache->v + column;
    float scale = (float)(1.0 / sqrt((double)width)), *scores = p->c->scratch[worker];
    for (int t = first; t < end; t++) {
        const float *q = p->qkv + (ptrdiff_t)t * flaw_block_qkv_width(s) + (ptrdiff_t)head * width;
        float *out = p->out + (ptrdiff_t)t * s->width + (ptrdiff_t)head * width;
        int seen = p->cache->used + t + 1;
        for (int j = 0; j < seen; j++) scores[j] = scale * k->dot((size_t)width, q, keys + j * kv);
        k->softmax(1, seen, scores);
        memset(out, 0, (size_t)width * sizeof *out);
        for (int j = 0; j < seen; j++) k->axpy((size_t)width, scores[j], values + j * kv, out);
    }
}

size_t flaw_block_cached_scratch(int room)
{
    return (size_t)room * sizeof(float);
}

/* The new keys and values, behind those of the tokens read before. */
static void cache_append(const flaw_block_shape *s, int tokens, const float *qkv, flaw_block_cache *cache)
{
    size_t kv = (size_t)flaw_block_kv_width(s);
    for (int t = 0; t < tokens; t++) {
        const float *keys = qkv + (ptrdiff_t)t * flaw_block_qkv_width(s) + s->width;
        memcpy(cache->k + (size_t)(cache->used + t) * kv, keys, kv * sizeof *keys);
        memcpy(cache->v + (size_t)(cache->used + t) * kv, keys + kv, kv * sizeof *keys);
    }
}

#define GATE_ROWS 8

typedef struct gate_pass {
    const flaw_compute *c;
    const flaw_block_shape *shape;
    int rows;
    float *x; /* [rows, 2F] */
} gate_pass;

static void gate_piece(void *context, int piece, int worker)
{
    const gate_pass *p = context;
    (void)worker;
    int first = piece * GATE_ROWS, rows = p->rows - first < GATE_ROWS ? p->rows - first : GATE_ROWS, f = p->shape->hidden;
    float *x = p->x + (ptrdiff_t)first * 2 * f;
    p->c->kernels->gate(p->shape->act, rows, f, x, 2 * f, x, 2 * f);
}

void flaw_block_forward_cached(flaw_compute *c, const flaw_block *b, int tokens, float *x, flaw_block_cache *cache, float *work)
{
    const flaw_block_shape *s = &b->shape;
    const flaw_block_weights *w = &b->weights;
    int d = s->width, f = flaw_block_fc1_width(s);
    float *h = work, *wide = work + (size_t)tokens * (size_t)d; /* [T, D]; [T, Q], then [T, F] or [T, 2F] */
    flaw_norm_forward(c, tokens, d, s->eps, x, d, w->norm1_w, flaw_block_norm_bias(b, w->norm1_b), h, NULL, NULL);
    flaw_linear_forward(c, &b->qkv, tokens, h, d, wide, FLAW_ACT_NONE, NULL, NULL);
    flaw_block_turn(c, b, INT_MAX, (size_t)cache->used, tokens, false, wide);
    cache_append(s, tokens, wide, cache);
    cached_pass p = {.c = c, .shape = s, .cache = cache, .tokens = tokens, .qkv = wide, .out = h};
    flaw_pool_run(c->pool, cached_piece, &p, s->heads * ((tokens + CACHED_QUERIES - 1) / CACHED_QUERIES));
    flaw_linear_forward(c, &b->out, tokens, h, d, x, FLAW_ACT_NONE, x, NULL);
    flaw_norm_forward(c, tokens, d, s->eps, x, d, w->norm2_w, flaw_block_norm_bias(b, w->norm2_b), h, NULL, NULL);
    flaw_linear_forward(c, &b->fc1, tokens, h, d, wide, s->gated ? FLAW_ACT_NONE : s->act, NULL, NULL);
    gate_pass g = {.c = c, .shape = s, .rows = tokens, .x = wide};
    if (s->gated) flaw_pool_run(c->pool, gate_piece, &g, (tokens + GATE_ROWS - 1) / GATE_ROWS);
    flaw_linear_forward(c, &b->fc2, tokens, wide, f, x, FLAW_ACT_NONE, x, NULL);
    cache->used += tokens;
}
