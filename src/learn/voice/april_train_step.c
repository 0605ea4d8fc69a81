/* A step: pictures, maps of the stages, focal and dice against the masks, the update. Focal and dice are summed over
 * the stages, as published; so are the figures' maps, as a mean. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "flaw/metrics.h"
#include "learn/voice/april_train.h"
#include "learn/voice/voice_loss.h"

enum { STREAM_PICTURE = 9, GROUP = 8, STRIDE = 8 };
#define EVALUATION_SEED 777000ULL

static size_t area_of(const flaw_april_trainer *t)
{
    return (size_t)t->decoder->shape.side * (size_t)t->decoder->shape.side;
}

static void make_maps(flaw_april_trainer *t, const flaw_voice_entry *e, const flaw_sight *sight)
{
    const float *stage[FLAW_STAGES];
    flaw_sight_decoder(sight, &t->decoder->shape, stage);
    flaw_decoder_map(&t->compute, t->decoder, stage, e->text, t->stage_maps, t->map, t->work);
}

static void learn_picture(flaw_april_trainer *t, const flaw_voice_entry *e, bool defective)
{
    const float *stage[FLAW_STAGES];
    const flaw_sight *sight = defective ? &e->defective : &e->normal;
    const flaw_april_train_options *o = t->options;
    float weight = 1.0f / (float)o->batch;
    flaw_stage_losses loss;
    make_maps(t, e, sight);
    memset(t->d_stage_maps, 0, FLAW_STAGES * area_of(t) * sizeof(float));
    flaw_map_stage_losses(&loss, t->compute.pool, area_of(t), t->stage_maps, defective ? e->mask : t->nothing,
                          weight * o->focal, weight * o->dice, t->d_stage_maps);
    for (int k = 0; k < FLAW_STAGES; k++) {
        t->values.focal += loss.focal[k];
        t->values.dice += loss.dice[k];
    }
    flaw_sight_decoder(sight, &t->decoder->shape, stage);
    flaw_decoder_backward(&t->compute, t->decoder, stage, e->text, t->d_stage_maps, &t->grad_view, t->work);
}

float flaw_april_rate(const flaw_april_train_options *o, int64_t step)
{
    const flaw_schedule s = {.peak = o->rate, .floor = o->rate * 0.01f, .warmup = o->warmup, .steps = o->steps};
    return flaw_schedule_rate(&s, step);
}

/* All subjects of a step lie in one stretch of `window` numbers, which moves on by `fresh` a sample. */
static void choose(const flaw_april_trainer *t, uint64_t *number, bool *defective)
{
    const flaw_april_train_options *o = t->options;
    uint64_t first = (uint64_t)t->step * (uint64_t)o->batch, newest = (uint64_t)((double)first * o->fresh);
    for (int i = 0; i < o->batch; i++) {
        flaw_random random;
        flaw_random_init(&random, o->seed * 16 + STREAM_PICTURE, first + (uint64_t)i);
        number[i] = newest + (uint64_t)flaw_random_below(&random, o->window);
        defective[i] = flaw_random_uniform(&random) < 0.5;
    }
}

flaw_status flaw_april_step(flaw_april_trainer *t, flaw_error *err)
{
    const flaw_april_train_options *o = t->options;
    flaw_april_values *v = &t->values;
    double start = flaw_run_seconds();
    uint64_t *number = calloc((size_t)o->batch, sizeof *number);
    bool *defective = calloc((size_t)o->batch, sizeof *defective);
    flaw_status s = FLAW_OK;
    if (!number || !defective) s = flaw_fail(err, FLAW_NO_MEMORY, "no memory for the plan of a batch");
    if (!s) {
        choose(t, number, defective);
        s = flaw_voice_data_need(&t->data, number, o->batch, err);
    }
    v->data_seconds += flaw_run_seconds() - start;
    for (int i = 0; i < o->batch && !s; i++) learn_picture(t, flaw_voice_data_entry(&t->data, number[i]), defective[i]);
    free(number);
    free(defective);
    if (s) return s;
    float rate = flaw_april_rate(o, t->step);
    t->step++;
    v->norm += flaw_optimiser_step(&t->compute, &t->optimiser, &t->moments, rate, t->step);
    double seconds = flaw_run_seconds() - start;
    v->seconds += seconds;
    v->all_seconds += seconds;
    v->steps++;
    v->all_steps++;
    if (!isfinite(v->focal + v->dice))
        return flaw_fail(err, FLAW_INTERNAL, "step %lld: the loss is not finite", (long long)t->step);
    return FLAW_OK;
}

