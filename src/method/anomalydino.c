/* AnomalyDINO (Damm et al. 2024, arXiv 2405.14529) on any image tower.
 *
 * Memory: the patches of the last stage of the good parts and of their copies turned by multiples of 360 / rotations
 * degrees (what comes from outside is mirrored), all of them: no coreset but --bank-limit. Distance of a patch: 1 - the
 * largest cosine. Image score: mean of the largest 1 % of the distances. Patches of the background count nothing where
 * a mask fits the product (foreground.h). Which tokens: those behind the final norm for towers without a joint space
 * (DINOv2, DINO, DeiT: the paper's own); for towers that end in one, the tokens before it, as the joint space keeps
 * what words say. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "method/foreground.h"
#include "method/gridmap.h"
#include "method/memory.h"
#include "method/method.h"
#include "method/patchrows.h"

enum { ROTATIONS, MASK, OPTIONS };

static const flaw_method_option options[OPTIONS + 1] = {
    [ROTATIONS] = {.name = "rotations",
                   .kind = FLAW_OPTION_WHOLE,
                   .low = 1,
                   .high = 36,
                   .standard = 8,
                   .about = "directions that each good part is learnt in; 1 = as it lies"},
    [MASK] = {.name = "mask",
              .kind = FLAW_OPTION_CHOICE,
              .choices = "auto|on|off",
              .standard = FLAW_FOREGROUND_AUTO,
              .about = "leave the background out; auto: where the good parts show one clearly"},
};

typedef struct dino {
    flaw_compute *compute;
    flaw_memory memory;
    flaw_memory_plan plan;
    flaw_foreground foreground;
    flaw_foreground_use use;
    int grid, cells;
    double *map;   /* [P] */
    uint8_t *part; /* [P] */
} dino;

static const float *joined_rows(const flaw_features *f, int space)
{
    (void)space;
    return f->stage[FLAW_STAGES - 1];
}

static const float *plain_rows(const flaw_features *f, int space)
{
    (void)space;
    return f->patches;
}

static int wants(const flaw_method_setup *setup)
{
    return setup->model->shape.joint ? FLAW_WANT_LAST : FLAW_WANT_PATCHES;
}

static int turns(const flaw_method_setup *setup)
{
    return (int)setup->value[ROTATIONS] - 1;
}

static void close_state(void *state)
{
    dino *d = state;
    if (!d) return;
    flaw_memory_close(&d->memory);
    flaw_foreground_close(&d->foreground);
    free(d->map);
    free(d->part);
    free(d);
}

static flaw_status open_state(void **state, const flaw_method_setup *setup, flaw_error *err)
{
    const flaw_clip_shape *shape = &setup->model->shape;
    dino *d = calloc(1, sizeof *d);
    if (!d) return flaw_fail(err, FLAW_NO_MEMORY, "anomalydino: memory was refused");
    d->compute = setup->compute;
    d->grid = shape->grid;
    d->cells = d->grid * d->grid;
    d->use = (flaw_foreground_use)setup->value[MASK];
    d->plan =
        (flaw_memory_plan){.spaces = 1,
                           .joined = 1,
                           .rows = {d->cells},
                           .width = {shape->image.width},
                           .table = shape->joint ? joined_rows : plain_rows,
                           .limit = setup->options->bank_limit > 0 ? (size_t)setup->options->bank_limit : SIZE_MAX,
                           .seed = setup->options->seed};
    d->map = calloc((size_t)d->cells, sizeof *d->map);
    d->part = calloc((size_t)d->cells, 1);
    flaw_status s = d->map && d->part ? flaw_foreground_open(&d->foreground, d->grid, shape->image.width, err)
                                      : flaw_fail(err, FLAW_NO_MEMORY, "anomalydino: memory was refused");
    if (s) {
        close_state(d);
        return s;
    }
    *state = d;
    return FLAW_OK;
}

static flaw_status learn(void *state, const flaw_lesson *lesson, flaw_error *err)
{
    dino *d = state;
    size_t n = lesson->count, copies = n * (size_t)lesson->turns;
    const flaw_features **all = calloc(n + copies, sizeof(flaw_features *));
    const float **rows = calloc(n, sizeof(float *));
    flaw_status s = all && rows ? FLAW_OK : flaw_fail(err, FLAW_NO_MEMORY, "anomalydino: memory was refused");
    for (size_t i = 0; !s && i < n; i++) {
        all[i] = lesson->good[i];
        rows[i] = d->plan.table(lesson->good[i], 0);
    }
    for (size_t i = 0; !s && i < copies; i++) all[n + i] = lesson->turned[i];
    if (!s) s = flaw_foreground_learn(&d->foreground, rows, n, d->use, d->compute->kernels, err);
    if (!s) s = flaw_memory_learn(&d->memory, d->compute, &d->plan, all, n + copies, err);
    free(all);
    free(rows);
    return s;
}

/* 1 % of the patches, one at least. */
static int top_of(const dino *d)
{
    return (d->cells + 99) / 100;
}

static flaw_status score(void *state, const flaw_features *picture, flaw_score *out, flaw_error *err)
{
    dino *d = state;
    const float *rows = d->plan.table(picture, 0);
    flaw_status s = flaw_memory_distance(&d->memory, 0, rows, d->cells, d->map, err);
    if (s) return s;
    flaw_foreground_mark(&d->foreground, rows, d->part, d->compute->kernels);
    for (int i = 0; i < d->cells; i++)
        if (!d->part[i]) d->map[i] = 0;
    out->image = flaw_gridmap_top(d->map, d->cells, top_of(d));
    out->closest = NULL;
    flaw_gridmap_store(out->map, d->map, d->cells);
    return FLAW_OK;
}

/* With one good part: how far its patches are from those elsewhere in it (see few-shot). */
static flaw_status alone(const void *state, const flaw_features *part, double *out, flaw_error *err)
{
    const dino *d = state;
    const float *rows = d->plan.table(part, 0);
    flaw_foreground f = d->foreground; /* its workspace is used, nothing of it changes */
    int around = flaw_patchrows_around(d->grid);
    (void)err;
    flaw_foreground_mark(&f, rows, d->part, d->compute->kernels);
    for (int i = 0; i < d->cells; i++)
        d->map[i] = d->part[i]
                        ? 1 - flaw_patchrows_elsewhere(d->compute->kernels, rows, d->grid, d->plan.width[0], i, around)
                        : 0;
    *out = d->grid > 2 * around ? flaw_gridmap_top(d->map, d->cells, top_of(d)) : NAN;
    return FLAW_OK;
}

static flaw_status save(const void *state, flaw_record *record, flaw_error *err)
{
    const dino *d = state;
    flaw_status s = flaw_memory_save(&d->memory, record, err);
    return s ? s : flaw_foreground_save(&d->foreground, record, err);
}

static flaw_status load(void *state, const flaw_record *record, flaw_error *err)
{
    dino *d = state;
    flaw_status s = flaw_memory_load(&d->memory, d->compute, &d->plan, record, err);
    return s ? s : flaw_foreground_load(&d->foreground, record, err);
}

const flaw_method flaw_method_anomalydino = {
    .name = "anomalydino",
    .about = "patches of the last stage of good parts, turned too, background left out; needs good parts, no text",
    .paper = "Damm et al. 2024, arXiv 2405.14529",
    .option = options,
    .needs_good = true,
    .scores = {.spread = 0.1},
    .wants = wants,
    .turns = turns,
    .open = open_state,
    .learn = learn,
    .score = score,
    .alone = alone,
    .save = save,
    .load = load,
    .close = close_state,
};
