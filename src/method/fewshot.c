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
#include <string.h>

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
    const flaw_prompt_set *prompts;
    double usual;  /* few-shot+: text score that the top of a good part reaches, mean over the parts */
    double *other; /* the same with each sentence left out of its set (banned: put in), normal ones first; NULL = not
                      known */
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
    free(f->other);
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
    f->prompts = set;
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

/* Text score that the top of a good part reaches, mean over the parts. */
static double usual_of(few_shot *f, const flaw_prototypes *p, const flaw_lesson *lesson)
{
    int cells = f->grid * f->grid;
    double usual = 0;
    for (size_t i = 0; i < lesson->count; i++) {
        flaw_align_rows(f->map, p, lesson->good[i]->patches, cells, f->compute->kernels);
        usual += flaw_gridmap_top(f->map, cells, TOP) / (double)lesson->count;
    }
    return usual;
}

static flaw_status learn(void *state, const flaw_lesson *lesson, flaw_error *err)
{
    few_shot *f = state;
    f->usual = f->text ? usual_of(f, &f->prototypes, lesson) : 0;
    return flaw_memory_learn(&f->memory, f->compute, &f->plan, lesson->good, lesson->count, err);
}

/* Adds the words' part to the distances in f->map. */
static void add_words(few_shot *f, const flaw_prototypes *p, double usual, const flaw_features *picture)
{
    int cells = f->grid * f->grid;
    flaw_align_rows(f->smooth, p, picture->patches, cells, f->compute->kernels);
    for (int i = 0; i < cells; i++) f->map[i] += TEXT_WEIGHT * fmax(0, f->smooth[i] - usual);
}

/* Distances from the good parts, in f->map. */
static flaw_status measure(few_shot *f, const flaw_features *picture, flaw_error *err)
{
    int cells = f->grid * f->grid;
    for (int i = 0; i < cells; i++) f->map[i] = 0;
    for (int s = 0; s < f->plan.spaces; s++) {
        flaw_status status = flaw_memory_distance(&f->memory, s, picture->stage[s], cells, f->smooth, err);
        if (status) return status;
        for (int i = 0; i < cells; i++) f->map[i] += f->smooth[i] / f->plan.spaces;
    }
    return FLAW_OK;
}

static flaw_status score(void *state, const flaw_features *picture, flaw_score *out, flaw_error *err)
{
    few_shot *f = state;
    int cells = f->grid * f->grid;
    flaw_status s = measure(f, picture, err);
    if (s) return s;
    if (f->text) add_words(f, &f->prototypes, f->usual, picture);
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
            f->map[i] += (1 - flaw_patchrows_elsewhere(f->compute->kernels, part->stage[s], f->grid, f->plan.width[s],
                                                       i, around)) /
                         f->plan.spaces;
    }
    *out = f->grid > 2 * around ? flaw_gridmap_top(f->map, cells, TOP) : NAN;
    return FLAW_OK;
}

static size_t sentences(const flaw_prompt_set *set)
{
    size_t sum = 0;
    for (int c = 0; c < 2; c++) sum += (size_t)set->count[c] + (size_t)set->banned[c];
    return sum;
}

/* Sentence `index` of a side in f->other. */
static size_t place_of(const flaw_prompt_set *set, int side, int index)
{
    return (size_t)index + (side ? (size_t)set->count[0] + (size_t)set->banned[0] : 0);
}

typedef struct rescoring {
    few_shot *f;
    const flaw_features *picture; /* explaining one ... */
    const double *distance;       /* ... whose distances from the good parts are these, [G, G]; or */
    const flaw_lesson *lesson;    /* learning from this */
} rescoring;

static flaw_status rescore_usual(void *context, const float *const text[2], int side, int index, double *usual,
                                 flaw_error *err)
{
    const rescoring *r = context;
    flaw_prototypes p = {.text = {text[0], text[1]}, .width = r->f->prototypes.width, .tau = r->f->prototypes.tau};
    (void)side, (void)index, (void)err;
    *usual = usual_of(r->f, &p, r->lesson);
    return FLAW_OK;
}

/* Another set of sentences would have found something else usual in the good parts, which are gone by then. */
static flaw_status study(few_shot *f, const flaw_lesson *lesson, flaw_error *err)
{
    flaw_reason reason;
    rescoring r = {.f = f, .lesson = lesson};
    flaw_status s = flaw_reason_new(&reason, f->prompts, FLAW_CONTEXT_NONE, err);
    if (s) return s;
    s = flaw_reason_rescore(&reason, f->prompts, rescore_usual, &r, err);
    free(f->other);
    f->other = s ? NULL : calloc(sentences(f->prompts), sizeof *f->other);
    if (!s && !f->other) s = flaw_fail(err, FLAW_NO_MEMORY, "few-shot+: memory was refused");
    for (int c = 0; !s && c < 2; c++)
        memcpy(f->other + place_of(f->prompts, c, 0), reason.other[c],
               (size_t)(f->prompts->count[c] + f->prompts->banned[c]) * sizeof *f->other);
    flaw_reason_release(&reason);
    return s;
}

