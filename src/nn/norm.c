#include "nn/norm.h"

#include <string.h>

#include "nn/linear.h"

typedef struct norm_pass {
    const flaw_compute *c;
    int rows, d;
    float eps;
    const float *x, *w, *b, *dy;
    ptrdiff_t x_row;
    float *y, *mean, *rstd;
    float *dx, *partial; /* [pieces, 2, D]: dw, then db */
    const float *kept_mean, *kept_rstd;
} norm_pass;

static int piece_rows(const norm_pass *p, int piece)
{
    int left = p->rows - piece * FLAW_TILE_ROWS;
    return left < FLAW_TILE_ROWS ? left : FLAW_TILE_ROWS;
}

static void forward_piece(void *context, int piece, int worker)
{
    const norm_pass *p = context;
    (void)worker;
    size_t r = (size_t)piece * FLAW_TILE_ROWS, d = (size_t)p->d;
    int rows = piece_rows(p, piece), step = p->x_row == p->d ? rows : 1;
    for (size_t i = r; i < r + (size_t)rows; i += (size_t)step)
        flaw_norm_rows(p->c->kernels, step, p->d, p->eps, p->x + (ptrdiff_t)i * p->x_row, p->w, p->b, p->y + i * d,
                       p->mean ? p->mean + i : NULL, p->rstd ? p->rstd + i : NULL);
}

void flaw_norm_forward(flaw_compute *c, int rows, int d, float eps, const float *x, ptrdiff_t x_row, const float *w,
                       const float *b, float *y, float *mean, float *rstd)
{
    norm_pass p = {.c = c, .rows = rows, .d = d, .eps = eps, .x = x, .x_row = x_row, .w = w, .b = b, .y = y,
                   .mean = mean, .rstd = rstd};
    flaw_pool_run(c->pool, forward_piece, &p, flaw_row_pieces(rows));
}

size_t flaw_norm_workspace(int rows, int d)
{
    return (size_t)flaw_row_pieces(rows) * 2 * (size_t)d;
}

static void backward_piece(void *context, int piece, int worker)
{
    const norm_pass *p = context;
    (void)worker;
    size_t r = (size_t)piece * FLAW_TILE_ROWS, d = (size_t)p->d;
    float *dw = NULL, *db = NULL;
    if (p->partial) {
        dw = p->partial + (size_t)piece * 2 * d;
        db = dw + d;
        memset(dw, 0, 2 * d * sizeof *dw);
    }
    flaw_norm_rows_backward(p->c->kernels, piece_rows(p, piece), p->d, p->x + r * d, p->w,
                            p->kept_mean ? p->kept_mean + r : NULL, p->kept_rstd + r, p->dy + r * d, p->dx + r * d, dw, db);
}

void flaw_norm_backward(flaw_compute *c, int rows, int d, const float *x, const float *w, const float *mean,
                        const float *rstd, const float *dy, float *dx, float *dw, float *db, float *work)
{
    norm_pass p = {.c = c, .rows = rows, .d = d, .x = x, .w = w, .kept_mean = mean, .kept_rstd = rstd, .dy = dy,
                   .dx = dx, .partial = dw ? work : NULL};
    int pieces = flaw_row_pieces(rows);
    flaw_pool_run(c->pool, backward_piece, &p, pieces);
    if (!dw) return;
    flaw_sum_partials(dw, work, pieces, 2 * (size_t)d, d);
    if (mean) flaw_sum_partials(db, work + d, pieces, 2 * (size_t)d, d);
}

void flaw_sum_partials(float *out, const float *partial, int pieces, size_t stride, int d)
{
    for (int i = 0; i < pieces; i++)
        for (int j = 0; j < d; j++) out[j] += partial[(size_t)i * stride + (size_t)j];
}
