/* Row-wise steps shared by the towers' forward passes. */
#ifndef FLAW_MODEL_ROWS_H
#define FLAW_MODEL_ROWS_H

#include "nn/compute.h"

/* y[count, d] = layer norm of x[count, d], over the pool. y may be x. */
void flaw_rows_norm(const flaw_compute *c, int count, int d, float eps, const float *x, const float *w, const float *b,
                    float *y);
/* y[n * count, d] = layer norm of rows first .. first+count-1 of each sequence x[n, tokens, d]. */
void flaw_rows_norm_of(const flaw_compute *c, int n, int tokens, int first, int count, int d, float eps, const float *x,
                       const float *w, const float *b, float *y);
/* x[count, d]: each row to unit length (a row of zeros stays). */
void flaw_rows_unit(const flaw_compute *c, int count, int d, float *x);

#endif