/* ---- figures ---- */

typedef struct tally {
    float *score, *pixel;
    uint8_t *label, *inside;
    size_t pictures, pixels;
} tally;

static void judge(tally *y, flaw_april_trainer *t, const flaw_voice_entry *e, bool defective)
{
    size_t side = (size_t)t->decoder->shape.side;
    make_maps(t, e, defective ? &e->defective : &e->normal);
    float top = 0;
    for (size_t i = 0; i < side * side; i++) top = fmaxf(top, t->map[i]);
    y->score[y->pictures] = top;
    y->label[y->pictures++] = defective;
    for (size_t row = STRIDE / 2; row < side; row += STRIDE)
        for (size_t column = STRIDE / 2; column < side; column += STRIDE) {
            y->pixel[y->pixels] = t->map[row * side + column];
            y->inside[y->pixels++] = defective && e->mask[row * side + column];
        }
}

static flaw_status judge_all(tally *y, flaw_april_trainer *t, flaw_voice_data *data, flaw_error *err)
{
    flaw_status s = FLAW_OK;
    for (int first = 0; first < t->options->evaluate_pairs && !s; first += GROUP) {
        uint64_t number[GROUP];
        int left = t->options->evaluate_pairs - first, n = left < GROUP ? left : GROUP;
        for (int i = 0; i < n; i++) number[i] = (uint64_t)(first + i);
        s = flaw_voice_data_need(data, number, n, err);
        for (int i = 0; i < 2 * n && !s; i++) judge(y, t, flaw_voice_data_entry(data, number[i / 2]), i % 2 == 1);
    }
    return s;
}

flaw_status flaw_april_evaluate(flaw_april_trainer *t, flaw_april_train_figures *out, flaw_error *err)
{
    tally y = {.pictures = 0};
    size_t pictures = 2 * (size_t)t->options->evaluate_pairs, side = (size_t)t->decoder->shape.side;
    size_t across = side / STRIDE + 1, pixels = pictures * across * across;
    flaw_voice_data data = {.views = 1,
                            .towers = t->towers,
                            .shape = &t->decoder->shape,
                            .c = &t->compute,
                            .seed = EVALUATION_SEED,
                            .scene_share = 1,
                            .split = FLAW_SPLIT_HELD_OUT,
                            .plain = true,
                            .window = GROUP};
    *out = (flaw_april_train_figures){.step = t->step, .pictures = (int)pictures};
    y.score = calloc(pictures, sizeof *y.score);
    y.label = calloc(pictures, 1);
    y.pixel = calloc(pixels, sizeof *y.pixel);
    y.inside = calloc(pixels, 1);
    bool room = y.score && y.label && y.pixel && y.inside;
    flaw_status s = room ? FLAW_OK : flaw_fail(err, FLAW_NO_MEMORY, "no memory for figures of %zu pictures", pictures);
    if (!s) s = flaw_voice_data_open(&data, err);
    if (!s) {
        s = judge_all(&y, t, &data, err);
        flaw_voice_data_close(&data);
    }
    if (!s) s = flaw_auroc(&out->image, y.score, y.label, y.pictures, err);
    if (!s) s = flaw_auroc(&out->pixel, y.pixel, y.inside, y.pixels, err);
    free(y.score);
    free(y.label);
    free(y.pixel);
    free(y.inside);
    return s;
}
