#include "learn/paint/paint.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"

enum { CANVAS_PLANES = 9, LAYER_PLANES = 12 };

flaw_status flaw_canvas_init(flaw_canvas *c, int size, flaw_error *err)
{
    size_t plane, all;
    if (!flaw_mul_ok(&plane, (size_t)size, (size_t)size) || !flaw_mul_ok(&all, plane, CANVAS_PLANES + LAYER_PLANES))
        return flaw_fail(err, FLAW_USAGE, "canvas: side %d is too large", size);
    float *block = calloc(all, sizeof(float));
    if (!block) return flaw_fail(err, FLAW_NO_MEMORY, "canvas: no memory for %d x %d pixels", size, size);
    memset(c, 0, sizeof *c);
    c->size = size;
    c->block = block;
    float **mine[] = {&c->r, &c->g, &c->b, &c->sx, &c->sy, &c->gloss, &c->metal, &c->shade, &c->cover};
    for (int i = 0; i < CANVAS_PLANES; i++) *mine[i] = block + (size_t)i * plane;
    flaw_layer *l = &c->layer;
    float **its[] = {&l->u, &l->v, &l->d, &l->z, &l->r, &l->g, &l->b, &l->t[0], &l->t[1], &l->t[2], &l->t[3], &l->t[4]};
    for (int i = 0; i < LAYER_PLANES; i++) *its[i] = block + (size_t)(CANVAS_PLANES + i) * plane;
    c->light = (flaw_light){0, 0, 1, 0.5f, {1, 1, 1}, 0.5f, 0.8f, 0, 0, 0, 1, {0.5f, 0, 0.5f, 0.3f}};
    flaw_canvas_clear(c);
    return FLAW_OK;
}

void flaw_canvas_release(flaw_canvas *c)
{
    free(c->block);
    memset(c, 0, sizeof *c);
}

void flaw_canvas_clear(flaw_canvas *c)
{
    size_t n = (size_t)c->size * (size_t)c->size;
    memset(c->block, 0, n * CANVAS_PLANES * sizeof(float));
    for (size_t i = 0; i < n; i++) c->shade[i] = 1;
}

static void clip(int *start, int *length, float lo, float hi, int size)
{
    int a = lo < 0 ? 0 : lo > (float)size ? size : (int)lo, b = hi > (float)size ? size : hi < 0 ? 0 : (int)hi;
    *start = a;
    *length = b > a ? b - a : 0;
}

flaw_layer *flaw_layer_begin(flaw_canvas *c, float x, float y, float scale, float angle, float reach_u, float reach_v)
{
    flaw_layer *l = &c->layer;
    float half = 0.5f * (float)c->size, k = scale * half, co = cosf(angle), si = sinf(angle);
    float cx = (x + 1) * half, cy = (y + 1) * half;
    float wide = k * (fabsf(co) * reach_u + fabsf(si) * reach_v) + 2,
          tall = k * (fabsf(si) * reach_u + fabsf(co) * reach_v) + 2;
    clip(&l->x0, &l->w, cx - wide, cx + wide + 1, c->size);
    clip(&l->y0, &l->h, cy - tall, cy + tall + 1, c->size);
    l->n = l->w * l->h;
    l->px = 1 / k;
    l->angle = angle;
    l->gloss = 0.1f, l->metal = 0, l->opacity = 1, l->thickness = 0, l->slope_limit = 3;
    l->decal = l->backdrop = false;
    for (int j = 0; j < l->h; j++) {
        float dy = ((float)(l->y0 + j) + 0.5f - cy) / k;
        float *u = l->u + j * l->w, *v = l->v + j * l->w;
        for (int i = 0; i < l->w; i++) {
            float dx = ((float)(l->x0 + i) + 0.5f - cx) / k;
            u[i] = co * dx + si * dy;
            v[i] = co * dy - si * dx;
        }
    }
    for (int i = 0; i < l->n; i++) l->d[i] = -1, l->z[i] = 0, l->r[i] = l->g[i] = l->b[i] = 0.5f;
    return l;
}

flaw_layer *flaw_layer_frame(flaw_canvas *c, float scale, float angle)
{
    float reach = 1.5f / scale;
    return flaw_layer_begin(c, 0, 0, scale, angle, reach, reach);
}

/* Slopes of the height plane on the canvas, by differences of neighbours. */
static void slopes_of_row(const flaw_layer *l, int j, float *sx, float *sy)
{
    const float *z = l->z + j * l->w;
    const float *up = j > 0 ? z - l->w : z, *down = j + 1 < l->h ? z + l->w : z;
    int rows = (j > 0) + (j + 1 < l->h);
    float limit = l->slope_limit, ky = 1 / (l->px * (float)(rows > 0 ? rows : 1));
    float kx = 0.5f / l->px;
    for (int i = 0; i < l->w; i++) {
        int a = i > 0 ? i - 1 : 0, b = i + 1 < l->w ? i + 1 : i;
        float x = (z[b] - z[a]) * kx, y = (down[i] - up[i]) * ky;
        sx[i] = x < -limit ? -limit : x > limit ? limit : x;
        sy[i] = y < -limit ? -limit : y > limit ? limit : y;
    }
}

FLAW_WIDE static void blend_row(float *restrict to, const float *restrict from, const float *restrict alpha, int n)
{
    for (int i = 0; i < n; i++) to[i] += alpha[i] * (from[i] - to[i]);
}

FLAW_WIDE static void blend_value(float *restrict to, float value, const float *restrict alpha, int n)
{
    for (int i = 0; i < n; i++) to[i] += alpha[i] * (value - to[i]);
}

FLAW_WIDE static void add_row(float *restrict to, const float *restrict from, const float *restrict alpha, int n)
{
    for (int i = 0; i < n; i++) to[i] += alpha[i] * from[i];
}

FLAW_WIDE static void coverage(float *restrict alpha, const float *restrict d, float inv, float opacity, int n)
{
    for (int i = 0; i < n; i++) alpha[i] = flaw_clamp01(0.5f - d[i] * inv) * opacity;
}

void flaw_layer_end(flaw_canvas *c)
{
    flaw_layer *l = &c->layer;
    if (l->n == 0) return;
    if (!l->decal) flaw_layer_shadow(c);
    float *alpha = l->t[0], *sx = l->t[1], *sy = l->t[2];
    coverage(alpha, l->d, 1 / l->px, l->opacity, l->n);
    for (int j = 0; j < l->h; j++) {
        int at = (l->y0 + j) * c->size + l->x0, from = j * l->w;
        slopes_of_row(l, j, sx, sy);
        blend_row(c->r + at, l->r + from, alpha + from, l->w);
        blend_row(c->g + at, l->g + from, alpha + from, l->w);
        blend_row(c->b + at, l->b + from, alpha + from, l->w);
        blend_value(c->gloss + at, l->gloss, alpha + from, l->w);
        blend_value(c->metal + at, l->metal, alpha + from, l->w);
        if (l->decal) {
            add_row(c->sx + at, sx, alpha + from, l->w);
            add_row(c->sy + at, sy, alpha + from, l->w);
        } else {
            blend_row(c->sx + at, sx, alpha + from, l->w);
            blend_row(c->sy + at, sy, alpha + from, l->w);
            blend_value(c->shade + at, 1, alpha + from, l->w);
            blend_value(c->cover + at, l->backdrop ? 0.0f : 1.0f, alpha + from, l->w);
        }
    }
}
