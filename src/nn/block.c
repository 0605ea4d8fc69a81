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
    int row_unit, row_parts; /* rows are cut into so many pieces, on multiples of the unit */
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

/* The biases of norms are absent from RMS norms (norm.h). */
static const float *norm_bias(const flaw_block *b, const float *bias)
{
    return b->shape.rms ? NULL : bias;
}

/* Where part i of `parts` about equal ones begins: on a multiple of `unit`, or at the end. */
static int cut(int count, int unit, int i, int parts)
{
    long units = (count + unit - 1) / unit;
    int at = (int)(units * i / parts) * unit;
    return at < count ? at : count;
}

static int row_cut(const block_pass *p, int i)
{
    return cut(p->rows, p->row_unit, i, p->row_parts);
}

static void norm(const block_pass *p, int r0, int r1, const float *w, const float *b)
{
    ptrdiff_t d = p->b->shape.width, row = r0;
    flaw_norm_rows(p->c->kernels, r1 - r0, (int)d, p->b->shape.eps, p->x + row * d, w, norm_bias(p->b, b), p->h + row * d,
                   NULL, NULL);
}

/* Rows of the first norm and of q, k, v. */
static void qkv_rows(void *context, int piece, int worker)
{
    const block_pass *p = context;
    int d = p->b->shape.width, q = flaw_block_qkv_width(&p->b->shape), r0 = row_cut(p, piece), r1 = row_cut(p, piece + 1);
    float *qkv = p->qkv + (ptrdiff_t)r0 * q;
    double start = flaw_watch_start(p->c);
    norm(p, r0, r1, p->b->weights.norm1_w, p->b->weights.norm1_b);
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

static flaw_linear without_bias(const flaw_linear *l)
{
    flaw_linear out = *l;
    out.b = NULL;
    return out;
}

void flaw_block_mlp(const flaw_compute *c, int worker, const flaw_block *b, int rows, float *h, float *x, float *hidden)
{
    const flaw_block_shape *s = &b->shape;
    int d = s->width, f = flaw_block_fc1_width(s);
    double start = flaw_watch_start(c);
    flaw_linear_rows(c, worker, &b->out, rows, h, d, x, d, FLAW_ACT_NONE, x, NULL, false);
    if (flaw_linear_twice(c, &b->out)) {
        flaw_linear rest = without_bias(&b->out);
        flaw_linear_rest(rows, d, h);
        flaw_linear_rows(c, worker, &rest, rows, h, d, x, d, FLAW_ACT_NONE, x, NULL, false);
    }
    flaw_watch_lap(c, worker, FLAW_STATION_OUT, &start);
    flaw_norm_rows(c->kernels, rows, d, s->eps, x, b->weights.norm2_w, norm_bias(b, b->weights.norm2_b), h, NULL, NULL);
    flaw_watch_lap(c, worker, FLAW_STATION_NORM, &start);
    flaw_linear_rows(c, worker, &b->fc1, rows, h, d, hidden, f, s->gated ? FLAW_ACT_NONE : s->act, NULL, NULL, false);
    if (s->gated) c->kernels->gate(s->act, rows, s->hidden, hidden, f, hidden, f);
    flaw_watch_lap(c, worker, FLAW_STATION_FC1, &start);
    flaw_linear_rows(c, worker, &b->fc2, rows, hidden, f, x, d, FLAW_ACT_NONE, x, NULL, false);
    flaw_watch_lap(c, worker, FLAW_STATION_FC2, &start);
}

static void mlp_rows(void *context, int piece, int worker)
{
    const block_pass *p = context;
    int r0 = row_cut(p, piece), r1 = row_cut(p, piece + 1);
    ptrdiff_t d = p->b->shape.width, f = flaw_block_fc1_width(&p->b->shape);
    flaw_block_mlp(p->c, worker, p->b, r1 - r0, p->h + r0 * d, p->x + r0 * d, p->hidden + r0 * f);
}

/* Few rows: each layer is two runs of the pool. Its rows are packed once, cut by rows; the product is cut by columns, so
 * that each thread reads its own part of the weights, once. */
typedef struct layer_pass {
    const block_pass *p;
    const flaw_linear *l;
    const float *norm_w, *norm_b; /* the rows are p->x, normed; or */
    const float *a;               /* these [rows, in]; or */
    float *rest_of;               /* what int8 leaves of these, in their place */
    float *c;                     /* [rows, out] */
    const float *residual;
    flaw_activation act;
    flaw_station station;
    int row_parts; /* pieces of packing */
    int column_parts, row_cuts, row_groups; /* of the product: the cuts of a group of rows meet one part of the columns, then
                                               the next part */
    const flaw_linear *then; /* read after this one; or NULL */
} layer_pass;

static void layer_rows(void *context, int piece, int worker)
{
    const layer_pass *y = context;
    const block_pass *p = y->p;
    const flaw_kernels *k = p->c->kernels;
    flaw_precision precision = flaw_linear_precision(p->c, y->l);
    int unit = k->row_panel(precision), in = y->l->in;
    int r0 = cut(p->rows, unit, piece, y->row_parts), r1 = cut(p->rows, unit, piece + 1, y->row_parts);
    double start = flaw_watch_start(p->c);
    if (r0 == r1) return;
    const float *a = (y->rest_of ? y->rest_of : y->a ? y->a : p->h) + (ptrdiff_t)r0 * in;
    if (y->rest_of) flaw_linear_rest(r1 - r0, in, y->rest_of + (ptrdiff_t)r0 * in);
    else if (!y->a) norm(p, r0, r1, y->norm_w, y->norm_b);
    k->pack_rows(precision, r1 - r0, in, a, in, (unsigned char *)p->c->rows + k->rows_size(precision, r0, in));
    flaw_watch_lap(p->c, worker, FLAW_STATION_NORM, &start);
}

/* Several pieces for each thread, because one may be held up. The weights of a piece stay in the second cache while the
 * blocks of rows pass them: they come from memory once. */
enum { PARTS = 12 };
#define SLICE_BYTES ((size_t)384 << 10)

static int least_parts(const flaw_compute *c)
{
    return c->workers > 1 ? PARTS * c->workers : 1;
}

static int column_parts(const flaw_compute *c, const flaw_linear *l)
{
    size_t bytes = c->kernels->pack_size(flaw_linear_precision(c, l), l->in, l->out);
    int slices = (int)(bytes / SLICE_BYTES) + 1, least = least_parts(c);
    return slices > least ? (slices + c->workers - 1) / c->workers * c->workers : least;
}

/* Threads wait at the end of a layer for the last piece, so half the rows make a piece where they still are so many panels
 * that reading the weights twice does not matter. */
static int row_cuts(const flaw_compute *c, const flaw_linear *l, int rows)
{
    enum { ENOUGH_PANELS = 16 };
    return c->workers > 1 && rows >= 2 * ENOUGH_PANELS * c->kernels->row_panel(flaw_linear_precision(c, l)) ? 2 : 1;
}

/* Packed rows that stay in the second cache while weights pass them. */
#define NEAR_BYTES ((size_t)1536 << 10)

/* Into how many parts rows are cut so that the second caches hold `together` of them, one each. */
static int near_parts(const flaw_compute *c, const flaw_linear *l, int rows, int together)
{
    size_t size = c->kernels->rows_size(flaw_linear_precision(c, l), rows, l->in), room = NEAR_BYTES * (size_t)together;
    return (int)((size + room - 1) / room);
}

/* Where the columns of a piece begin in the packed weights. */
static const void *weights_of(const flaw_compute *c, const flaw_linear *l, int piece, int parts)
{
    flaw_precision precision = flaw_linear_precision(c, l);
    int n0 = cut(l->out, c->kernels->panel(precision), piece, parts);
    return (const unsigned char *)l->packed + c->kernels->pack_size(precision, l->in, n0);
}

/* What a thread will read when it is done with this piece, if all threads are equally fast. */
static const void *weights_behind(const layer_pass *y, int piece)
{
    const flaw_compute *c = y->p->c;
    int next = (piece + c->workers) / y->row_cuts, all = y->column_parts * y->row_groups;
    if (next < all) return weights_of(c, y->l, next % y->column_parts, y->column_parts);
    return y->then ? weights_of(c, y->then, next - all, column_parts(c, y->then)) : NULL;
}

static void layer_columns(void *context, int piece, int worker)
{
    const layer_pass *y = context;
    const flaw_compute *c = y->p->c;
    const flaw_linear *l = y->l;
    flaw_precision precision = flaw_linear_precision(c, l);
    int unit = c->kernels->panel(precision), row_unit = c->kernels->row_panel(precision), rows = y->p->rows, out = l->out;
    int group = piece / y->row_cuts / y->column_parts, column = piece / y->row_cuts % y->column_parts;
    int row = group * y->row_cuts + piece % y->row_cuts, row_parts = y->row_cuts * y->row_groups;
    int n0 = cut(out, unit, column, y->column_parts), n1 = cut(out, unit, column + 1, y->column_parts);
    int m0 = cut(rows, row_unit, row, row_parts), m1 = cut(rows, row_unit, row + 1, row_parts);
    double start = flaw_watch_start(c);
    flaw_product q = {.m = rows, .n = out, .k = l->in, .a_packed = c->rows, .b = l->packed, .c = y->c, .c_row = out,
                      .bias = l->b, .act = y->act, .residual = y->residual, .b_next = weights_behind(y, piece)};
    if (n0 < n1) c->kernels->product(precision, &q, m0, m1, n0, n1, c->scratch[worker]);
    flaw_watch_lap(c, worker, y->station, &start);
}

static void run_rows(flaw_compute *c, layer_pass *y)
{
    y->row_parts = PARTS * c->workers; /* of one thread, too: what is normed is packed while it is near */
    flaw_pool_run(c->pool, layer_rows, y, y->row_parts);
}

static void run_layer(flaw_compute *c, layer_pass y)
{
    y.column_parts = column_parts(c, y.l);
    y.row_cuts = row_cuts(c, y.l, y.p->rows);
    y.row_groups = near_parts(c, y.l, y.p->rows, y.row_cuts);
    run_rows(c, &y);
    flaw_pool_run(c->pool, layer_columns, &y, y.column_parts * y.row_cuts * y.row_groups);
}

static void run_attention(flaw_compute *c, block_pass *p)
{
    int heads = p->n * p->b->shape.heads;
    flaw_pool_run(c->pool, attention_piece, p, (heads + p->heads_per_piece - 1) / p->heads_per_piece);
}

/* Heads that are shared out evenly: a piece of the pool computes queries, keys and values of one of all sequences, and
 * its attention, so that they stay in that thread's cache. They lie as [head][rows][3][width]. */
static bool heads_alone(const flaw_compute *c, const flaw_block *b)
{
    const flaw_block_shape *s = &b->shape;
    int width = s->width / s->heads, panel = c->kernels->panel(flaw_linear_precision(c, &b->qkv));
    return flaw_block_kv_heads(s) == s->heads && width % panel == 0 && s->heads % c->workers == 0;
}

static void head_piece(void *context, int head, int worker)
{
    const block_pass *p = context;
    const flaw_compute *c = p->c;
    const flaw_linear *l = &p->b->qkv;
    flaw_precision precision = flaw_linear_precision(c, l);
    int d = p->b->shape.width, width = d / p->b->shape.heads, row = 3 * width;
    float *qkv = p->qkv + (size_t)head * (size_t)p->rows * (size_t)row;
    double start = flaw_watch_start(c);
    int cuts = near_parts(c, l, p->rows, 1), unit = c->kernels->row_panel(precision);
    for (int step = 0; step < 3 * cuts; step++) {
        int part = step % 3, m0 = cut(p->rows, unit, step / 3, cuts), m1 = cut(p->rows, unit, step / 3 + 1, cuts);
        int n0 = part * d + head * width, next = (m1 < p->rows ? head : head + c->workers) * width;
        if (part < 2) next = n0 + d;
        flaw_product q = {.m = p->rows, .n = width, .k = l->in, .a_packed = c->rows, .c = qkv + part * width, .c_row = row,
                          .b = (const unsigned char *)l->packed + c->kernels->pack_size(precision, l->in, n0),
                          .bias = l->b ? l->b + n0 : NULL};
        if (next < l->out) q.b_next = (const unsigned char *)l->packed + c->kernels->pack_size(precision, l->in, next);
        c->kernels->product(precision, &q, m0, m1, 0, width, c->scratch[worker]);
    }
    flaw_watch_lap(c, worker, FLAW_STATION_QKV, &start);
    for (int first = 0; first < p->rows; first += p->tokens) {
        flaw_attention a = {.tokens = p->tokens, .width = width, .causal = p->b->shape.causal, .row = row, .out_row = d,
                            .scale = (float)(1.0 / sqrt((double)width)), .precision = c->precision};
        a.q = qkv + (ptrdiff_t)first * row;
        a.k = a.q + width;
        a.v = a.k + width;
        a.out = p->h + (ptrdiff_t)first * d + (ptrdiff_t)head * width;
        c->kernels->attention(&a, c->scratch[worker]);
    }
    flaw_watch_lap(c, worker, FLAW_STATION_ATTENTION, &start);
}

static void forward_by_rows(flaw_compute *c, block_pass *p)
{
    flaw_pool_run(c->pool, qkv_rows, p, p->row_parts);
    run_attention(c, p);
    flaw_pool_run(c->pool, mlp_rows, p, p->row_parts);
}

static void forward_by_columns(flaw_compute *c, block_pass *p)
{
    const flaw_block *b = p->b;
    const flaw_block_weights *w = &b->weights;
    layer_pass qkv = {.p = p, .l = &b->qkv, .norm_w = w->norm1_w, .norm_b = w->norm1_b, .c = p->qkv,
                      .station = FLAW_STATION_QKV};
    if (heads_alone(c, b)) {
        run_rows(c, &qkv);
        flaw_pool_run(c->pool, head_piece, p, b->shape.heads);
    } else {
        run_layer(c, qkv);
        run_attention(c, p);
    }
    run_layer(c, (layer_pass){.p = p, .l = &b->out, .a = p->h, .c = p->x, .residual = p->x, .station = FLAW_STATION_OUT,
                              .then = &b->fc1});
    if (flaw_linear_twice(c, &b->out)) {
        flaw_linear rest = without_bias(&b->out);
        run_layer(c, (layer_pass){.p = p, .l = &rest, .rest_of = p->h, .c = p->x, .residual = p->x,
                                  .station = FLAW_STATION_OUT, .then = &b->fc1});
    }
    run_layer(c, (layer_pass){.p = p, .l = &b->fc1, .norm_w = w->norm2_w, .norm_b = w->norm2_b, .c = p->hidden,
                              .act = b->shape.act, .station = FLAW_STATION_FC1, .then = &b->fc2});
    run_layer(c, (layer_pass){.p = p, .l = &b->fc2, .a = p->hidden, .c = p->x, .residual = p->x,
                              .station = FLAW_STATION_FC2});
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
    block_pass p = {.c = c, .b = b, .n = n, .tokens = tokens, .rows = rows, .x = x, .h = work};
    p.qkv = p.hidden = work + (size_t)rows * (size_t)b->shape.width;
    p.heads_per_piece = flaw_block_heads_per_piece(tokens);
    p.row_unit = c->kernels->row_panel(c->precision);
    p.row_parts = (rows + share - 1) / share * c->workers;
    if (enough_rows(c, &b->shape, rows)) forward_by_rows(c, &p);
    else forward_by_columns(c, &p);
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
