#include "kernel/simd/engine.h"

#include <string.h>

/* When accumulating, k (the rows of a batch) may be far larger than any layer is wide: A is packed for so many k
 * blocks at a time, and C carries the sums. */
enum { CHUNK_BLOCKS = 4 };

/* Bytes of B from which on it is asked for ahead of time; below, asking costs more than it gains. */
enum { LARGE = 1 << 20 };

/* One block of rows of one call, from k0 on. */
typedef struct block {
    const flaw_engine *e;
    const flaw_product *p;
    int i0, rows; /* of A and C */
    int k0, k;    /* what of k is packed */
    int row_panels;
    bool plain;
    bool large;       /* B does not stay in the second cache */
    unsigned char *a; /* [k blocks, row panels] packed panels */
    float *sums;      /* [row panels, column panels of FLAW_TILE_COLS] tiles */
} block;

static int ceil_div(int a, int b)
{
    return (a + b - 1) / b;
}

static int least(int a, int b)
{
    return a < b ? a : b;
}

/* At least one block even when k is 0: the sums are then 0 and still get their bias. */
static int k_blocks(const flaw_engine *e, int k)
{
    return k > 0 ? ceil_div(k, e->k_block) : 1;
}

size_t flaw_engine_panel_size(const flaw_engine *e, int k)
{
    return (size_t)ceil_div(k, e->k_unit) * (size_t)e->k_unit * (size_t)e->cols * e->element;
}

size_t flaw_engine_pack_size(const flaw_engine *e, int k, int n)
{
    return (size_t)ceil_div(n, e->cols) * flaw_engine_panel_size(e, k);
}

static size_t a_block_size(const flaw_engine *e, int blocks)
{
    return (size_t)blocks * (size_t)(e->block_rows / e->rows) * e->a_panel;
}

size_t flaw_engine_scratch(const flaw_engine *e, int k)
{
    size_t tiles = (size_t)e->block_rows * FLAW_TILE_COLS * sizeof(float);
    return a_block_size(e, k_blocks(e, k)) + tiles;
}

static void pack_block(const block *w)
{
    const flaw_engine *e = w->e;
    unsigned char *at = w->a;
    for (int k = 0; k < w->k; k += e->k_block)
        for (int i = 0; i < w->rows; i += e->rows, at += e->a_panel)
            e->pack_a(w->p, w->i0 + i, least(e->rows, w->rows - i), w->k0 + k, least(e->k_block, w->k - k), at);
}

/* The same rows and k of A, now in the caches, into a_sums: always in order of k. */
static void sum_block(const block *w)
{
    const flaw_product *p = w->p;
    float *sums = p->a_sums + w->i0;
    const float *a = p->a + w->i0 * p->a_row + w->k0 * p->a_col;
    if (p->a_col != 1) {
        w->e->column_sum(w->k, w->rows, a, p->a_col, sums);
        return;
    }
    for (int i = 0; i < w->rows; i++)
        for (int q = 0; q < w->k; q++) sums[i] += a[i * p->a_row + q];
}

/* Stores past the caches (finish.inc.c) are to be seen before whatever the caller does next. Only x86 has such stores. */
static void finish_stores(void)
{
#ifdef __x86_64__
    __builtin_ia32_sfence();
#endif
}

/* Live values of C from row i, column j on, into a tile. */
static void load_tile(const flaw_engine *e, const flaw_product *p, int i, int j, int rows, int cols, float *tile)
{
    for (int r = 0; r < rows; r++)
        memcpy(tile + r * e->cols, p->c + (i + r) * p->c_row + j, (size_t)cols * sizeof *tile);
}

/* A sum and nothing else. */
static bool is_plain(const flaw_product *p)
{
    return p->accumulate || (!p->largest && !p->far && !p->bias && !p->pre && !p->residual && p->act == FLAW_ACT_NONE);
}

static const unsigned char *panel_of_b(const block *w, int k, int j)
{
    int packed = w->p->k_packed ? w->p->k_packed : w->p->k;
    return (const unsigned char *)w->p->b + (size_t)(j / w->e->cols) * flaw_engine_panel_size(w->e, packed) +
           (size_t)(w->k0 + k) * (size_t)w->e->cols * w->e->element;
}

