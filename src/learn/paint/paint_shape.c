/* Outlines as signed distances (negative inside), after the usual exact formulas for circle, box, segment and regular
 * polygon; ellipse, teeth and taper are close enough near the outline. */
#include <math.h>
#include <string.h>

#include "learn/paint/paint.h"

static const float TURN = 6.2831853f;

FLAW_WIDE static void join(float *restrict d, const float *restrict e, int n, flaw_join how)
{
    if (how == FLAW_SET)
        for (int i = 0; i < n; i++) d[i] = e[i];
    else if (how == FLAW_UNION)
        for (int i = 0; i < n; i++) d[i] = e[i] < d[i] ? e[i] : d[i];
    else if (how == FLAW_CUT)
        for (int i = 0; i < n; i++) d[i] = -e[i] > d[i] ? -e[i] : d[i];
    else
        for (int i = 0; i < n; i++) d[i] = e[i] > d[i] ? e[i] : d[i];
}

FLAW_WIDE static void circle(float *restrict e, const float *restrict u, const float *restrict v, int n, float x,
                             float y, float radius)
{
    for (int i = 0; i < n; i++) e[i] = sqrtf((u[i] - x) * (u[i] - x) + (v[i] - y) * (v[i] - y)) - radius;
}

void flaw_shape_circle(flaw_layer *l, flaw_join how, float x, float y, float radius)
{
    circle(l->t[4], l->u, l->v, l->n, x, y, radius);
    join(l->d, l->t[4], l->n, how);
}

void flaw_shape_ring(flaw_layer *l, flaw_join how, float x, float y, float radius, float half_width)
{
    circle(l->t[4], l->u, l->v, l->n, x, y, radius);
    for (int i = 0; i < l->n; i++) l->t[4][i] = fabsf(l->t[4][i]) - half_width;
    join(l->d, l->t[4], l->n, how);
}

FLAW_WIDE static void ellipse(float *restrict e, const float *restrict u, const float *restrict v, int n, float x,
                              float y, float a, float b)
{
    float ia = 1 / a, ib = 1 / b;
    for (int i = 0; i < n; i++) {
        float p = (u[i] - x) * ia, q = (v[i] - y) * ib;
        float k = sqrtf(p * p + q * q), s = sqrtf(p * p * ia * ia + q * q * ib * ib);
        e[i] = k * (k - 1) / (s + 1e-6f);
    }
}

void flaw_shape_ellipse(flaw_layer *l, flaw_join how, float x, float y, float a, float b)
{
    ellipse(l->t[4], l->u, l->v, l->n, x, y, a, b);
    float least = -(a < b ? a : b);
    for (int i = 0; i < l->n; i++) l->t[4][i] = l->t[4][i] < least ? least : l->t[4][i];
    join(l->d, l->t[4], l->n, how);
}

FLAW_WIDE static void box(float *restrict e, const float *restrict u, const float *restrict v, int n, float x, float y,
                          float a, float b, float corner)
{
    for (int i = 0; i < n; i++) {
        float p = fabsf(u[i] - x) - a + corner, q = fabsf(v[i] - y) - b + corner;
        float p0 = p > 0 ? p : 0, q0 = q > 0 ? q : 0, m = p > q ? p : q;
        e[i] = sqrtf(p0 * p0 + q0 * q0) + (m < 0 ? m : 0) - corner;
    }
}

void flaw_shape_box(flaw_layer *l, flaw_join how, float x, float y, float a, float b, float corner)
{
    box(l->t[4], l->u, l->v, l->n, x, y, a, b, corner);
    join(l->d, l->t[4], l->n, how);
}

void flaw_shape_polygon(flaw_layer *l, flaw_join how, float x, float y, float radius, int sides, float turn,
                        float corner)
{
    float *e = l->t[4], inner = radius * cosf(TURN / (float)(2 * sides)) - corner;
    for (int i = 0; i < l->n; i++) e[i] = -1e9f;
    for (int k = 0; k < sides; k++) {
        float a = turn + TURN * (float)k / (float)sides, co = cosf(a), si = sinf(a);
        for (int i = 0; i < l->n; i++) {
            float p = (l->u[i] - x) * co + (l->v[i] - y) * si - inner;
            e[i] = p > e[i] ? p : e[i];
        }
    }
    /* The planes' maximum has sharp corners; the circle through rounded corners blunts them. */
    for (int i = 0; i < l->n; i++) {
        float p = l->u[i] - x, q = l->v[i] - y, r = sqrtf(p * p + q * q) - radius + 0.4f * corner;
        e[i] = e[i] - corner > r ? e[i] - corner : r;
    }
    join(l->d, e, l->n, how);
}

FLAW_WIDE static void line(float *restrict e, const float *restrict u, const float *restrict v, int n, float x, float y,
                           float dx, float dy, float radius)
{
    float inv = 1 / (dx * dx + dy * dy + 1e-12f);
    for (int i = 0; i < n; i++) {
        float p = u[i] - x, q = v[i] - y, t = flaw_clamp01((p * dx + q * dy) * inv);
        p -= t * dx, q -= t * dy;
        e[i] = sqrtf(p * p + q * q) - radius;
    }
}

void flaw_shape_line(flaw_layer *l, flaw_join how, float x0, float y0, float x1, float y1, float radius)
{
    line(l->t[4], l->u, l->v, l->n, x0, y0, x1 - x0, y1 - y0, radius);
    join(l->d, l->t[4], l->n, how);
}

