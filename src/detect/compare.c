#include "detect/compare.h"

#include <limits.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "base/checked.h"

/* MEAN_ROWS: rows that the mean is taken of. LOOK: queries looked at again in a piece. */
enum { MEAN_ROWS = 1024, LOOK = 16, KEEP = FLAW_BANK_KEEP, LINE = 64 };

/* How a search is cut, by the size of the bank alone. CHUNK: rows of the bank in a piece, where there are enough for FEW
 * pieces; so many stay in the second cache while the query passes. From WIDE chunks on a piece takes the whole query, so
 * that the bank comes from memory once. */
enum { CHUNK = 4 * FLAW_TILE_COLS, FEW = 16, WIDE = 64 };

static int ceil_div(int a, int b)
{
    return (a + b - 1) / b;
}

static int least(int a, int b)
{
    return a < b ? a : b;
}

/* Rounding pays where it makes B smaller: levels without such instructions compute with float32 all the same. */
static flaw_precision precision_of(const flaw_compute *c, int width)
{
    size_t exact = c->kernels->pack_size(FLAW_F32, width, FLAW_TILE_COLS);
    return c->kernels->pack_size(c->precision, width, FLAW_TILE_COLS) < exact ? c->precision : FLAW_F32;
}

typedef struct opening {
    const flaw_compute *compute;
    const flaw_bank *bank;
    const float *rows, *mean; /* mean: NULL takes nothing away */
    float *copy;              /* [rows, width] */
} opening;

/* Where a mean is taken away, the copy holds the difference until it is packed. */
static void open_piece(void *context, int piece, int worker)
{
    const opening *o = context;
    const flaw_bank *bank = o->bank;
    int from = piece * FLAW_TILE_COLS, to = least(from + FLAW_TILE_COLS, bank->rows);
    size_t width = (size_t)bank->width, at = (size_t)from * width, floats = (size_t)(to - from) * width;
    (void)worker;
    memcpy(o->copy + at, o->rows + at, floats * sizeof(float));
    for (int r = from; o->mean && r < to; r++)
        o->compute->kernels->axpy(width, -1, o->mean, o->copy + (size_t)r * width);
    o->compute->kernels->pack_cols(bank->precision, bank->width, bank->rows, o->copy, 1, bank->width, from, to,
                                   bank->packed);
    if (o->mean) memcpy(o->copy + at, o->rows + at, floats * sizeof(float));
}

/* The mean of rows spread evenly over all. */
static void make_mean(float *mean, const flaw_kernels *k, const float *rows, size_t count, size_t width)
{
    size_t step = (count + MEAN_ROWS - 1) / MEAN_ROWS, taken = (count + step - 1) / step;
    memset(mean, 0, width * sizeof *mean);
    for (size_t i = 0; i < count; i += step) k->axpy(width, 1.0f / (float)taken, rows + i * width, mean);
}

/* Number of the first row that is not finite, `count` where there is none. */
static size_t broken_row(const flaw_kernels *k, const float *rows, size_t count, size_t width)
{
    size_t i = 0;
    while (i < count && isfinite(k->dot(width, rows + i * width, rows + i * width))) i++;
    return i;
}

static flaw_status pack_bank(flaw_bank *bank, const flaw_compute *compute, const float *rows, flaw_error *err)
{
    size_t floats, width = (size_t)bank->width, count = (size_t)bank->rows;
    bool ok = flaw_mul_ok(&floats, count, width);
    float *copy = ok ? flaw_arena_alloc(&bank->arena, floats, sizeof(float)) : NULL;
    float *mean = flaw_arena_alloc(&bank->arena, width, sizeof(float));
    if (copy)
        bank->packed = flaw_arena_alloc(&bank->arena,
                                        compute->kernels->pack_size(bank->precision, bank->width, bank->rows), 1);
    if (!copy || !mean || !bank->packed)
        return flaw_fail(err, FLAW_NO_MEMORY, "a memory bank of %d rows of %d floats was refused", bank->rows, bank->width);
    bool rounded = bank->precision != FLAW_F32;
    if (rounded) make_mean(mean, compute->kernels, rows, count, width);
    opening o = {.compute = compute, .bank = bank, .rows = rows, .mean = rounded ? mean : NULL, .copy = copy};
    flaw_pool_run(compute->pool, open_piece, &o, ceil_div(bank->rows, FLAW_TILE_COLS));
    bank->row = copy;
    return FLAW_OK;
}

flaw_status flaw_bank_open(flaw_bank *out, flaw_compute *compute, const float *rows, size_t count, int width,
                           flaw_error *err)
{
    if (count < 1 || width < 1 || count > INT_MAX / 2)
        return flaw_fail(err, FLAW_USAGE, "a memory bank of %zu rows of %d; allowed are 1 to %d rows", count, width,
                         INT_MAX / 2);
    size_t broken = broken_row(compute->kernels, rows, count, (size_t)width);
    if (broken < count)
        return flaw_fail(err, FLAW_BAD_DATA, "row %zu of %zu for a memory bank is not finite", broken, count);
    flaw_bank bank = {.rows = (int)count, .width = width, .precision = precision_of(compute, width)};
    flaw_arena_init(&bank.arena, 0);
    flaw_status s = pack_bank(&bank, compute, rows, err);
    if (!s) s = flaw_compute_reserve(compute, compute->kernels->product_scratch(bank.precision, width), err);
    if (s) {
        flaw_arena_release(&bank.arena);
        return s;
    }
    *out = bank;
    return FLAW_OK;
}

