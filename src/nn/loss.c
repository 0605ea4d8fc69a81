#include "nn/loss.h"

#include <math.h>

static double dot(int n, const float *a, const float *b)
{
    double sum = 0;
    for (int i = 0; i < n; i++) sum += (double)a[i] * b[i];
    return sum;
}

void flaw_unit_forward(int rows, int e, const float *x, float *y, float *inverse)
{
    for (int r = 0; r < rows; r++) {
        const float *row = x + (ptrdiff_t)r * e;
        double inv = 1 / sqrt(dot(e, row, row) + 1e-12);
        inverse[r] = (float)inv;
        for (int i = 0; i < e; i++) y[(ptrdiff_t)r * e + i] = (float)(row[i] * inv);
    }
}

void flaw_unit_backward(int rows, int e, const float *y, const float *inverse, const float *dy, float *dx)
{
    for (int r = 0; r < rows; r++) {
        ptrdiff_t at = (ptrdiff_t)r * e;
        float along = (float)dot(e, y + at, dy + at);
        for (int i = 0; i < e; i++) dx[at + i] += (dy[at + i] - y[at + i] * along) * inverse[r];
    }
}

/* One direction of the contrast: cross-entropy of row i of the logits z(i, j) = z[i*row + j*col] against the even target
 * over the same group; grad gets weight/N * (softmax - target), laid out alike. */
static double contrast_rows(int n, const float *z, ptrdiff_t row, ptrdiff_t col, const int32_t *group, double weight,
                            float *grad)
{
    double loss = 0;
    for (int i = 0; i < n; i++) {
        const float *line = z + i * row;
        double top = line[0], sum = 0, same = 0;
        for (int j = 0; j < n; j++) {
            if (line[j * col] > top) top = line[j * col];
            same += group[i] == group[j];
        }
        for (int j = 0; j < n; j++) sum += exp(line[j * col] - top);
        for (int j = 0; j < n; j++) {
            double p = exp(line[j * col] - top) / sum, target = group[i] == group[j] ? 1 / same : 0;
            if (target > 0) loss -= target * (line[j * col] - top - log(sum));
            grad[i * row + j * col] += (float)(weight / n * (p - target));
        }
    }
    return weight * loss / n;
}

double flaw_contrast_loss(int n, int e, const float *a, const float *b, const int32_t *group, float log_scale,
                          float weight, float *da, float *db, double *d_log_scale, float *work)
{
    float scale = expf(log_scale), *z = work, *grad = work + (ptrdiff_t)n * n;
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++) {
            z[i * n + j] = (float)(scale * dot(e, a + (ptrdiff_t)i * e, b + (ptrdiff_t)j * e));
            grad[i * n + j] = 0;
        }
    double loss = contrast_rows(n, z, n, 1, group, 0.5 * weight, grad) + contrast_rows(n, z, 1, n, group, 0.5 * weight, grad);
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++) {
            float g = grad[i * n + j] * scale;
            *d_log_scale += (double)grad[i * n + j] * z[i * n + j];
            for (int k = 0; k < e; k++) da[(ptrdiff_t)i * e + k] += g * b[(ptrdiff_t)j * e + k];
            for (int k = 0; k < e; k++) db[(ptrdiff_t)j * e + k] += g * a[(ptrdiff_t)i * e + k];
        }
    return loss;
}

void flaw_direction_forward(int rows, int e, const float *x, const float *d, float scale, float *z, float *inverse)
{
    for (int r = 0; r < rows; r++) {
        const float *row = x + (ptrdiff_t)r * e;
        double squares = 1e-12, along = 0;
        for (int i = 0; i < e; i++) {
            squares += (double)row[i] * row[i];
            along += (double)row[i] * d[i];
        }
        double inv = 1 / sqrt(squares);
        inverse[r] = (float)inv;
        z[r] = (float)(scale * along * inv);
    }
}

void flaw_direction_backward(int rows, int e, const float *x, const float *d, float scale, const float *z,
                             const float *inverse, const float *dz, float *dx, float *dd, double *d_log_scale)
{
    for (int r = 0; r < rows; r++) {
        ptrdiff_t at = (ptrdiff_t)r * e;
        float to_d = dz[r] * scale * inverse[r];              /* d z / d (x.d) */
        float to_x = -dz[r] * z[r] * inverse[r] * inverse[r]; /* through 1/|x| */
        *d_log_scale += (double)dz[r] * z[r];
        for (int i = 0; i < e; i++) dx[at + i] += to_d * d[i] + to_x * x[at + i];
        for (int i = 0; i < e; i++) dd[i] += to_d * x[at + i];
    }
}

static double sigmoid(double z)
{
    return z >= 0 ? 1 / (1 + exp(-z)) : exp(z) / (1 + exp(z));
}

double flaw_focal_loss(int n, const float *z, const float *t, float gamma, float weight, float *dz)
{
    double loss = 0;
    for (int i = 0; i < n; i++) {
        double p = sigmoid(z[i]), gap = fabs(p - t[i]), sign = p >= t[i] ? 1 : -1;
        double plain = fmax(z[i], 0) + log1p(exp(-fabs(z[i]))) - (double)t[i] * z[i];
        double focus = gamma > 0 ? pow(gap, gamma) : 1;
        double slope = gamma > 0 && gap > 0 ? gamma * pow(gap, gamma - 1) * sign * p * (1 - p) : 0;
        loss += focus * plain;
        dz[i] += (float)(weight / n * (focus * (p - t[i]) + slope * plain));
    }
    return weight * loss / n;
}

double flaw_dice_loss(int n, const float *z, const float *t, float weight, float *dz)
{
    double both = 0, sum = 1;
    for (int i = 0; i < n; i++) {
        double p = sigmoid(z[i]);
        both += p * t[i];
        sum += p + t[i];
    }
    double share = (2 * both + 1) / sum;
    for (int i = 0; i < n; i++) {
        double p = sigmoid(z[i]);
        dz[i] -= (float)(weight * (2.0 * t[i] - share) / sum * p * (1 - p));
    }
    return weight * (1 - share);
}

double flaw_cosine_loss(int rows, int d, const float *x, const float *target, float weight, float *dx)
{
    double loss = 0;
    for (int r = 0; r < rows; r++) {
        ptrdiff_t at = (ptrdiff_t)r * d;
        double xx = dot(d, x + at, x + at) + 1e-12, tt = dot(d, target + at, target + at) + 1e-12;
        double inv = 1 / sqrt(xx * tt), cosine = dot(d, x + at, target + at) * inv;
        loss += 1 - cosine;
        float to_t = (float)(-weight / rows * inv), to_x = (float)(weight / rows * cosine / xx);
        for (int i = 0; i < d; i++) dx[at + i] += to_t * target[at + i] + to_x * x[at + i];
    }
    return weight * loss / rows;
}

double flaw_smooth_l1_loss(size_t n, const float *x, const float *target, float weight, float *dx)
{
    double loss = 0;
    for (size_t i = 0; i < n; i++) {
        double gap = (double)x[i] - target[i], size = fabs(gap);
        loss += size < 1 ? 0.5 * gap * gap : size - 0.5;
        dx[i] += (float)(weight / (double)n * (size < 1 ? gap : gap > 0 ? 1 : -1));
    }
    return weight * loss / (double)n;
}
