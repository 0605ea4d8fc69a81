#include "detect/aligner.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* K = C C', row by row; the rows read here are finished ones. */
static bool factor(double *k, int n)
{
    for (int i = 0; i < n; i++) {
        double *row = k + (size_t)i * (size_t)n;
        for (int j = 0; j <= i; j++) {
            const double *other = k + (size_t)j * (size_t)n;
            double sum = row[j];
            for (int p = 0; p < j; p++) sum -= row[p] * other[p];
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

/* Mean of the patches [y0, y1) x [x0, x1) at unit length. */
static void mean_patch(float *out, const flaw_features *f, int y0, int y1, int x0, int x1)
{
    int width = f->joint;
    double square = 0;
    for (int i = 0; i < width; i++) {
        double sum = 0;
        for (int y = y0; y < y1; y++)
            for (int x = x0; x < x1; x++) sum += f->patches[(size_t)(y * f->grid + x) * (size_t)width + (size_t)i];
        out[i] = (float)sum;
        square += sum * sum;
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

/* K [n, n] = L L' + lambda I, its lower triangle. */
static void make_system(double *k, const float *local, size_t n, size_t width, double lambda,
                        const flaw_kernels *kernels)
{
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j <= i; j++) k[i * n + j] = kernels->dot(width, local + i * width, local + j * width);
        k[i * n + i] += lambda;
    }
}

flaw_status flaw_aligner_pull(float *const out[2], const float *const text[2], const float *global, const float *local,
                              int n, int width, double lambda, const flaw_kernels *kernels, flaw_error *err)
{
    size_t w = (size_t)width, size = (size_t)n;
    if (isinf(lambda)) {
        for (int c = 0; c < 2; c++) memcpy(out[c], text[c], w * sizeof(float));
        return FLAW_OK;
    }
    double *k = malloc((size * size + 2 * size) * sizeof(double));
    if (!k) return flaw_fail(err, FLAW_NO_MEMORY, "aligner: a %d x %d system was refused", n, n);
    double *x = k + size * size; /* [n, 2] */
    make_system(k, local, size, w, lambda, kernels);
    for (size_t i = 0; i < size; i++)
        for (int c = 0; c < 2; c++)
            x[2 * i + (size_t)c] =
                (double)kernels->dot(w, global + i * w, text[c]) - kernels->dot(w, local + i * w, text[c]);
    flaw_status s = flaw_solve_cholesky(k, x, n, 2, err);
    for (int c = 0; !s && c < 2; c++) {
        for (size_t d = 0; d < w; d++) {
            double sum = text[c][d];
            for (size_t i = 0; i < size; i++) sum += local[i * w + d] * x[2 * i + (size_t)c];
            out[c][d] = (float)sum;
        }
    }
    free(k);
    return s;
}

flaw_status flaw_aligner_push(float *out, const float *row, const float *global, const float *local, int n, int width,
                              double lambda, const flaw_kernels *kernels, flaw_error *err)
{
    size_t w = (size_t)width, size = (size_t)n;
    if (isinf(lambda)) {
        memcpy(out, row, w * sizeof(float));
        return FLAW_OK;
    }
    double *k = malloc((size * size + size) * sizeof(double));
    if (!k) return flaw_fail(err, FLAW_NO_MEMORY, "aligner: a %d x %d system was refused", n, n);
    double *x = k + size * size; /* [n] */
    make_system(k, local, size, w, lambda, kernels);
    for (size_t i = 0; i < size; i++) x[i] = kernels->dot(w, local + i * w, row);
    flaw_status s = flaw_solve_cholesky(k, x, n, 1, err);
    for (size_t d = 0; !s && d < w; d++) {
        double sum = row[d];
        for (size_t i = 0; i < size; i++) sum += ((double)global[i * w + d] - local[i * w + d]) * x[i];
        out[d] = (float)sum;
    }
    free(k);
    return s;
}
