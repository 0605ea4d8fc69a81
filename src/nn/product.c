#include "nn/product.h"

#include <string.h>

#define CHUNK 2048 /* rows of B packed at a time */

typedef struct product_pass {
    const flaw_compute *c;
    const flaw_plain_product *p;
    int k0, k; /* this chunk */
    int column_pieces;
    float *packed;
} product_pass;

static int smaller(int a, int b)
{
    return a < b ? a : b;
}

static int pieces_of(int n, int tile)
{
    return (n + tile - 1) / tile;
}

size_t flaw_plain_product_work(const flaw_compute *c, int k, int n)
{
    size_t bytes = c->kernels->pack_size(FLAW_F32, smaller(k, CHUNK), n);
    return (bytes + 63) / 64 * 16;
}

size_t flaw_plain_product_scratch(const flaw_compute *c)
{
    return c->kernels->product_scratch(FLAW_F32, CHUNK);
}

static void pack_piece(void *context, int piece, int worker)
{
    const product_pass *w = context;
    const flaw_plain_product *p = w->p;
    (void)worker;
    int n0 = piece * FLAW_TILE_COLS;
    w->c->kernels->pack_cols(FLAW_F32, w->k, p->n, p->b + w->k0 * p->b_row, p->b_row, p->b_col, n0,
                             smaller(n0 + FLAW_TILE_COLS, p->n), w->packed);
}

static void begin(const flaw_plain_product *p, int m0, int m1, int n0, int n1)
{
    for (int i = m0; i < m1; i++) {
        float *row = p->c + i * p->c_row, first = p->row_bias ? p->row_bias[i] : 0;
        for (int j = n0; j < n1; j++) row[j] = first;
    }
}

static void product_piece(void *context, int piece, int worker)
{
    const product_pass *w = context;
    const flaw_plain_product *p = w->p;
    int m0 = piece / w->column_pieces * FLAW_TILE_ROWS, n0 = piece % w->column_pieces * FLAW_TILE_COLS;
    int m1 = smaller(m0 + FLAW_TILE_ROWS, p->m), n1 = smaller(n0 + FLAW_TILE_COLS, p->n);
    flaw_product q = {.m = p->m, .n = p->n, .k = w->k, .a = p->a + w->k0 * p->a_col, .a_row = p->a_row, .a_col = p->a_col,
                      .b = w->packed, .c = p->c, .c_row = p->c_row, .accumulate = true, .a_sums = p->a_sums};
    if (w->k0 == 0 && !p->accumulate) begin(p, m0, m1, n0, n1);
    w->c->kernels->product(FLAW_F32, &q, m0, m1, n0, n1, w->c->scratch[worker]);
}

void flaw_plain_product_run(flaw_compute *c, const flaw_plain_product *p, float *work)
{
    product_pass w = {.c = c, .p = p, .packed = work, .column_pieces = pieces_of(p->n, FLAW_TILE_COLS)};
    for (; w.k0 < p->k; w.k0 += CHUNK) {
        w.k = smaller(CHUNK, p->k - w.k0);
        flaw_pool_run(c->pool, pack_piece, &w, w.column_pieces);
        flaw_pool_run(c->pool, product_piece, &w, w.column_pieces * pieces_of(p->m, FLAW_TILE_ROWS));
    }
}