void flaw_shape_arc(flaw_layer *l, flaw_join how, float x, float y, float radius, float half_width, float middle,
                    float half_opening)
{
    float co = cosf(middle), si = sinf(middle), ex = cosf(half_opening), ey = sinf(half_opening);
    float *e = l->t[4];
    for (int i = 0; i < l->n; i++) {
        float p = (l->u[i] - x) * co + (l->v[i] - y) * si, q = fabsf((l->v[i] - y) * co - (l->u[i] - x) * si);
        float ends = sqrtf((p - radius * ex) * (p - radius * ex) + (q - radius * ey) * (q - radius * ey));
        float along = fabsf(sqrtf(p * p + q * q) - radius);
        e[i] = (p * ey > q * ex || (half_opening > 3.1f) ? along : ends) - half_width;
    }
    join(l->d, e, l->n, how);
}

/* Angle of (p, q) in turns, 0 .. 1, to about 1e-3 (odd polynomial of the smaller ratio). */
static inline float turns(float p, float q)
{
    float a = fabsf(p), b = fabsf(q), lo = a < b ? a : b, hi = a < b ? b : a, t = lo / (hi + 1e-9f), s = t * t;
    float r = t * (0.99787f + s * (-0.32565f + s * (0.15547f - s * 0.04249f)));
    r = b > a ? 1.5707963f - r : r;
    r = p < 0 ? 3.1415926f - r : r;
    r = q < 0 ? 6.2831853f - r : r;
    return r * (1 / 6.2831853f);
}

void flaw_shape_teeth(flaw_layer *l, flaw_join how, float radius, float depth, int teeth, float sharp)
{
    float *e = l->t[4];
    for (int i = 0; i < l->n; i++) {
        float r = sqrtf(l->u[i] * l->u[i] + l->v[i] * l->v[i]), w = flaw_wave(turns(l->u[i], l->v[i]) * (float)teeth);
        w *= sharp;
        w = w < -1 ? -1 : w > 1 ? 1 : w;
        e[i] = (r - radius - 0.5f * depth * w) * 0.8f;
    }
    join(l->d, e, l->n, how);
}

void flaw_shape_taper(flaw_layer *l, flaw_join how, float x, float y, float top, float bottom, float half, float corner)
{
    float lean = (bottom - top) / (2 * half), norm = 1 / sqrtf(1 + lean * lean), middle = 0.5f * (top + bottom);
    float *e = l->t[4];
    for (int i = 0; i < l->n; i++) {
        float q = l->v[i] - y, p = (fabsf(l->u[i] - x) - middle - lean * q) * norm + corner;
        float s = fabsf(q) - half + corner, p0 = p > 0 ? p : 0, s0 = s > 0 ? s : 0, m = p > s ? p : s;
        e[i] = sqrtf(p0 * p0 + s0 * s0) + (m < 0 ? m : 0) - corner;
    }
    join(l->d, e, l->n, how);
}

void flaw_shape_rough(flaw_layer *l, float cells, float amount, int octaves, uint32_t seed)
{
    flaw_noise_fractal(l->t[4], l->u, l->v, l->n, flaw_noise_even(cells, seed), octaves, 0.5f, l->px);
    for (int i = 0; i < l->n; i++) l->d[i] += amount * l->t[4][i];
}

void flaw_layer_warp(flaw_layer *l, float cells, float amount, uint32_t seed)
{
    memset(l->t[3], 0, (size_t)l->n * sizeof(float));
    memset(l->t[4], 0, (size_t)l->n * sizeof(float));
    flaw_noise_add(l->t[3], l->u, l->v, l->n, flaw_noise_even(cells, seed), 2 * amount);
    flaw_noise_add(l->t[4], l->u, l->v, l->n, flaw_noise_even(cells, seed + 77u), 2 * amount);
    for (int i = 0; i < l->n; i++) l->u[i] += l->t[3][i], l->v[i] += l->t[4][i];
}

FLAW_WIDE static void bevel(float *restrict z, const float *restrict d, int n, float round, float height)
{
    float inv = 1 / round;
    for (int i = 0; i < n; i++) {
        float t = 1 - flaw_clamp01(-d[i] * inv);
        z[i] += height * sqrtf(1 - t * t);
    }
}

void flaw_relief_bevel(flaw_layer *l, float round, float height)
{
    bevel(l->z, l->d, l->n, round, height);
}

void flaw_relief_dome(flaw_layer *l, float x, float y, float a, float b, float h)
{
    for (int i = 0; i < l->n; i++) {
        float p = (l->u[i] - x) / a, q = (l->v[i] - y) / b, s = 1 - p * p - q * q;
        l->z[i] += h * sqrtf(s > 0 ? s : 0);
    }
}

void flaw_relief_pillow(flaw_layer *l, float x, float y, float a, float b, float h)
{
    for (int i = 0; i < l->n; i++) {
        float p = (l->u[i] - x) / a, q = (l->v[i] - y) / b, s = 1 - p * p * p * p, t = 1 - q * q * q * q;
        l->z[i] += h * sqrtf((s > 0 ? s : 0) * (t > 0 ? t : 0));
    }
}

void flaw_relief_noise(flaw_layer *l, flaw_noise_map map, int octaves, float gain, float amount)
{
    flaw_noise_fractal(l->t[4], l->u, l->v, l->n, map, octaves, gain, l->px);
    for (int i = 0; i < l->n; i++) l->z[i] += amount * l->t[4][i];
}

void flaw_relief_rim(flaw_layer *l, float at, float width, float amount)
{
    for (int i = 0; i < l->n; i++) {
        float t = fabsf(l->d[i] - at) / width;
        t = t < 1 ? 1 - t : 0;
        l->z[i] += amount * t * t * (3 - 2 * t);
    }
}
