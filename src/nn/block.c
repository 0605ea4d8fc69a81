#include "nn/block.h"

#include <limits.h>
#include <math.h>
#include <string.h>

#include "nn/norm.h"
#include "nn/watch.h"

/* Few tokens (windows) make small heads: a piece of the pool takes so many of them that it has about this many rows. */
#define ATTENTION_PIECE_ROWS 96

typedef struct block_pass {
    const flaw_compute *c;
    const flaw_block *b;
    int n, tokens, rows;
    int heads_per_piece;
    float *x;      /* [rows, D] the residual stream */
    float *h;      /* [rows, D] normed input, then the heads' output, then normed again */
    float *qkv;    /* [rows, Q], in the place of `hidden` */
    float *hidden; /* [rows, F], gated [rows, 2F] */
} block_pass;

static void bind(flaw_linear *l, int in, int out, const float *w, const float *b)
{
    l->in = in;
    l->out = out;
    l->w = w;
    l->b = b;
}

void flaw_block_bind(flaw_block *b)
{
    int d = b->shape.width, f = b->shape.hidden;
    const flaw_block_weights *w = &b->weights;
    bind(&b->qkv, d, flaw_block_qkv_width(&b->shape), w->qkv_w, w->qkv_b);
    bind(&b->out, d, d, w->out_w, w->out_b);
    bind(&b->fc1, d, flaw_block_fc1_width(&b->shape), w->fc1_w, w->fc1_b);
    bind(&b->fc2, f, d, w->fc2_w, w->fc2_b);
}

flaw_status flaw_block_pack(flaw_block *b, flaw_compute *c, flaw_arena *arena, flaw_error *err)
{
    flaw_block_bind(b);
    flaw_linear *linears[] = {&b->qkv, &b->out, &b->fc1, &b->fc2};
    for (int i = 0; i < 4; i++) {
        flaw_status status = flaw_linear_pack(linears[i], c, arena, err);
        if (status != FLAW_OK) return status;
    }
    return FLAW_OK;
}

size_t flaw_rotary_floats(const flaw_block_shape *shape, int positions)
{
    return (size_t)positions * (size_t)(shape->width / shape->heads);
}

void flaw_rotary_fill(const flaw_block_shape *shape, int positions, float *table)
{
    int half = shape->width / shape->heads / 2;
    for (int t = 0; t < positions; t++, table += 2 * half) {
        for (int j = 0; j < half; j++) {
            double angle = t * pow(shape->rotary_base, -(double)j / half);
            table[j] = (float)cos(angle);
            table[half + j] = (float)sin(angle);
        }
    }
}

void flaw_block_turn(const flaw_compute *c, const flaw_block *b, int tokens, size_t first, int rows, bool back, float *qkv)
{
    const flaw_block_shape *s = &b->shape;
    int width = s->width / s->heads, heads = s->heads + flaw_block_kv_heads(s), q = flaw_block_qkv_width(s);
    if (s->rotary == FLAW_ROTARY_NONE) return;
    for (int done = 0, count; done < rows; done += count) { /* up to the end of a sequence at a time */
        int position = (int)((first + (size_t)done) % (size_t)tokens);
        count = rows - done < tokens - position ? rows - done : tokens - position;
        c->kernels->rotate(count, heads, width, s->rotary == FLAW_ROTARY_HALVES, back,
                           b->turns + (ptrdiff_t)position * width, qkv + (ptrdiff_t)done * q, q);
    }
}

size_t flaw_block_scratch(const flaw_compute *c, const flaw_block_shape *shape, int tokens)
{
    return c->kernels->attention_scratch(tokens, shape->width / shape->heads);
}

size_t flaw_block_workspace(const flaw_block_shape *shape, int n, int tokens)
{
    int q = flaw_block_qkv_width(shape), f = flaw_block_fc1_width(shape);
    return (size_t)n * (size_t)tokens * ((size_t)shape->width + (size_t)(q > f ? q : f));
}

