#include "detect/compare.h"

#include <limits.h>
#include <math.h>
#include <string.h>

#include "base/checked.h"

/* Scratch of a worker: one tile of cosines, then what the product kernel needs. */
#define TILE_BYTES ((size_t)FLAW_TILE_ROWS * FLAW_TILE_COLS * sizeof(float))

static int rows_of_block(const flaw_bank *bank, int block)
{
    int left = bank->rows - block * FLAW_TILE_COLS;
    return left < FLAW_TILE_COLS ? left : FLAW_TILE_COLS;
}

flaw_status flaw_bank_open(flaw_bank *out, flaw_compute *compute, const float *rows, size_t count, int width,
                           flaw_error *err)
{
    const flaw_kernels *k = compute->kernels;
    if (count < 1 || width < 1 || count > INT_MAX / 2)
        return flaw_fail(err, FLAW_USAGE, "a memory bank of %zu rows of %d; allowed are 1 to %d rows", count, width,
                         INT_MAX / 2);
    flaw_bank bank = {.rows = (int)count, .width = width};
    bank.blocks = (bank.rows + FLAW_TILE_COLS - 1) / FLAW_TILE_COLS;
    flaw_arena_init(&bank.arena, 0);
    size_t floats;
    float *copy =
        flaw_mul_ok(&floats, count, (size_t)width) ? flaw_arena_alloc(&bank.arena, floats, sizeof(float)) : NULL;
    bank.block = flaw_arena_alloc(&bank.arena, (size_t)bank.blocks, sizeof(void *));
    bool ok = copy && bank.block;
    for (int b = 0; ok && b < bank.blocks; b++) {
        int n = rows_of_block(&bank, b);
        bank.block[b] = flaw_arena_alloc(&bank.arena, k->pack_size(FLAW_F32, width, n), 1);
        ok = bank.block[b] != NULL;
        /* B[p][j] = row j, element p: the rows are the columns of B. */
        if (ok) k->pack(FLAW_F32, width, n, rows + (size_t)b * FLAW_TILE_COLS * (size_t)width, 1, width, bank.block[b]);
    }
    if (!ok) {
        flaw_arena_release(&bank.arena);
        return flaw_fail(err, FLAW_NO_MEMORY, "a memory bank of %zu rows of %d floats was refused", count, width);
    }
    memcpy(copy, rows, floats * sizeof(float));
    bank.row = copy;
    flaw_status s = flaw_compute_reserve(compute, TILE_BYTES + k->product_scratch(FLAW_F32, width), err);
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

size_t flaw_bank_workspace(const flaw_bank *bank, int count)
{
    return (size_t)bank->blocks * (size_t)count;
}

typedef struct search {
    const flaw_bank *bank;
    flaw_compute *compute;
    const float *query;
    int count;
    float *best; /* [blocks, count] */
} search;

/* One tile of queries against one block: their cosines in scratch, and the largest of each row. */
static void search_piece(void *context, int piece, int worker)
{
    search *s = context;
    const flaw_bank *bank = s->bank;
    int block = piece % bank->blocks, from = piece / bank->blocks * FLAW_TILE_ROWS;
    int rows = s->count - from < FLAW_TILE_ROWS ? s->count - from : FLAW_TILE_ROWS;
    int columns = rows_of_block(bank, block);
    float *tile = s->compute->scratch[worker];
    flaw_product product = {.m = rows,
                            .n = columns,
                            .k = bank->width,
                            .a = s->query + (size_t)from * (size_t)bank->width,
                            .a_row = bank->width,
                            .a_col = 1,
                            .b = bank->block[block],
                            .c = tile,
                            .c_row = columns};
    s->compute->kernels->product(FLAW_F32, &product, 0, rows, 0, columns, (char *)tile + TILE_BYTES);
    float *best = s->best + (size_t)block * (size_t)s->count + from;
    for (int i = 0; i < rows; i++) {
        const float *row = tile + (size_t)i * (size_t)columns;
        float m = row[0];
        for (int j = 1; j < columns; j++) m = row[j] > m ? row[j] : m;
        best[i] = m;
    }
}

void flaw_bank_nearest(const flaw_bank *bank, flaw_compute *compute, const float *query, int count, float *near,
                       float *work)
{
    search s = {.bank = bank, .compute = compute, .query = query, .count = count, .best = work};
    int tiles = (count + FLAW_TILE_ROWS - 1) / FLAW_TILE_ROWS;
    flaw_pool_run(compute->pool, search_piece, &s, tiles * bank->blocks);
    for (int i = 0; i < count; i++) {
        float m = work[i];
        for (int b = 1; b < bank->blocks; b++) m = fmaxf(m, work[(size_t)b * (size_t)count + (size_t)i]);
        near[i] = m;
    }
}
