#include "nn/linear.h"

#include <stdatomic.h>

#include "kernel/int8.h"

/* One packing of a whole matrix, cut into pieces of FLAW_TILE_COLS columns. */
typedef struct packing {
    const flaw_compute *c;
    int k, n;
    const float *b;
    ptrdiff_t b_row, b_col;
    flaw_precision precision;
    void *out;
} packing;

static int column_pieces(int n)
{
    return (n + FLAW_TILE_COLS - 1) / FLAW_TILE_COLS;
}

static int smaller(int a, int b)
{
    return a < b ? a : b;
}

static void pack_piece(void *context, int piece, int worker)
{
    const packing *p = context;
    (void)worker;
    int n0 = piece * FLAW_TILE_COLS;
    p->c->kernels->pack_cols(p->precision, p->k, p->n, p->b, p->b_row, p->b_col, n0,
                             smaller(n0 + FLAW_TILE_COLS, p->n), p->out);
}

/* Room for packed B[k, n], on the first call, and for the products with it. */
static flaw_status reserve(void **out, flaw_precision precision, int k, int n, flaw_compute *c, flaw_arena *arena,
                           flaw_error *err)
{
    if (*out) return FLAW_OK;
    size_t size = c->kernels->pack_size(precision, k, n);
    *out = flaw_arena_alloc(arena, size, 1);
    if (!*out) return flaw_fail(err, FLAW_NO_MEMORY, "no memory for %zu bytes of packed weights", size);
    flaw_status status = flaw_compute_reserve_rows(c, c->kernels->rows_size(precision, flaw_few_rows(c), k), err);
    return status ? status : flaw_compute_reserve(c, c->kernels->product_scratch(precision, k), err);
}

static flaw_status pack_matrix(packing p, void **out, flaw_compute *c, flaw_arena *arena, flaw_error *err)
{
    flaw_status status = reserve(out, p.precision, p.k, p.n, c, arena, err);
    if (status != FLAW_OK) return status;
    p.c = c;
    p.out = *out;
    flaw_pool_run(c->pool, pack_piece, &p, column_pieces(p.n));
    return FLAW_OK;
}

flaw_status flaw_linear_pack(flaw_linear *l, flaw_compute *c, flaw_arena *arena, flaw_error *err)
{
    packing p = {.k = l->in, .n = l->out, .b = l->w, .b_row = 1, .b_col = l->in, .precision = flaw_linear_precision(c, l)};
    return pack_matrix(p, &l->packed, c, arena, err);
}

/* A piece is one panel of packed B: so many rows of W. */
typedef struct reading {
    const flaw_compute *c;
    const flaw_linear *l;
    const flaw_row_source *from;
    int rows;          /* of a panel */
    atomic_int failed; /* the lowest piece that could not be read, or the number of pieces */
} reading;

static void read_piece(void *context, int piece, int worker)
{
    reading *r = context;
    const flaw_kernels *k = r->c->kernels;
    flaw_precision precision = flaw_linear_precision(r->c, r->l);
    int in = r->l->in, row = piece * r->rows, rows = smaller(r->rows, r->l->out - row), lowest = atomic_load(&r->failed);
    float *read = r->c->scratch[worker];
    flaw_status status = r->from->read(r->from->context, row, rows, read, NULL);
    if (status == FLAW_OK)
        k->pack(precision, in, rows, read, 1, in, (unsigned char *)r->l->packed + k->pack_size(precision, in, row));
    while (status != FLAW_OK && piece < lowest)
        if (atomic_compare_exchange_weak(&r->failed, &lowest, piece)) break;
}

flaw_status flaw_linear_pack_from(flaw_linear *l, const flaw_row_source *from, flaw_compute *c, flaw_arena *arena,
                                  flaw_error *err)
{
    reading r = {.c = c, .l = l, .from = from, .rows = c->kernels->panel(flaw_linear_precision(c, l))};
    int pieces = (l->out + r.rows - 1) / r.rows;
    atomic_init(&r.failed, pieces);
    flaw_status status = reserve(&l->packed, flaw_linear_precision(c, l), l->in, l->out, c, arena, err);
    if (!status) status = flaw_compute_reserve(c, (size_t)r.rows * (size_t)l->in * sizeof(float), err);
    if (status) return status;
    flaw_pool_run(c->pool, read_piece, &r, pieces);
    int row = atomic_load(&r.failed) * r.rows;
    return row < l->out ? from->read(from->context, row, smaller(r.rows, l->out - row), c->scratch[0], err) : FLAW_OK;
}

flaw_status flaw_linear_pack_backward(flaw_linear *l, flaw_compute *c, flaw_arena *arena, flaw_error *err)
{
    packing p = {.k = l->out, .n = l->in, .b = l->w, .b_row = l->in, .b_col = 1, .precision = c->precision};
    return pack_matrix(p, &l->packed_back, c, arena, err);
}

