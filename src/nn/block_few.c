/* A block for few rows: each layer is two runs of the pool. Its rows are packed once, cut by rows; the product is cut by
 * columns, so that each thread reads its own part of the weights, once. */
#include "nn/block_pass.h"
#include "nn/watch.h"

/* One layer. */
typedef struct layer_pass {
    const flaw_block_pass *p;
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
    const flaw_block_pass *p = y->p;
    const flaw_kernels *k = p->c->kernels;
    flaw_precision precision = flaw_linear_precision(p->c, y->l);
    int unit = k->row_panel(precision), in = y->l->in;
    int r0 = flaw_cut(p->rows, unit, piece, y->row_parts), r1 = flaw_cut(p->rows, unit, piece + 1, y->row_parts);
    double start = flaw_watch_start(p->c);
    if (r0 == r1) return;
    const float *a = (y->rest_of ? y->rest_of : y->a ? y->a : p->h) + (ptrdiff_t)r0 * in;
    if (y->rest_of) flaw_linear_rest(r1 - r0, in, y->rest_of + (ptrdiff_t)r0 * in);
    else if (!y->a) flaw_block_norm(p, r0, r1, y->norm_w, y->norm_b);
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
    int n0 = flaw_cut(l->out, c->kernels->panel(precision), piece, parts);
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
    int n0 = flaw_cut(out, unit, column, y->column_parts), n1 = flaw_cut(out, unit, column + 1, y->column_parts);
    int m0 = flaw_cut(rows, row_unit, row, row_parts), m1 = flaw_cut(rows, row_unit, row + 1, row_parts);
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
    const flaw_block_pass *p = context;
    const flaw_compute *c = p->c;
    const flaw_linear *l = &p->b->qkv;
    flaw_precision precision = flaw_linear_precision(c, l);
    int d = p->b->shape.width, width = d / p->b->shape.heads, row = 3 * width;
    float *qkv = p->qkv + (size_t)head * (size_t)p->rows * (size_t)row;
    const flaw_block_shape alone = {.width = width, .heads = 1, .causal = p->b->shape.causal};
    double start = flaw_watch_start(c);
    int cuts = near_parts(c, l, p->rows, 1), unit = c->kernels->row_panel(precision);
    for (int step = 0; step < 3 * cuts; step++) {
        int part = step % 3, m0 = flaw_cut(p->rows, unit, step / 3, cuts), m1 = flaw_cut(p->rows, unit, step / 3 + 1, cuts);
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
        flaw_attention a;
        flaw_block_attention(&alone, p->tokens, 0, qkv + (ptrdiff_t)first * row, NULL, NULL, &a);
        a.precision = c->precision;
        a.out_row = d;
        a.out = p->h + (ptrdiff_t)first * d + (ptrdiff_t)head * width;
        c->kernels->attention(&a, c->scratch[worker]);
    }
    flaw_watch_lap(c, worker, FLAW_STATION_ATTENTION, &start);
}

void flaw_block_forward_few(flaw_compute *c, flaw_block_pass *p)
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
        flaw_block_run_attention(c, p);
    }
    run_layer(c, (layer_pass){.p = p, .l = &b->out, .a = p->h, .c = p->x, .residual = p->x, .station = FLAW_STATION_OUT,
                              .then = &b->fc1});
    if (flaw_linear_twice(c, &b->out)) {
        flaw_linear rest = flaw_linear_without_bias(&b->out);
        run_layer(c, (layer_pass){.p = p, .l = &rest, .rest_of = p->h, .c = p->x, .residual = p->x,
                                  .station = FLAW_STATION_OUT, .then = &b->fc1});
    }
    run_layer(c, (layer_pass){.p = p, .l = &b->fc1, .norm_w = w->norm2_w, .norm_b = w->norm2_b, .c = p->hidden,
                              .act = b->shape.act, .station = FLAW_STATION_FC1, .then = &b->fc2});
    run_layer(c, (layer_pass){.p = p, .l = &b->fc2, .a = p->hidden, .c = p->x, .residual = p->x,
                              .station = FLAW_STATION_FC2});
}
