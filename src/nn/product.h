/* Products whose factors both change from call to call: B is packed on the way. Float32, whatever the compute's precision is.
 * K is walked in chunks, in order, so the bits depend on the sizes alone. */
#ifndef FLAW_NN_PRODUCT_H
#define FLAW_NN_PRODUCT_H

#include "nn/compute.h"

/* C[M,N] = A[M,K] B[K,N] + row_bias, or C += A B when `accumulate`. */
typedef struct flaw_plain_product {
    int m, n, k;
    const float *a;
    ptrdiff_t a_row, a_col; /* one of them is 1 */
    const float *b;
    ptrdiff_t b_row, b_col;
    float *c;
    ptrdiff_t c_row;
    bool accumulate;
    const float *row_bias; /* [M] or NULL */
    float *a_sums;         /* [M] += sums of A's rows, or NULL */
} flaw_plain_product;

/* Floats of `work` (64-byte aligned) for a product of these sizes, and scratch for each worker (flaw_compute_reserve). */
size_t flaw_plain_product_work(const flaw_compute *c, int k, int n);
size_t flaw_plain_product_scratch(const flaw_compute *c);
void flaw_plain_product_run(flaw_compute *c, const flaw_plain_product *p, float *work);

#endif
