/* Layer norm and RMS norm over the pool, forward beside backward: pieces of FLAW_TILE_ROWS rows; the sums over rows that dw and db
 * need are kept per piece and added in the order of the pieces. */
#ifndef FLAW_NN_NORM_H
#define FLAW_NN_NORM_H

#include "nn/compute.h"

/* y = (x - mean) * rstd * w + b, x and y [rows, D], x_row floats between rows of x; mean, rstd [rows] or NULL.
 * b NULL: RMS norm, y = x * rstd * w; mean is not written. */
void flaw_norm_forward(flaw_compute *c, int rows, int d, float eps, const float *x, ptrdiff_t x_row, const float *w,
                       const float *b, float *y, float *mean, float *rstd);

/* Floats of `work` for the backward pass. */
size_t flaw_norm_workspace(int rows, int d);
/* dx[rows, D] += gradient; dw[D], db[D] += sums (both NULL when the norm is frozen). x is dense here. mean NULL: RMS norm,
 * db is not read. */
void flaw_norm_backward(flaw_compute *c, int rows, int d, const float *x, const float *w, const float *mean,
                        const float *rstd, const float *dy, float *dx, float *dw, float *db, float *work);

/* out[d] += partial[0][d] + partial[1][d] + ... in this order; partials lie `stride` floats apart. */
void flaw_sum_partials(float *out, const float *partial, int pieces, size_t stride, int d);

/* A few rows on this thread; b or mean NULL: RMS norm. */
static inline void flaw_norm_rows(const flaw_kernels *k, int rows, int d, float eps, const float *x, const float *w,
                                  const float *b, float *y, float *mean, float *rstd)
{
    if (b) k->layer_norm(rows, d, eps, x, w, b, y, mean, rstd);
    else k->rms_norm(rows, d, eps, x, w, y, rstd);
}

static inline void flaw_norm_rows_backward(const flaw_kernels *k, int rows, int d, const float *x, const float *w,
                                           const float *mean, const float *rstd, const float *dy, float *dx, float *dw,
                                           float *db)
{
    if (mean) k->layer_norm_backward(rows, d, x, w, mean, rstd, dy, dx, dw, db);
    else k->rms_norm_backward(rows, d, x, w, rstd, dy, dx, dw);
}

#endif