/* The panel that follows this one in the next k block, or else in the next columns: while the row panels of the block
 * pass this one, each asks for its share of that one. */
static const void *share_ahead(const block *w, int k, int j, int row_panel)
{
    int next = k + w->e->k_block < w->k ? k + w->e->k_block : 0, column = next > 0 ? j : j + FLAW_TILE_COLS;
    if (!w->large || column >= w->p->n) return NULL;
    size_t size = (size_t)least(w->e->k_block, w->k - next) * (size_t)w->e->cols * w->e->element;
    return panel_of_b(w, next, column) + size / (size_t)w->row_panels * (size_t)row_panel;
}

/* One k block of one tile. Whole tiles of plain products are summed in C itself. Nothing of `t` is read back here: its
 * stores wait behind those of the tile before. */
static void run_tile(const block *w, int kb, int row_panel, int j, float *tile)
{
    const flaw_engine *e = w->e;
    const flaw_product *p = w->p;
    int i = w->i0 + row_panel * e->rows, rows = least(e->rows, w->i0 + w->rows - i), cols = least(e->cols, p->n - j);
    int from = kb * e->k_block, k = least(e->k_block, w->k - from);
    bool direct = w->plain && rows == e->rows && cols == e->cols;
    flaw_tile t = {.live_rows = rows, .live_cols = cols, .k = k, .a_transposed = p->a_col != 1};
    t.resume = kb > 0 || p->accumulate;
    t.a = w->a + (size_t)(kb * w->row_panels + row_panel) * e->a_panel;
    t.b = panel_of_b(w, from, j);
    t.ahead = share_ahead(w, from, j, row_panel);
    t.c = direct ? p->c + i * p->c_row + j : tile;
    t.c_row = direct ? p->c_row : e->cols;
    if (!direct && p->accumulate && kb == 0) load_tile(e, p, i, j, rows, cols, tile);
    e->sum(&t);
    if (!direct && from + k >= w->k) e->finish(p, i, j, rows, cols, tile);
}

/* Columns n0 .. n1, at most FLAW_TILE_COLS. A panel of A stays in the first cache while panels of B pass it. */
static void run_columns(const block *w, int n0, int n1)
{
    const flaw_engine *e = w->e;
    int blocks = k_blocks(e, w->k), column_panels = FLAW_TILE_COLS / e->cols;
    size_t tile = (size_t)(e->rows * e->cols);
    for (int kb = 0; kb < blocks; kb++) {
        for (int i = 0; i < w->row_panels; i++) {
            for (int j = n0; j < n1; j += e->cols) {
                /* With a single k block every tile is finished at once: one place, hot in the cache, serves all. */
                size_t at = blocks > 1 ? (size_t)(i * column_panels + (j - n0) / e->cols) : 0;
                run_tile(w, kb, i, j, w->sums + at * tile);
            }
        }
    }
}

void flaw_engine_product(const flaw_engine *e, const flaw_product *p, int m0, int m1, int n0, int n1, void *scratch)
{
    int chunk = p->accumulate ? least(p->k, CHUNK_BLOCKS * e->k_block) : p->k;
    block w = {.e = e, .p = p, .plain = is_plain(p), .a = scratch};
    w.large = flaw_engine_pack_size(e, p->k, p->n) >= LARGE;
    w.sums = (float *)(void *)(w.a + a_block_size(e, k_blocks(e, chunk)));
    if (e->begin) e->begin();
    do {
        w.k = least(chunk, p->k - w.k0);
        for (w.i0 = m0; w.i0 < m1; w.i0 += e->block_rows) {
            w.rows = least(e->block_rows, m1 - w.i0);
            w.row_panels = ceil_div(w.rows, e->rows);
            pack_block(&w);
            if (p->a_sums && n0 == 0) sum_block(&w);
            for (int j = n0; j < n1; j += FLAW_TILE_COLS) run_columns(&w, j, least(j + FLAW_TILE_COLS, n1));
        }
        w.k0 += chunk;
    } while (w.k0 < p->k);
    if (e->end) e->end();
    if (p->far || p->pre) finish_stores();
}
