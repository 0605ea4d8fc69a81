/* Shadows: the outline of the layer, moved away from the lamp, blurred on a grid of half the resolution. */
#include <math.h>
#include <string.h>

#include "learn/paint/paint.h"

typedef struct grid {
    int x0, y0, w, h; /* on the canvas: cell (i, j) covers pixels x0 + 2 i, y0 + 2 j and the next */
    float *cell, *spare;
} grid;

/* Share of cell covered by the layer moved by (ox, oy). */
static void gather(grid *g, const flaw_layer *l, int ox, int oy)
{
    float inv = 0.5f / l->px;
    for (int j = 0; j < g->h; j++) {
        int y = g->y0 + 2 * j + 1 - oy - l->y0;
        float *out = g->cell + j * g->w;
        memset(out, 0, (size_t)g->w * sizeof(float));
        if (y < 0 || y >= l->h) continue;
        for (int i = 0; i < g->w; i++) {
            int x = g->x0 + 2 * i + 1 - ox - l->x0;
            if (x >= 0 && x < l->w) out[i] = flaw_clamp01(0.5f - l->d[y * l->w + x] * inv);
        }
    }
}

/* Running mean of 2 r + 1 neighbours; nothing beyond the ends. */
static void mean_along(float *out, const float *in, int count, int r)
{
    float sum = 0, inv = 1 / (float)(2 * r + 1);
    for (int i = 0; i < r && i < count; i++) sum += in[i];
    for (int i = 0; i < count; i++) {
        if (i + r < count) sum += in[i + r];
        if (i - r - 1 >= 0) sum -= in[i - r - 1];
        out[i] = sum * inv;
    }
}

/* The same down the columns, all columns of a row at once. */
static void mean_down(float *out, const float *in, float *sum, int w, int h, int r)
{
    float inv = 1 / (float)(2 * r + 1);
    memset(sum, 0, (size_t)w * sizeof(float));
    for (int j = -r; j < h; j++) {
        if (j + r < h)
            for (int i = 0; i < w; i++) sum[i] += in[(j + r) * w + i];
        if (j - r - 1 >= 0)
            for (int i = 0; i < w; i++) sum[i] -= in[(j - r - 1) * w + i];
        if (j >= 0)
            for (int i = 0; i < w; i++) out[j * w + i] = sum[i] * inv;
    }
}

static void blur(grid *g, float *row, int r)
{
    for (int pass = 0; pass < 2; pass++) {
        for (int j = 0; j < g->h; j++) mean_along(g->spare + j * g->w, g->cell + j * g->w, g->w, r);
        mean_down(g->cell, g->spare, row, g->w, g->h, r);
    }
}

static void darken(flaw_canvas *c, const grid *g, float strength)
{
    for (int y = g->y0; y < g->y0 + 2 * g->h && y < c->size; y++) {
        float fy = 0.5f * (float)(y - g->y0) - 0.25f;
        int j = fy < 0 ? 0 : (int)fy, next = j + 1 < g->h ? j + 1 : j;
        float wy = fy < 0 ? 0 : fy - (float)j;
        const float *a = g->cell + j * g->w, *b = g->cell + next * g->w;
        for (int i = 0; i < g->w; i++) g->spare[i] = strength * (a[i] + wy * (b[i] - a[i]));
        for (int x = g->x0; x < g->x0 + 2 * g->w && x < c->size; x++) {
            int i = (x - g->x0) >> 1, other = (x - g->x0) & 1 ? (i + 1 < g->w ? i + 1 : i) : (i > 0 ? i - 1 : i);
            float dark = 0.75f * g->spare[i] + 0.25f * g->spare[other];
            c->shade[y * c->size + x] *= 1 - (dark > 1 ? 1 : dark);
        }
    }
}

void flaw_layer_shadow(flaw_canvas *c)
{
    const flaw_layer *l = &c->layer;
    const flaw_light *light = &c->light;
    if (l->thickness <= 0 || l->n == 0) return;
    float tall = l->thickness / l->px, lean = 0.8f * tall / (light->z > 0.5f ? light->z : 0.5f);
    int ox = (int)lrintf(-light->x * lean), oy = (int)lrintf(-light->y * lean);
    int r = 1 + (int)(0.12f * (0.3f + light->soft) * tall), pad = 4 * r + 2;
    if (r > 40) r = 40;
    int x0 = l->x0 + ox - pad, y0 = l->y0 + oy - pad, x1 = l->x0 + l->w + ox + pad, y1 = l->y0 + l->h + oy + pad;
    x0 = x0 < 0 ? 0 : x0, y0 = y0 < 0 ? 0 : y0, x1 = x1 > c->size ? c->size : x1, y1 = y1 > c->size ? c->size : y1;
    if (x1 <= x0 || y1 <= y0) return;
    grid g = {x0, y0, (x1 - x0 + 1) / 2, (y1 - y0 + 1) / 2, l->t[0], l->t[1]};
    gather(&g, l, ox, oy);
    blur(&g, l->t[2], r);
    darken(c, &g, light->depth * l->opacity);
}
