/* Few-shot: the in-context map of AnomalyGPT (arXiv 2308.15366, equation 2 and its code) on any image tower.
 *
 * Memory: patch tokens of the good parts at the stages below the last. Distances: for each stage 1 - the largest cosine
 * of a patch with the memory, the mean over the stages. Image score: the mean of the three largest distances (one patch
 * alone may be noise; a small defect still fills three). Map: the distances smoothed a little, nowhere over the image
 * score: so one limit serves both, and no place of a normal picture passes it.
 *
 * Few-shot+ (our own) adds what the words say, on models whose patches meet the text by training (local head): a
 * patch's distance grows by TEXT_WEIGHT x how far its text score lies over what the good parts themselves reach. Where
 * the words see "defects" on good parts too, they count for nothing there. */
#include <math.h>
#include <stdlib.h>

#include "detect/align.h"
#include "method/gridmap.h"
#include "method/memory.h"
#include "method/method.h"
#include "method/patchrows.h"

#define TOP 3
#define TEXT_WEIGHT 0.2

typedef struct few_shot {
    flaw_memory memory;
    flaw_memory_plan plan;
    flaw_compute *compute;
    int grid;
    double *map, *smooth; /* [G, G] */
    float *text;          /* few-shot+: prototypes [2, E]; else NULL */
    flaw_prototypes prototypes;
    double usual; /* few-shot+: text score that the top of a good part reaches, mean over the parts */
} few_shot;

static const float *stage_rows(const flaw_features *f, int space)
{
    return f->stage[space];
}

static int wants(const flaw_method_setup *setup)
{
    (void)setup;
    return FLAW_WANT_STAGES;
}

static int wants_words(const flaw_method_setup *setup)
{
    return wants(setup) | FLAW_WANT_PATCHES;
}

static void close_state(void *state)
{
    few_shot *f = state;
    if (!f) return;
    flaw_memory_close(&f->memory);
    free(f->text);
    free(f->map);
    free(f);
}

static flaw_status open_state(void **state, const flaw_method_setup *setup, flaw_error *err)
{
    const flaw_clip_shape *shape = &setup->model->shape;
    int cells = shape->grid * shape->grid;
    few_shot *f = calloc(1, sizeof *f);
    if (f) f->map = calloc(2 * (size_t)cells, sizeof(double));
    if (!f || !f->map) {
        close_state(f);
        return flaw_fail(err, FLAW_NO_MEMORY, "few-shot: memory was refused");
    }
    f->smooth = f->map + cells;
    f->compute = setup->compute;
    f->grid = shape->grid;
    f->plan = (flaw_memory_plan){.spaces = FLAW_BANK_STAGES,
                                 .joined = FLAW_BANK_STAGES,
                                 .table = stage_rows,
                                 .limit = setup->options->bank_limit > 0 ? (size_t)setup->options->bank_limit
                                                                         : FLAW_MEMORY_LIMIT,
                                 .seed = setup->options->seed};
    for (int s = 0; s < f->plan.spaces; s++) {
        f->plan.rows[s] = cells;
        f->plan.width[s] = shape->image.width;
    }
    *state = f;
    return FLAW_OK;
}

/* Plain means of the sentences: what local heads are trained against. */
static flaw_status open_words(void **state, const flaw_method_setup *setup, flaw_error *err)
{
    const flaw_clip *model = setup->model;
    const flaw_prompt_set *set = setup->prompts;
    flaw_status s = open_state(state, setup, err);
    if (s) return s;
    few_shot *f = *state;
    double weight[FLAW_PROMPTS_MOST];
    f->text = calloc(2 * (size_t)set->width, sizeof(float));
    if (!f->text) s = flaw_fail(err, FLAW_NO_MEMORY, "few-shot+: memory was refused");
    f->prototypes.width = set->width;
    f->prototypes.tau = isnan(setup->options->tau) ? exp(-(double)model->view.logit_scale[0]) : setup->options->tau;
    for (int c = 0; !s && c < 2; c++) {
        f->prototypes.text[c] = f->text + (size_t)c * (size_t)set->width;
        for (int i = 0; i < set->count[c]; i++) weight[i] = 1.0 / set->count[c];
        s = flaw_prompts_blend(f->text + (size_t)c * (size_t)set->width, set, c, weight, err);
    }
    if (!s) return FLAW_OK;
    close_state(f);
    *state = NULL;
    return s;
}

