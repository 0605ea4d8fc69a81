/* What the golden tests share: a model on every kernel level of this machine, expected tensors, bars. */
#ifndef FLAW_TESTS_GOLDEN_GOLDEN_H
#define FLAW_TESTS_GOLDEN_GOLDEN_H

#include "../check.h"
#include "../level_loop.h"

#include <math.h>

#include "format/tensors.h"
#include "model/tower/clip.h"
#include "model/tower/prepare.h"

/* Bars of the project for float32: blocks and embeddings relative to their largest value, windows absolute. */
#define BAR_PIXELS 1e-6
#define BAR_RELATIVE 2e-4
#define BAR_WINDOWS 1e-4

/* "root/tests/golden/data/NAME", or "shared/NAME" when `shared` and the folder is there. NULL: no such folder. */
static inline const char *golden_path(char out[1024], bool shared, const char *name)
{
    const char *root = getenv(shared ? "FLAW_SHARED" : "FLAW_SOURCE");
    if (!root) return NULL;
    snprintf(out, 1024, shared ? "%s/%s" : "%s/tests/golden/data/%s", root, name);
    if (access(out, R_OK) == 0) return out;
    print_message("%s is not here: skipped\n", out);
    return NULL;
}

static inline flaw_compute open_compute(flaw_level level)
{
    flaw_compute c;
    flaw_error err = {0};
    assert_ok(flaw_compute_open(&c, 2, level, FLAW_F32, &err));
    return c;
}

static inline flaw_clip *open_clip(const char *path, flaw_compute *c)
{
    flaw_clip *m = NULL;
    flaw_error err = {0};
    assert_ok(flaw_clip_open(&m, path, c, &err));
    return m;
}

static inline flaw_tensors open_expected(const char *path)
{
    flaw_tensors t;
    flaw_error err = {0};
    assert_ok(flaw_safetensors_open(&t, path, &err));
    return t;
}

/* The tensor's floats; free them. */
static inline float *expected_floats(const flaw_tensors *expected, const char *name, size_t count)
{
    flaw_error err = {0};
    const flaw_tensor *t = flaw_tensors_find(expected, name);
    if (!t) fail_msg("no expected tensor '%s'", name);
    if (t->count != count) fail_msg("'%s' has %zu elements, expected are %zu", name, t->count, count);
    float *x = malloc(count * sizeof *x + 1);
    assert_non_null(x);
    assert_ok(flaw_tensor_to_f32(expected, t, x, &err));
    return x;
}

/* Largest difference, divided by the largest expected value when `relative`, must be within the bar. */
static inline void check_floats(const char *what, const float *got, const float *want, size_t count, bool relative,
                                double bar)
{
    double worst = 0, top = 0;
    for (size_t i = 0; i < count; i++) {
        if (!isfinite(got[i])) fail_msg("%s: element %zu is not finite", what, i);
        worst = fmax(worst, fabs((double)got[i] - (double)want[i]));
        top = fmax(top, fabs((double)want[i]));
    }
    if (relative) worst /= top;
    print_message("  %s: %.2g (bar %.0e)\n", what, worst, bar);
    if (!(worst <= bar)) fail_msg("%s: differs by %g, the bar is %g", what, worst, bar);
}

static inline void check_tensor(const flaw_tensors *expected, const char *name, const float *got, size_t count,
                                bool relative, double bar)
{
    float *want = expected_floats(expected, name, count);
    check_floats(name, got, want, count, relative, bar);
    free(want);
}

static inline float *make_floats(size_t count)
{
    float *x = aligned_alloc(64, (count * sizeof *x + 63) / 64 * 64 + 64);
    assert_non_null(x);
    return x;
}

static inline void unit_length(float *x, size_t count)
{
    double square = 0;
    for (size_t i = 0; i < count; i++) square += (double)x[i] * (double)x[i];
    for (size_t i = 0; i < count; i++) x[i] = (float)(x[i] / sqrt(square));
}

/* Everything the image tower says about one picture, each array from make_floats. */
typedef struct image_results {
    float *pixels;
    flaw_image_output out;
} image_results;

static inline image_results run_picture(flaw_compute *c, const flaw_clip *m, const char *path)
{
    const flaw_clip_shape *s = &m->shape;
    size_t tokens = (size_t)flaw_clip_patches(s) + 1, d = (size_t)s->image.width, e = (size_t)flaw_clip_width(s);
    flaw_error err = {0};
    flaw_picture picture;
    image_results r = {.pixels = make_floats(3 * (size_t)s->side * (size_t)s->side)};
    assert_ok(flaw_picture_read(&picture, path, &err));
    assert_ok(flaw_prepare_pixels(r.pixels, &picture, s, FLAW_RESIZE_SHORTEST, &err));
    flaw_picture_release(&picture);
    r.out = (flaw_image_output){
        .cls = make_floats(e),
        .patches = make_floats((tokens - 1) * e),
        .block = make_floats((size_t)s->image_layers * tokens * d),
        .tokens = make_floats(tokens * d),
        .embedded = make_floats(tokens * d),
        .logits = make_floats((size_t)s->classes + 1),
    };
    float *work = make_floats(flaw_clip_image_workspace(m, 1));
    flaw_clip_encode_images(c, m, 1, r.pixels, &r.out, work);
    free(work);
    return r;
}

static inline void free_results(image_results *r)
{
    float *all[] = {r->pixels, r->out.cls, r->out.patches, r->out.block, r->out.tokens, r->out.embedded, r->out.logits};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) free(all[i]);
}

static inline float *run_windows(flaw_compute *c, const flaw_clip *m, int k, const float *embedded)
{
    size_t across = (size_t)(m->shape.grid - k + 1);
    float *out = make_floats(across * across * (size_t)flaw_clip_width(&m->shape));
    float *work = make_floats(flaw_clip_window_workspace(c, m, 1, &k));
    flaw_clip_encode_windows(c, m, 1, &k, embedded, &out, work);
    free(work);
    return out;
}

#endif
