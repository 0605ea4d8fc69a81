#include "augment.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "paint_noise.h"

void flaw_augment_options_init(flaw_augment_options *o)
{
    *o = (flaw_augment_options){.size = 224,
                                .scale_lo = 0.25f,
                                .scale_hi = 1,
                                .aspect = 1.33f,
                                .turn = 0.5f,
                                .flip = true,
                                .brightness = 0.3f,
                                .contrast = 0.3f,
                                .saturation = 0.3f,
                                .hue = 0.03f,
                                .gamma = 1.3f,
                                .blur = 0.2f,
                                .noise = 8,
                                .grey = 0.05f};
}

/* Source position of the result's pixel (x, y): ox + ax x + bx y, oy + ay x + by y. */
typedef struct view {
    float ox, oy, ax, ay, bx, by;
} view;

static float either_way(flaw_random *r, float most)
{
    return (float)flaw_random_range(r, -most, most);
}

static view choose_view(const flaw_picture *in, const flaw_augment_options *o, flaw_random *r)
{
    float w = (float)in->width, h = (float)in->height, n = (float)o->size;
    float area = (float)flaw_random_range(r, o->scale_lo, o->scale_hi),
          ratio = expf(either_way(r, logf(o->aspect)) / 2);
    /* Sides of the view in source pixels; never wider than the source unless shares over 1 ask for it. */
    float most = o->scale_hi > 1 ? 1e9f : 1, vw = sqrtf(area) * ratio, vh = sqrtf(area) / ratio;
    vw = w * (vw > most ? most : vw), vh = h * (vh > most ? most : vh);
    float cx = 0.5f * w, cy = 0.5f * h;
    if (vw < w) cx += either_way(r, 0.5f * (w - vw));
    if (vh < h) cy += either_way(r, 0.5f * (h - vh));
    float angle = either_way(r, o->turn);
    if (o->flip) angle += 1.5707963f * (float)flaw_random_below(r, 4);
    float c = cosf(angle), s = sinf(angle), mirror = o->flip && flaw_random_below(r, 2) ? -1.0f : 1.0f;
    view v = {0, 0, mirror * c * vw / n, mirror * s * vh / n, -s * vw / n, c * vh / n};
    v.ox = cx - 0.5f * (n - 1) * (v.ax + v.bx) - 0.5f, v.oy = cy - 0.5f * (n - 1) * (v.ay + v.by) - 0.5f;
    return v;
}

/* Mirrored at both ends, any distance outside. */
static inline int inside(int i, int n)
{
    int period = 2 * n;
    i %= period;
    i = i < 0 ? i + period : i;
    return i < n ? i : period - 1 - i;
}

/* Mean of the source over one result pixel by k x k bilinear samples; k grows with the shrinking. */
static void take(uint8_t *out, const flaw_picture *in, view v, int n, int k)
{
    float inv = 1 / (float)(k * k);
    for (int y = 0; y < n; y++)
        for (int x = 0; x < n; x++) {
            float sum[3] = {0.5f, 0.5f, 0.5f};
            for (int t = 0; t < k * k; t++) {
                float px = (float)x + ((float)(t % k) + 0.5f) / (float)k - 0.5f;
                float py = (float)y + ((float)(t / k) + 0.5f) / (float)k - 0.5f;
                float sx = v.ox + v.ax * px + v.bx * py, sy = v.oy + v.ay * px + v.by * py;
                int ix = flaw_floor_int(sx), iy = flaw_floor_int(sy);
                float fx = sx - (float)ix, fy = sy - (float)iy;
                size_t left = (size_t)inside(ix, in->width), right = (size_t)inside(ix + 1, in->width);
                const uint8_t *top = in->rgb + 3 * (size_t)inside(iy, in->height) * (size_t)in->width;
                const uint8_t *low = in->rgb + 3 * (size_t)inside(iy + 1, in->height) * (size_t)in->width;
                for (size_t c = 0; c < 3; c++) {
                    float a = (float)top[3 * left + c] + fx * ((float)top[3 * right + c] - (float)top[3 * left + c]);
                    float b = (float)low[3 * left + c] + fx * ((float)low[3 * right + c] - (float)low[3 * left + c]);
                    sum[c] += (a + fy * (b - a)) * inv;
                }
            }
            for (int c = 0; c < 3; c++) out[3 * (y * n + x) + c] = (uint8_t)sum[c];
        }
}

static void take_mask(uint8_t *out, const uint8_t *mask, int w, int h, view v, int n)
{
    for (int y = 0; y < n; y++)
        for (int x = 0; x < n; x++) {
            float sx = v.ox + v.ax * (float)x + v.bx * (float)y, sy = v.oy + v.ay * (float)x + v.by * (float)y;
            int ix = inside(flaw_floor_int(sx + 0.5f), w), iy = inside(flaw_floor_int(sy + 0.5f), h);
            out[y * n + x] = mask[(size_t)iy * (size_t)w + (size_t)ix] ? 255 : 0;
        }
}

