/* APRIL-GAN (Chen et al. 2023, arXiv 2305.17382; winner of the zero-shot track of VAND 2023), and with good parts
 * APRIL-GAN+. Its linear layers are trained on auxiliary data (flaw train april-gan), published checkpoints are read
 * too.
 *
 *   map     per stage: tokens -> linear -> unit length; softmax of 100 x the cosines with "normal" and "abnormal";
 * published as the sum of the stages, here their mean. APRIL-GAN+ adds 1 - the largest cosine of the raw tokens with
 * those of the good parts, again the mean of the stages. image   softmax of 100 x the cosines of the picture's
 * embedding with the two texts. APRIL-GAN+: half of that, half of the largest value of the joint map. (Published code
 * first stretches these maxima to 0 .. 1 over the whole test set, which nobody has who judges one picture.)
 *
 * Texts: 7 and 5 states, as published, in two sentences each where published are 35 (model/voice/anomalygpt_text.c). */
#include <math.h>
#include <stdlib.h>

#include "detect/align.h"
#include "method/gridmap.h"
#include "method/memory.h"
#include "method/stagemap.h"
#include "model/bundle/embedded.h"

#define SCALE 100.0 /* of the picture's logits */

typedef struct april {
    flaw_stagemap words;
    flaw_memory memory; /* APRIL-GAN+ only */
    flaw_memory_plan plan;
    flaw_compute *compute;
    bool plus;
    int grid;
    double *map, *stage; /* [G, G] */
} april;

static const float *stage_rows(const flaw_features *f, int space)
{
    return f->stage[space];
}

static int wants(const flaw_method_setup *setup)
{
    (void)setup;
    return FLAW_STAGEMAP_WANTS | FLAW_WANT_CLS;
}

static void close_state(void *state)
{
    april *a = state;
    if (!a) return;
    flaw_stagemap_close(&a->words);
    flaw_memory_close(&a->memory);
    free(a->map);
    free(a);
}

/* The linears named, else those inside, which were trained on the embedded towers. */
static flaw_status open_words(april *a, const flaw_method_setup *setup, flaw_error *err)
{
    const char *weights = setup->options->weights;
    size_t inside = (size_t)(flaw_embedded_april_end - flaw_embedded_april);
    flaw_voice *decoder = NULL;
    if (setup->recipe || (weights && *weights)) return flaw_stagemap_open(&a->words, setup, weights, err);
    if (!inside || setup->path)
        return flaw_fail(
            err, FLAW_USAGE,
            "april-gan needs linear layers trained on this model: name a file of them (--weights), published or "
            "made by flaw train april-gan");
    flaw_status s =
        flaw_decoder_parse(&decoder, flaw_embedded_april, inside, "embedded april-gan", &setup->model->shape, err);
    return s ? s : flaw_stagemap_open_with(&a->words, setup, decoder, err);
}

static flaw_status open_any(void **state, const flaw_method_setup *setup, bool plus, flaw_error *err)
{
    const flaw_clip_shape *shape = &setup->model->shape;
    int cells = flaw_clip_patches(shape), limit = setup->options->bank_limit;
    april *a = calloc(1, sizeof *a);
    if (a) a->map = calloc(2 * (size_t)cells, sizeof *a->map);
    flaw_status s = a && a->map ? FLAW_OK : flaw_fail(err, FLAW_NO_MEMORY, "april-gan: memory was refused");
    if (!s) s = open_words(a, setup, err);
    if (s) {
        close_state(a);
        return s;
    }
    a->stage = a->map + cells;
    a->compute = setup->compute;
    a->plus = plus;
    a->grid = shape->grid;
    a->plan = (flaw_memory_plan){.spaces = FLAW_STAGES,
                                 .joined = FLAW_STAGES,
                                 .table = stage_rows,
                                 .limit = limit > 0 ? (size_t)limit : FLAW_MEMORY_LIMIT,
                                 .seed = setup->options->seed};
    for (int i = 0; i < FLAW_STAGES; i++) {
        a->plan.rows[i] = cells;
        a->plan.width[i] = shape->image.width;
    }
    *state = a;
    return FLAW_OK;
}

static flaw_status open_zero(void **state, const flaw_method_setup *setup, flaw_error *err)
{
    return open_any(state, setup, false, err);
}

static flaw_status open_plus(void **state, const flaw_method_setup *setup, flaw_error *err)
{
    return open_any(state, setup, true, err);
}

static flaw_status learn(void *state, const flaw_lesson *lesson, flaw_error *err)
{
    april *a = state;
    return a->plus ? flaw_memory_learn(&a->memory, a->compute, &a->plan, lesson->good, lesson->count, err) : FLAW_OK;
}

static flaw_status add_distances(april *a, const flaw_features *picture, flaw_error *err)
{
    int cells = a->grid * a->grid;
    for (int s = 0; s < FLAW_STAGES; s++) {
        flaw_status status = flaw_memory_distance(&a->memory, s, picture->stage[s], cells, a->stage, err);
        if (status) return status;
        for (int i = 0; i < cells; i++) a->map[i] += a->stage[i] / FLAW_STAGES;
    }
    return FLAW_OK;
}

static flaw_status score(void *state, const flaw_features *picture, flaw_score *out, flaw_error *err)
{
    april *a = state;
    double largest;
    int cells = a->grid * a->grid, joint = picture->joint;
    const flaw_prototypes p = {.text = {a->words.text, a->words.text + joint}, .width = joint, .tau = 1 / SCALE};
    flaw_status s = flaw_stagemap_make(&a->words, picture, a->map, &largest, err);
    if (s) return s;
    flaw_align_rows(&out->image, &p, picture->cls, 1, a->compute->kernels);
    if (a->plus) {
        s = add_distances(a, picture, err);
        out->image = (out->image + flaw_gridmap_peak(a->map, cells)) / 2;
    }
    flaw_gridmap_store(out->map, a->map, cells);
    out->closest = NULL;
    return s;
}

static flaw_status save(const void *state, flaw_record *record, flaw_error *err)
{
    const april *a = state;
    flaw_status s = flaw_stagemap_save(&a->words, record, err);
    return s || !a->plus ? s : flaw_memory_save(&a->memory, record, err);
}

static flaw_status load(void *state, const flaw_record *record, flaw_error *err)
{
    april *a = state;
    flaw_status s = flaw_stagemap_load(&a->words, record, err);
    return s || !a->plus ? s : flaw_memory_load(&a->memory, a->compute, &a->plan, record, err);
}

const flaw_method flaw_method_april_gan = {
    .name = "april-gan",
    .about = "APRIL-GAN: linear layers trained on auxiliary data bring patches to words; needs a text tower and those "
             "layers (inside for the embedded model, else --weights)",
    .paper = "Chen, Han and Zhang 2023, arXiv 2305.17382",
    .needs_text = true,
    .needs_weights = true,
    .wants = wants,
    .open = open_zero,
    .learn = learn,
    .score = score,
    .save = save,
    .load = load,
    .close = close_state,
};

const flaw_method flaw_method_april_gan_plus = {
    .name = "april-gan+",
    .about = "APRIL-GAN with a memory of good parts at all four stages; needs both",
    .paper = "Chen, Han and Zhang 2023, arXiv 2305.17382",
    .needs_text = true,
    .needs_weights = true,
    .needs_good = true,
    .scores = {.spread = 0.02},
    .wants = wants,
    .open = open_plus,
    .learn = learn,
    .score = score,
    .save = save,
    .load = load,
    .close = close_state,
};
