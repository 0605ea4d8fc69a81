/* A matrix of weights kept in a compact type (kernel/weights.h), often in the mapped file itself.
 *
 * A few rows of x (words one by one) are multiplied straight from the compact rows, bound by memory (where the kernels
 * have weight_digits: in fixed point, as exact as float32 sums); many rows (a prompt) pack a tile of outputs at a time
 * into the worker's scratch, by way of float32 in the first cache, and go through the packed product. Both sum in a fixed
 * order of their own; which one runs depends on the number of rows of this call and the compute's precision alone.
 *
 * Where the kernels have weight_many, weights of steps (Q8_0, Q4_0 ...) meet many rows in 16 bits, whole numbers with a
 * scale for 128 of them or two parts in bf16: a hundred times finer than bf16, far below what the steps themselves lose, and
 * faster than float32.
 * So it is in FLAW_F32 and FLAW_INT8; in FLAW_BF16 the instructions of that name are used. In FLAW_INT8 all other types are
 * unpacked for bf16. */
#ifndef FLAW_NN_MATRIX_H
#define FLAW_NN_MATRIX_H

#include "kernel/weights.h"
#include "nn/compute.h"

typedef struct flaw_matrix {
    flaw_weight_type type;
    int rows, cols;   /* [out, in] */
    const void *data; /* [rows] rows of flaw_weight_row_bytes(type, cols), any alignment */
} flaw_matrix;

/* The most rows of x that are multiplied straight from the compact rows. */
int flaw_matrix_few(flaw_precision precision);
/* Row `row` as float32 [cols] (token embeddings). */
void flaw_matrix_row(const flaw_matrix *m, int row, float *out);
/* Scratch for each worker (flaw_compute_reserve). */
size_t flaw_matrix_scratch(const flaw_compute *c, int cols);
/* y[t][0 .. rows) = x[t] W^T + bias + residual[t] for t < n. x_row, y_row: floats between rows; residual like y or NULL. */
void flaw_matrix_forward(flaw_compute *c, const flaw_matrix *m, int n, const float *x, ptrdiff_t x_row, float *y,
                         ptrdiff_t y_row, const float *bias, const float *residual);
/* The same with all that a product may do behind its sums (p->b and p->accumulate are not used, p->a_col is 1), for
 * `parts` matrices of equal cols standing below each other: p->n is the sum of their rows, p->k their cols. */
void flaw_matrix_product(flaw_compute *c, const flaw_matrix *part, int parts, const flaw_product *p);

#endif
