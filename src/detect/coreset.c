#include "detect/coreset.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/checked.h"
#include "base/random.h"

/* POOL: rows that may be chosen next, all others lie lower. GROUP: kept rows that are packed together. */
enum { PIECE = FLAW_TILE_ROWS, POOL = 16 * PIECE, GROUP = 64 };

typedef struct choice {
    flaw_compute *compute;
    const float *const *tables;
    int spaces, width;
    size_t count;
    float *square; /* [count] squared lengths */
    float *bound;  /* [count] squared distance to the nearest of the first seen[i] kept rows; -1: kept itself */
    int *seen;     /* [count] */

    size_t *chosen; /* [kept] */
    int kept;
    float *group;     /* [spaces, GROUP, width] kept rows of the last group */
    void **packed;    /* [groups, spaces] columns of B */
    void **newest;    /* [spaces] the row kept last alone */
    size_t pack_size; /* bytes of one */

    size_t pool[POOL]; /* a heap when just filled: the lowest row is the first */
    int pooled;
    float *rows;       /* [spaces, POOL, width] */
    size_t floor;      /* a row of the pool that was above all others when the pool was filled, ... */
    float floor_bound; /* ... and its bound then */
} choice;

/* Of the rows a and b, the one that would be chosen first. */
static bool before(const choice *c, size_t a, size_t b)
{
    return c->bound[a] > c->bound[b] || (c->bound[a] == c->bound[b] && a < b);
}

/* ---- the pool ---- */

static void sink(choice *c, int at)
{
    for (int low = at;; at = low) {
        for (int child = 2 * at + 1; child <= 2 * at + 2 && child < c->pooled; child++)
            if (before(c, c->pool[low], c->pool[child])) low = child;
        if (low == at) return;
        size_t row = c->pool[at];
        c->pool[at] = c->pool[low];
        c->pool[low] = row;
    }
}

/* The POOL rows of the highest bounds. */
static void fill_pool(choice *c)
{
    c->pooled = 0;
    for (size_t i = 0; i < c->count; i++) {
        if (c->bound[i] < 0) continue;
        if (c->pooled < POOL) {
            c->pool[c->pooled++] = i;
            for (int at = c->pooled == POOL ? POOL / 2 : -1; at >= 0; at--) sink(c, at);
        } else if (before(c, i, c->pool[0])) {
            c->pool[0] = i;
            sink(c, 0);
        }
    }
    bool all = c->pooled < POOL;
    c->floor = all ? SIZE_MAX : c->pool[0];
    c->floor_bound = all ? 0 : c->bound[c->floor];
}

/* The row of the pool that is farthest, or SIZE_MAX when one outside may be farther. */
static size_t farthest(const choice *c)
{
    size_t best = c->pool[0];
    for (int i = 1; i < c->pooled; i++)
        if (before(c, c->pool[i], best)) best = c->pool[i];
    float bound = c->bound[best];
    if (bound < 0) return SIZE_MAX;
    return bound > c->floor_bound || (bound == c->floor_bound && best <= c->floor) ? best : SIZE_MAX;
}

/* ---- distances ---- */

/* Rows [from, to) of the pool against `columns` kept rows, packed for each space, from number `first` on. A sum runs over
 * the dimensions of the spaces in order, whatever rows it is computed beside: its bits depend on the two rows alone. */
static void measure(choice *c, int worker, int from, int to, void *const *packed, int first, int columns)
{
    float *tile = c->compute->scratch[worker];
    flaw_product p = {.m = to - from, .n = columns, .k = c->width, .a_row = c->width, .a_col = 1, .c = tile, .c_row = GROUP};
    for (int s = 0; s < c->spaces; s++) {
        p.a = c->rows + ((size_t)s * POOL + (size_t)from) * (size_t)c->width;
        p.b = packed[s];
        p.accumulate = s > 0;
        c->compute->kernels->product(FLAW_F32, &p, 0, p.m, 0, columns, tile + PIECE * GROUP);
    }
    for (int i = from; i < to; i++, tile += GROUP) {
        size_t row = c->pool[i];
        float bound = c->bound[row];
        for (int j = 0; j < columns; j++) {
            float apart = c->square[row] + c->square[c->chosen[first + j]] - 2 * tile[j];
            if (apart < 0) apart = 0;
            if (apart < bound) bound = apart;
        }
        c->bound[row] = bound;
    }
}

static int piece_end(const choice *c, int piece)
{
    return (piece + 1) * PIECE < c->pooled ? (piece + 1) * PIECE : c->pooled;
}

static int piece_count(const choice *c)
{
    return (c->pooled + PIECE - 1) / PIECE;
}

/* Fetches the rows of a piece of the pool and measures them against all kept rows that one of them has not seen. */
static void refresh_piece(void *context, int piece, int worker)
{
    choice *c = context;
    size_t width = (size_t)c->width;
    int from = piece * PIECE, to = piece_end(c, piece), least = c->kept;
    for (int i = from; i < to; i++) {
        for (int s = 0; s < c->spaces; s++)
            memcpy(c->rows + ((size_t)s * POOL + (size_t)i) * width, c->tables[s] + c->pool[i] * width,
                   width * sizeof(float));
        if (c->seen[c->pool[i]] < least) least = c->seen[c->pool[i]];
        c->seen[c->pool[i]] = c->kept;
    }
    for (int first = least / GROUP * GROUP; least < c->kept && first < c->kept; first += GROUP)
        measure(c, worker, from, to, c->packed + first / GROUP * c->spaces, first,
                c->kept - first < GROUP ? c->kept - first : GROUP);
}

