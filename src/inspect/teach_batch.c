/* How an inspector comes to its memory and its limit from the unlabelled pictures that it is to judge: all are encoded
 * first, the method learns from all, and the limit comes from their own scores. A picture that cannot be read is left
 * out here: judging it will say why. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "detect/batch_limit.h"
#include "inspect/inside.h"

typedef struct batch {
    flaw_inspector *in;
    flaw_features *picture; /* [count] */
    size_t count, left_out;
    flaw_error why; /* of the first one left out */
    flaw_progress progress;
    void *context;
} batch;

static flaw_status encode(batch *b, const char *path, flaw_features *to, flaw_error *err)
{
    flaw_inspector *in = b->in;
    flaw_picture picture = {0}, square = {0};
    flaw_seen seen;
    flaw_status s = flaw_picture_read(&picture, path, err);
    if (!s) s = flaw_prepare_square(&square, &seen, &in->engine->model->shape, in->fit, &picture, err);
    flaw_picture_release(&picture);
    if (!s) s = flaw_features_new(to, in->engine->model, in->encoder.want, err);
    if (!s) s = flaw_encoder_run(&in->encoder, &square, 1, to, err);
    flaw_picture_release(&square);
    if (!s && !to->sound)
        s = flaw_fail(err, FLAW_BAD_DATA, "%s: the numbers computed for this picture are not all finite", path);
    if (s) flaw_features_release(to);
    return s;
}

static flaw_status encode_all(batch *b, const char *const *paths, size_t count, flaw_error *err)
{
    for (size_t i = 0; i < count; i++) {
        flaw_error why = {0};
        flaw_status s = encode(b, paths[i], &b->picture[b->count], &why);
        if (s == FLAW_NO_MEMORY) return flaw_fail(err, s, "%s", why.text);
        if (!s) b->count++;
        else if (!b->left_out++) b->why = why;
        if (b->progress && b->progress(b->context, i + 1, count, "reading the pictures"))
            return flaw_fail(err, FLAW_USAGE, "cancelled after %zu of %zu pictures", i + 1, count);
    }
    return FLAW_OK;
}

static flaw_status learn(batch *b, flaw_error *err)
{
    flaw_inspector *in = b->in;
    const flaw_features **list = calloc(b->count + 1, sizeof(flaw_features *));
    if (!list) return flaw_fail(err, FLAW_NO_MEMORY, "memory for %zu pictures was refused", b->count);
    for (size_t i = 0; i < b->count; i++) list[i] = &b->picture[i];
    flaw_lesson lesson = {.good = list,
                          .count = b->count,
                          .encoder = &in->encoder,
                          .seed = in->options.seed,
                          .progress = b->progress,
                          .context = b->context};
    flaw_error why = {0};
    flaw_status s = in->method->learn(in->state, &lesson, &why);
    free(list);
    if (s && b->left_out)
        return flaw_fail(err, s, "%s (%zu could not be read: %.200s)", why.text, b->left_out, b->why.text);
    return s ? flaw_fail(err, s, "%s", why.text) : FLAW_OK;
}

static int ascending(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

static flaw_status find_limit(batch *b, flaw_error *err)
{
    flaw_inspector *in = b->in;
    size_t cells = (size_t)in->features.grid * (size_t)in->features.grid;
    flaw_sample *sample = calloc(b->count + 1, sizeof *sample);
    if (!sample) return flaw_fail(err, FLAW_NO_MEMORY, "memory for %zu pictures was refused", b->count);
    flaw_status s = FLAW_OK;
    for (size_t i = 0; !s && i < b->count; i++) {
        flaw_score score = {.map = in->map};
        s = in->method->score(in->state, &b->picture[i], &score, err);
        qsort(in->map, cells, sizeof *in->map, ascending);
        sample[i] = (flaw_sample){
            .part = (int)i, .score = score.image, .peak = in->map[cells - 1], .middle = in->map[cells / 2]};
    }
    if (!s) s = flaw_calibrate_batch(&in->calibration, sample, b->count, in->method->deviations(in->state), err);
    free(sample);
    return s;
}

flaw_status flaw_inspector_teach_batch(flaw_inspector *in, const flaw_inspect_options *options, flaw_progress progress,
                                       void *context, flaw_error *err)
{
    if (options->false_alarm_rate > 0)
        return flaw_fail(err, FLAW_USAGE,
                         "a false-alarm rate of %.3g %% cannot be promised by method %s: it has no good parts",
                         100 * options->false_alarm_rate, in->method->name);
    batch b = {.in = in, .progress = progress, .context = context};
    b.picture = calloc(options->good_count + 1, sizeof *b.picture);
    if (!b.picture) return flaw_fail(err, FLAW_NO_MEMORY, "memory for %zu pictures was refused", options->good_count);
    flaw_status s = encode_all(&b, options->good, options->good_count, err);
    if (!s) s = learn(&b, err);
    if (!s) s = find_limit(&b, err);
    for (size_t i = 0; i < b.count; i++) flaw_features_release(&b.picture[i]);
    free(b.picture);
    return s;
}
