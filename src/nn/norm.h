/* Layer norm over the pool, forward beside backward: pieces of FLAW_TILE_ROWS rows; the sums over rows that dw and db
 * need are kept per piece and added in the order of the pieces. */
#ifndef FLAW_NN_NORM_H
#define FLAW_NN_NORM_H

#include "nn/compute.h"

/* y = (x - mean) * rstd * w + b, x and y [rows, D], x_row floats between rows of x; mean, rstd [rows] or NULL. */
void flaw_norm_forward(flaw_compute *c, int rows, int d, float eps, const float *x, ptrdiff_t x_row, const float *w,
                       const float *b, float *y, float *mean, float *rstd);

/* Floats of `work` for the backward pass. */
size_t flaw_norm_workspace(int rows, int d);
/* dx[rows, D] += gradient; dw[D], db[D] += sums (both NULL when the norm is frozen). x is dense here. */
void flaw_norm_backward(flaw_compute *c, int rows, int d, const float *x, const float *w, const float *mean,
                        const float *rstd, const float *dy, float *dx, float *dw, float *db, float *work);

/* out[d] += partial[0][d] + partial[1][d] + ... in this order; partials lie `stride` floats apart. */
void flaw_sum_partials(float *out, const float *partial, int pieces, size_t stride, int d);

#endif
