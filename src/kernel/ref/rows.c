/* Reference kernels that work on rows: norms, rotary positions, softmax, sums of rows. */
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

void flaw_ref_rms_norm(int rows, int d, float eps, const float *x, const float *w, float *y, float *rstd)
{
    for (int i = 0; i < rows; i++, x += d, y += d) {
        float square = 0.0f;
        for (int j = 0; j < d; j++) square += x[j] * x[j];
        float r = 1.0f / sqrtf(square / (float)d + eps);
        for (int j = 0; j < d; j++) y[j] = x[j] * r * w[j];
        if (rstd) rstd[i] = r;
    }
}

/* With h = x rstd and e = w dy: dx += rstd (e - h mean(e h)). */
void flaw_ref_rms_norm_backward(int rows, int d, const float *x, const float *w, const float *rstd, const float *dy,
                                float *dx, float *dw)
{
    for (int i = 0; i < rows; i++, x += d, dy += d, dx += d) {
        float sum = 0.0f;
        for (int j = 0; j < d; j++) {
            float h = x[j] * rstd[i];
            sum += w[j] * dy[j] * h;
            if (dw) dw[j] += dy[j] * h;
        }
        for (int j = 0; j < d; j++) dx[j] += rstd[i] * (w[j] * dy[j] - x[j] * rstd[i] * (sum / (float)d));
    }
}

void flaw_ref_rotate(int rows, int heads, int width, bool halves, bool back, const float *table, float *x, ptrdiff_t x_row)
{
    int half = width / 2, apart = halves ? half : 1, step = halves ? 1 : 2;
    for (int i = 0; i < rows; i++, x += x_row, table += width) {
        for (int head = 0; head < heads; head++) {
            for (int j = 0; j < half; j++) {
                float *a = x + head * width + j * step, *b = a + apart, u = *a, v = *b;
                float cosine = table[j], sine = back ? -table[half + j] : table[half + j];
                *a = u * cosine - v * sine;
                *b = v * cosine + u * sine;
            }
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
