/* The driver of a product: blocking and edges, plain C, the same for every level and precision. An engine supplies
 * what needs instructions: packing, the sum over k of one register tile, and the finish of a tile.
 *
 * Blocks, from outside in:
 *   block_rows rows of A are packed for the whole k (A block, in scratch), unless the caller has packed them: then more rows
 *   may be taken at a time;
 *   `across` columns of B at a time;
 *   at most k_block of k at a time, so that a panel of A stays in the first cache (equal shares of k, not a short last one);
 *   panels of `rows` rows of A by panels of `cols` columns of B: one register tile.
 * The sums of a tile rest in scratch (or in C when accumulating) between its k blocks, which changes no bit: the sum of
 * an element runs over k in order, whatever the blocks are.
 *
 * Packed A: panels of `rows` rows: a head (int8: scales), then k blocks of a_panel bytes.
 * Packed B: panels of `cols` columns: a head (int8: scales, first sums), then k (padded to k_unit) x cols values. float32:
 * rows of k; bf16, int8: rows of groups of k, the values of a group together. Missing columns and k are 0. */
#ifndef FLAW_KERNEL_SIMD_ENGINE_H
#define FLAW_KERNEL_SIMD_ENGINE_H

#include "kernel/kernel.h"

/* A tile whose sums are complete, waiting for its finish. */
typedef struct flaw_summed {
    const flaw_product *p;
    int i, j;       /* its first row and column in C */
    int rows, cols; /* what of it is needed */
    const float *sum;
    ptrdiff_t sum_row;
    const void *a_head, *b_head;
} flaw_summed;

/* Bias, activation, residual of rows r0 .. r1 of a tile of sums, to C. */
typedef void flaw_finish(const flaw_summed *s, int r0, int r1);

/* One k block of one register tile: c[rows, cols] = (resume ? c : 0) + panel of A x panel of B. */
typedef struct flaw_tile {
    int live_rows, live_cols; /* what of it is needed */
    int k;
    bool a_transposed, resume;
    bool a_passes; /* A of the block is more than the first cache holds beside this B */
    const void *a, *b;
    const void *a_head, *b_head;
    const void *ahead; /* what will be needed of B soon: asked for during the sum, a little each step; or NULL */
    int ahead_step;    /* bytes of it for four steps of the tile (tile.h), at most 64 */
    const float *out;  /* where the tile will be finished, rows out_row apart: asked for as well; or NULL */
    ptrdiff_t out_row;
    float *c; /* int8: whole numbers in their place */
    ptrdiff_t c_row;
    const flaw_summed *before; /* engines that overlap: another tile, to be finished meanwhile; or NULL */
} flaw_tile;

/* Packs columns n0 .. n1 of B, see flaw_kernels.pack_cols. */
typedef void flaw_pack_cols(int k, int n, const float *b, ptrdiff_t b_row, ptrdiff_t b_col, int n0, int n1, void *out);

typedef struct flaw_engine {
    int rows, cols; /* register tile; rows divides block_rows, cols divides FLAW_TILE_COLS */
    int block_rows;
    int across;          /* columns that all rows pass before the next ones; divides FLAW_TILE_COLS. 0: FLAW_TILE_COLS */
    int k_unit;          /* k is padded to a multiple of it */
    int k_block;         /* a multiple of k_unit */
    size_t element;      /* bytes of a packed value of B */
    size_t a_panel;      /* bytes of one k block of a packed panel of A, whatever its depth; a multiple of 64 */
    size_t a_block;        /* bytes of packed A that stay in the second cache while columns of B pass it; 0: no matter */
    size_t a_head, b_head; /* bytes before each panel; multiples of 64 */
    void (*begin)(void); /* around the work of one call, or NULL (tile registers) */
    void (*end)(void);
    flaw_pack_cols *pack_cols;
    /* Rows i0 .. i0 + live (live <= rows) and p0 .. p0 + k of A into a k block of a panel; rows behind `live` are 0. The
     * head is filled with the block p0 = 0, which comes first. */
    void (*pack_a)(const flaw_product *p, int i0, int live, int p0, int k, void *head, void *panel);
    bool overlaps; /* the sum of a tile finishes the one before */
    void (*sum)(const flaw_tile *t);
    flaw_finish *finish;
    void (*column_sum)(int rows, int d, const float *x, ptrdiff_t x_row, float *out);
} flaw_engine;

size_t flaw_engine_pack_size(const flaw_engine *e, int k, int n);
/* Bytes of one panel of packed B. */
size_t flaw_engine_panel_size(const flaw_engine *e, int k);
size_t flaw_engine_rows_size(const flaw_engine *e, int m, int k);
void flaw_engine_pack_rows(const flaw_engine *e, int m, int k, const float *a, ptrdiff_t a_row, void *out);
size_t flaw_engine_scratch(const flaw_engine *e, int k);
void flaw_engine_product(const flaw_engine *e, const flaw_product *p, int m0, int m1, int n0, int n1, void *scratch);

#endif