void flaw_bank_close(flaw_bank *bank)
{
    flaw_arena_release(&bank->arena);
    memset(bank, 0, sizeof *bank);
}

/* Lists of the workers, in whole lines of memory; the packed query lies behind them. */
static size_t lists_size(const flaw_compute *compute, int count)
{
    size_t bytes = (size_t)compute->workers * (size_t)count * KEEP * sizeof(flaw_ranked);
    return (bytes + LINE - 1) / LINE * LINE;
}

size_t flaw_bank_workspace(const flaw_compute *compute, int count, int width)
{
    size_t packed = compute->kernels->rows_size(precision_of(compute, width), count, width);
    return lists_size(compute, count) + packed + LINE; /* `work` need not be aligned */
}

typedef struct search {
    const flaw_bank *bank;
    flaw_compute *compute;
    const float *query;
    int count;
    int chunk;          /* rows of the bank in a piece */
    int row_tiles;      /* pieces that the query is cut into */
    int keep;           /* rows of the bank that a query keeps: one where nothing is rounded */
    flaw_ranked *found; /* [workers, count, keep] */
    char *packed;       /* the query as rows of A */
    float *near;
    int *at;
} search;

static flaw_ranked *list_of(const search *s, int worker, int query)
{
    return s->found + ((size_t)worker * (size_t)s->count + (size_t)query) * (size_t)s->keep;
}

static void pack_piece(void *context, int piece, int worker)
{
    const search *s = context;
    const flaw_bank *bank = s->bank;
    const flaw_kernels *k = s->compute->kernels;
    int from = piece * FLAW_TILE_ROWS, to = least(from + FLAW_TILE_ROWS, s->count);
    (void)worker;
    k->pack_rows(bank->precision, to - from, bank->width, s->query + (size_t)from * (size_t)bank->width, bank->width,
                 s->packed + k->rows_size(bank->precision, from, bank->width));
}

/* Rows of the query against a chunk of the bank. Every worker has lists of its own: joined, they are the lists of the whole
 * bank, whoever did which piece. */
static void search_piece(void *context, int piece, int worker)
{
    search *s = context;
    const flaw_bank *bank = s->bank;
    int n0 = piece / s->row_tiles * s->chunk, m0 = piece % s->row_tiles * FLAW_TILE_ROWS;
    int m1 = s->row_tiles > 1 ? least(m0 + FLAW_TILE_ROWS, s->count) : s->count;
    flaw_largest largest = {.keep = s->keep, .list = list_of(s, worker, 0)};
    flaw_product product = {.m = s->count,
                            .n = bank->rows,
                            .k = bank->width,
                            .a_packed = s->packed,
                            .b = bank->packed,
                            .largest = &largest};
    s->compute->kernels->product(bank->precision, &product, m0, m1, n0, least(n0 + s->chunk, bank->rows),
                                 s->compute->scratch[worker]);
}

/* Joins the workers' lists of some queries, and takes the largest of the true cosines. */
static void look_again(void *context, int piece, int worker)
{
    search *s = context;
    const flaw_bank *bank = s->bank;
    size_t width = (size_t)bank->width;
    (void)worker;
    for (int i = piece * LOOK; i < least((piece + 1) * LOOK, s->count); i++) {
        flaw_ranked *list = list_of(s, 0, i), best = {NAN, -1};
        for (int w = 1; w < s->compute->workers; w++)
            for (int t = 0; t < s->keep; t++) flaw_largest_put(list, s->keep, list_of(s, w, i)[t]);
        for (int t = 0; t < s->keep && list[t].column < bank->rows; t++) {
            flaw_ranked x = {0, list[t].column};
            x.value = s->compute->kernels->dot(width, s->query + (size_t)i * width, bank->row + (size_t)x.column * width);
            if (t == 0 || flaw_ranked_before(x, best)) best = x;
        }
        s->near[i] = best.value;
        if (s->at) s->at[i] = best.column;
    }
}

void flaw_bank_nearest(const flaw_bank *bank, flaw_compute *compute, const float *query, int count, float *near, int *at,
                       void *work)
{
    search s = {.bank = bank, .compute = compute, .query = query, .count = count, .near = near, .at = at};
    s.keep = bank->precision == FLAW_F32 ? 1 : KEEP;
    s.chunk = bank->rows < FEW * CHUNK ? FLAW_TILE_COLS : CHUNK;
    int chunks = ceil_div(bank->rows, s.chunk);
    s.row_tiles = s.chunk * WIDE > bank->rows ? ceil_div(count, FLAW_TILE_ROWS) : 1;
    s.found = (flaw_ranked *)(((uintptr_t)work + LINE - 1) / LINE * LINE);
    s.packed = (char *)s.found + lists_size(compute, count);
    flaw_largest_clear(s.found, compute->workers * count * s.keep);
    flaw_pool_run(compute->pool, pack_piece, &s, ceil_div(count, FLAW_TILE_ROWS));
    flaw_pool_run(compute->pool, search_piece, &s, chunks * s.row_tiles);
    flaw_pool_run(compute->pool, look_again, &s, ceil_div(count, LOOK));
}
