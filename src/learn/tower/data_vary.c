#include "learn/tower/data_vary.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "image/resize.h"

#define TILED 0.3    /* of the varied subjects; these also may be recoloured and warped */
#define RECOLOURED 0.6
#define RIBBED 0.15
#define PRINTED 0.35
#define WARPED 0.6
#define MOST_TILES 4 /* across and down */
#define SHOWN 24     /* pixels that a defect must keep as one of many, else it is not made small */

static flaw_status copy_subject(flaw_subject *out, const flaw_subject *in, flaw_error *err)
{
    size_t area = (size_t)in->normal.width * (size_t)in->normal.height;
    flaw_subject s = *in;
    s.normal = s.defective = (flaw_picture){0};
    s.mask = malloc(area);
    flaw_status status = flaw_picture_new(&s.normal, in->normal.width, in->normal.height, err);
    if (!status) status = flaw_picture_new(&s.defective, in->normal.width, in->normal.height, err);
    if (!status && !s.mask) status = flaw_fail(err, FLAW_NO_MEMORY, "no memory for a mask");
    if (status) {
        flaw_subject_release(&s);
        return status;
    }
    memcpy(s.normal.rgb, in->normal.rgb, 3 * area);
    memcpy(s.defective.rgb, in->defective.rgb, 3 * area);
    memcpy(s.mask, in->mask, area);
    *out = s;
    return FLAW_OK;
}

/* Channels change places and fade towards grey: the brightness of what is drawn stays. */
static void recolour(flaw_subject *s, flaw_random *random)
{
    static const int orders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    const int *order = orders[flaw_random_below(random, 6)];
    double u = flaw_random_uniform(random);
    int grey = u < 0.2 ? 256 : u < 0.5 ? flaw_random_below(random, 256) : 0; /* of 256 */
    size_t area = (size_t)s->normal.width * (size_t)s->normal.height;
    uint8_t *const pictures[2] = {s->normal.rgb, s->defective.rgb};
    for (int which = 0; which < 2; which++)
        for (size_t i = 0; i < area; i++) {
            uint8_t *p = pictures[which] + 3 * i, from[3] = {p[0], p[1], p[2]};
            int mean = (77 * from[0] + 150 * from[1] + 29 * from[2]) >> 8;
            for (int c = 0; c < 3; c++) p[c] = (uint8_t)((from[order[c]] * (256 - grey) + mean * grey) >> 8);
        }
}

/* Where a pixel of the warped picture comes from: stretched, sheared, turned, and waves. Units of half the side. */
typedef struct warp {
    float a[4];               /* [2, 2] */
    float height[2], rate[2]; /* of the waves */
    float phase[2];
} warp;

static warp choose_warp(flaw_random *random)
{
    warp w = {.a = {1, 0, 0, 1}};
    float turn = (float)flaw_random_range(random, -0.35, 0.35), shear = (float)flaw_random_range(random, -0.25, 0.25);
    float wide = (float)exp(flaw_random_range(random, -0.3, 0.3)), size = (float)exp(flaw_random_range(random, -0.15, 0.3));
    w.a[0] = size * wide * cosf(turn);
    w.a[1] = size * (shear * cosf(turn) - sinf(turn) / wide);
    w.a[2] = size * wide * sinf(turn);
    w.a[3] = size * (shear * sinf(turn) + cosf(turn) / wide);
    for (int i = 0; i < 2; i++) {
        w.rate[i] = (float)flaw_random_range(random, 1.5, 6);
        w.height[i] = (float)flaw_random_range(random, 0, 0.35) / w.rate[i];
        w.phase[i] = (float)flaw_random_range(random, 0, 6.2831853);
    }
    return w;
}

/* Beyond the frame the picture is mirrored. */
static float mirrored(float x, int n)
{
    float most = (float)(n - 1), period = 2 * most;
    x = fmodf(fabsf(x), period);
    return x > most ? period - x : x;
}

static void warp_point(float *u, float *v, const warp *w, int x, int y, int width, int height)
{
    float half_x = 0.5f * (float)width, half_y = 0.5f * (float)height;
    float p = ((float)x + 0.5f) / half_x - 1, q = ((float)y + 0.5f) / half_y - 1;
    float along = w->a[0] * p + w->a[1] * q + w->height[0] * sinf(w->rate[0] * q + w->phase[0]);
    float down = w->a[2] * p + w->a[3] * q + w->height[1] * sinf(w->rate[1] * p + w->phase[1]);
    *u = mirrored((along + 1) * half_x - 0.5f, width);
    *v = mirrored((down + 1) * half_y - 0.5f, height);
}

static void warp_pixel(uint8_t *out, const flaw_picture *in, float u, float v)
{
    int x = (int)u, y = (int)v, right = x + 1 < in->width ? 3 : 0;
    ptrdiff_t below = y + 1 < in->height ? 3 * (ptrdiff_t)in->width : 0;
    const uint8_t *p = in->rgb + 3 * ((ptrdiff_t)y * in->width + x);
    float a = u - (float)x, b = v - (float)y;
    for (int c = 0; c < 3; c++) {
        float top = (float)p[c] + a * (float)(p[c + right] - p[c]);
        float low = (float)p[below + c] + a * (float)(p[below + c + right] - p[below + c]);
        out[c] = (uint8_t)(top + b * (low - top) + 0.5f);
    }
}

