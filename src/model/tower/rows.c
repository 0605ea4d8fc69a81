#include "model/tower/rows.h"

#include <math.h>

#include "nn/linear.h"

typedef struct rows_pass {
    const flaw_compute *c;
    int tokens, first, count, d, pieces; /* of each sequence */
    float eps;
    const float *x, *w, *b;
    float *y;
} rows_pass;

static void norm_piece(void *context, int piece, int worker)
{
    const rows_pass *p = context;
    (void)worker;
    int sequence = piece / p->pieces, row = piece % p->pieces * FLAW_TILE_ROWS;
    int rows = p->count - row < FLAW_TILE_ROWS ? p->count - row : FLAW_TILE_ROWS;
    size_t in = (size_t)sequence * (size_t)p->tokens + (size_t)(p->first + row);
    size_t out = (size_t)sequence * (size_t)p->count + (size_t)row;
    p->c->kernels->layer_norm(rows, p->d, p->eps, p->x + in * (size_t)p->d, p->w, p->b, p->y + out * (size_t)p->d, NULL,
                              NULL);
}

void flaw_rows_norm_of(const flaw_compute *c, int n, int tokens, int first, int count, int d, float eps, const float *x,
                       const float *w, const float *b, float *y)
{
    rows_pass p = {.c = c,
                   .tokens = tokens,
                   .first = first,
                   .count = count,
                   .d = d,
                   .pieces = flaw_row_pieces(count),
                   .eps = eps,
                   .x = x,
                   .w = w,
                   .b = b,
                   .y = y};
    flaw_pool_run(c->pool, norm_piece, &p, n * p.pieces);
}

void flaw_rows_norm(const flaw_compute *c, int count, int d, float eps, const float *x, const float *w, const float *b,
                    float *y)
{
    flaw_rows_norm_of(c, 1, count, 0, count, d, eps, x, w, b, y);
}

static void unit_piece(void *context, int piece, int worker)
{
    const rows_pass *p = context;
    (void)worker;
    int end = (piece + 1) * FLAW_TILE_ROWS < p->count ? (piece + 1) * FLAW_TILE_ROWS : p->count;
    for (int i = piece * FLAW_TILE_ROWS; i < end; i++) {
        float *row = p->y + (size_t)i * (size_t)p->d;
        float square = p->c->kernels->dot((size_t)p->d, row, row);
        if (square > 0) p->c->kernels->scale((size_t)p->d, 1.0f / sqrtf(square), row);
    }
}

void flaw_rows_unit(const flaw_compute *c, int count, int d, float *x)
{
    rows_pass p = {.c = c, .count = count, .d = d, .y = x};
    flaw_pool_run(c->pool, unit_piece, &p, flaw_row_pieces(count));
}
