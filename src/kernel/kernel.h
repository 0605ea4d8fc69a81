/* Kernels: arithmetic on raw arrays. They never allocate, never fail, never start threads; sizes are checked above.
 *
 * One table of pointers, filled with the reference first and then overwritten by what the machine's level offers
 * (select.c). The plain C reference in ref/ is kept for ever and every fast kernel is compared with it.
 *
 * Order of summation: each output element is summed over k in one order that depends only on k and the level, never
 * on m, n, the tile position or the number of threads. So the same row gives the same bits in any batch. */
#ifndef FLAW_KERNEL_KERNEL_H
#define FLAW_KERNEL_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/largest.h"
#include "kernel/weights.h"

/* Each one has what stands before it on its kind of machine. */
typedef enum flaw_level {
    FLAW_LEVEL_REF,         /* plain C */
    FLAW_LEVEL_NEON,        /* 64-bit ARM */
    FLAW_LEVEL_NEON_DOT,    /* with sdot (ARMv8.2) */
    FLAW_LEVEL_AVX2,        /* with FMA */
    FLAW_LEVEL_AVX2_VNNI,   /* AVX2 with vpdpbusd (Alder Lake) */
    FLAW_LEVEL_AVX512,      /* F, BW, VL, DQ */
    FLAW_LEVEL_AVX512_VNNI, /* with vpdpbusd (Cascade Lake, Ice Lake) */
    FLAW_LEVEL_AVX512_BF16, /* and vdpbf16ps (Cooper Lake, Zen 4) */
    FLAW_LEVEL_AMX,         /* and tiles of bf16 and int8 (Sapphire Rapids) */
    FLAW_LEVEL_AUTO         /* the best there is */
} flaw_level;

/* Of the products; all else is float32. FLAW_INT8 is for inference: see flaw_product. */
typedef enum flaw_precision { FLAW_F32, FLAW_BF16, FLAW_INT8, FLAW_PRECISIONS } flaw_precision;
typedef enum flaw_activation { FLAW_ACT_NONE, FLAW_ACT_GELU, FLAW_ACT_QUICK_GELU, FLAW_ACT_SILU } flaw_activation;

/* C[M,N] = act(A[M,K] B[K,N] + bias) + residual, or C += A B when `accumulate`.
 * A is read through strides (a transposed A needs no copy); B was packed by `pack`.
 *
 * FLAW_INT8: each column of B has been quantised by `pack`, each row of A is quantised over its whole K by the call
 * (int8.h); the sums are whole numbers, K at most FLAW_INT8_DEPTH, and sum * scale of the row * scale of the column is
 * what the rest is done with. Whole sums are exact, so without an activation all levels give the same bits.
 * accumulate, a_sums, k_packed and a transposed A are not for it.
 * Activations of bf16 and int8 products are within 1.5e-5 (1 + |y|), those of float32 as near as `activate`. */
typedef struct flaw_product {
    int m, n, k;
    const float *a;
    ptrdiff_t a_row, a_col; /* in floats: A[i][p] = a[i * a_row + p * a_col]; one of them is 1 */
    const void *a_packed;   /* A as pack_rows left it, for several products or pieces; a, a_row, a_col are unused then, and
                               accumulate and a_sums are not for it; or NULL */
    const uint8_t *a_whole; /* FLAW_INT8: A as bytes (int8.h), rows a_row bytes apart, for what is quantised already; then a is
                               unused; or NULL */
    const struct flaw_int8_row *a_scales; /* [M] of these rows */
    const void *b;          /* packed [K,N] */
    const void *b_next;     /* a hint: packed B that the thread is likely to read after this call (of one panel at least); or
                               NULL: what follows the columns of the call */
    int k_packed;           /* B was packed with so many rows, of which the first K are used; 0: K */
    float *c;
    ptrdiff_t c_row; /* floats between rows of C; columns are adjacent */
    bool accumulate; /* add to C; then bias, act, residual, pre are unused */
    bool far;        /* a hint: C is not read again before much else is (a whole batch), so keep it out of the caches */
    const float *bias; /* [N] or NULL */
    flaw_activation act;
    const float *residual; /* rows like C (c_row), may be C itself; or NULL */
    float *pre;            /* rows like C: value before the activation, for the backward pass; or NULL */
    float *a_sums; /* [M]: a_sums[i] += A[i][0], then A[i][1] ... (gradient of a bias); or NULL. Done by the piece
                      that starts at column 0. */
    const flaw_largest *largest; /* or NULL: keep the largest of each row of A B (+ bias) and store no C; then c,
                                    residual, pre, act are unused. Not beside `accumulate` */
} flaw_product;

