/* AnomalyGPT's two maps (arXiv 2308.15366), without its language model.
 *
 * anomalygpt: by words, through the trained decoder (equation 1 and its code; method/stagemap.h). The decoder is that
 * of the weights named (--weights), else of the model; the embedded model's is its voice's. Score: the map's largest
 * value.
 *
 * anomalygpt+: by comparison with good parts, which in the paper takes the place of the map by words (equation 2 and
 * its code): 1 - the largest cosine of a patch with those of the good parts, mean over all four stages, score: the
 * largest. It needs no training, so it runs on any image tower. What few-shot does otherwise (the last stage left out,
 * the mean of three patches as the score, a smoothed map) it does not. */
#include <math.h>
#include <stdlib.h>

#include "method/gridmap.h"
#include "method/memory.h"
#include "method/stagemap.h"

/* The score is the largest pixel of the published map; a patch between pixels may lie a little over it. */
static void keep_under(flaw_score *out, double peak, int cells)
{
    out->image = peak;
    for (int i = 0; i < cells; i++)
        if ((double)out->map[i] > peak) out->map[i] = (float)peak;
}

/* ---- by words ---- */

typedef struct by_words {
    flaw_stagemap map;
    double *cells; /* [G, G] */
} by_words;

static int wants_words(const flaw_method_setup *setup)
{
    (void)setup;
    return FLAW_STAGEMAP_WANTS;
}

static void close_words(void *state)
{
    by_words *w = state;
    if (!w) return;
    flaw_stagemap_close(&w->map);
    free(w->cells);
    free(w);
}

static flaw_status open_words(void **state, const flaw_method_setup *setup, flaw_error *err)
{
    const char *weights = setup->options->weights;
    size_t cells = (size_t)flaw_clip_patches(&setup->model->shape);
    by_words *w = calloc(1, sizeof *w);
    if (w) w->cells = calloc(cells, sizeof *w->cells);
    flaw_status s = w && w->cells ? FLAW_OK : flaw_fail(err, FLAW_NO_MEMORY, "anomalygpt: memory was refused");
    if (!s) s = flaw_stagemap_open(&w->map, setup, weights && *weights ? weights : setup->path, err);
    if (s) {
        close_words(w);
        return s;
    }
    *state = w;
    return FLAW_OK;
}

static double limit_of_words(const void *state)
{
    const by_words *w = state;
    return w->map.decoder ? (double)w->map.decoder->shape.limit : 0;
}

static flaw_status learn_nothing(void *state, const flaw_lesson *lesson, flaw_error *err)
{
    (void)state;
    (void)lesson;
    (void)err;
    return FLAW_OK;
}

static flaw_status score_words(void *state, const flaw_features *picture, flaw_score *out, flaw_error *err)
{
    by_words *w = state;
    flaw_status s = flaw_stagemap_make(&w->map, picture, w->cells, &out->image, err);
    if (s) return s;
    flaw_gridmap_store(out->map, w->cells, picture->grid * picture->grid);
    keep_under(out, out->image, picture->grid * picture->grid);
    out->closest = NULL;
    return FLAW_OK;
}

static flaw_status save_words(const void *state, flaw_record *record, flaw_error *err)
{
    return flaw_stagemap_save(&((const by_words *)state)->map, record, err);
}

static flaw_status load_words(void *state, const flaw_record *record, flaw_error *err)
{
    return flaw_stagemap_load(&((by_words *)state)->map, record, err);
}

/* ---- by comparison ---- */

typedef struct by_parts {
    flaw_memory memory;
    flaw_memory_plan plan;
    flaw_compute *compute;
    int grid, side;
    double *map, *stage; /* [G, G] */
    float *whole;        /* [S, S] */
} by_parts;

static const float *stage_rows(const flaw_features *f, int space)
{
    return f->stage[space];
}

static int wants_parts(const flaw_method_setup *setup)
{
    (void)setup;
    return FLAW_WANT_STAGES | FLAW_WANT_LAST;
}

static void close_parts(void *state)
{
    by_parts *p = state;
    if (!p) return;
    flaw_memory_close(&p->memory);
    free(p->map);
    free(p->whole);
    free(p);
}

