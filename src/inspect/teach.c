/* How an inspector comes to its memory and its limits: good parts are encoded, each is scored against a memory of the
 * others (folds where there are many), so are mild changes of it; then the memory is made of all. A method that learns
 * nothing from good parts is calibrated by what it says about them. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "detect/augment.h"
#include "detect/conformal.h"
#include "inspect/inside.h"

enum {
    BATCH = 4,           /* pictures encoded at a time */
    MOST_FOLDS = 16,     /* memories built while calibrating, unless the method says fewer */
    CHANGES = 3,         /* mild changes of each part ... */
    CHANGES_OF_ONE = 8,  /* ... of one alone ... */
    CHANGES_OF_MANY = 1, /* ... and of each where there are more than MANY */
    MANY = 20,
};

typedef struct lesson {
    flaw_inspector *in;
    size_t count;
    flaw_picture *square; /* [count] prepared good parts */
    flaw_features *good;  /* [count] */
    flaw_features *turned; /* [count, turns] */
    int turns;             /* turned copies of each part that the method learns from */
    flaw_sample *sample;  /* scores of parts and changes */
    size_t samples;
    int folds, changes; /* changes of each part */
    flaw_random random;
    flaw_progress progress;
    void *context;
    size_t done, total;
} lesson;

static flaw_status step(lesson *l, const char *what, flaw_error *err)
{
    l->done++;
    if (l->progress && l->progress(l->context, l->done, l->total, what))
        return flaw_fail(err, FLAW_USAGE, "cancelled after %zu of %zu steps", l->done, l->total);
    return FLAW_OK;
}

static flaw_status open_lesson(lesson *l, flaw_error *err)
{
    int most = l->in->method->folds > 0 ? l->in->method->folds : MOST_FOLDS;
    l->folds = l->count < (size_t)most ? (int)l->count : most;
    l->changes = l->count == 1 ? CHANGES_OF_ONE : l->count > MANY ? CHANGES_OF_MANY : CHANGES;
    flaw_method_setup setup = flaw_inspector_setup(l->in);
    l->turns = l->in->method->turns ? l->in->method->turns(&setup) : 0;
    l->total = l->count * (size_t)(2 + l->changes + l->turns);
    l->turned = calloc(l->count * (size_t)l->turns + 1, sizeof *l->turned);
    l->square = calloc(l->count, sizeof *l->square);
    l->good = calloc(l->count, sizeof *l->good);
    l->sample = calloc(l->count * (size_t)(1 + l->changes), sizeof *l->sample);
    if (l->square && l->good && l->turned && l->sample) return FLAW_OK;
    return flaw_fail(err, FLAW_NO_MEMORY, "memory for %zu good parts was refused", l->count);
}

static void close_lesson(lesson *l)
{
    for (size_t i = 0; i < l->count; i++) {
        if (l->square) flaw_picture_release(&l->square[i]);
        if (l->good) flaw_features_release(&l->good[i]);
    }
    for (size_t i = 0; l->turned && i < l->count * (size_t)l->turns; i++) flaw_features_release(&l->turned[i]);
    free(l->turned);
    free(l->square);
    free(l->good);
    free(l->sample);
}

static flaw_status read_good(lesson *l, const char *const *paths, flaw_error *err)
{
    const flaw_clip *model = l->in->engine->model;
    for (size_t i = 0; i < l->count; i++) {
        flaw_picture picture = {0};
        flaw_seen seen;
        flaw_status s = flaw_picture_read(&picture, paths[i], err);
        if (!s) s = flaw_prepare_square(&l->square[i], &seen, &model->shape, l->in->fit, &picture, err);
        flaw_picture_release(&picture);
        if (!s) s = flaw_features_new(&l->good[i], model, l->in->encoder.want, err);
        if (!s) s = step(l, "reading good parts", err);
        if (s) return s;
    }
    return FLAW_OK;
}