/* One head of scaled dot-product attention over T tokens. Rows of q, k, v are `row` floats apart, `width` long. */
typedef struct flaw_attention {
    int tokens, width;
    int queries; /* forward only: the first so many tokens ask, the others only answer; 0: all. The same bits as of all */
    bool causal;
    float scale; /* usually 1/sqrt(width) */
    const uint8_t *hidden; /* [T, T] not 0: this query does not see this key, but always one at least; NULL: it sees all.
                              Not beside `causal` */
    const float *q, *k, *v;
    ptrdiff_t row;
    float *out; /* [T, width], rows out_row apart */
    ptrdiff_t out_row;
    float *probs;             /* [T, T] softmax rows, for whoever looks at them; or NULL */
    float *stats;             /* [T, 2] of each row the largest scaled score and 1 / (the sum under it); or NULL */
    flaw_precision precision; /* of the products inside, forward and backward; softmax is float32 always. FLAW_INT8,
                                 forward only: what is fastest at this level, see simd/attention.c */
} flaw_attention;

/* The backward pass reads `stats` of the forward pass, and computes the probabilities again with the same bits: less
 * work than reading [T, T] from memory. Where stats is NULL it reads probs. */
typedef struct flaw_attention_grad {
    flaw_attention forward; /* stats or probs filled by the forward pass; out is not read */
    const float *d_out;     /* rows out_row apart */
    float *d_q, *d_k, *d_v; /* written, rows d_row apart */
    ptrdiff_t d_row;
    bool accumulate; /* add to d_k and d_v: another head of queries has read the same keys and values */
} flaw_attention_grad;

typedef struct flaw_adamw {
    float rate, beta1, beta2, eps, decay; /* decoupled weight decay */
    float correct1, correct2;             /* 1/(1-beta1^t), 1/(1-beta2^t) */
    float grad_scale;                     /* gradient clipping: g is multiplied by it */
} flaw_adamw;

/* FLAW_TILE: pieces of a product are cut on these boundaries (rows, columns) by the caller. */
#define FLAW_TILE_ROWS 96
#define FLAW_TILE_COLS 256
#define FLAW_PACK_DEPTH 32
#define FLAW_INT8_DEPTH (1 << 16) /* 255 * 127 * 2^16 is below 2^31 */
#define FLAW_HIDDEN_SCORE (-1e30f) /* of a hidden key before the softmax: its probability is 0 */

