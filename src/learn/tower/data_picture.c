/* From a subject to pixels and patch targets: the same crop and turn for both states, light of their own. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "image/resize.h"
#include "learn/tower/data.h"

#define FULL_COVER 0.25f /* a patch counts as defective in full when this share of it is */

/* Part of the subject that a view shows, and how it is turned. */
typedef struct window {
    int x, y, width, height;
    bool mirror, flip, transpose;
} window;

static bool mask_in(const flaw_subject *s, const window *w)
{
    for (int y = w->y; y < w->y + w->height; y++)
        if (memchr(s->mask + (size_t)y * (size_t)s->normal.width + w->x, 255, (size_t)w->width)) return true;
    return false;
}

/* `small`: the side of the tower's pictures against that of the subject; what is larger may be cropped further. */
static window choose_window(const flaw_subject *s, double small, bool plain, flaw_random *random)
{
    int width = s->normal.width, height = s->normal.height;
    window whole = {.width = width, .height = height}, w = whole;
    if (plain) return whole;
    whole.mirror = flaw_random_below(random, 2);
    whole.flip = flaw_random_uniform(random) < (s->texture ? 0.5 : 0.25);
    whole.transpose = flaw_random_uniform(random) < (s->texture ? 0.5 : 0.25);
    if (flaw_random_uniform(random) < 0.5) return whole;
    double area = flaw_random_range(random, 0.35 * small * small, 1), aspect = exp(flaw_random_range(random, -0.22, 0.22));
    int side = width < height ? width : height;
    w = whole;
    w.width = (int)(side * sqrt(area * aspect));
    w.height = (int)(side * sqrt(area / aspect));
    if (w.width > width) w.width = width;
    if (w.height > height) w.height = height;
    w.x = flaw_random_below(random, width - w.width + 1);
    w.y = flaw_random_below(random, height - w.height + 1);
    return mask_in(s, &w) ? w : whole;
}

/* Tone curve of one channel, ending in normalised floats: exposure, contrast, gamma, colour cast. */
typedef struct light {
    float curve[3][256];
} light;

static void choose_light(light *l, const flaw_prepare_shape *prepare, bool plain, flaw_random *random)
{
    double gain = 1, offset = 0, gamma = 1, cast[3] = {1, 1, 1};
    if (!plain) {
        gain = exp(flaw_random_range(random, -0.25, 0.25));
        offset = flaw_random_range(random, -0.08, 0.08);
        gamma = exp(flaw_random_range(random, -0.25, 0.25));
        for (int c = 0; c < 3; c++) cast[c] = exp(flaw_random_range(random, -0.07, 0.07));
    }
    for (int c = 0; c < 3; c++)
        for (int v = 0; v < 256; v++) {
            double x = (pow(v / 255.0, gamma) - 0.5) * gain + 0.5 + offset;
            x *= cast[c];
            x = x < 0 ? 0 : x > 1 ? 1 : x;
            l->curve[c][v] = (float)((x - (double)prepare->mean[c]) / (double)prepare->std[c]);
        }
}

/* What a camera adds: softness (share of a [1 2 1] blur, both ways) and grain (deviation in units of the pixels). */
typedef struct camera {
    float soft, grain;
} camera;

static camera choose_camera(bool plain, flaw_random *random)
{
    camera c = {0};
    if (plain) return c;
    if (flaw_random_uniform(random) < 0.25) c.soft = (float)flaw_random_range(random, 0.2, 1);
    if (flaw_random_uniform(random) < 0.4) c.grain = (float)flaw_random_range(random, 0.01, 0.12);
    return c;
}

/* n values `step` apart, in place: x + soft * ([1 2 1]/4 * x - x). */
static void soften_line(float *x, int n, ptrdiff_t step, float soft)
{
    float before = x[0];
    for (int i = 0; i < n; i++) {
        float here = x[i * step], after = i + 1 < n ? x[(i + 1) * step] : here;
        x[i * step] = here + soft * 0.25f * (before - 2 * here + after);
        before = here;
    }
}

/* pixels [3, side, side]. Grain: sum of four uniform numbers, close enough to a normal one and cheap. */
static void apply_camera(float *pixels, int side, camera c, flaw_random *random)
{
    size_t all = 3 * (size_t)side * (size_t)side;
    for (int line = 0; c.soft > 0 && line < 3 * side; line++) {
        soften_line(pixels + (size_t)line * (size_t)side, side, 1, c.soft);
        soften_line(pixels + (size_t)(line / side) * (size_t)side * (size_t)side + line % side, side, side, c.soft);
    }
    for (size_t i = 0; c.grain > 0 && i < all; i++) {
        uint64_t u = flaw_random_u64(random);
        int sum = (int)(u & 0xffff) + (int)(u >> 16 & 0xffff) + (int)(u >> 32 & 0xffff) + (int)(u >> 48) - 2 * 0xffff;
        pixels[i] += c.grain * (float)sum * (1.0f / 37837.0f); /* deviation of the sum: 65535 * sqrt(4/12) */
    }
}