static flaw_status learn(void *state, const flaw_lesson *lesson, flaw_error *err)
{
    few_shot *f = state;
    int cells = f->grid * f->grid;
    f->usual = 0;
    for (size_t i = 0; f->text && i < lesson->count; i++) {
        flaw_align_rows(f->map, &f->prototypes, lesson->good[i]->patches, cells, f->compute->kernels);
        f->usual += flaw_gridmap_top(f->map, cells, TOP) / (double)lesson->count;
    }
    return flaw_memory_learn(&f->memory, f->compute, &f->plan, lesson->good, lesson->count, err);
}

/* Adds the words' part to the distances in f->map. */
static void add_words(few_shot *f, const flaw_features *picture)
{
    int cells = f->grid * f->grid;
    flaw_align_rows(f->smooth, &f->prototypes, picture->patches, cells, f->compute->kernels);
    for (int i = 0; i < cells; i++) f->map[i] += TEXT_WEIGHT * fmax(0, f->smooth[i] - f->usual);
}

static flaw_status score(void *state, const flaw_features *picture, flaw_score *out, flaw_error *err)
{
    few_shot *f = state;
    int cells = f->grid * f->grid;
    for (int i = 0; i < cells; i++) f->map[i] = 0;
    for (int s = 0; s < f->plan.spaces; s++) {
        flaw_status status = flaw_memory_distance(&f->memory, s, picture->stage[s], cells, f->smooth, err);
        if (status) return status;
        for (int i = 0; i < cells; i++) f->map[i] += f->smooth[i] / f->plan.spaces;
    }
    if (f->text) add_words(f, picture);
    out->image = flaw_gridmap_top(f->map, cells, TOP);
    flaw_gridmap_smooth(f->smooth, f->map, f->grid);
    for (int i = 0; i < cells; i++) f->smooth[i] = fmin(f->smooth[i], out->image);
    flaw_gridmap_store(out->map, f->smooth, cells);
    out->closest = NULL;
    return FLAW_OK;
}

/* With one good part only its own pictures could be compared, and those are far too alike. How far its patches are from
 * those elsewhere in it is near what other good parts score: both are the same material at another place (measured in
 * docs/methods.md). */
static flaw_status alone(const void *state, const flaw_features *part, double *out, flaw_error *err)
{
    const few_shot *f = state;
    int cells = f->grid * f->grid, around = flaw_patchrows_around(f->grid);
    (void)err;
    for (int i = 0; i < cells; i++) {
        f->map[i] = 0;
        for (int s = 0; s < f->plan.spaces; s++)
            f->map[i] += (1 - flaw_patchrows_elsewhere(f->compute->kernels, part->stage[s], f->grid, f->plan.width[s], i,
                                                       around)) /
                         f->plan.spaces;
    }
    *out = f->grid > 2 * around ? flaw_gridmap_top(f->map, cells, TOP) : NAN;
    return FLAW_OK;
}

static flaw_status save(const void *state, flaw_record *record, flaw_error *err)
{
    const few_shot *f = state;
    flaw_status s = f->text ? flaw_record_put_number(record, "few-shot.usual", f->usual, err) : FLAW_OK;
    return s ? s : flaw_memory_save(&f->memory, record, err);
}

static flaw_status load(void *state, const flaw_record *record, flaw_error *err)
{
    few_shot *f = state;
    flaw_status s = f->text ? flaw_record_number(record, "few-shot.usual", &f->usual, err) : FLAW_OK;
    if (!s && !isfinite(f->usual))
        s = flaw_fail(err, FLAW_BAD_DATA, "the usual text score of the recipe is not finite");
    return s ? s : flaw_memory_load(&f->memory, f->compute, &f->plan, record, err);
}

const flaw_method flaw_method_few_shot = {
    .name = "few-shot",
    .about = "memory bank of good parts, AnomalyGPT's few-shot map (arXiv 2308.15366); needs good parts, no text",
    .paper = "Gu et al. 2024, arXiv 2308.15366",
    .needs_good = true,
    .scores = {.distance = true, .spread = 0.1},
    .wants = wants,
    .open = open_state,
    .learn = learn,
    .score = score,
    .alone = alone,
    .save = save,
    .load = load,
    .close = close_state,
};

const flaw_method flaw_method_few_shot_plus = {
    .name = "few-shot+",
    .about =
        "few-shot and words over what good parts reach; needs good parts and a model with a local head (the default)",
    .paper = "own, on Gu et al. 2024, arXiv 2308.15366",
    .prompts = FLAW_PROMPTS_SENTENCES,
    .needs_good = true,
    .needs_local_head = true,
    .scores = {.distance = true, .spread = 0.1},
    .wants = wants_words,
    .open = open_words,
    .learn = learn,
    .score = score,
    .alone = alone,
    .save = save,
    .load = load,
    .close = close_state,
};
