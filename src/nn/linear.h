/* Linear layer y = act(x W^T + b) + residual, forward beside backward.
 *
 * The pool is given pieces of FLAW_TILE_ROWS rows (forward, dX) or tiles of dW; a piece computes whole sums, so the
 * partition shows in no bit of the result. */
#ifndef FLAW_NN_LINEAR_H
#define FLAW_NN_LINEAR_H

#include "base/arena.h"
#include "nn/compute.h"
#include "nn/matrix.h"

#define FLAW_FEW_ROWS 640 /* of each worker */
#define FLAW_FEW_ROWS_MOST 1536

typedef struct flaw_linear {
    int in, out;
    const float *w;    /* [out, in] */
    const float *b;    /* [out] or NULL */
    void *packed;      /* W^T as the kernels read it, in the compute's precision; NULL before flaw_linear_pack */
    void *packed_back; /* W likewise, for dX = dY W; NULL before flaw_linear_pack_backward */
    const flaw_matrix *part; /* or: the matrix kept in compact types, several ones standing below each other (q, k, v of a
                                file); w and packed are NULL then, and only flaw_linear_forward works */
    int parts;
    /* Set before packing, for forward products: */
    bool exact;    /* float32, whatever the compute's precision is */
    bool not_int8; /* bf16 where the compute's precision is int8 */
    bool twice;    /* of a block's projection: where it is int8, rows of 16 bits, that is two products (flaw_linear_rest) */
} flaw_linear;

static inline flaw_precision flaw_linear_precision(const flaw_compute *c, const flaw_linear *l)
{
    if (l->exact) return FLAW_F32;
    return l->not_int8 && c->precision == FLAW_INT8 ? FLAW_BF16 : c->precision;
}

/* Allocate (first call) and fill `packed` from w; call again after w changed. Also reserves scratch in `c`. */
flaw_status flaw_linear_pack(flaw_linear *l, flaw_compute *c, flaw_arena *arena, flaw_error *err);
/* The same from rows that are read a few at a time (weights of a file): w is not read and need not be there. `read` is called
 * by several threads; of several failures the error is that of the lowest row. */
typedef struct flaw_row_source {
    flaw_status (*read)(const void *context, int row, int rows, float *out, flaw_error *err); /* out [rows, in] */
    const void *context;
} flaw_row_source;
flaw_status flaw_linear_pack_from(flaw_linear *l, const flaw_row_source *from, flaw_compute *c, flaw_arena *arena,
                                  flaw_error *err);
/* The same for the backward pass (trainer only). */
flaw_status flaw_linear_pack_backward(flaw_linear *l, flaw_compute *c, flaw_arena *arena, flaw_error *err);

/* x [rows, in] -> y [rows, out]. residual, pre: [rows, out] or NULL (see flaw_product). x_row: floats between rows. */
void flaw_linear_forward(flaw_compute *c, const flaw_linear *l, int rows, const float *x, ptrdiff_t x_row, float *y,
                         flaw_activation act, const float *residual, float *pre);

/* dx [rows, in] = dy [rows, out] W, or dx += when `accumulate`. */
void flaw_linear_backward(flaw_compute *c, const flaw_linear *l, int rows, const float *dy, ptrdiff_t dy_row, float *dx,
                          bool accumulate);

/* dw[out, in] += dy^T x and db[out] += column sums of dy. The rows are summed in chunks of FLAW_GRADIENT_CHUNK, in
 * order, whatever the number of threads. */
#define FLAW_GRADIENT_CHUNK 1024
typedef struct flaw_gradient_job {
    int rows, in, out;
    const float *x;
    ptrdiff_t x_row;
    const float *dy;
    ptrdiff_t dy_row;
    float *dw; /* [out, in] */
    float *db; /* [out] or NULL */
} flaw_gradient_job;

/* Bytes of workspace (64-byte aligned) for the jobs of one call, and the call itself. At most FLAW_GRADIENT_JOBS. */
#define FLAW_GRADIENT_JOBS 8
size_t flaw_gradient_workspace(const flaw_compute *c, const flaw_gradient_job *jobs, int count);
void flaw_gradient_run(flaw_compute *c, const flaw_gradient_job *jobs, int count, void *work);
/* Scratch that flaw_gradient_run needs for each worker (flaw_compute_reserve). */
size_t flaw_gradient_scratch(const flaw_compute *c);

/* A few rows (at most FLAW_TILE_ROWS) on this thread, for callers that fuse several layers into one piece of the pool.
 * y_row: floats between rows of y, residual and pre. */
void flaw_linear_rows(const flaw_compute *c, int worker, const flaw_linear *l, int rows, const float *x, ptrdiff_t x_row,
                      float *y, ptrdiff_t y_row, flaw_activation act, const float *residual, float *pre, bool far);
/* The same, only columns [n0, n1) of y (n0 a multiple of FLAW_TILE_COLS; n1 too, or `out`). */
void flaw_linear_columns(const flaw_compute *c, int worker, const flaw_linear *l, int n0, int n1, int rows, const float *x,
                         ptrdiff_t x_row, float *y, ptrdiff_t y_row);
/* What int8 leaves of x [rows, in], in its place: the product with it makes up for what the product with x lacks. */
void flaw_linear_rest(int rows, int in, float *x);
static inline bool flaw_linear_twice(const flaw_compute *c, const flaw_linear *l)
{
    return l->twice && flaw_linear_precision(c, l) == FLAW_INT8;
}

/* The second of the two products: the bias is added once. */
static inline flaw_linear flaw_linear_without_bias(const flaw_linear *l)
{
    flaw_linear out = *l;
    out.b = NULL;
    return out;
}
void flaw_linear_rows_backward(const flaw_compute *c, int worker, const flaw_linear *l, int rows, const float *dy,
                               ptrdiff_t dy_row, float *dx, ptrdiff_t dx_row, bool accumulate);

/* So many rows of a linear layer have room in the compute's `rows` when they are packed (kernel.h, pack_rows). */
static inline int flaw_few_rows(const flaw_compute *c)
{
    int rows = FLAW_FEW_ROWS * c->workers;
    return rows < FLAW_FEW_ROWS_MOST ? rows : FLAW_FEW_ROWS_MOST;
}

/* Pieces that `rows` rows are cut into. */
static inline int flaw_row_pieces(int rows)
{
    return (rows + FLAW_TILE_ROWS - 1) / FLAW_TILE_ROWS;
}

#endif
