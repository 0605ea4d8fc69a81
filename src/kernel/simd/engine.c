#include "kernel/simd/engine.h"

#include <string.h>

/* When accumulating, k (the rows of a batch) may be far larger than any layer is wide: A is packed for so many k
 * blocks at a time, and C carries the sums. */
enum { CHUNK_BLOCKS = 4 };

/* Bytes of B from which on it is asked for ahead of time; below, asking costs more than it gains. */
enum { LARGE = 1 << 20 };

/* Bytes of A that stay in the first cache beside a panel of B; so many panels of rows are too few for a panel of B to be
 * worth its way there. */
enum { NEAR_A = 24 << 10, FEW_PANELS = 3 };

/* One block of rows of one call, from k0 on. */
typedef struct block {
    const flaw_engine *e;
    const flaw_product *p;
    int i0, rows; /* of A and C */
    int n1;       /* of the call */
    int k0, k;    /* what of k is packed */
    int depth;  /* of a k block */
    int row_panels;
    int across; /* columns that all of these rows pass before the next ones */
    bool plain;
    bool large;             /* B does not stay in the second cache */
    const unsigned char *a; /* packed panels */
    size_t row_bytes, column_bytes; /* of a packed panel of A, of B: divided out once, not for every tile */
    float *sums;        /* [row panels, column panels of `across`] tiles */
    flaw_summed before; /* engines that overlap: the tile to be finished during the next sum, where p is not NULL */
} block;

static int ceil_div(int a, int b)
{
    return (a + b - 1) / b;
}

static int least(int a, int b)
{
    return a < b ? a : b;
}

static int across(const flaw_engine *e)
{
    return e->across ? e->across : FLAW_TILE_COLS;
}

/* At least one block even when k is 0: the sums are then 0 and still get their bias. */
static int k_blocks(const flaw_engine *e, int k)
{
    return k > 0 ? ceil_div(k, e->k_block) : 1;
}

static int block_depth(const flaw_engine *e, int k)
{
    return ceil_div(ceil_div(k, k_blocks(e, k)), e->k_unit) * e->k_unit;
}

size_t flaw_engine_panel_size(const flaw_engine *e, int k)
{
    return e->b_head + (size_t)ceil_div(k, e->k_unit) * (size_t)e->k_unit * (size_t)e->cols * e->element;
}

size_t flaw_engine_pack_size(const flaw_engine *e, int k, int n)
{
    return (size_t)ceil_div(n, e->cols) * flaw_engine_panel_size(e, k);
}

static size_t row_panel_size(const flaw_engine *e, int k)
{
    return e->a_head + (size_t)k_blocks(e, k) * e->a_panel;
}

size_t flaw_engine_rows_size(const flaw_engine *e, int m, int k)
{
    return (size_t)ceil_div(m, e->rows) * row_panel_size(e, k);
}

size_t flaw_engine_scratch(const flaw_engine *e, int k)
{
    size_t tiles = (size_t)e->block_rows * FLAW_TILE_COLS * sizeof(float);
    return flaw_engine_rows_size(e, e->block_rows, k) + tiles;
}

/* Rows i0 .. i0 + rows and k0 .. k0 + k of A. */
static void pack_block(const flaw_engine *e, const flaw_product *p, int i0, int rows, int k0, int k, unsigned char *out)
{
    int depth = block_depth(e, k);
    for (int i = 0; i < rows; i += e->rows, out += row_panel_size(e, k)) {
        unsigned char *at = out + e->a_head;
        int from = 0;
        do { /* once even when k is 0, for the head */
            e->pack_a(p, i0 + i, least(e->rows, rows - i), k0 + from, least(depth, k - from), out, at);
            from += depth;
            at += e->a_panel;
        } while (from < k);
    }
}