/* Contrast, brightness and gamma as one table; saturation and hue as one 3 x 3 matrix in the YIQ plane. */
static void change_colours(uint8_t *rgb, size_t pixels, const flaw_augment_options *o, flaw_random *r)
{
    float gain = 1 + either_way(r, o->brightness), contrast = 1 + either_way(r, o->contrast);
    float gamma = expf(either_way(r, logf(o->gamma))), turn = 6.2831853f * either_way(r, o->hue);
    float sat = flaw_random_uniform(r) < o->grey ? 0 : 1 + either_way(r, o->saturation);
    float table[256], c = sat * cosf(turn), s = sat * sinf(turn);
    for (int i = 0; i < 256; i++) {
        float v = gain * powf((float)i / 255, gamma);
        table[i] = 255 * (0.5f + contrast * (v - 0.5f));
    }
    for (size_t i = 0; i < pixels; i++) {
        uint8_t *p = rgb + 3 * i;
        float red = table[p[0]], green = table[p[1]], blue = table[p[2]];
        float y = 0.299f * red + 0.587f * green + 0.114f * blue, a = 0.596f * red - 0.274f * green - 0.322f * blue;
        float b = 0.211f * red - 0.523f * green + 0.312f * blue, p1 = c * a - s * b, p2 = s * a + c * b;
        float out[3] = {y + 0.956f * p1 + 0.621f * p2, y - 0.272f * p1 - 0.647f * p2, y - 1.106f * p1 + 1.703f * p2};
        for (int k = 0; k < 3; k++) p[k] = (uint8_t)(out[k] < 0 ? 0 : out[k] > 255 ? 255 : out[k] + 0.5f);
    }
}

/* (1 2 1) / 4 along both axes, `passes` times. */
static void soften(uint8_t *rgb, uint8_t *spare, int n, int passes)
{
    for (int pass = 0; pass < passes; pass++)
        for (int down = 0; down < 2; down++) {
            int step = down ? 3 * n : 3;
            memcpy(spare, rgb, 3 * (size_t)n * (size_t)n);
            for (int y = down; y < n - down; y++)
                for (int i = 3 * n * y + (down ? 0 : 3); i < 3 * n * (y + 1) - (down ? 0 : 3); i++)
                    rgb[i] = (uint8_t)((spare[i - step] + 2 * spare[i] + spare[i + step] + 2) / 4);
        }
}

static void add_grain(uint8_t *rgb, size_t n, float amount, uint32_t seed)
{
    for (size_t i = 0; i < n; i++) {
        uint32_t h = flaw_hash((uint32_t)i, 0, seed);
        int s = (int)(h & 255u) + (int)(h >> 8 & 255u) + (int)(h >> 16 & 255u) + (int)(h >> 24) - 510;
        float v = (float)rgb[i] + amount * (float)s * (1 / 147.8f);
        rgb[i] = (uint8_t)(v < 0 ? 0 : v > 255 ? 255 : v + 0.5f);
    }
}

flaw_status flaw_augment(flaw_picture *out, uint8_t *out_mask, const flaw_picture *in, const uint8_t *mask,
                         const flaw_augment_options *o, flaw_random *r, flaw_error *err)
{
    if (o->size < 1 || o->size > 4096)
        return flaw_fail(err, FLAW_USAGE, "augment: size %d, allowed 1 .. 4096", o->size);
    if (!(o->scale_lo > 0 && o->scale_lo <= o->scale_hi) || !(o->aspect >= 1) || !(o->gamma >= 1))
        return flaw_fail(err, FLAW_USAGE,
                         "augment: share of area %g .. %g, aspect %g, gamma %g; allowed 0 < lo <= hi, >= 1, >= 1",
                         (double)o->scale_lo, (double)o->scale_hi, (double)o->aspect, (double)o->gamma);
    flaw_picture fresh;
    flaw_status st = flaw_picture_new(&fresh, o->size, o->size, err);
    if (st) return st;
    view v = choose_view(in, o, r);
    float shrink = sqrtf(fabsf(v.ax * v.by - v.ay * v.bx));
    int k = shrink > 3 ? 4 : shrink > 1.4f ? 2 : 1;
    take(fresh.rgb, in, v, o->size, k);
    if (mask && out_mask) take_mask(out_mask, mask, in->width, in->height, v, o->size);
    size_t n = (size_t)o->size * (size_t)o->size;
    change_colours(fresh.rgb, n, o, r);
    if (flaw_random_uniform(r) < o->blur) {
        uint8_t *spare = malloc(3 * n);
        if (!spare) {
            flaw_picture_release(&fresh);
            return flaw_fail(err, FLAW_NO_MEMORY, "augment: no memory for %d x %d pixels", o->size, o->size);
        }
        soften(fresh.rgb, spare, o->size, 1 + flaw_random_below(r, 4));
        free(spare);
    }
    float grain = (float)flaw_random_range(r, 0, o->noise) * (float)flaw_random_below(r, 2);
    if (grain > 0.3f) add_grain(fresh.rgb, 3 * n, grain, (uint32_t)flaw_random_u64(r));
    *out = fresh;
    return FLAW_OK;
}