static void newest_piece(void *context, int piece, int worker)
{
    choice *c = context;
    int from = piece * PIECE, to = piece_end(c, piece);
    measure(c, worker, from, to, c->newest, c->kept - 1, 1);
    for (int i = from; i < to; i++) c->seen[c->pool[i]] = c->kept;
}

static void square_piece(void *context, int piece, int worker)
{
    choice *c = context;
    size_t width = (size_t)c->width, from = (size_t)piece * PIECE, to = from + PIECE;
    (void)worker;
    for (size_t i = from; i < to && i < c->count; i++) {
        for (int s = 0; s < c->spaces; s++) {
            const float *row = c->tables[s] + i * width;
            c->square[i] += c->compute->kernels->dot(width, row, row);
        }
        c->bound[i] = INFINITY;
    }
}

/* ---- choosing ---- */

static void pack_group(choice *c)
{
    int first = (c->kept - 1) / GROUP * GROUP;
    for (int s = 0; s < c->spaces; s++)
        c->compute->kernels->pack(FLAW_F32, c->width, c->kept - first, c->group + (size_t)s * GROUP * (size_t)c->width, 1,
                                  c->width, c->packed[first / GROUP * c->spaces + s]);
}

static void keep_row(choice *c, size_t row)
{
    size_t width = (size_t)c->width, at = (size_t)(c->kept % GROUP);
    c->chosen[c->kept++] = row;
    c->bound[row] = -1;
    for (int s = 0; s < c->spaces; s++) {
        const float *from = c->tables[s] + row * width;
        memcpy(c->group + ((size_t)s * GROUP + at) * width, from, width * sizeof(float));
        c->compute->kernels->pack(FLAW_F32, c->width, 1, from, 1, c->width, c->newest[s]);
    }
    if (at == GROUP - 1) pack_group(c);
}

static int by_seen(const void *a, const void *b, void *context)
{
    const choice *c = context;
    size_t x = *(const size_t *)a, y = *(const size_t *)b;
    if (c->seen[x] != c->seen[y]) return c->seen[x] < c->seen[y] ? -1 : 1;
    return x < y ? -1 : x > y;
}

static void choose(choice *c, size_t keep, size_t first)
{
    flaw_pool *threads = c->compute->pool;
    flaw_pool_run(threads, square_piece, c, (int)((c->count + PIECE - 1) / PIECE));
    keep_row(c, first);
    while ((size_t)c->kept < keep) {
        fill_pool(c);
        qsort_r(c->pool, (size_t)c->pooled, sizeof *c->pool, by_seen, c);
        if (c->kept % GROUP) pack_group(c);
        flaw_pool_run(threads, refresh_piece, c, piece_count(c));
        for (size_t row; (size_t)c->kept < keep && (row = farthest(c)) != SIZE_MAX;) {
            keep_row(c, row);
            flaw_pool_run(threads, newest_piece, c, piece_count(c));
        }
    }
}

/* ---- memory ---- */

static bool allocate(choice *c, flaw_arena *arena, size_t keep)
{
    size_t groups = (keep + GROUP - 1) / GROUP, spaces = (size_t)c->spaces, floats;
    if (!flaw_mul_ok(&floats, (size_t)POOL * spaces, (size_t)c->width)) return false;
    c->pack_size = c->compute->kernels->pack_size(FLAW_F32, c->width, GROUP);
    c->square = flaw_arena_alloc(arena, c->count, sizeof(float));
    c->bound = flaw_arena_alloc(arena, c->count, sizeof(float));
    c->seen = flaw_arena_alloc(arena, c->count, sizeof(int));
    c->group = flaw_arena_alloc(arena, floats / POOL * GROUP, sizeof(float));
    c->rows = flaw_arena_alloc(arena, floats, sizeof(float));
    c->packed = flaw_arena_alloc(arena, groups * spaces, sizeof(void *));
    c->newest = flaw_arena_alloc(arena, spaces, sizeof(void *));
    if (!c->square || !c->bound || !c->seen || !c->group || !c->rows || !c->packed || !c->newest) return false;
    for (size_t i = 0; i < groups * spaces; i++)
        if (!(c->packed[i] = flaw_arena_alloc(arena, c->pack_size, 1))) return false;
    for (size_t s = 0; s < spaces; s++)
        if (!(c->newest[s] = flaw_arena_alloc(arena, c->pack_size, 1))) return false;
    return true;
}

flaw_status flaw_coreset_choose(size_t *chosen, size_t keep, const float *const *tables, int spaces, size_t count,
                                int width, uint64_t seed, flaw_compute *compute, flaw_error *err)
{
    if (keep < 1 || keep > count || count > INT_MAX / 2)
        return flaw_fail(err, FLAW_USAGE, "a coreset of %zu out of %zu rows; allowed are 1 to all of them, of at most %d",
                         keep, count, INT_MAX / 2);
    choice c = {.compute = compute, .tables = tables, .spaces = spaces, .width = width, .count = count, .chosen = chosen};
    flaw_arena arena;
    flaw_arena_init(&arena, 0);
    flaw_status s = FLAW_OK;
    if (!allocate(&c, &arena, keep))
        s = flaw_fail(err, FLAW_NO_MEMORY, "coreset of %zu rows: memory was refused", count);
    if (!s)
        s = flaw_compute_reserve(compute, PIECE * GROUP * sizeof(float) +
                                              compute->kernels->product_scratch(FLAW_F32, width), err);
    if (!s) {
        flaw_random random;
        flaw_random_init(&random, seed, 0x636f7265);
        choose(&c, keep, (size_t)flaw_random_below(&random, (int)count));
    }
    flaw_arena_release(&arena);
    return s;
}