static flaw_status learn_words(void *state, const flaw_lesson *lesson, flaw_error *err)
{
    flaw_status s = learn(state, lesson, err);
    return s || lesson->trial ? s : study(state, lesson, err);
}

static flaw_status rescore(void *context, const float *const text[2], int side, int index, double *image,
                           flaw_error *err)
{
    const rescoring *r = context;
    few_shot *f = r->f;
    int cells = f->grid * f->grid;
    flaw_prototypes p = {.text = {text[0], text[1]}, .width = f->prototypes.width, .tau = f->prototypes.tau};
    (void)err;
    *image = NAN;
    if (!f->other) return FLAW_OK;
    memcpy(f->map, r->distance, (size_t)cells * sizeof *f->map);
    add_words(f, &p, f->other[place_of(f->prompts, side, index)], r->picture);
    *image = flaw_gridmap_top(f->map, cells, TOP);
    return FLAW_OK;
}

/* The sentences met the patches that make the score. */
static flaw_status explain(void *state, const flaw_features *picture, flaw_reason *out, flaw_error *err)
{
    few_shot *f = state;
    size_t cells = (size_t)f->grid * (size_t)f->grid, width = (size_t)f->prototypes.width;
    int cell[TOP], top = TOP;
    double share = 1.0 / f->prototypes.tau;
    double *distance = calloc(cells, sizeof *distance);
    float *row = calloc(width, sizeof *row);
    rescoring r = {.f = f, .picture = picture, .distance = distance};
    flaw_status s = distance && row ? FLAW_OK : flaw_fail(err, FLAW_NO_MEMORY, "few-shot+: memory was refused");
    if (!s) s = measure(f, picture, err);
    if (!s) {
        memcpy(distance, f->map, cells * sizeof *distance);
        add_words(f, &f->prototypes, f->usual, picture);
        flaw_gridmap_top_cells(cell, &top, f->map, (int)cells);
        flaw_gridmap_mean_row(row, picture->patches, width, cell, top);
        out->rule = FLAW_CONTEXT_NONE;
        flaw_reason_weigh(out, f->prompts, row, f->compute->kernels);
        flaw_reason_pull(out, f->prompts, &(flaw_view){row, {share, share}}, 1, f->compute->kernels);
        s = flaw_reason_rescore(out, f->prompts, rescore, &r, err);
    }
    free(row);
    free(distance);
    return s;
}

/* Doubles as two floats: what is left out of the first is in the second. */
static flaw_status save_other(const few_shot *f, flaw_record *record, flaw_error *err)
{
    size_t n = sentences(f->prompts);
    float *table = calloc(n, 2 * sizeof *table);
    if (!table) return flaw_fail(err, FLAW_NO_MEMORY, "few-shot+: memory was refused");
    for (size_t i = 0; i < n; i++) {
        double value = isfinite(f->other[i]) ? f->other[i] : -1; /* text scores lie in 0 .. 1; -1: no such set */
        table[2 * i] = (float)value;
        table[2 * i + 1] = (float)(value - table[2 * i]);
    }
    flaw_status s = flaw_record_put_table(record, "few-shot.usual.other", table, n, 2, err);
    free(table);
    return s;
}

/* Recipes of old have none. */
static flaw_status load_other(few_shot *f, const flaw_record *record, flaw_error *err)
{
    const float *table;
    size_t rows;
    if (!flaw_record_find(record, "few-shot.usual.other")) return FLAW_OK;
    flaw_status s = flaw_record_table(record, "few-shot.usual.other", 2, &table, &rows, err);
    if (s) return s;
    if (rows != sentences(f->prompts))
        return flaw_fail(err, FLAW_BAD_DATA, "the recipe has %zu sentences and %zu usual text scores without them",
                         sentences(f->prompts), rows);
    f->other = calloc(rows, sizeof *f->other);
    if (!f->other) return flaw_fail(err, FLAW_NO_MEMORY, "few-shot+: memory was refused");
    for (size_t i = 0; i < rows; i++)
        f->other[i] = table[2 * i] < 0 ? NAN : (double)table[2 * i] + (double)table[2 * i + 1];
    return FLAW_OK;
}

static flaw_status save(const void *state, flaw_record *record, flaw_error *err)
{
    const few_shot *f = state;
    flaw_status s = f->text ? flaw_record_put_number(record, "few-shot.usual", f->usual, err) : FLAW_OK;
    if (!s && f->other) s = save_other(f, record, err);
    return s ? s : flaw_memory_save(&f->memory, record, err);
}

static flaw_status load(void *state, const flaw_record *record, flaw_error *err)
{
    few_shot *f = state;
    flaw_status s = f->text ? flaw_record_number(record, "few-shot.usual", &f->usual, err) : FLAW_OK;
    if (!s && !isfinite(f->usual))
        s = flaw_fail(err, FLAW_BAD_DATA, "the usual text score of the recipe is not finite");
    if (!s && f->text) s = load_other(f, record, err);
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
    .learn = learn_words,
    .score = score,
    .alone = alone,
    .explain = explain,
    .save = save,
    .load = load,
    .close = close_state,
};
