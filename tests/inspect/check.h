/* What the tests of the road share: tiny models and pictures drawn here, golden folders, messages. */
#ifndef FLAW_TESTS_INSPECT_CHECK_H
#define FLAW_TESTS_INSPECT_CHECK_H

#include <math.h>

#include "../golden/golden.h"

#include "base/random.h"
#include "flaw/inspect.h"
#include "inspect/inside.h"

static inline flaw_engine *open_engine(const char *model)
{
    flaw_engine *engine = NULL;
    flaw_engine_options options = {.model = model, .threads = 2};
    flaw_error err = {0};
    assert_ok(flaw_engine_open(&engine, &options, &err));
    return engine;
}

/* The tiny CLIP of tests/golden: 4 x 4 patches, joint width of a few numbers. */
static inline flaw_engine *open_tiny_engine(const char *form)
{
    char path[1024], part[64];
    snprintf(part, sizeof part, "clip-tiny/%s", form);
    const char *model = golden_path(path, false, part);
    if (!model) fail_msg("FLAW_SOURCE does not lead to the tests' models");
    return open_engine(model);
}

/* Does method m of the table run on the embedded model only? */
static inline bool needs_default(int m)
{
    return flaw_method_at(m)->needs_local_head || flaw_method_at(m)->needs_weights;
}

/* Options that make a method which trains do so for a moment only. */
static inline const char *quick_options(const flaw_method *m)
{
    return m->trains ? "steps=4" : NULL;
}

/* A textured picture; `seed` moves the texture, `blot` > 0 puts a dark disc of that radius at its upper left. */
static inline flaw_picture draw(int width, int height, unsigned seed, int blot)
{
    flaw_picture p;
    flaw_error err = {0};
    flaw_random r;
    assert_ok(flaw_picture_new(&p, width, height, &err));
    flaw_random_init(&r, seed, 9);
    double phase = flaw_random_range(&r, 0, 6), cx = width * 0.3, cy = height * 0.3;
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++) {
            uint8_t *at = p.rgb + 3 * (y * width + x);
            double wave = 128 + 60 * sin(0.4 * x + phase) + 40 * sin(0.3 * y - phase) + 4 * flaw_random_normal(&r);
            bool inside = blot > 0 && (x - cx) * (x - cx) + (y - cy) * (y - cy) < (double)blot * blot;
            at[0] = (uint8_t)fmin(fmax(inside ? 10 : wave, 0), 255);
            at[1] = (uint8_t)fmin(fmax(inside ? 250 : wave - 30, 0), 255);
            at[2] = (uint8_t)fmin(fmax(inside ? 10 : 220 - wave, 0), 255);
        }
    return p;
}

/* What an inspector without doubts about the picture measures; the map is the inspector's. */
static inline flaw_score measure(flaw_inspector *in, const flaw_picture *p)
{
    flaw_seen seen;
    flaw_score score;
    bool sound;
    flaw_error err = {0};
    assert_ok(flaw_inspector_measure(in, p, &seen, &score, &sound, &err));
    assert_true(sound);
    return score;
}

/* Draws `count` good pictures into files below `folder`; paths[i] point into names. */
typedef struct good_files {
    char name[32][512];
    const char *path[32];
    size_t count;
} good_files;

static inline void draw_good(good_files *g, const char *folder, size_t count)
{
    flaw_error err = {0};
    g->count = count;
    for (size_t i = 0; i < count; i++) {
        flaw_picture p = draw(48, 40, (unsigned)(100 + i), 0);
        snprintf(g->name[i], sizeof g->name[i], "%s/good%zu.png", folder, i);
        g->path[i] = g->name[i];
        assert_ok(flaw_picture_write_png(&p, g->name[i], &err));
        flaw_picture_release(&p);
    }
}

static inline void drop_good(const good_files *g)
{
    for (size_t i = 0; i < g->count; i++) remove(g->name[i]);
}

#endif