static flaw_status encode_good(lesson *l, const char *const *paths, flaw_error *err)
{
    flaw_encoder encoder;
    int batch = l->count < BATCH ? (int)l->count : BATCH;
    flaw_status s = flaw_encoder_open(&encoder, l->in->engine->model, &l->in->compute, l->in->encoder.want, batch, err);
    if (s) return s;
    for (size_t from = 0; !s && from < l->count; from += (size_t)batch) {
        size_t left = l->count - from, n = left < (size_t)batch ? left : (size_t)batch;
        s = flaw_encoder_run(&encoder, l->square + from, (int)n, l->good + from, err);
    }
    flaw_encoder_close(&encoder);
    for (size_t i = 0; !s && i < l->count; i++)
        if (!l->good[i].sound)
            s = flaw_fail(err, FLAW_BAD_DATA, "%s: the numbers computed for this good part are not all finite",
                          paths[i]);
    return s;
}

/* The turned copies are encoded once for all folds. */
static flaw_status encode_turned(lesson *l, flaw_error *err)
{
    flaw_inspector *in = l->in;
    flaw_status s = FLAW_OK;
    for (size_t i = 0; !s && i < l->count * (size_t)l->turns; i++) {
        int turn = (int)(i % (size_t)l->turns) + 1;
        flaw_picture picture = {0};
        s = flaw_augment_turn(&picture, &l->square[i / (size_t)l->turns], 360.0 * turn / (l->turns + 1), err);
        if (!s) s = flaw_features_new(&l->turned[i], in->engine->model, in->encoder.want, err);
        if (!s) s = flaw_encoder_run(&in->encoder, &picture, 1, &l->turned[i], err);
        flaw_picture_release(&picture);
        if (!s && !l->turned[i].sound)
            s = flaw_fail(err, FLAW_BAD_DATA, "the numbers computed for a turned good part are not all finite");
        if (!s) s = step(l, "turning good parts", err);
    }
    return s;
}

