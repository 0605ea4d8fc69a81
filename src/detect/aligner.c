#include "detect/aligner.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

enum { TOGETHER = 4 }; /* columns of a row whose sums run side by side */

/* row[j .. j + TOGETHER) -= what the columns before j say; every sum in order of p. */
static void subtract(double *row, const double *k, int n, int j)
{
    double sum[TOGETHER];
    const double *other = k + (size_t)j * (size_t)n;
    for (int q = 0; q < TOGETHER; q++) sum[q] = row[j + q];
    for (int p = 0; p < j; p++)
        for (int q = 0; q < TOGETHER; q++) sum[q] -= row[p] * other[(size_t)q * (size_t)n + (size_t)p];
    for (int q = 0; q < TOGETHER; q++) row[j + q] = sum[q];
}

/* K = C C', row by row; the rows read here are finished ones. */
static bool factor(double *k, int n)
{
    for (int i = 0; i < n; i++) {
        double *row = k + (size_t)i * (size_t)n;
        for (int j = 0, from = 0; j <= i; j++) {
            const double *other = k + (size_t)j * (size_t)n;
            if (j % TOGETHER == 0 && j + TOGETHER <= i) subtract(row, k, n, from = j);
            else if (j % TOGETHER == 0) from = 0;
            double sum = row[j];
            for (int p = from; p < j; p++) sum -= row[p] * other[p];
            if (j < i) {
                row[j] = sum / other[j];
            } else {
                if (!(sum > 0) || !isfinite(sum)) return false;
                row[i] = sqrt(sum);
            }
        }
    }
    return true;
}

flaw_status flaw_solve_cholesky(double *k, double *x, int n, int m, flaw_error *err)
{
    if (!factor(k, n)) return flaw_fail(err, FLAW_BAD_DATA, "a %d x %d system is not positive definite", n, n);
    for (int c = 0; c < m; c++) {
        for (int i = 0; i < n; i++) { /* C y = x */
            double sum = x[i * m + c];
            for (int p = 0; p < i; p++) sum -= k[(size_t)i * (size_t)n + (size_t)p] * x[p * m + c];
            x[i * m + c] = sum / k[(size_t)i * (size_t)n + (size_t)i];
        }
        for (int i = n - 1; i >= 0; i--) { /* C' z = y */
            double sum = x[i * m + c];
            for (int p = i + 1; p < n; p++) sum -= k[(size_t)p * (size_t)n + (size_t)i] * x[p * m + c];
            x[i * m + c] = sum / k[(size_t)i * (size_t)n + (size_t)i];
        }
    }
    return FLAW_OK;
}

enum { COLUMNS = 16 }; /* that are summed side by side */

/* Mean of the patches [y0, y1) x [x0, x1) at unit length. */
static void mean_patch(float *out, const flaw_features *f, int y0, int y1, int x0, int x1)
{
    int width = f->joint;
    double square = 0;
    for (int i = 0; i < width; i += COLUMNS) {
        double sum[COLUMNS] = {0};
        int columns = width - i < COLUMNS ? width - i : COLUMNS;
        for (int y = y0; y < y1; y++)
            for (int x = x0; x < x1; x++) {
                const float *patch = f->patches + (size_t)(y * f->grid + x) * (size_t)width + i;
                if (columns == COLUMNS)
                    for (int c = 0; c < COLUMNS; c++) sum[c] += patch[c];
                else
                    for (int c = 0; c < columns; c++) sum[c] += patch[c];
            }
        for (int c = 0; c < columns; c++) {
            out[i + c] = (float)sum[c];
            square += sum[c] * sum[c];
        }
    }
    float scale = square > 0 ? (float)(1.0 / sqrt(square)) : 0.0f;
    for (int i = 0; i < width; i++) out[i] *= scale;
}

int flaw_aligner_pairs(float *global, float *local, const flaw_features *f)
{
    size_t width = (size_t)f->joint;
    int n = 0;
    for (int w = 0; w < 2; w++) {
        if (!f->window[w]) continue;
        int k = w + 2, across = f->grid - k + 1;
        for (int i = 0; i < across * across; i++, n++) {
            if (!global) continue;
            int y = i / across, x = i % across;
            memcpy(global + (size_t)n * width, f->window[w] + (size_t)i * width, width * sizeof(float));
            mean_patch(local + (size_t)n * width, f, y, y + k, x, x + k);
        }
    }
    if (global) {
        memcpy(global + (size_t)n * width, f->cls, width * sizeof(float));
        mean_patch(local + (size_t)n * width, f, 0, f->grid, 0, f->grid);
    }
    return n + 1;
}

/* What lies in the room, n pairs of width E. */
typedef struct system {
    flaw_compute *compute;
    const float *local; /* L [n, E] */
    int n, width;
    double lambda;
    double *k;    /* [n, n] */
    double *x;    /* [n, 2] */
    double *sum;  /* [E] */
    float *gram;  /* [n, n] */
    char *packed; /* L' as products read it; on a line of memory */
} system;

