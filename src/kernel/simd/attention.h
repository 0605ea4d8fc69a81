/* Attention of one head by the products of a level; plain C. */
#ifndef FLAW_KERNEL_SIMD_ATTENTION_H
#define FLAW_KERNEL_SIMD_ATTENTION_H

#include "kernel/kernel.h"

/* Up to so many tokens packing for products costs more than it gains. */
#define FLAW_FEW_TOKENS 24

/* Rows i = 0 .. rows, of n + grow i values each (grow 1: causal), x_row floats apart. stats [rows, 2] as in
 * flaw_attention. */
typedef struct flaw_attention_parts {
    const flaw_kernels *kernels;
    flaw_precision int8; /* what FLAW_INT8 is computed in */
    /* x = exp(scale x - top); fills stats with top and 1 / sum. */
    void (*exp_rows)(int rows, int n, int grow, float scale, float *x, ptrdiff_t x_row, float *stats);
    /* x = exp(scale x - top) / sum from known stats. */
    void (*exp_again)(int rows, int n, int grow, float scale, float *x, ptrdiff_t x_row, const float *stats);
    /* y = x / sum; y may be x. */
    void (*norm_rows)(int rows, int n, int grow, const float *x, ptrdiff_t x_row, const float *stats, float *y,
                      ptrdiff_t y_row);
    /* d = scale p (d - sum(p d)) */
    void (*backward_rows)(int rows, int n, int grow, float scale, const float *p, ptrdiff_t p_row, float *d,
                          ptrdiff_t d_row);
    /* Rows of n whole numbers of 16 bits in proportion to exp(scale x), as their higher and lower bytes (up to a whole vector
     * behind them is written), and their scales: those of the lower bytes are 1 / the sum of the row. A row with a number that
     * is not finite has the scale NaN. */
    void (*exp_bytes)(int rows, int n, float scale, const float *x, ptrdiff_t x_row, uint8_t *high, uint8_t *low,
                      ptrdiff_t q_row, struct flaw_int8_row *high_scale, struct flaw_int8_row *low_scale);
    /* The whole of it for at most FLAW_FEW_TOKENS tokens, in float32; all keys are seen, stats and probs not kept. */
    void (*few)(const flaw_attention *a);
} flaw_attention_parts;

size_t flaw_attention_parts_scratch(const flaw_attention_parts *parts, int tokens, int width);
size_t flaw_attention_parts_backward_scratch(const flaw_attention_parts *parts, int tokens, int width);
void flaw_attention_parts_forward(const flaw_attention_parts *parts, const flaw_attention *a, void *scratch);
void flaw_attention_parts_backward(const flaw_attention_parts *parts, const flaw_attention_grad *g, void *scratch);

#endif