static flaw_status open_parts(void **state, const flaw_method_setup *setup, flaw_error *err)
{
    const flaw_clip_shape *shape = &setup->model->shape;
    int cells = flaw_clip_patches(shape), limit = setup->options->bank_limit;
    by_parts *p = calloc(1, sizeof *p);
    if (p) p->map = calloc(2 * (size_t)cells, sizeof *p->map);
    if (p) p->whole = calloc((size_t)shape->side * (size_t)shape->side, sizeof *p->whole);
    if (!p || !p->map || !p->whole) {
        close_parts(p);
        return flaw_fail(err, FLAW_NO_MEMORY, "anomalygpt+: memory was refused");
    }
    p->stage = p->map + cells;
    p->compute = setup->compute;
    p->grid = shape->grid;
    p->side = shape->side;
    p->plan = (flaw_memory_plan){.spaces = FLAW_STAGES,
                                 .joined = FLAW_STAGES,
                                 .table = stage_rows,
                                 .limit = limit > 0 ? (size_t)limit : FLAW_MEMORY_LIMIT,
                                 .seed = setup->options->seed};
    for (int s = 0; s < FLAW_STAGES; s++) {
        p->plan.rows[s] = cells;
        p->plan.width[s] = shape->image.width;
    }
    *state = p;
    return FLAW_OK;
}

static flaw_status learn_parts(void *state, const flaw_lesson *lesson, flaw_error *err)
{
    by_parts *p = state;
    return flaw_memory_learn(&p->memory, p->compute, &p->plan, lesson->good, lesson->count, err);
}

static flaw_status score_parts(void *state, const flaw_features *picture, flaw_score *out, flaw_error *err)
{
    by_parts *p = state;
    int cells = p->grid * p->grid;
    for (int i = 0; i < cells; i++) p->map[i] = 0;
    for (int s = 0; s < FLAW_STAGES; s++) {
        flaw_status status = flaw_memory_distance(&p->memory, s, picture->stage[s], cells, p->stage, err);
        if (status) return status;
        for (int i = 0; i < cells; i++) p->map[i] += p->stage[i] / FLAW_STAGES;
    }
    flaw_gridmap_store(out->map, p->map, cells);
    flaw_upsample_corners(p->grid, p->side, out->map, p->whole);
    double peak = (double)p->whole[0];
    for (int i = 1; i < p->side * p->side; i++) peak = fmax(peak, (double)p->whole[i]);
    keep_under(out, peak, cells);
    out->closest = NULL;
    return FLAW_OK;
}

static flaw_status save_parts(const void *state, flaw_record *record, flaw_error *err)
{
    return flaw_memory_save(&((const by_parts *)state)->memory, record, err);
}

static flaw_status load_parts(void *state, const flaw_record *record, flaw_error *err)
{
    by_parts *p = state;
    return flaw_memory_load(&p->memory, p->compute, &p->plan, record, err);
}

const flaw_method flaw_method_anomalygpt = {
    .name = "anomalygpt",
    .about = "AnomalyGPT's map by words (arXiv 2308.15366): its trained decoder; needs a text tower and a decoder "
             "(embedded, of the model, or --weights), no good parts",
    .paper = "Gu et al. 2024, arXiv 2308.15366",
    .needs_text = true,
    .needs_weights = true,
    .wants = wants_words,
    .open = open_words,
    .limit = limit_of_words,
    .learn = learn_nothing,
    .score = score_words,
    .save = save_words,
    .load = load_words,
    .close = close_words,
};

const flaw_method flaw_method_anomalygpt_plus = {
    .name = "anomalygpt+",
    .about =
        "AnomalyGPT's comparison map (arXiv 2308.15366): distance to good parts at all four stages; needs good parts",
    .paper = "Gu et al. 2024, arXiv 2308.15366",
    .needs_good = true,
    .scores = {.distance = true, .spread = 0.1},
    .wants = wants_parts,
    .open = open_parts,
    .learn = learn_parts,
    .score = score_parts,
    .save = save_parts,
    .load = load_parts,
    .close = close_parts,
};