enum { LINE = 64 };

size_t flaw_aligner_room(const flaw_compute *compute, int n, int width)
{
    size_t size = (size_t)n, w = (size_t)width;
    return (size * size + 2 * size + w) * sizeof(double) + size * size * sizeof(float) + LINE +
           compute->kernels->pack_size(FLAW_F32, width, n);
}

static system place(flaw_compute *compute, const float *local, int n, int width, double lambda, void *room)
{
    size_t size = (size_t)n;
    system s = {.compute = compute, .local = local, .n = n, .width = width, .lambda = lambda, .k = room};
    s.x = s.k + size * size;
    s.sum = s.x + 2 * size;
    s.gram = (float *)(void *)(s.sum + width);
    uintptr_t end = (uintptr_t)(s.gram + size * size);
    s.packed = (char *)(s.gram + size * size) + (LINE - end % LINE) % LINE;
    return s;
}

static int least(int a, int b)
{
    return a < b ? a : b;
}

static void pack_piece(void *context, int piece, int worker)
{
    const system *s = context;
    int panel = s->compute->kernels->panel(FLAW_F32), n0 = piece * panel;
    (void)worker;
    s->compute->kernels->pack_cols(FLAW_F32, s->width, s->n, s->local, 1, s->width, n0, least(n0 + panel, s->n), s->packed);
}

/* Some rows of K = L L' + lambda I, as far as the diagonal. */
static void system_piece(void *context, int piece, int worker)
{
    const system *s = context;
    size_t n = (size_t)s->n;
    int m0 = piece * FLAW_TILE_ROWS, m1 = least(m0 + FLAW_TILE_ROWS, s->n);
    int n1 = least((m1 + FLAW_TILE_COLS - 1) / FLAW_TILE_COLS * FLAW_TILE_COLS, s->n);
    flaw_product p = {.m = s->n, .n = s->n, .k = s->width, .a = s->local, .a_row = s->width, .a_col = 1, .b = s->packed,
                      .c = s->gram, .c_row = s->n};
    s->compute->kernels->product(FLAW_F32, &p, m0, m1, 0, n1, s->compute->scratch[worker]);
    for (size_t i = (size_t)m0; i < (size_t)m1; i++) {
        for (size_t j = 0; j <= i; j++) s->k[i * n + j] = s->gram[i * n + j];
        s->k[i * n + i] += s->lambda;
    }
}

static void make_system(system *s)
{
    int panel = s->compute->kernels->panel(FLAW_F32);
    flaw_pool_run(s->compute->pool, pack_piece, s, (s->n + panel - 1) / panel);
    flaw_pool_run(s->compute->pool, system_piece, s, (s->n + FLAW_TILE_ROWS - 1) / FLAW_TILE_ROWS);
}

flaw_status flaw_aligner_pull(float *const out[2], const float *const text[2], const float *global, const float *local,
                              int n, int width, double lambda, flaw_compute *compute, void *room, flaw_error *err)
{
    const flaw_kernels *kernels = compute->kernels;
    size_t w = (size_t)width, size = (size_t)n;
    if (isinf(lambda)) {
        for (int c = 0; c < 2; c++) memcpy(out[c], text[c], w * sizeof(float));
        return FLAW_OK;
    }
    system y = place(compute, local, n, width, lambda, room);
    make_system(&y);
    for (size_t i = 0; i < size; i++)
        for (int c = 0; c < 2; c++)
            y.x[2 * i + (size_t)c] =
                (double)kernels->dot(w, global + i * w, text[c]) - kernels->dot(w, local + i * w, text[c]);
    flaw_status s = flaw_solve_cholesky(y.k, y.x, n, 2, err);
    for (int c = 0; !s && c < 2; c++) {
        for (size_t d = 0; d < w; d++) y.sum[d] = text[c][d];
        for (size_t i = 0; i < size; i++)
            for (size_t d = 0; d < w; d++) y.sum[d] += local[i * w + d] * y.x[2 * i + (size_t)c];
        for (size_t d = 0; d < w; d++) out[c][d] = (float)y.sum[d];
    }
    return s;
}

flaw_status flaw_aligner_push(float *out, const float *row, const float *global, const float *local, int n, int width,
                              double lambda, flaw_compute *compute, void *room, flaw_error *err)
{
    size_t w = (size_t)width, size = (size_t)n;
    if (isinf(lambda)) {
        memcpy(out, row, w * sizeof(float));
        return FLAW_OK;
    }
    system y = place(compute, local, n, width, lambda, room);
    make_system(&y);
    for (size_t i = 0; i < size; i++) y.x[i] = compute->kernels->dot(w, local + i * w, row);
    flaw_status s = flaw_solve_cholesky(y.k, y.x, n, 1, err);
    for (size_t d = 0; !s && d < w; d++) {
        double sum = row[d];
        for (size_t i = 0; i < size; i++) sum += ((double)global[i * w + d] - local[i * w + d]) * y.x[i];
        out[d] = (float)sum;
    }
    return s;
}