/* Where pixel (x, y) of the view lies in the resized crop. */
static size_t source_of(const window *w, int side, int x, int y)
{
    int u = w->mirror ? side - 1 - x : x, v = w->flip ? side - 1 - y : y;
    return w->transpose ? (size_t)u * (size_t)side + (size_t)v : (size_t)v * (size_t)side + (size_t)u;
}

static void write_pixels(float *pixels, const flaw_picture *p, const window *w, const light *l)
{
    int side = p->width;
    size_t plane = (size_t)side * (size_t)side;
    for (int y = 0; y < side; y++)
        for (int x = 0; x < side; x++) {
            const uint8_t *rgb = p->rgb + 3 * source_of(w, side, x, y);
            size_t at = (size_t)y * (size_t)side + (size_t)x;
            for (int c = 0; c < 3; c++) pixels[(size_t)c * plane + at] = l->curve[c][rgb[c]];
        }
}

static flaw_status view_picture(float *pixels, const flaw_picture *p, const window *w, const light *l, int side,
                                flaw_error *err)
{
    flaw_picture crop = {0}, resized = {0};
    const flaw_picture *part = p;
    flaw_status status = FLAW_OK;
    if (w->width != p->width || w->height != p->height) {
        status = flaw_picture_crop(&crop, p, w->x, w->y, w->width, w->height, err);
        part = &crop;
    }
    if (!status && (part->width != side || part->height != side)) {
        status = flaw_picture_resize(&resized, part, side, side, FLAW_FILTER_BICUBIC, err);
        part = &resized;
    }
    if (!status) write_pixels(pixels, part, w, l);
    flaw_picture_release(&crop);
    flaw_picture_release(&resized);
    return status;
}

/* Does the mask hold pixel (x, y) of the view? Nearest pixel of the crop. */
static bool masked(const flaw_subject *s, const window *w, int side, int x, int y)
{
    size_t at = source_of(w, side, x, y), u = at % (size_t)side, v = at / (size_t)side;
    size_t mx = (size_t)w->x + u * (size_t)w->width / (size_t)side;
    size_t my = (size_t)w->y + v * (size_t)w->height / (size_t)side;
    return s->mask[my * (size_t)s->normal.width + mx] != 0;
}

static void view_mask(uint8_t *mask, const flaw_subject *s, const window *w, int side)
{
    for (int i = 0; i < side * side; i++) mask[i] = masked(s, w, side, i % side, i / side);
}

/* Share of each patch that the mask covers, nearest pixel of the crop; target is the lower half of the pair. */
static void view_target(float *target, const flaw_subject *s, const window *w, const flaw_clip_shape *shape)
{
    int side = shape->side, patch = shape->patch, grid = shape->grid;
    float unit = 1.0f / ((float)(patch * patch) * FULL_COVER);
    for (int i = 0; i < grid * grid; i++) target[i] = 0;
    for (int y = 0; y < side; y++)
        for (int x = 0; x < side; x++)
            if (masked(s, w, side, x, y)) target[y / patch * grid + x / patch] += unit;
    for (int i = 0; i < grid * grid; i++) target[i] = target[i] > 1 ? 1 : target[i];
}

flaw_status flaw_subject_view(float *pixels, float *target, uint8_t *mask, const flaw_subject *subject,
                              const flaw_clip_shape *shape, bool plain, flaw_random *random, flaw_error *err)
{
    size_t picture = 3 * (size_t)shape->side * (size_t)shape->side, patches = (size_t)flaw_clip_patches(shape);
    double small = (double)shape->side / subject->normal.width;
    window w = choose_window(subject, small < 1 ? small : 1, plain, random);
    light first, second;
    choose_light(&first, &shape->prepare, plain, random);
    if (plain || flaw_random_uniform(random) < 0.5) second = first;
    else choose_light(&second, &shape->prepare, plain, random);
    flaw_status status = view_picture(pixels, &subject->normal, &w, &first, shape->side, err);
    if (!status) status = view_picture(pixels + picture, &subject->defective, &w, &second, shape->side, err);
    if (status) return status;
    camera c = choose_camera(plain, random);
    apply_camera(pixels, shape->side, c, random);
    apply_camera(pixels + picture, shape->side, c, random);
    if (mask) view_mask(mask, subject, &w, shape->side);
    if (!target) return FLAW_OK;
    memset(target, 0, patches * sizeof *target);
    view_target(target + patches, subject, &w, shape);
    return FLAW_OK;
}
