#include "nn/block.h"

#include <math.h>
#include <string.h>

#include "nn/block_pass.h"
#include "nn/norm.h"
#include "nn/watch.h"

/* Few tokens (windows) make small heads: a piece of the pool takes so many of them that it has about this many rows. */
#define ATTENTION_PIECE_ROWS 96

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

static int row_cut(const flaw_block_pass *p, int i)
{
    return flaw_cut(p->rows, p->row_unit, i, p->row_parts);
}

void flaw_block_norm(const flaw_block_pass *p, int r0, int r1, const float *w, const float *b)
{
    ptrdiff_t d = p->b->shape.width, row = r0;
    flaw_norm_rows(p->c->kernels, r1 - r0, (int)d, p->b->shape.eps, p->x + row * d, w, flaw_block_norm_bias(p->b, b),
                   p->h + row * d, NULL, NULL);
}

/* Rows of the first norm and of q, k, v. */
static void qkv_rows(void *context, int piece, int worker)
{
    const flaw_block_pass *p = context;
    int d = p->b->shape.width, q = flaw_block_qkv_width(&p->b->shape), r0 = row_cut(p, piece), r1 = row_cut(p, piece + 1);
    float *qkv = p->qkv + (ptrdiff_t)r0 * q;
    double start = flaw_watch_start(p->c);
    flaw_block_norm(p, r0, r1, p->b->weights.norm1_w, p->b->weights.norm1_b);
    flaw_watch_lap(p->c, worker, FLAW_STATION_NORM, &start);
    flaw_linear_rows(p->c, worker, &p->b->qkv, r1 - r0, p->h + (ptrdiff_t)r0 * d, d, qkv, q, FLAW_ACT_NONE, NULL, NULL, false);
    flaw_block_turn(p->c, p->b, p->tokens, (size_t)r0, r1 - r0, false, qkv);
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
    const flaw_block_pass *p = context;
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

void flaw_block_mlp(const flaw_compute *c, int worker, const flaw_block *b, int rows, float *h, float *x, float *hidden)
{
    const flaw_block_shape *s = &b->shape;
    int d = s->width, f = flaw_block_fc1_width(s);
    double start = flaw_watch_start(c);
    flaw_linear_rows(c, worker, &b->out, rows, h, d, x, d, FLAW_ACT_NONE, x, NULL, false);
    if (flaw_linear_twice(c, &b->out)) {
        flaw_linear rest = flaw_linear_without_bias(&b->out);
        flaw_linear_rest(rows, d, h);
        flaw_linear_rows(c, worker, &rest, rows, h, d, x, d, FLAW_ACT_NONE, x, NULL, false);
    }
    flaw_watch_lap(c, worker, FLAW_STATION_OUT, &start);
    flaw_norm_rows(c->kernels, rows, d, s->eps, x, b->weights.norm2_w, flaw_block_norm_bias(b, b->weights.norm2_b), h, NULL, NULL);
    flaw_watch_lap(c, worker, FLAW_STATION_NORM, &start);
    flaw_linear_rows(c, worker, &b->fc1, rows, h, d, hidden, f, s->gated ? FLAW_ACT_NONE : s->act, NULL, NULL, false);
    if (s->gated) c->kernels->gate(s->act, rows, s->hidden, hidden, f, hidden, f);
    flaw_watch_lap(c, worker, FLAW_STATION_FC1, &start);
    flaw_linear_rows(c, worker, &b->fc2, rows, hidden, f, x, d, FLAW_ACT_NONE, x, NULL, false);
    flaw_watch_lap(c, worker, FLAW_STATION_FC2, &start);
}

static void mlp_rows(void *context, int piece, int worker)
{
    const flaw_block_pass *p = context;
    int r0 = row_cut(p, piece), r1 = row_cut(p, piece + 1);
    ptrdiff_t d = p->b->shape.width, f = flaw_block_fc1_width(&p->b->shape);
    flaw_block_mlp(p->c, worker, p->b, r1 - r0, p->h + r0 * d, p->x + r0 * d, p->hidden + r0 * f);
}

void flaw_block_run_attention(flaw_compute *c, flaw_block_pass *p)
{
    int heads = p->n * p->b->shape.heads;
    flaw_pool_run(c->pool, attention_piece, p, (heads + p->heads_per_piece - 1) / p->heads_per_piece);
}

static void forward_by_rows(flaw_compute *c, flaw_block_pass *p)
{
    flaw_pool_run(c->pool, qkv_rows, p, p->row_parts);
    flaw_block_run_attention(c, p);
    flaw_pool_run(c->pool, mlp_rows, p, p->row_parts);
}

int flaw_block_heads_per_piece(int tokens)
{
    return tokens >= ATTENTION_PIECE_ROWS ? 1 : ATTENTION_PIECE_ROWS / tokens;
}

/* Pieces of whole rows keep what they work on in the second cache from the projection to the end of the block, but there
 * must be several for each thread to be shared out evenly. */
static bool enough_rows(const flaw_compute *c, const flaw_block_shape *s, int rows)
{
    return s->gated || s->rotary != FLAW_ROTARY_NONE || rows > flaw_few_rows(c);
}

void flaw_block_forward(flaw_compute *c, const flaw_block *b, int n, int tokens, float *x, float *work)
{
    int rows = n * tokens, share = FLAW_TILE_ROWS * c->workers;
    flaw_block_pass p = {.c = c, .b = b, .n = n, .tokens = tokens, .rows = rows, .x = x, .h = work};
    p.qkv = p.hidden = work + (size_t)rows * (size_t)b->shape.width;
    p.heads_per_piece = flaw_block_heads_per_piece(tokens);
    p.row_unit = c->kernels->row_panel(c->precision);
    p.row_parts = (rows + share - 1) / share * c->workers;
    if (enough_rows(c, &b->shape, rows)) forward_by_rows(c, &p);
    else flaw_block_forward_few(c, &p);
}
