/* The driver of a product: blocking and edges, plain C, the same for every level and precision. An engine supplies
 * what needs instructions: packing of A, the sum over k of one register tile, and the finish of a tile.
 *
 * Blocks, from outside in:
 *   block_rows rows of A are packed for the whole k (A block, in scratch);
 *   FLAW_TILE_COLS columns of B at a time;
 *   k_block of k at a time, so that a panel of A and one of B fit the first cache together;
 *   panels of `rows` rows of A by panels of `cols` columns of B: one register tile.
 * The sums of a tile rest in scratch (or in C when accumulating) between its k blocks as float32, which changes no
 * bit: the sum of an element runs over k in order, whatever the blocks are.
 *
 * Packed B: panels of `cols` columns, each k (padded to k_unit) x cols values. float32: rows of k; bf16: rows of pairs
 * of k, the two values of a pair together. Missing columns and k are 0. */
#ifndef FLAW_KERNEL_SIMD_ENGINE_H
#define FLAW_KERNEL_SIMD_ENGINE_H

#include "kernel/kernel.h"

/* One k block of one register tile: c[rows, cols] = (resume ? c : 0) + panel of A x panel of B. */
typedef struct flaw_tile {
    int live_rows, live_cols; /* what of it is needed */
    int k;
    bool a_transposed, resume;
    const void *a, *b;
    const void *ahead; /* what will be needed of B soon: asked for during the sum, a little each step; or NULL */
    float *c;
    ptrdiff_t c_row;
} flaw_tile;

/* Packs columns n0 .. n1 of B, see flaw_kernels.pack_cols. */
typedef void flaw_pack_cols(int k, int n, const float *b, ptrdiff_t b_row, ptrdiff_t b_col, int n0, int n1, void *out);

typedef struct flaw_engine {
    int rows, cols; /* register tile; rows divides block_rows, cols divides FLAW_TILE_COLS */
    int block_rows;
    int k_unit;          /* k is padded to a multiple of it */
    int k_block;         /* a multiple of k_unit */
    size_t element;      /* bytes of a packed value */
    size_t a_panel;      /* bytes of a packed panel of A, k_block deep; a multiple of 64 */
    void (*begin)(void); /* around the work of one call, or NULL (tile registers) */
    void (*end)(void);
    flaw_pack_cols *pack_cols;
    /* Rows i0 .. i0 + live (live <= rows) and p0 .. p0 + k of A into a panel; rows behind `live` are 0. */
    void (*pack_a)(const flaw_product *p, int i0, int live, int p0, int k, void *panel);
    void (*sum)(const flaw_tile *t);
    /* Bias, activation, residual of a tile of sums, to C from row i, column j on. */
    void (*finish)(const flaw_product *p, int i, int j, int live_rows, int live_cols, const float *sum);
    void (*column_sum)(int rows, int d, const float *x, ptrdiff_t x_row, float *out);
} flaw_engine;

size_t flaw_engine_pack_size(const flaw_engine *e, int k, int n);
/* Bytes of one panel of packed B. */
size_t flaw_engine_panel_size(const flaw_engine *e, int k);
size_t flaw_engine_scratch(const flaw_engine *e, int k);
void flaw_engine_product(const flaw_engine *e, const flaw_product *p, int m0, int m1, int n0, int n1, void *scratch);

#endif