void flaw_linear_rows(const flaw_compute *c, int worker, const flaw_linear *l, int rows, const float *x, ptrdiff_t x_row,
                      float *y, ptrdiff_t y_row, flaw_activation act, const float *residual, float *pre, bool far)
{
    flaw_product p = {.m = rows, .n = l->out, .k = l->in, .a = x, .a_row = x_row, .a_col = 1, .b = l->packed, .c = y,
                      .c_row = y_row, .far = far, .bias = l->b, .act = act, .residual = residual, .pre = pre};
    c->kernels->product(flaw_linear_precision(c, l), &p, 0, rows, 0, l->out, c->scratch[worker]);
}

void flaw_linear_rest(int rows, int in, float *x)
{
    for (int i = 0; i < rows; i++, x += in) {
        flaw_int8_row s = flaw_int8_row_of((size_t)in, x, 1);
        for (int j = 0; j < in; j++) x[j] -= s.scale * (float)flaw_int8_row_round(x[j], s);
    }
}

void flaw_linear_columns(const flaw_compute *c, int worker, const flaw_linear *l, int n0, int n1, int rows, const float *x,
                         ptrdiff_t x_row, float *y, ptrdiff_t y_row)
{
    flaw_product p = {.m = rows, .n = l->out, .k = l->in, .a = x, .a_row = x_row, .a_col = 1, .b = l->packed, .c = y,
                      .c_row = y_row, .bias = l->b};
    c->kernels->product(flaw_linear_precision(c, l), &p, 0, rows, n0, n1, c->scratch[worker]);
}

void flaw_linear_rows_backward(const flaw_compute *c, int worker, const flaw_linear *l, int rows, const float *dy,
                               ptrdiff_t dy_row, float *dx, ptrdiff_t dx_row, bool accumulate)
{
    flaw_product p = {.m = rows, .n = l->in, .k = l->out, .a = dy, .a_row = dy_row, .a_col = 1, .b = l->packed_back,
                      .c = dx, .c_row = dx_row, .accumulate = accumulate};
    c->kernels->product(c->precision, &p, 0, rows, 0, l->in, c->scratch[worker]);
}

/* Forward: few rows are cut along the columns too, so that a small batch still feeds several threads. */
typedef struct forward_pass {
    const flaw_compute *c;
    flaw_precision precision;
    flaw_product p;
    int column_pieces, columns;
} forward_pass;

#define ENOUGH_ROW_PIECES 8

static void product_piece(void *context, int piece, int worker)
{
    const forward_pass *f = context;
    int m0 = piece / f->column_pieces * FLAW_TILE_ROWS, n0 = piece % f->column_pieces * f->columns;
    f->c->kernels->product(f->precision, &f->p, m0, smaller(m0 + FLAW_TILE_ROWS, f->p.m), n0,
                           smaller(n0 + f->columns, f->p.n), f->c->scratch[worker]);
}

static void run_product(flaw_compute *c, flaw_precision precision, const flaw_product *p)
{
    forward_pass f = {.c = c, .precision = precision, .p = *p, .column_pieces = 1, .columns = p->n};
    int row_pieces = flaw_row_pieces(p->m);
    if (row_pieces < ENOUGH_ROW_PIECES) {
        f.columns = FLAW_TILE_COLS;
        f.column_pieces = column_pieces(p->n);
    }
    flaw_pool_run(c->pool, product_piece, &f, row_pieces * f.column_pieces);
}

void flaw_linear_forward(flaw_compute *c, const flaw_linear *l, int rows, const float *x, ptrdiff_t x_row, float *y,
                         flaw_activation act, const float *residual, float *pre)
{
    flaw_product p = {.m = rows, .n = l->out, .k = l->in, .a = x, .a_row = x_row, .a_col = 1, .b = l->packed, .c = y,
                      .c_row = l->out, .bias = l->b, .act = act, .residual = residual, .pre = pre};
    if (l->part) flaw_matrix_product(c, l->part, l->parts, &p);
    else run_product(c, flaw_linear_precision(c, l), &p);
}

void flaw_linear_backward(flaw_compute *c, const flaw_linear *l, int rows, const float *dy, ptrdiff_t dy_row, float *dx,
                          bool accumulate)
{
    flaw_product p = {.m = rows, .n = l->in, .k = l->out, .a = dy, .a_row = dy_row, .a_col = 1, .b = l->packed_back,
                      .c = dx, .c_row = l->in, .accumulate = accumulate};
    run_product(c, c->precision, &p);
}

/* Weight gradients: dW[out, in] += dY^T X with K = rows. X is packed chunk by chunk (B of the product); a piece of the
 * pool owns a tile of dW and walks the chunks in order. */
