/* What lens, sensor and file format add to a clean picture: softness, grain, white balance, contrast, blocks. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "learn/scene/scene.h"
#include "learn/scene/scene_camera.h"

/* One pass of (a, 1 - 2 a, a) along `step`, from x to y; the first and last `step` values are kept. */
FLAW_WIDE static void soften(float *restrict y, const float *restrict x, size_t n, size_t step, float a)
{
    memcpy(y, x, step * sizeof(float));
    for (size_t i = step; i < n - step; i++) y[i] = x[i] + a * (x[i - step] + x[i + step] - 2 * x[i]);
    memcpy(y + n - step, x + n - step, step * sizeof(float));
}

/* Sum of four bytes of a hash: mean 0, deviation about 1. */
FLAW_WIDE static void add_grain(float *restrict x, size_t n, uint32_t seed, float amount, float rise)
{
    for (size_t i = 0; i < n; i++) {
        uint32_t h = flaw_hash((uint32_t)i, 0, seed);
        int s = (int)(h & 255u) + (int)(h >> 8 & 255u) + (int)(h >> 16 & 255u) + (int)(h >> 24);
        x[i] += (amount + rise * x[i]) * ((float)(s - 510) * (1.0f / 147.8f));
    }
}

FLAW_WIDE static void to_bytes(uint8_t *restrict out, const float *restrict x, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        float v = x[i] + 0.5f;
        v = v < 0 ? 0 : v > 255 ? 255 : v;
        out[i] = (uint8_t)(int)v;
    }
}

/* 0 .. 255 through contrast, gamma and the channel's gain. */
static void tone_curve(float table[256], float gain, float gamma, float contrast)
{
    for (int i = 0; i < 256; i++) {
        float v = powf((float)i / 255, gamma) * gain;
        v = 0.5f + contrast * (v - 0.5f);
        table[i] = 255 * flaw_clamp01(v);
    }
}

flaw_status flaw_camera_apply(flaw_picture *p, flaw_random *design, flaw_random *shot, flaw_error *err)
{
    size_t row = 3 * (size_t)p->width, n = row * (size_t)p->height;
    float *x = malloc(2 * n * sizeof(float));
    if (!x) return flaw_fail(err, FLAW_NO_MEMORY, "camera: no memory for %d x %d pixels", p->width, p->height);
    float *y = x + n, table[3][256], gamma = flaw_pick(design, 0.85, 1.2), contrast = flaw_pick(design, 0.85, 1.1);
    float bright = flaw_pick(shot, 0.97, 1.03);
    for (int c = 0; c < 3; c++) tone_curve(table[c], bright * flaw_pick(design, 0.96, 1.04), gamma, contrast);
    for (size_t i = 0; i < n; i += 3)
        for (int c = 0; c < 3; c++) x[i + (size_t)c] = table[c][p->rgb[i + (size_t)c]];
    /* Width in pixels of a 224 picture: mostly slight, now and then out of focus. */
    double soft = flaw_random_uniform(design);
    int passes = soft < 0.3 ? 0 : soft < 0.75 ? 1 : soft < 0.93 ? 3 : 8;
    float a = flaw_pick(design, 0.08, 0.25);
    for (int k = 0; k < passes; k++) {
        for (size_t at = 0; at < n; at += row) soften(y + at, x + at, row, 3, a);
        soften(x, y, n, row, a);
    }
    float grain = flaw_chance(design, 0.8) ? flaw_pick(design, 0, 1) * flaw_pick(design, 0, 9) : 0;
    uint32_t seed = flaw_pick_seed(shot);
    if (grain > 0.2f) add_grain(x, n, seed, 0.6f * grain, grain * 0.003f);
    if (flaw_chance(design, 0.25)) flaw_camera_blocks(x, p->width, p->height, flaw_pick(design, 0.3, 2.5));
    to_bytes(p->rgb, x, n);
    free(x);
    return FLAW_OK;
}
