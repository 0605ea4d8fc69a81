#include <math.h>

#include "learn/paint/paint.h"

/* Display values are about the square root of light here, as in flaw_canvas_light. */
flaw_rgb flaw_rgb_hex(uint32_t srgb)
{
    float r = (float)(srgb >> 16 & 255) / 255, g = (float)(srgb >> 8 & 255) / 255, b = (float)(srgb & 255) / 255;
    return (flaw_rgb){r * r, g * g, b * b};
}

flaw_rgb flaw_rgb_mix(flaw_rgb a, flaw_rgb b, float t)
{
    return (flaw_rgb){a.r + t * (b.r - a.r), a.g + t * (b.g - a.g), a.b + t * (b.b - a.b)};
}

flaw_rgb flaw_rgb_scale(flaw_rgb a, float s)
{
    return (flaw_rgb){a.r * s, a.g * s, a.b * s};
}

static float hue_part(float hue, float shift)
{
    float t = hue + shift - floorf(hue + shift);
    return flaw_clamp01(fabsf(t * 6 - 3) - 1);
}

flaw_rgb flaw_rgb_hsv(float hue, float saturation, float value)
{
    float r = value * (1 - saturation * (1 - hue_part(hue, 0))),
          g = value * (1 - saturation * (1 - hue_part(hue, 2 / 3.0f)));
    float b = value * (1 - saturation * (1 - hue_part(hue, 1 / 3.0f)));
    return (flaw_rgb){r * r, g * g, b * b};
}

void flaw_tint_flat(flaw_layer *l, flaw_rgb colour)
{
    for (int i = 0; i < l->n; i++) l->r[i] = colour.r, l->g[i] = colour.g, l->b[i] = colour.b;
}

void flaw_tint_by(flaw_layer *l, const float *mask, flaw_rgb colour)
{
    for (int i = 0; i < l->n; i++) {
        l->r[i] += mask[i] * (colour.r - l->r[i]);
        l->g[i] += mask[i] * (colour.g - l->g[i]);
        l->b[i] += mask[i] * (colour.b - l->b[i]);
    }
}

void flaw_tint_rim(flaw_layer *l, float width, flaw_rgb colour, float strength)
{
    for (int i = 0; i < l->n; i++) {
        float t = flaw_clamp01(1 + l->d[i] / width);
        l->t[4][i] = strength * t * t;
    }
    flaw_tint_by(l, l->t[4], colour);
}

void flaw_tint_noise(flaw_layer *l, flaw_noise_map map, int octaves, flaw_rgb colour, float lo, float hi,
                     float strength)
{
    flaw_noise_fractal(l->t[4], l->u, l->v, l->n, map, octaves, 0.5f, l->px);
    for (int i = 0; i < l->n; i++) l->t[4][i] = strength * flaw_step(lo, hi, l->t[4][i]);
    flaw_tint_by(l, l->t[4], colour);
}