typedef struct gradient_pass {
    const flaw_compute *c;
    const flaw_gradient_job *jobs;
    int count;
    unsigned char *packed[FLAW_GRADIENT_JOBS];
    size_t chunk_bytes[FLAW_GRADIENT_JOBS]; /* of one full chunk */
} gradient_pass;

static int chunks_of(const flaw_gradient_job *job)
{
    return (job->rows + FLAW_GRADIENT_CHUNK - 1) / FLAW_GRADIENT_CHUNK;
}

static int tiles_of(const flaw_gradient_job *job)
{
    return flaw_row_pieces(job->out) * column_pieces(job->in);
}

/* Find the job that owns `piece` when job j has count(j) pieces; *piece becomes the piece within the job. */
static int owner(const gradient_pass *g, int *piece, bool packing_pieces)
{
    int j = 0;
    for (; j < g->count - 1; j++) {
        const flaw_gradient_job *job = &g->jobs[j];
        int own = packing_pieces ? chunks_of(job) * column_pieces(job->in) : tiles_of(job);
        if (*piece < own) break;
        *piece -= own;
    }
    return j;
}

static void gradient_pack_piece(void *context, int piece, int worker)
{
    const gradient_pass *g = context;
    (void)worker;
    int j = owner(g, &piece, true);
    const flaw_gradient_job *job = &g->jobs[j];
    int columns = column_pieces(job->in), chunk = piece / columns, n0 = piece % columns * FLAW_TILE_COLS;
    int first = chunk * FLAW_GRADIENT_CHUNK, k = smaller(FLAW_GRADIENT_CHUNK, job->rows - first);
    g->c->kernels->pack_cols(g->c->precision, k, job->in, job->x + first * job->x_row, job->x_row, 1, n0,
                             smaller(n0 + FLAW_TILE_COLS, job->in), g->packed[j] + (size_t)chunk * g->chunk_bytes[j]);
}

static void gradient_piece(void *context, int piece, int worker)
{
    const gradient_pass *g = context;
    int j = owner(g, &piece, false);
    const flaw_gradient_job *job = &g->jobs[j];
    int columns = column_pieces(job->in), n0 = piece % columns * FLAW_TILE_COLS;
    int m0 = piece / columns * FLAW_TILE_ROWS, m1 = smaller(m0 + FLAW_TILE_ROWS, job->out);
    flaw_product p = {.m = job->out, .n = job->in, .a_row = 1, .a_col = job->dy_row, .c = job->dw, .c_row = job->in,
                      .accumulate = true, .a_sums = job->db};
    for (int chunk = 0; chunk < chunks_of(job); chunk++) {
        int first = chunk * FLAW_GRADIENT_CHUNK;
        p.k = smaller(FLAW_GRADIENT_CHUNK, job->rows - first);
        p.a = job->dy + first * job->dy_row;
        p.b = g->packed[j] + (size_t)chunk * g->chunk_bytes[j];
        g->c->kernels->product(g->c->precision, &p, m0, m1, n0, smaller(n0 + FLAW_TILE_COLS, job->in),
                               g->c->scratch[worker]);
    }
}

static size_t chunk_size(const flaw_compute *c, const flaw_gradient_job *job)
{
    size_t bytes = c->kernels->pack_size(c->precision, smaller(FLAW_GRADIENT_CHUNK, job->rows), job->in);
    return (bytes + 63) / 64 * 64;
}

size_t flaw_gradient_workspace(const flaw_compute *c, const flaw_gradient_job *jobs, int count)
{
    size_t total = 0;
    for (int j = 0; j < count; j++) total += (size_t)chunks_of(&jobs[j]) * chunk_size(c, &jobs[j]);
    return total;
}

size_t flaw_gradient_scratch(const flaw_compute *c)
{
    return c->kernels->product_scratch(c->precision, FLAW_GRADIENT_CHUNK);
}

void flaw_gradient_run(flaw_compute *c, const flaw_gradient_job *jobs, int count, void *work)
{
    gradient_pass g = {.c = c, .jobs = jobs, .count = count};
    unsigned char *at = work;
    int packs = 0, tiles = 0;
    for (int j = 0; j < count; j++) {
        g.packed[j] = at;
        g.chunk_bytes[j] = chunk_size(c, &jobs[j]);
        at += (size_t)chunks_of(&jobs[j]) * g.chunk_bytes[j];
        packs += chunks_of(&jobs[j]) * column_pieces(jobs[j].in);
        tiles += tiles_of(&jobs[j]);
    }
    flaw_pool_run(c->pool, gradient_pack_piece, &g, packs);
    flaw_pool_run(c->pool, gradient_piece, &g, tiles);
}
