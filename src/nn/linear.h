/* Linear layer y = act(x W^T + b) + residual, forward beside backward. */
#ifndef FLAW_NN_LINEAR_H
#define FLAW_NN_LINEAR_H

#include "base/arena.h"
#include "nn/compute.h"

typedef struct flaw_linear {
    int in, out;
    const float *w; /* [out, in] */
    const float *b; /* [out] or NULL */
    void *packed;   /* W^T as the kernels read it, in the compute's precision; NULL before flaw_linear_pack */
} flaw_linear;

/* Allocate (first call) and fill `packed` from w; call again after w changed. Also reserves scratch in `c`. */
flaw_status flaw_linear_pack(flaw_linear *l, flaw_compute *c, flaw_arena *arena, flaw_error *err);

/* x [rows, in] -> y [rows, out]. residual, pre: [rows, out] or NULL (see flaw_product). x_row: floats between rows. */
void flaw_linear_forward(flaw_compute *c, const flaw_linear *l, int rows, const float *x, ptrdiff_t x_row, float *y,
                         flaw_activation act, const float *residual, float *pre);

#endif