static int piece_rows(int rows, int piece)
{
    int left = rows - piece * FLAW_TILE_ROWS;
    return left < FLAW_TILE_ROWS ? left : FLAW_TILE_ROWS;
}

/* The biases of norms are absent from RMS norms (norm.h). */
static const float *norm_bias(const flaw_block *b, const float *bias)
{
    return b->shape.rms ? NULL : bias;
}

/* Rows of the first norm and of q, k, v. */
static void qkv_piece(void *context, int piece, int worker)
{
    const block_pass *p = context;
    int d = p->b->shape.width, q = flaw_block_qkv_width(&p->b->shape), rows = piece_rows(p->rows, piece);
    size_t r = (size_t)piece * FLAW_TILE_ROWS;
    const flaw_block_weights *w = &p->b->weights;
    float *h = p->h + r * (size_t)d, *qkv = p->qkv + r * (size_t)q;
    double start = flaw_watch_start(p->c);
    flaw_norm_rows(p->c->kernels, rows, d, p->b->shape.eps, p->x + r * (size_t)d, w->norm1_w, norm_bias(p->b, w->norm1_b), h,
                   NULL, NULL);
    flaw_watch_lap(p->c, worker, FLAW_STATION_NORM, &start);
    flaw_linear_rows(p->c, worker, &p->b->qkv, rows, h, d, qkv, q, FLAW_ACT_NONE, NULL, NULL, false);
    flaw_block_turn(p->c, p->b, p->tokens, r, rows, false, qkv);
    flaw_watch_lap(p->c, worker, FLAW_STATION_QKV, &start);
}

void flaw_block_attention(const flaw_block_shape *shape, int tokens, size_t head, const float *qkv, float *out,
                          float *stats, flaw_attention *a)
{
    size_t d = (size_t)shape->width, heads = (size_t)shape->heads, width = d / heads;
    size_t kv = (size_t)flaw_block_kv_width(shape), group = d / kv; /* heads of queries for each of keys and values */
    size_t first = head / heads * (size_t)tokens, column = head % heads * width;
    const float *row = qkv + first * (d + 2 * kv), *k = row + d + head % heads / group * width;
    *a = (flaw_attention){.tokens = tokens, .width = (int)width, .causal = shape->causal,
                          .scale = (float)(1.0 / sqrt((double)width)), .q = row + column, .k = k, .v = k + kv,
                          .row = (ptrdiff_t)(d + 2 * kv), .out = out ? out + first * d + column : NULL,
                          .out_row = (ptrdiff_t)d};
    if (stats) a->stats = stats + head * (size_t)tokens * 2;
}

static void attention_piece(void *context, int piece, int worker)
{
    const block_pass *p = context;
    size_t total = (size_t)p->n * (size_t)p->b->shape.heads, first = (size_t)piece * (size_t)p->heads_per_piece;
    double start = flaw_watch_start(p->c);
    for (size_t head = first; head < first + (size_t)p->heads_per_piece && head < total; head++) {
        flaw_attention a;
        flaw_block_attention(&p->b->shape, p->tokens, head, p->qkv, p->h, NULL, &a);
        a.precision = p->c->precision;
        p->c->kernels->attention(&a, p->c->scratch[worker]);
    }
    flaw_watch_lap(p->c, worker, FLAW_STATION_ATTENTION, &start);
}