static size_t shown(const uint8_t *mask, size_t area)
{
    size_t n = 0;
    for (size_t i = 0; i < area; i++) n += mask[i] != 0;
    return n;
}

/* Take `made` in the place of the subject's pictures and mask, if the defect is still to be seen on it. */
static void take(flaw_subject *s, flaw_subject *made)
{
    flaw_subject old = *s;
    if (shown(made->mask, (size_t)made->normal.width * (size_t)made->normal.height) < SHOWN) return;
    s->normal = made->normal, s->defective = made->defective, s->mask = made->mask;
    made->normal = old.normal, made->defective = old.defective, made->mask = old.mask;
}

static flaw_status bend(flaw_subject *s, flaw_random *random, flaw_error *err)
{
    flaw_subject made;
    warp w = choose_warp(random);
    flaw_status status = copy_subject(&made, s, err);
    if (status) return status;
    int width = s->normal.width, height = s->normal.height;
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++) {
            float u, v;
            size_t at = (size_t)y * (size_t)width + (size_t)x;
            warp_point(&u, &v, &w, x, y, width, height);
            warp_pixel(made.normal.rgb + 3 * at, &s->normal, u, v);
            warp_pixel(made.defective.rgb + 3 * at, &s->defective, u, v);
            made.mask[at] = s->mask[(size_t)(v + 0.5f) * (size_t)width + (size_t)(u + 0.5f)];
        }
    take(s, &made);
    flaw_subject_release(&made);
    return FLAW_OK;
}

/* Copy `tile` into (x0, y0) of `out`, mirrored as the bits of `turn` say. */
static void lay(flaw_picture *out, const flaw_picture *tile, int x0, int y0, int turn)
{
    for (int y = 0; y < tile->height; y++)
        for (int x = 0; x < tile->width; x++) {
            int u = turn & 1 ? tile->width - 1 - x : x, v = turn & 2 ? tile->height - 1 - y : y;
            memcpy(out->rgb + 3 * ((ptrdiff_t)(y0 + y) * out->width + x0 + x), tile->rgb + 3 * ((ptrdiff_t)v * tile->width + u), 3);
        }
}

/* The same for the mask: a pixel is marked where any of those that it stands for is, so that thin scratches stay whole. */
static void lay_mask(flaw_subject *out, const flaw_subject *in, int x0, int y0, int across, int down, int turn)
{
    int width = in->normal.width / across, height = in->normal.height / down, full = in->normal.width;
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++) {
            int u = turn & 1 ? width - 1 - x : x, v = turn & 2 ? height - 1 - y : y;
            const uint8_t *from = in->mask + (ptrdiff_t)v * down * full + (ptrdiff_t)u * across;
            uint8_t *to = out->mask + (ptrdiff_t)(y0 + y) * full + x0 + x;
            for (int row = 0; row < down; row++)
                if (memchr(from + (ptrdiff_t)row * full, 255, (size_t)across)) *to = 255;
        }
}

/* As many small ones side by side, one of which has the defect. */
static flaw_status tile(flaw_subject *s, flaw_random *random, flaw_error *err)
{
    int across = 1 + flaw_random_below(random, MOST_TILES), down = 1 + flaw_random_below(random, MOST_TILES);
    int width = s->normal.width / across, height = s->normal.height / down, odd = flaw_random_below(random, across * down);
    bool turned = flaw_random_below(random, 2);
    if (across * down == 1) return FLAW_OK;
    flaw_subject made;
    flaw_picture good = {0}, bad = {0};
    flaw_status status = copy_subject(&made, s, err);
    if (status) return status;
    status = flaw_picture_resize(&good, &s->normal, width, height, FLAW_FILTER_BICUBIC, err);
    if (!status) status = flaw_picture_resize(&bad, &s->defective, width, height, FLAW_FILTER_BICUBIC, err);
    memset(made.mask, 0, (size_t)made.normal.width * (size_t)made.normal.height);
    for (int i = 0; i < across * down && !status; i++) {
        int x0 = i % across * width, y0 = i / across * height, turn = turned ? flaw_random_below(random, 4) : 0;
        lay(&made.normal, &good, x0, y0, turn);
        lay(&made.defective, i == odd ? &bad : &good, x0, y0, turn);
        if (i == odd) lay_mask(&made, s, x0, y0, across, down, turn);
    }
    if (!status) take(s, &made);
    flaw_picture_release(&good);
    flaw_picture_release(&bad);
    flaw_subject_release(&made);
    return status;
}

flaw_status flaw_subject_vary(flaw_subject *out, const flaw_subject *in, flaw_random *random, flaw_error *err)
{
    flaw_subject s;
    flaw_status status = copy_subject(&s, in, err);
    if (status) return status;
    if (flaw_random_uniform(random) < RECOLOURED) recolour(&s, random);
    if (flaw_random_uniform(random) < RIBBED) flaw_subject_rib(&s, random);
    if (flaw_random_uniform(random) < PRINTED) status = flaw_subject_print(&s, random, err);
    if (!status && flaw_random_uniform(random) < WARPED) status = bend(&s, random, err);
    if (!status && flaw_random_uniform(random) < TILED) status = tile(&s, random, err);
    if (status) flaw_subject_release(&s);
    else *out = s;
    return status;
}
