/* Reference kernels on long arrays: activations, exp, dot, axpy, the optimiser's step. */
#include <math.h>

#include "kernel/ref/ref.h"

static float sigmoid(float x)
{
    return 1.0f / (1.0f + expf(-x));
}

/* GELU x Phi(x) by erfc, which keeps the left tail's relative accuracy; QuickGELU x sigmoid(1.702 x), as
 * in CLIP; SiLU x sigmoid(x), as in LLaMA. */
float flaw_ref_activation(flaw_activation act, float x)
{
    switch (act) {
    case FLAW_ACT_GELU: return x == -INFINITY ? -0.0f : 0.5f * x * erfcf(-x * (float)M_SQRT1_2);
    case FLAW_ACT_QUICK_GELU: return x == -INFINITY ? -0.0f : x * sigmoid(1.702f * x);
    case FLAW_ACT_SILU: return x == -INFINITY ? -0.0f : x * sigmoid(x);
    case FLAW_ACT_NONE: break;
    }
    return x;
}

/* GELU' = Phi(x) + x phi(x); QuickGELU' = s(z) (1 + z s(-z)), z = 1.702 x; SiLU' the same with z = x. Limits at the
 * infinities instead of 0 inf. */
float flaw_ref_activation_slope(flaw_activation act, float x)
{
    if (act == FLAW_ACT_NONE) return 1.0f;
    if (isinf(x)) return x > 0.0f ? 1.0f : 0.0f;
    if (act == FLAW_ACT_GELU)
        return 0.5f * erfcf(-x * (float)M_SQRT1_2) + x * expf(-0.5f * x * x) * 0.39894228040143268f;
    float z = act == FLAW_ACT_SILU ? x : 1.702f * x;
    return sigmoid(z) * (1.0f + z * sigmoid(-z));
}

void flaw_ref_activate(flaw_activation act, size_t n, const float *x, float *y)
{
    for (size_t i = 0; i < n; i++) y[i] = flaw_ref_activation(act, x[i]);
}

void flaw_ref_activate_backward(flaw_activation act, size_t n, const float *x, const float *dy, float *dx)
{
    for (size_t i = 0; i < n; i++) dx[i] = dy[i] * flaw_ref_activation_slope(act, x[i]);
}

void flaw_ref_gate(flaw_activation act, int rows, int f, const float *x, ptrdiff_t x_row, float *y, ptrdiff_t y_row)
{
    for (int i = 0; i < rows; i++, x += x_row, y += y_row)
        for (int j = 0; j < f; j++) y[j] = flaw_ref_activation(act, x[j]) * x[f + j];
}

void flaw_ref_gate_backward(flaw_activation act, int rows, int f, const float *x, ptrdiff_t x_row, const float *dy,
                            ptrdiff_t dy_row, float *dx, ptrdiff_t dx_row)
{
    for (int i = 0; i < rows; i++, x += x_row, dy += dy_row, dx += dx_row) {
        for (int j = 0; j < f; j++) {
            float d = dy[j];
            dx[j] = d * x[f + j] * flaw_ref_activation_slope(act, x[j]);
            dx[f + j] = d * flaw_ref_activation(act, x[j]);
        }
    }
}

void flaw_ref_exp(size_t n, const float *x, float *y)
{
    for (size_t i = 0; i < n; i++) y[i] = expf(x[i]);
}

/* Summed in double, so that norms of millions of gradients keep their digits. */
float flaw_ref_dot(size_t n, const float *a, const float *b)
{
    double sum = 0.0;
    for (size_t i = 0; i < n; i++) sum += (double)a[i] * (double)b[i];
    return (float)sum;
}

void flaw_ref_axpy(size_t n, float alpha, const float *x, float *y)
{
    for (size_t i = 0; i < n; i++) y[i] += alpha * x[i];
}

void flaw_ref_scale(size_t n, float alpha, float *x)
{
    for (size_t i = 0; i < n; i++) x[i] *= alpha;
}

/* AdamW (Loshchilov and Hutter 2019): decay is decoupled from the gradient's moments. */
void flaw_ref_adamw(const flaw_adamw *o, size_t n, float *w, const float *g, float *m, float *v)
{
    for (size_t i = 0; i < n; i++) {
        float gi = g[i] * o->grad_scale;
        m[i] = o->beta1 * m[i] + (1.0f - o->beta1) * gi;
        v[i] = o->beta2 * v[i] + (1.0f - o->beta2) * gi * gi;
        float step = m[i] * o->correct1 / (sqrtf(v[i] * o->correct2) + o->eps);
        w[i] -= o->rate * (step + o->decay * w[i]);
    }
}