/* Rows of everything behind the attention: projection, residual, second norm, MLP, residual. */
static void mlp_piece(void *context, int piece, int worker)
{
    const block_pass *p = context;
    const flaw_block_shape *s = &p->b->shape;
    int d = s->width, f = flaw_block_fc1_width(s), rows = piece_rows(p->rows, piece);
    size_t r = (size_t)piece * FLAW_TILE_ROWS;
    const flaw_block_weights *w = &p->b->weights;
    float *h = p->h + r * (size_t)d, *x = p->x + r * (size_t)d, *hidden = p->hidden + r * (size_t)f;
    double start = flaw_watch_start(p->c);
    flaw_linear_rows(p->c, worker, &p->b->out, rows, h, d, x, d, FLAW_ACT_NONE, x, NULL, false);
    flaw_watch_lap(p->c, worker, FLAW_STATION_OUT, &start);
    flaw_norm_rows(p->c->kernels, rows, d, s->eps, x, w->norm2_w, norm_bias(p->b, w->norm2_b), h, NULL, NULL);
    flaw_watch_lap(p->c, worker, FLAW_STATION_NORM, &start);
    flaw_linear_rows(p->c, worker, &p->b->fc1, rows, h, d, hidden, f, s->gated ? FLAW_ACT_NONE : s->act, NULL, NULL, false);
    if (s->gated) p->c->kernels->gate(s->act, rows, s->hidden, hidden, f, hidden, f);
    flaw_watch_lap(p->c, worker, FLAW_STATION_FC1, &start);
    flaw_linear_rows(p->c, worker, &p->b->fc2, rows, hidden, f, x, d, FLAW_ACT_NONE, x, NULL, false);
    flaw_watch_lap(p->c, worker, FLAW_STATION_FC2, &start);
}

int flaw_block_heads_per_piece(int tokens)
{
    return tokens >= ATTENTION_PIECE_ROWS ? 1 : ATTENTION_PIECE_ROWS / tokens;
}

void flaw_block_forward(flaw_compute *c, const flaw_block *b, int n, int tokens, float *x, float *work)
{
    int rows = n * tokens;
    block_pass p = {.c = c, .b = b, .n = n, .tokens = tokens, .rows = rows, .x = x, .h = work};
    p.qkv = p.hidden = work + (size_t)rows * (size_t)b->shape.width;
    p.heads_per_piece = flaw_block_heads_per_piece(tokens);
    flaw_pool_run(c->pool, qkv_piece, &p, flaw_row_pieces(rows));
    flaw_pool_run(c->pool, attention_piece, &p, (n * b->shape.heads + p.heads_per_piece - 1) / p.heads_per_piece);
    flaw_pool_run(c->pool, mlp_piece, &p, flaw_row_pieces(rows));
}

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

size_t flaw_block_cached_scratch(const flaw_compute *c, const flaw_block_shape *shape, int room)
{
    (void)c;
    (void)shape;
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
    flaw_norm_forward(c, tokens, d, s->eps, x, d, w->norm1_w, norm_bias(b, w->norm1_b), h, NULL, NULL);
    flaw_linear_forward(c, &b->qkv, tokens, h, d, wide, FLAW_ACT_NONE, NULL, NULL);
    flaw_block_turn(c, b, INT_MAX, (size_t)cache->used, tokens, false, wide);
    cache_append(s, tokens, wide, cache);
    cached_pass p = {.c = c, .shape = s, .cache = cache, .tokens = tokens, .qkv = wide, .out = h};
    flaw_pool_run(c->pool, cached_piece, &p, s->heads * ((tokens + CACHED_QUERIES - 1) / CACHED_QUERIES));
    flaw_linear_forward(c, &b->out, tokens, h, d, x, FLAW_ACT_NONE, x, NULL);
    flaw_norm_forward(c, tokens, d, s->eps, x, d, w->norm2_w, norm_bias(b, w->norm2_b), h, NULL, NULL);
    flaw_linear_forward(c, &b->fc1, tokens, h, d, wide, s->gated ? FLAW_ACT_NONE : s->act, NULL, NULL);
    gate_pass g = {.c = c, .shape = s, .rows = tokens, .x = wide};
    if (s->gated) flaw_pool_run(c->pool, gate_piece, &g, (tokens + GATE_ROWS - 1) / GATE_ROWS);
    flaw_linear_forward(c, &b->fc2, tokens, wide, f, x, FLAW_ACT_NONE, x, NULL);
    cache->used += tokens;
}
