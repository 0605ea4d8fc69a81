/* Reference kernels that work on rows: layer norm, softmax, sums of rows. */
#include <math.h>

#include "kernel/ref/ref.h"

void flaw_ref_layer_norm(int rows, int d, float eps, const float *x, const float *w, const float *b, float *y,
                         float *mean, float *rstd)
{
    for (int i = 0; i < rows; i++, x += d, y += d) {
        float sum = 0.0f, square = 0.0f;
        for (int j = 0; j < d; j++) sum += x[j];
        float m = sum / (float)d;
        for (int j = 0; j < d; j++) square += (x[j] - m) * (x[j] - m);
        float r = 1.0f / sqrtf(square / (float)d + eps);
        for (int j = 0; j < d; j++) y[j] = (x[j] - m) * r * w[j] + b[j];
        if (mean) mean[i] = m;
        if (rstd) rstd[i] = r;
    }
}

/* With h = (x - mean) rstd and e = w dy: dx += rstd (e - mean(e) - h mean(e h)). */
void flaw_ref_layer_norm_backward(int rows, int d, const float *x, const float *w, const float *mean, const float *rstd,
                                  const float *dy, float *dx, float *dw, float *db)
{
    for (int i = 0; i < rows; i++, x += d, dy += d, dx += d) {
        float sum_e = 0.0f, sum_eh = 0.0f;
        for (int j = 0; j < d; j++) {
            float h = (x[j] - mean[i]) * rstd[i];
            sum_e += w[j] * dy[j];
            sum_eh += w[j] * dy[j] * h;
            if (dw) dw[j] += dy[j] * h;
            if (db) db[j] += dy[j];
        }
        for (int j = 0; j < d; j++) {
            float h = (x[j] - mean[i]) * rstd[i];
            dx[j] += rstd[i] * (w[j] * dy[j] - sum_e / (float)d - h * (sum_eh / (float)d));
        }
    }
}

void flaw_ref_softmax(int rows, int n, float *x)
{
    for (int i = 0; i < rows; i++, x += n) {
        float top = -INFINITY, sum = 0.0f;
        for (int j = 0; j < n; j++) top = x[j] > top ? x[j] : top;
        for (int j = 0; j < n; j++) {
            x[j] = expf(x[j] - top);
            sum += x[j];
        }
        for (int j = 0; j < n; j++) x[j] /= sum;
    }
}

void flaw_ref_column_sum(int rows, int d, const float *x, ptrdiff_t x_row, float *out)
{
    for (int i = 0; i < rows; i++, x += x_row)
        for (int j = 0; j < d; j++) out[j] += x[j];
}
