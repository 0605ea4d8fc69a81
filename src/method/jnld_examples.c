#include "method/jnld_examples.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/random.h"
#include "detect/augment.h"
#include "flaw/simulate.h"
#include "simulate/jnd.h"

/* Multiples of the just-noticeable difference that a change is held to. */
static const float levels[FLAW_JNLD_LEVELS] = {2, 5, INFINITY};

/* A patch of which so much changed visibly is an anomaly as a whole: its features mix what lies in it. */
#define WHOLE 0.25f

typedef struct maker {
    flaw_jnld_examples *out;
    const flaw_lesson *lesson;
    flaw_random random;
    flaw_features room;
    float *jnd;       /* [S, S] */
    uint8_t *noticed; /* [S, S] */
} maker;

void flaw_jnld_examples_release(flaw_jnld_examples *e)
{
    free(e->pair);
    free(e->memory);
    *e = (flaw_jnld_examples){0};
}

static flaw_status make_room(maker *m, size_t count, flaw_error *err)
{
    flaw_jnld_examples *e = m->out;
    const flaw_clip *model = m->lesson->encoder->model;
    size_t side = (size_t)model->shape.side, each, all;
    e->patches = (size_t)flaw_clip_patches(&model->shape);
    e->floats = e->patches * (size_t)flaw_joined_width(&model->shape);
    each = (1 + FLAW_JNLD_LEVELS) * e->floats + FLAW_JNLD_LEVELS * e->patches;
    e->pair = calloc(count + 1, sizeof *e->pair);
    if (flaw_mul_ok(&all, count, each * sizeof(float))) e->memory = malloc(all + 1);
    m->jnd = malloc(side * side * sizeof *m->jnd);
    m->noticed = malloc(side * side);
    if (!e->pair || !e->memory || !m->jnd || !m->noticed)
        return flaw_fail(err, FLAW_NO_MEMORY, "memory for %zu simulated anomalies was refused", count);
    float *at = e->memory;
    for (size_t i = 0; i < count; i++, at += e->floats) {
        e->pair[i].clean = at;
        for (int k = 0; k < FLAW_JNLD_LEVELS; k++) {
            e->pair[i].changed[k] = at += e->floats;
            e->pair[i].target[k] = at + e->floats;
            at += e->patches;
        }
    }
    return flaw_features_new(&m->room, model, m->lesson->encoder->want, err);
}

static flaw_status look(maker *m, const flaw_picture *square, float *rows, flaw_error *err)
{
    flaw_status s = flaw_encoder_run(m->lesson->encoder, square, 1, &m->room, err);
    if (!s && !m->room.sound) s = flaw_fail(err, FLAW_BAD_DATA, "the numbers computed for a change are not all finite");
    if (!s) flaw_joined_rows(rows, &m->room);
    return s;
}

/* A plain piece from somewhere else, for pictures where the simulation finds no place. */
static flaw_status paste(maker *m, flaw_picture *out, const flaw_picture *square, const flaw_picture *source,
                         flaw_error *err)
{
    int side = square->width, size = 1 + side / 12 + flaw_random_below(&m->random, 1 + side / 4),
        span = 1 + side - size;
    int x = flaw_random_below(&m->random, span), y = flaw_random_below(&m->random, span);
    int u = flaw_random_below(&m->random, span), v = flaw_random_below(&m->random, span);
    flaw_status s = flaw_picture_new(out, side, side, err);
    if (s) return s;
    memcpy(out->rgb, square->rgb, 3 * (size_t)side * (size_t)side);
    for (int row = 0; row < size; row++)
        memcpy(out->rgb + 3 * ((size_t)(y + row) * (size_t)side + (size_t)x),
               source->rgb + 3 * ((size_t)(v + row) * (size_t)side + (size_t)u), 3 * (size_t)size);
    return FLAW_OK;
}

/* The strongest form: a patch of another good part, or of the same. */
static flaw_status simulate(maker *m, flaw_picture *out, const flaw_picture *square, flaw_error *err)
{
    const flaw_lesson *l = m->lesson;
    const flaw_picture *source = l->square[flaw_random_below(&m->random, (int)l->count)];
    flaw_simulated made;
    flaw_simulate_options o = {.most_patches = 2,
                               .blend = flaw_random_below(&m->random, 2) ? FLAW_BLEND_PASTE : FLAW_BLEND_POISSON,
                               .seed = flaw_random_u64(&m->random)};
    flaw_status s = flaw_simulate(&made, square, source, &o, err);
    if (s) return s;
    if (made.patches) {
        *out = made.picture;
        made.picture = (flaw_picture){0};
    } else {
        s = paste(m, out, square, source, err);
    }
    flaw_simulated_release(&made);
    return s;
}

/* Share of each patch that changed visibly, as a target: what cannot be seen is no anomaly, whatever was pasted there.
 */
static void set_target(const maker *m, float *target)
{
    const flaw_clip_shape *shape = &m->lesson->encoder->model->shape;
    int side = shape->side, patch = shape->patch, grid = shape->grid;
    for (int i = 0; i < grid * grid; i++) {
        int seen = 0, x0 = i % grid * patch, y0 = i / grid * patch;
        for (int y = y0; y < y0 + patch; y++)
            for (int x = x0; x < x0 + patch; x++) seen += m->noticed[(size_t)y * (size_t)side + (size_t)x];
        target[i] = fminf(1, (float)seen / ((float)(patch * patch) * WHOLE));
    }
}

static flaw_status make_pair(maker *m, const flaw_picture *square, flaw_jnld_pair *pair, flaw_error *err)
{
    flaw_picture strong = {0};
    flaw_status s = look(m, square, pair->clean, err);
    if (!s) s = flaw_jnd_map(m->jnd, square, err);
    if (!s) s = simulate(m, &strong, square, err);
    for (int k = 0; !s && k < FLAW_JNLD_LEVELS; k++) {
        flaw_picture held = {0};
        s = flaw_jnd_limit(&held, m->noticed, square, &strong, m->jnd, levels[k], err);
        if (!s) set_target(m, pair->target[k]);
        if (!s) s = look(m, &held, pair->changed[k], err);
        flaw_picture_release(&held);
    }
    flaw_picture_release(&strong);
    return s;
}

flaw_status flaw_jnld_examples_make(flaw_jnld_examples *out, const flaw_lesson *lesson, size_t wanted, flaw_error *err)
{
    maker m = {.out = out, .lesson = lesson};
    size_t times = wanted / lesson->count > 1 ? wanted / lesson->count : 1, count = lesson->count * times;
    *out = (flaw_jnld_examples){0};
    flaw_random_init(&m.random, lesson->seed, 0x6a6e6c64);
    flaw_status s = make_room(&m, count, err);
    for (size_t i = 0; !s && i < count; i++) {
        const flaw_picture *square = lesson->square[i / times];
        flaw_picture changed = {0};
        if (i % times) s = flaw_augment_mildly(&changed, square, &m.random, err);
        if (!s) s = make_pair(&m, i % times ? &changed : square, &out->pair[i], err);
        if (!s) out->count++;
        flaw_picture_release(&changed);
    }
    flaw_features_release(&m.room);
    free(m.jnd);
    free(m.noticed);
    if (s) flaw_jnld_examples_release(out);
    return s;
}
