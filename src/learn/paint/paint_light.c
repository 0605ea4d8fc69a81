/* One light pass: a lamp with Lambert and Blinn-Phong terms, light from everywhere, and for metal the reflection of a
 * room made of two waves. Display value = square root of light (gamma 2), with a shoulder at the top. */
#include <math.h>

#include "learn/paint/paint.h"

typedef struct lamp {
    float x, y, z, hx, hy, hz; /* towards the lamp; halfway between lamp and camera */
    float ambient;
    float room[4];
    float u, step, v; /* frame coordinates of the row: its first pixel, from pixel to pixel, its height */
} lamp;

/* Per pixel: light on a matt surface, highlight, and what metal reflects. */
FLAW_WIDE static void light_row(float *restrict matt, float *restrict shine, float *restrict mirror,
                                const float *restrict sx, const float *restrict sy, const float *restrict shade,
                                const float *restrict gloss, int n, lamp m)
{
    for (int i = 0; i < n; i++) {
        float inv = 1 / sqrtf(1 + sx[i] * sx[i] + sy[i] * sy[i]), nx = -sx[i] * inv, ny = -sy[i] * inv;
        float lambert = nx * m.x + ny * m.y + inv * m.z;
        lambert = lambert > 0 ? lambert : 0;
        matt[i] = m.ambient * (0.55f + 0.45f * inv) * (0.6f + 0.4f * shade[i]) + (1 - m.ambient) * lambert * shade[i];
        float half = nx * m.hx + ny * m.hy + inv * m.hz;
        half = half > 0 ? half : 0;
        float p = half * half;
        p *= p, p *= p, p *= p; /* 16th power */
        float q = p * p;
        q *= q; /* 64th */
        shine[i] = (0.25f * p * gloss[i] + q * q * gloss[i] * gloss[i]) * gloss[i] * shade[i];
        /* The camera stands near, so that even a flat mirror shows different parts of the room. */
        float rx = nx + 0.35f * (m.u + m.step * (float)i), ry = ny + 0.35f * m.v;
        float a = flaw_wave(m.room[0] * (rx + 0.6f * ry) + m.room[1]),
              b = flaw_wave(m.room[2] * (ry - 0.4f * rx) + m.room[3]);
        mirror[i] = (0.6f + 0.42f * a + 0.28f * b) * (0.4f + 0.6f * shade[i]);
        mirror[i] = mirror[i] < 0.04f ? 0.04f : mirror[i];
    }
}

FLAW_WIDE static void display_row(uint8_t *restrict out, const float *restrict albedo, const float *restrict matt,
                                  const float *restrict shine, const float *restrict mirror,
                                  const float *restrict metal, const float *restrict frame, float tint, int n)
{
    for (int i = 0; i < n; i++) {
        float m = metal[i], body = albedo[i] * ((1 - m) * matt[i] + m * (0.35f * matt[i] + 0.95f * mirror[i]));
        float top = shine[i] * (1 - m + m * (0.3f + albedo[i]));
        float x = (body + top) * tint * frame[i];
        x = x > 0 ? x : 0;
        float y = sqrtf(x) * 255.0f;
        y = y > 205.0f ? 205.0f + (y - 205.0f) * 50.0f / (y - 155.0f) : y; /* shoulder: never quite 255 */
        out[3 * i] = (uint8_t)(int)(y + 0.5f);
    }
}

static lamp lamp_of(const flaw_light *light)
{
    lamp m = {light->x, light->y, light->z, light->x, light->y, light->z + 1, light->ambient, {0}, 0, 0, 0};
    float inv = 1 / sqrtf(m.hx * m.hx + m.hy * m.hy + m.hz * m.hz);
    m.hx *= inv, m.hy *= inv, m.hz *= inv;
    for (int k = 0; k < 4; k++) m.room[k] = light->room[k];
    return m;
}

void flaw_canvas_light(flaw_canvas *c, flaw_picture *out, uint8_t *foreground)
{
    const flaw_light *light = &c->light;
    lamp m = lamp_of(light);
    float *matt = c->layer.t[0], *shine = c->layer.t[1], *mirror = c->layer.t[2], *frame = c->layer.t[3];
    int n = c->size;
    for (int y = 0; y < n; y++) {
        int at = y * n;
        float v = (2 * (float)y + 1) / (float)n - 1;
        for (int x = 0; x < n; x++) {
            float u = (2 * (float)x + 1) / (float)n - 1;
            float f = (1 + light->fall_x * u + light->fall_y * v) * (1 - light->vignette * 0.5f * (u * u + v * v));
            frame[x] = light->exposure * (f > 0.05f ? f : 0.05f);
        }
        m.u = 1 / (float)n - 1, m.step = 2 / (float)n, m.v = v;
        light_row(matt, shine, mirror, c->sx + at, c->sy + at, c->shade + at, c->gloss + at, n, m);
        uint8_t *row = out->rgb + 3 * (size_t)at;
        display_row(row, c->r + at, matt, shine, mirror, c->metal + at, frame, light->tint.r, n);
        display_row(row + 1, c->g + at, matt, shine, mirror, c->metal + at, frame, light->tint.g, n);
        display_row(row + 2, c->b + at, matt, shine, mirror, c->metal + at, frame, light->tint.b, n);
        for (int x = 0; foreground && x < n; x++) foreground[at + x] = c->cover[at + x] > 0.5f ? 255 : 0;
    }
}