void flaw_engine_pack_rows(const flaw_engine *e, int m, int k, const float *a, ptrdiff_t a_row, void *out)
{
    flaw_product p = {.m = m, .k = k, .a = a, .a_row = a_row, .a_col = 1};
    pack_block(e, &p, 0, m, 0, k, out);
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
static bool is_plain(const flaw_engine *e, const flaw_product *p)
{
    if (e->b_head) return false;
    return p->accumulate || (!p->largest && !p->far && !p->bias && !p->pre && !p->residual && p->act == FLAW_ACT_NONE);
}

static const unsigned char *head_of_b(const block *w, int j)
{
    return (const unsigned char *)w->p->b + (size_t)(j / w->e->cols) * w->column_bytes;
}

static const unsigned char *panel_of_b(const block *w, int k, int j)
{
    return head_of_b(w, j) + w->e->b_head + (size_t)(w->k0 + k) * (size_t)w->e->cols * w->e->element;
}

/* What is asked for while the panels of one k block are passed: those of the next k block, or else of the next columns. Each
 * row panel asks for its share. */
typedef struct ahead {
    const unsigned char *at; /* the panel of the first columns; NULL: nothing */
    size_t panel, share;     /* bytes from a panel to the next; for each row panel */
    int columns;             /* of those passed now, so many from the first on ask, each panel for one */
    int step;
} ahead;

enum { LINE = 64, FOUR_STEPS = 16 /* bytes of a row of A in tile.h */ };

static ahead plan_ahead(const block *w, int from, int n0)
{
    const flaw_engine *e = w->e;
    const flaw_product *p = w->p;
    int next = from + w->depth < w->k ? from + w->depth : 0, n = next > 0 ? n0 : n0 + w->across;
    bool leaving = n >= w->n1 && p->b_next;
    ahead a = {.panel = panel_of_b(w, 0, e->cols) - panel_of_b(w, 0, 0), .columns = leaving ? e->cols : p->n - n};
    if (!w->large || a.columns <= 0) return a;
    a.at = leaving ? p->b_next : panel_of_b(w, next, n);
    a.share = (size_t)least(w->depth, w->k - next) * (size_t)e->cols * e->element / (size_t)w->row_panels;
    a.step = least(LINE, (int)(a.share / ((size_t)w->depth * e->element / FOUR_STEPS + 1)) + 1);
    return a;
}

static void finish_before(block *w)
{
    if (w->before.p) w->e->finish(&w->before, 0, w->before.rows);
    w->before.p = NULL;
}

/* The k block from `from` on of one tile. Whole tiles of plain products are summed in C itself. Nothing of `t` is read
 * back here: its stores wait behind those of the tile before. */
static void run_tile(block *w, const ahead *next, int from, int row_panel, int n0, int column, float *tile)
{
    const flaw_engine *e = w->e;
    const flaw_product *p = w->p;
    int j = n0 + column, i = w->i0 + row_panel * e->rows;
    int rows = least(e->rows, w->i0 + w->rows - i), cols = least(e->cols, p->n - j);
    int k = least(w->depth, w->k - from);
    bool direct = w->plain && rows == e->rows && cols == e->cols;
    const unsigned char *head = w->a + (size_t)row_panel * w->row_bytes;
    flaw_tile t = {.live_rows = rows, .live_cols = cols, .k = k, .a_transposed = !p->a_packed && p->a_col != 1};
    t.resume = from > 0 || p->accumulate;
    t.a_passes = w->across < FLAW_TILE_COLS && (size_t)w->rows * (size_t)k * e->element > NEAR_A;
    t.a = head + e->a_head + (from ? (size_t)(from / w->depth) * e->a_panel : 0);
    t.b = panel_of_b(w, from, j);
    t.a_head = head;
    t.b_head = head_of_b(w, j);
    if (next->at && column < next->columns)
        t.ahead = next->at + (size_t)(column / e->cols) * next->panel + next->share * (size_t)row_panel;
    t.ahead_step = next->step;
    if (w->large && !p->far && !p->largest && from + k >= w->k) t.out = p->c + i * p->c_row + j;
    t.out_row = p->c_row;
    t.c = direct ? p->c + i * p->c_row + j : tile;
    t.c_row = direct ? p->c_row : e->cols;
    if (!direct && p->accumulate && from == 0) {
        finish_before(w); /* which may lie in the same place */
        load_tile(e, p, i, j, rows, cols, tile);
    }
    t.before = w->before.p ? &w->before : NULL;
    e->sum(&t);
    w->before.p = NULL;
    if (direct || from + k < w->k) return;
    w->before = (flaw_summed){p, i, j, rows, cols, tile, e->cols, head, t.b_head};
    if (!e->overlaps) finish_before(w);
}

/* Columns n0 .. n1, at most `across`. A panel of A stays in the first cache while panels of B pass it. */
static void run_columns(block *w, int n0, int n1)
{
    const flaw_engine *e = w->e;
    int column_panels = w->across / e->cols;
    size_t tile = (size_t)(e->rows * e->cols);
    int from = 0;
    do {
        ahead next = plan_ahead(w, from, n0);
        for (int i = 0; i < w->row_panels; i++) {
            for (int column = 0; n0 + column < n1; column += e->cols) {
                /* With a single k block every tile is finished at once: one place, hot in the cache, serves all. */
                size_t at = w->depth < w->k ? (size_t)(i * column_panels + column / e->cols) : 0;
                run_tile(w, &next, from, i, n0, column, w->sums + at * tile);
            }
        }
        from += w->depth;
    } while (from < w->k);
}

/* Rows of a block: of packed A so many that their sums have room and a_block holds them, in equal blocks. */
static int rows_of_block(const flaw_engine *e, const flaw_product *p, int m)
{
    if (!p->a_packed) return e->block_rows;
    int most = e->block_rows * (FLAW_TILE_COLS / across(e)), panels = (int)(e->a_block / row_panel_size(e, p->k));
    if (e->a_block && panels * e->rows < most) most = panels * e->rows > e->block_rows ? panels * e->rows : e->block_rows;
    int blocks = ceil_div(m, most);
    return blocks ? ceil_div(ceil_div(m, blocks), e->rows) * e->rows : most;
}

void flaw_engine_product(const flaw_engine *e, const flaw_product *p, int m0, int m1, int n0, int n1, void *scratch)
{
    int chunk = p->accumulate && !p->a_packed ? least(p->k, CHUNK_BLOCKS * e->k_block) : p->k;
    unsigned char *packed = scratch;
    block w = {.e = e, .p = p, .n1 = n1, .plain = is_plain(e, p)};
    int rows = rows_of_block(e, p, m1 - m0);
    w.column_bytes = flaw_engine_panel_size(e, p->k_packed ? p->k_packed : p->k);
    w.large = p->b_next || flaw_engine_pack_size(e, p->k, p->n) >= LARGE;
    w.sums = (float *)(void *)(packed + (p->a_packed ? 0 : flaw_engine_rows_size(e, e->block_rows, chunk)));
    if (e->begin) e->begin();
    do {
        w.k = least(chunk, p->k - w.k0);
        w.depth = block_depth(e, w.k);
        w.row_bytes = row_panel_size(e, w.k);
        for (w.i0 = m0; w.i0 < m1; w.i0 += rows) {
            w.rows = least(rows, m1 - w.i0);
            w.row_panels = ceil_div(w.rows, e->rows);
            w.across = w.row_panels > FEW_PANELS ? across(e) : FLAW_TILE_COLS;
            if (!p->a_packed) pack_block(e, p, w.i0, w.rows, w.k0, w.k, packed);
            w.a = p->a_packed ? (const unsigned char *)p->a_packed + flaw_engine_rows_size(e, w.i0, p->k) : packed;
            if (p->a_sums && n0 == 0) sum_block(&w);
            for (int j = n0; j < n1; j += w.across) run_columns(&w, j, least(j + w.across, n1));
            finish_before(&w); /* its heads are about to be packed anew */
        }
        w.k0 += chunk;
    } while (w.k0 < p->k);
    if (e->end) e->end();
    if (p->far || p->pre) finish_stores();
}