static int ascending(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

/* One sample: score, peak and middle of the map. */
static flaw_status take_sample(lesson *l, void *state, const flaw_features *features, size_t part, bool changed,
                               flaw_error *err)
{
    flaw_inspector *in = l->in;
    size_t cells = (size_t)features->cells * (size_t)features->cells;
    flaw_score score = {.map = in->map};
    flaw_status s = in->method->score(state, features, &score, err);
    if (s) return s;
    qsort(in->map, cells, sizeof *in->map, ascending);
    l->sample[l->samples++] = (flaw_sample){.part = (int)part,
                                            .score = score.image,
                                            .peak = in->map[cells - 1],
                                            .middle = in->map[cells / 2],
                                            .changed = changed};
    return step(l, "calibrating", err);
}

/* Part i and its mild changes against a state that has not learnt it. */
static flaw_status sample_part(lesson *l, void *state, size_t i, flaw_error *err)
{
    flaw_status s = take_sample(l, state, &l->good[i], i, false, err);
    for (int c = 0; !s && c < l->changes; c++) {
        flaw_picture changed = {0};
        s = flaw_augment_mildly(&changed, &l->square[i], &l->random, err);
        if (!s) s = flaw_encoder_run(&l->in->encoder, &changed, 1, &l->in->features, err);
        flaw_picture_release(&changed);
        if (!s) s = take_sample(l, state, &l->in->features, i, true, err);
    }
    return s;
}

/* `state` learns all parts but those of `fold`; all of them for fold -1. */
static flaw_status learn_without(lesson *l, void *state, int fold, flaw_error *err)
{
    flaw_inspector *in = l->in;
    const flaw_features **good = calloc(l->count, sizeof(flaw_features *));
    const flaw_picture **square = calloc(l->count, sizeof(flaw_picture *));
    const flaw_features **turned = calloc(l->count * (size_t)l->turns + 1, sizeof(flaw_features *));
    flaw_lesson taught = {.good = good,
                          .square = square,
                          .turned = turned,
                          .turns = l->turns,
                          .encoder = &in->encoder,
                          .trial = state != in->state,
                          .seed = in->options.seed,
                          .progress = l->progress,
                          .context = l->context};
    flaw_status s = FLAW_OK;
    if (!good || !square || !turned)
        s = flaw_fail(err, FLAW_NO_MEMORY, "memory for %zu good parts was refused", l->count);
    for (size_t i = 0; !s && i < l->count; i++) {
        if (fold >= 0 && (int)(i % (size_t)l->folds) == fold) continue;
        size_t copies = (size_t)l->turns;
        for (size_t t = 0; t < copies; t++) turned[taught.count * copies + t] = &l->turned[i * copies + t];
        good[taught.count] = &l->good[i];
        square[taught.count++] = &l->square[i];
    }
    if (!s) s = in->method->learn(state, &taught, err);
    free(good);
    free(square);
    free(turned);
    return s;
}

/* A fresh state that has learnt all parts but those of `fold` (with one part: that part), and the samples of the fold.
 */
static flaw_status sample_fold(lesson *l, int fold, flaw_error *err)
{
    flaw_inspector *in = l->in;
    flaw_method_setup setup = flaw_inspector_setup(in);
    void *state = NULL;
    flaw_status s = in->method->open(&state, &setup, err);
    if (!s) s = learn_without(l, state, l->count == 1 ? -1 : fold, err);
    for (size_t i = (size_t)fold; !s && i < l->count; i += (size_t)l->folds) s = sample_part(l, state, i, err);
    if (state) in->method->close(state);
    return s;
}

static flaw_status teach(lesson *l, const flaw_inspect_options *options, flaw_error *err)
{
    flaw_inspector *in = l->in;
    flaw_random_init(&l->random, options->seed, 0x6368616e);
    flaw_status s = open_lesson(l, err);
    if (!s) s = read_good(l, options->good, err);
    if (!s) s = encode_good(l, options->good, err);
    if (!s) s = encode_turned(l, err);
    if (in->method->needs_good) {
        for (int fold = 0; !s && fold < l->folds; fold++) s = sample_fold(l, fold, err);
        if (!s) s = learn_without(l, in->state, -1, err);
    } else {
        l->changes = 0;
        for (size_t i = 0; !s && i < l->count; i++) s = sample_part(l, in->state, i, err);
    }
    flaw_scores_kind kind = in->method->scores;
    kind.missing = (double)l->count / l->folds;
    kind.alone = NAN;
    if (!s && l->count == 1 && in->method->alone) s = in->method->alone(in->state, &l->good[0], &kind.alone, err);
    if (s) return s;
    return flaw_calibrate(&in->calibration, l->sample, l->samples, (int)l->count, options->false_alarm_rate, &kind,
                          err);
}

flaw_status flaw_inspector_teach(flaw_inspector *in, const flaw_inspect_options *options, flaw_progress progress,
                                 void *context, flaw_error *err)
{
    lesson l = {.in = in, .count = options->good_count, .progress = progress, .context = context};
    flaw_status s = FLAW_OK;
    if (in->method->needs_batch) {
        s = flaw_inspector_teach_batch(in, options, progress, context, err);
    } else if (options->false_alarm_rate > 0 && !l.count) {
        s = flaw_fail(err, FLAW_USAGE, "a false-alarm rate of %.3g %% needs at least %.0f good parts, given are none",
                      100 * options->false_alarm_rate, flaw_conformal_parts(options->false_alarm_rate));
    } else if (in->method->needs_batch) {
        s = flaw_inspector_teach_batch(in, options, progress, context, err);
    } else if (in->method->needs_good || l.count > 1 || options->false_alarm_rate > 0) {
        s = teach(&l, options, err);
        close_lesson(&l);
    } else {
        flaw_calibrate_text(&in->calibration);
        if (in->method->limit) flaw_calibrate_model(&in->calibration, in->method->limit(in->state));
    }
    return s || isnan(options->threshold) ? s : flaw_inspector_set_threshold(in, options->threshold, err);
}

flaw_status flaw_inspector_set_threshold(flaw_inspector *in, double threshold, flaw_error *err)
{
    if (!isfinite(threshold))
        return flaw_fail(err, FLAW_USAGE, "a threshold of %g is not allowed, allowed are finite numbers", threshold);
    flaw_calibrate_user(&in->calibration, threshold, &in->method->scores);
    return FLAW_OK;
}