typedef struct flaw_kernels {
    const char *name; /* as in flaw_level_name */
    flaw_level level;

    /* Packed B. `pack` writes pack_size(prec,k,n) bytes to 64-byte aligned `out`; B[p][j] = b[p*b_row + j*b_col]. */
    size_t (*pack_size)(flaw_precision prec, int k, int n);
    void (*pack)(flaw_precision prec, int k, int n, const float *b, ptrdiff_t b_row, ptrdiff_t b_col, void *out);
    /* The same, only columns [n0, n1) (multiples of panel, or n), so that packing can be split in pieces. */
    void (*pack_cols)(flaw_precision prec, int k, int n, const float *b, ptrdiff_t b_row, ptrdiff_t b_col, int n0,
                      int n1, void *out);
    /* Packed B is panels of so many columns one behind the other, each in order of k. So chunks of k (of multiples of
     * FLAW_PACK_DEPTH) of one panel may be packed alone, each pack_size(prec, chunk, columns) bytes behind the other; not
     * for FLAW_INT8, whose scales are over all of k. */
    int (*panel)(flaw_precision prec);
    /* Rows of A packed beforehand: panels of so many rows one behind the other, for the whole k. Rows from r on (a multiple
     * of row_panel) begin rows_size(prec, r, k) bytes behind `out` (64-byte aligned). FLAW_INT8 quantises here. */
    int (*row_panel)(flaw_precision prec);
    size_t (*rows_size)(flaw_precision prec, int m, int k);
    void (*pack_rows)(flaw_precision prec, int m, int k, const float *a, ptrdiff_t a_row, void *out);
    /* Rows [m0,m1) x columns [n0,n1) of the product; m0 is a multiple of row_panel (FLAW_TILE_ROWS is one of each), n0 of
     * panel (FLAW_TILE_COLS is one of each).
     * `scratch` holds product_scratch(prec, k) bytes, 64-byte aligned, one per worker. */
    size_t (*product_scratch)(flaw_precision prec, int k);
    void (*product)(flaw_precision prec, const flaw_product *p, int m0, int m1, int n0, int n1, void *scratch);

    /* Compact weights (weights.h): one row as float32, the same bits on every level; rows times a few vectors. */
    void (*weight_unpack)(flaw_weight_type type, size_t n, const void *row, float *out);
    void (*weight_product)(const flaw_weight_product *p);
    const flaw_weight_digits *weight_digits; /* a faster way for types with blocks, or NULL */
    const flaw_weight_many *weight_many;     /* a faster way for many vectors, or NULL */

    size_t (*attention_scratch)(int tokens, int width);
    void (*attention)(const flaw_attention *a, void *scratch);
    size_t (*attention_backward_scratch)(int tokens, int width);
    void (*attention_backward)(const flaw_attention_grad *g, void *scratch);

    /* y = (x - mean) * rstd * w + b over each of `rows` rows of `d`; mean, rstd [rows] kept when not NULL. */
    void (*layer_norm)(int rows, int d, float eps, const float *x, const float *w, const float *b, float *y,
                       float *mean, float *rstd);
    /* dx[rows,d] += gradient; dw[d], db[d] += their sums over these rows, in row order (either may be NULL). */
    void (*layer_norm_backward)(int rows, int d, const float *x, const float *w, const float *mean, const float *rstd,
                                const float *dy, float *dx, float *dw, float *db);
    /* Without mean and bias (Zhang and Sennrich 2019): y = x * rstd * w, rstd = 1 / sqrt(mean(x^2) + eps). */
    void (*rms_norm)(int rows, int d, float eps, const float *x, const float *w, float *y, float *rstd);
    void (*rms_norm_backward)(int rows, int d, const float *x, const float *w, const float *rstd, const float *dy, float *dx,
                              float *dw);
    /* Rotary positions (Su et al. 2021): each row holds `heads` heads of `width` numbers, turned in place by its row of the
     * table [rows, width]: cosines of width/2 pairs, then their sines. Pairs are (j, j + width/2) when `halves`, else
     * (2j, 2j + 1). `back`: by the negative angle (the gradient). */
    void (*rotate)(int rows, int heads, int width, bool halves, bool back, const float *table, float *x, ptrdiff_t x_row);
    void (*softmax)(int rows, int n, float *x); /* in place, each row */
    /* y = act(x); backward: dx = dy * act'(x) (dx may be dy). GELU is the exact erf form; both within 2 ULP-ish of it.
     */
    void (*activate)(flaw_activation act, size_t n, const float *x, float *y);
    void (*activate_backward)(flaw_activation act, size_t n, const float *x, const float *dy, float *dx);
    /* Gated rows: x [rows, 2F] gate then up, y [rows, F] = act(gate) * up (y may be x). Backward: dx like x from dy like y
     * (dy may be the second half of dx). */
    void (*gate)(flaw_activation act, int rows, int f, const float *x, ptrdiff_t x_row, float *y, ptrdiff_t y_row);
    void (*gate_backward)(flaw_activation act, int rows, int f, const float *x, ptrdiff_t x_row, const float *dy,
                          ptrdiff_t dy_row, float *dx, ptrdiff_t dx_row);
    void (*exp)(size_t n, const float *x, float *y);
    float (*dot)(size_t n, const float *a, const float *b);        /* fixed order */
    void (*axpy)(size_t n, float alpha, const float *x, float *y); /* y += alpha x */
    void (*scale)(size_t n, float alpha, float *x);
    /* Sum of rows: out[d] += sum over rows of x[rows, d] (bias gradients), in row order. */
    void (*column_sum)(int rows, int d, const float *x, ptrdiff_t x_row, float *out);
    void (*adamw)(const flaw_adamw *o, size_t n, float *w, const float *g, float *m, float *v);
} flaw_kernels;

/* "ref", "neon", "neon-dot", "avx2", "avx2-vnni", "avx512", "avx512-vnni", "avx512-bf16", "amx", "auto". */
const char *flaw_level_name(flaw_level level);
/* The kernels of this level, or NULL when this machine lacks it (AMX also needs the system's permission, which is asked
 * for here). Thread-safe: returns one of a few constant tables. */
const flaw_kernels *flaw_kernels_exact(flaw_level level);
/* The best kernels not above `max`; FLAW_LEVEL_AUTO asks for the best there is. */
const flaw_kernels *flaw_kernels_select(flaw_level max);
flaw_level flaw_kernels_best(void);

#endif
