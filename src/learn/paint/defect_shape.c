/* Where a defect is: strokes, blobs, walks, cracks. */
#include <math.h>
#include <string.h>

#include "learn/paint/defect_job.h"

static void join(flaw_defect_job *j, int at, float value)
{
    value = flaw_clamp01(value);
    if (value > j->shape[at]) j->shape[at] = value;
}

/* Columns or rows of the box that [lo, hi] (picture coordinates) touches. */
static void span(float lo, float hi, int origin, int length, int *from, int *to)
{
    float a = floorf(lo) - (float)origin, b = ceilf(hi) - (float)origin + 1;
    *from = a < 0 ? 0 : a > (float)length ? length : (int)a;
    *to = b < 0 ? 0 : b > (float)length ? length : (int)b;
}

void flaw_defect_stroke(flaw_defect_job *j, float x0, float y0, float x1, float y1, float w0, float w1)
{
    float pad = fmaxf(w0, w1) + 1, dx = x1 - x0, dy = y1 - y0, inv = 1 / (dx * dx + dy * dy + 1e-6f);
    int xa, xb, ya, yb;
    span(fminf(x0, x1) - pad, fmaxf(x0, x1) + pad, j->x0, j->w, &xa, &xb);
    span(fminf(y0, y1) - pad, fmaxf(y0, y1) + pad, j->y0, j->h, &ya, &yb);
    for (int y = ya; y < yb; y++)
        for (int x = xa; x < xb; x++) {
            float p = (float)(j->x0 + x) - x0, q = (float)(j->y0 + y) - y0, t = flaw_clamp01((p * dx + q * dy) * inv);
            p -= t * dx, q -= t * dy;
            float width = w0 + t * (w1 - w0);
            join(j, y * j->w + x, 0.5f + width - sqrtf(p * p + q * q));
        }
}

void flaw_defect_blob(flaw_defect_job *j, float x, float y, float a, float b, float angle, float rough, float soft)
{
    float c = cosf(angle), s = sinf(angle), reach = fmaxf(a, b) * (1 + 1.2f * rough) + soft + 1;
    int xa, xb, ya, yb;
    span(x - reach, x + reach, j->x0, j->w, &xa, &xb);
    span(y - reach, y + reach, j->y0, j->h, &ya, &yb);
    if (xb <= xa) return;
    flaw_noise_map map = flaw_noise_even(1.4f / fmaxf(fminf(a, b), 1), (uint32_t)flaw_random_u64(j->r));
    float least = fminf(a, b);
    for (int py = ya; py < yb; py++) {
        float noise[512];
        for (int from = xa; from < xb; from += 512) {
            int n = xb - from < 512 ? xb - from : 512, at = py * j->w + from;
            flaw_noise_fractal(noise, j->u + at, j->v + at, n, map, 4, 0.55f, 1);
            for (int i = 0; i < n; i++) {
                float p = j->u[at + i] - x, q = j->v[at + i] - y;
                float e = (c * p + s * q) / a, f = (c * q - s * p) / b;
                float d = (sqrtf(e * e + f * f) - 1 + rough * noise[i]) * least;
                join(j, at + i, soft > 1 ? flaw_step(soft, -soft, d) : 0.5f - d);
            }
        }
    }
}

void flaw_defect_walk(flaw_defect_job *j, float x, float y, float angle, float length, float width, float bend,
                      float jag, bool taper)
{
    int steps = 6 + (int)(length / 4);
    if (steps > 60) steps = 60;
    float step = length / (float)steps, turn = 0;
    for (int k = 0; k < steps; k++) {
        turn = 0.8f * turn + bend * flaw_defect_pick(j, -1, 1);
        angle += turn / sqrtf((float)steps);
        float a = angle + jag * flaw_defect_pick(j, -1, 1);
        float nx = x + step * cosf(a), ny = y + step * sinf(a);
        float t0 = (float)k / (float)steps, t1 = (float)(k + 1) / (float)steps;
        float w0 = taper ? width * (1 - t0 * t0) : width, w1 = taper ? width * (1 - t1 * t1) : width;
        flaw_defect_stroke(j, x, y, nx, ny, w0, w1);
        x = nx, y = ny;
    }
}

void flaw_defect_crack(flaw_defect_job *j, float x, float y, float angle, float length, float width, int branches)
{
    int steps = 5 + (int)(length / 6), at = 0;
    if (steps > 40) steps = 40;
    float step = length / (float)steps;
    for (int k = 0; k < steps; k++) {
        float a = angle + flaw_defect_pick(j, -0.7, 0.7), far = step * flaw_defect_pick(j, 0.6, 1.4);
        float nx = x + far * cosf(a), ny = y + far * sinf(a), t = 1 - (float)k / (float)steps;
        flaw_defect_stroke(j, x, y, nx, ny, width * (0.25f + 0.75f * t), width * (0.25f + 0.7f * t));
        x = nx, y = ny;
        if (branches > 0 && at < branches && flaw_defect_pick(j, 0, 1) < 0.25f) {
            float side = flaw_defect_pick(j, 0, 1) < 0.5f ? -1.0f : 1.0f;
            flaw_defect_crack(j, x, y, angle + side * flaw_defect_pick(j, 0.5, 1.1), 0.5f * t * length,
                              0.6f * width * t, 0);
            at++;
        }
        angle += flaw_defect_pick(j, -0.15, 0.15);
    }
}

void flaw_defect_noise(flaw_defect_job *j, float cell, int octaves)
{
    flaw_noise_map map = flaw_noise_even(1 / fmaxf(cell, 1), (uint32_t)flaw_random_u64(j->r));
    flaw_noise_fractal(j->field, j->u, j->v, j->n, map, octaves, 0.55f, 1);
}

void flaw_defect_keep_inside(flaw_defect_job *j)
{
    if (!j->foreground || j->outside) return;
    for (int y = 0; y < j->h; y++) {
        const uint8_t *row = j->foreground + (size_t)(j->y0 + y) * (size_t)j->picture->width + (size_t)j->x0;
        for (int x = 0; x < j->w; x++)
            if (!row[x]) j->shape[y * j->w + x] = 0;
    }
}
