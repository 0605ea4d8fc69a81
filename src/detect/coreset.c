#include "detect/coreset.h"

#include <float.h>
#include <math.h>

#include "base/arena.h"
#include "base/random.h"

enum { PIECE_ROWS = 512, R = FLAW_CORESET_WIDTH };

typedef struct choice {
    const float *const *tables;
    int spaces, width;
    size_t count;
    float *matrix;    /* [spaces, width, R] random signs, scaled */
    float *low;       /* [count, R] projected rows */
    float *nearest;   /* [count] squared distance to the nearest kept row */
    size_t newest;    /* row kept last */
    size_t *farthest; /* [pieces] row of the piece farthest from the kept ones */
} choice;

static int piece_count(const choice *c)
{
    return (int)((c->count + PIECE_ROWS - 1) / PIECE_ROWS);
}

static size_t piece_end(const choice *c, int piece)
{
    size_t end = ((size_t)piece + 1) * PIECE_ROWS;
    return end < c->count ? end : c->count;
}

static void project_piece(void *context, int piece, int worker)
{
    choice *c = context;
    (void)worker;
    for (size_t i = (size_t)piece * PIECE_ROWS; i < piece_end(c, piece); i++) {
        float *to = c->low + i * R;
        for (int s = 0; s < c->spaces; s++) {
            const float *row = c->tables[s] + i * (size_t)c->width;
            const float *matrix = c->matrix + (size_t)s * (size_t)c->width * R;
            for (int d = 0; d < c->width; d++)
                for (int r = 0; r < R; r++) to[r] += row[d] * matrix[(size_t)d * R + (size_t)r];
        }
    }
}

/* Distances to the row kept last, and the farthest row of the piece (the first of equals). */
static void measure_piece(void *context, int piece, int worker)
{
    choice *c = context;
    (void)worker;
    const float *center = c->low + c->newest * R;
    size_t best = (size_t)piece * PIECE_ROWS;
    for (size_t i = best; i < piece_end(c, piece); i++) {
        const float *row = c->low + i * R;
        float square = 0;
        for (int r = 0; r < R; r++) square += (row[r] - center[r]) * (row[r] - center[r]);
        if (square < c->nearest[i]) c->nearest[i] = square;
        if (c->nearest[i] > c->nearest[best]) best = i;
    }
    c->farthest[piece] = best;
}

flaw_status flaw_coreset_choose(size_t *chosen, size_t keep, const float *const *tables, int spaces, size_t count,
                                int width, uint64_t seed, flaw_compute *compute, flaw_error *err)
{
    if (keep < 1 || keep > count)
        return flaw_fail(err, FLAW_USAGE, "a coreset of %zu out of %zu rows; allowed are 1 to all of them", keep,
                         count);
    choice c = {.tables = tables, .spaces = spaces, .width = width, .count = count};
    flaw_arena arena;
    flaw_arena_init(&arena, 0);
    size_t signs = (size_t)spaces * (size_t)width * R;
    c.matrix = flaw_arena_alloc(&arena, signs, sizeof(float));
    c.low = flaw_arena_alloc(&arena, count, R * sizeof(float));
    c.nearest = flaw_arena_alloc(&arena, count, sizeof(float));
    c.farthest = flaw_arena_alloc(&arena, (size_t)piece_count(&c), sizeof(size_t));
    if (!c.matrix || !c.low || !c.nearest || !c.farthest) {
        flaw_arena_release(&arena);
        return flaw_fail(err, FLAW_NO_MEMORY, "coreset of %zu rows: memory was refused", count);
    }
    flaw_random random;
    flaw_random_init(&random, seed, 0x636f7265);
    float unit = 1.0f / sqrtf((float)R);
    for (size_t i = 0; i < signs; i++) c.matrix[i] = flaw_random_u64(&random) >> 63 ? unit : -unit;
    flaw_pool_run(compute->pool, project_piece, &c, piece_count(&c));
    for (size_t i = 0; i < count; i++) c.nearest[i] = FLT_MAX;
    c.newest = (size_t)flaw_random_below(&random, (int)(count < 1u << 30 ? count : 1u << 30));
    chosen[0] = c.newest;
    for (size_t k = 1; k < keep; k++) {
        flaw_pool_run(compute->pool, measure_piece, &c, piece_count(&c));
        size_t best = c.farthest[0];
        for (int p = 1; p < piece_count(&c); p++)
            if (c.nearest[c.farthest[p]] > c.nearest[best]) best = c.farthest[p];
        chosen[k] = c.newest = best;
    }
    flaw_arena_release(&arena);
    return FLAW_OK;
}
