/* One step: samples, maps, soft prompts, the language model there and back, the map's losses, the update. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "learn/voice/voice_loss.h"
#include "learn/voice/voice_train_state.h"

enum { STREAM_SAMPLE = 5 };

static size_t area_of(const flaw_voice_trainer *t)
{
    return (size_t)t->voice->shape.side * (size_t)t->voice->shape.side;
}

/* Which subject a sample shows: one of the `window` newest, which move on by `fresh` a sample. */
static uint64_t subject_number(const flaw_voice_train_options *o, uint64_t sample, flaw_random *random)
{
    uint64_t newest = (uint64_t)((double)sample * o->fresh);
    return newest + (uint64_t)flaw_random_below(random, o->window);
}

static void choose_state(const flaw_voice_trainer *t, flaw_voice_sample *s, flaw_random *random)
{
    const flaw_voice_train_options *o = t->options;
    s->defective = flaw_random_uniform(random) < 0.5;
    s->few_shot = flaw_random_uniform(random) < o->few_shot_share;
    s->ordinary = flaw_random_uniform(random) < o->dialogue_share;
    s->swapped = o->swap_share > 0 && flaw_random_uniform(random) < o->swap_share;
    s->level = o->even_levels ? flaw_random_uniform(random) : 0;
    s->shift = 0;
}

#define LEAST_RISE 1.0f /* of the highest logit by a defect, for a map that shows it */
#define MIDDLE 0.7      /* of that rise: where zero may lie */

/* Zero between the highest logits of the subject without and with its defect. What a decoder says of good parts differs from
 * product to product; a voice that learnt from levels as they are learns when not to believe its map, and that does not hold
 * for other products. False where the map does not show the defect. */
static bool set_level(const flaw_voice_trainer *t, flaw_voice_sample *s)
{
    const flaw_voice_entry *e = s->entry;
    float rise = e->top[1] - e->top[0];
    if (!(rise >= LEAST_RISE)) return false;
    s->shift = -t->voice->shape.bias - e->top[0] - rise * (float)(0.5 + MIDDLE * (s->level - 0.5));
    return true;
}

/* What is in the picture, once it is there. A few-shot map is made for prompts alone. False: a map that is drawn has to stand
 * in for it. */
static bool show(const flaw_voice_trainer *t, flaw_voice_sample *s)
{
    s->few_shot = s->few_shot && s->entry->has_reference && t->voice->shape.base > 0;
    s->truth = s->entry->truth;
    if (!s->defective) s->truth.count = 0;
    return !t->options->even_levels || s->few_shot || set_level(t, s);
}

/* All subjects of a pass lie in one stretch of `window` numbers, so that no entry is wanted by two. */
static flaw_status need_subjects(flaw_voice_trainer *t, const uint64_t *number, const bool *wanted, flaw_error *err)
{
    int batch = t->options->batch, count = 0;
    uint64_t *all = malloc((size_t)batch * sizeof *all);
    if (!all) return flaw_fail(err, FLAW_NO_MEMORY, "no memory for the plan of a batch");
    for (int i = 0; i < batch; i++)
        if (wanted[i]) all[count++] = number[i];
    flaw_status status = flaw_voice_data_need(&t->data, all, count, err);
    free(all);
    return status;
}

static void draw_map(flaw_voice_trainer *t, flaw_voice_sample *s, uint64_t sample)
{
    flaw_random random;
    flaw_random_init(&random, t->options->seed * 8 + STREAM_SAMPLE, sample * 2 + 1);
    s->entry = NULL;
    s->few_shot = false;
    s->truth = (flaw_truth){.object = "object"};
    const flaw_voice_shape *v = &t->voice->shape;
    if (t->options->views == 1) flaw_truth_draw_map(&s->truth, s->map, v->grid, v->side, &random);
    else flaw_truth_draw_joined(&s->truth, s->map, v->grid, flaw_views_cells(v), v->side, &random);
}

flaw_status flaw_voice_choose(flaw_voice_trainer *t, int pass, flaw_language_batch *batch, flaw_error *err)
{
    const flaw_voice_train_options *o = t->options;
    uint64_t first = ((uint64_t)t->step * (uint64_t)o->accumulate + (uint64_t)pass) * (uint64_t)o->batch;
    uint64_t *number = calloc((size_t)o->batch, sizeof *number);
    bool *pictures = calloc((size_t)o->batch, sizeof *pictures);
    flaw_random *random = calloc((size_t)o->batch, sizeof *random);
    bool room = number && pictures && random;
    flaw_status status = room ? FLAW_OK : flaw_fail(err, FLAW_NO_MEMORY, "no memory for the plan of a batch");
    for (int i = 0; i < o->batch && !status; i++) {
        flaw_random_init(&random[i], o->seed * 8 + STREAM_SAMPLE, (first + (uint64_t)i) * 2);
        pictures[i] = flaw_random_uniform(&random[i]) >= o->ground_share;
        choose_state(t, &t->sample[i], &random[i]);
        number[i] = subject_number(o, first, &random[i]);
    }
    if (!status) status = need_subjects(t, number, pictures, err);
    for (int i = 0; i < o->batch && !status; i++) {
        flaw_voice_sample *s = &t->sample[i];
        s->entry = pictures[i] ? flaw_voice_data_entry(&t->data, number[i]) : NULL;
        if (!s->entry || !show(t, s)) draw_map(t, s, first + (uint64_t)i);
        flaw_dialogue d;
        if (s->ordinary) flaw_dialogue_talk(&d, t->text.dialogues, &random[i]);
        else status = flaw_dialogue_draw(&d, t->text.dialogues, &s->truth, &random[i], err);
        if (!status) status = flaw_voice_text_write(&t->text, i, &d, err);
    }
    if (!status) flaw_voice_text_batch(&t->text, batch);
    free(number);
    free(pictures);
    free(random);
    return status;
}

static const flaw_sight *sight_of(const flaw_voice_sample *s)
{
    return s->defective ? &s->entry->defective : &s->entry->normal;
}

/* The joined map of several views, moved up or down: what a decoder says of good parts differs from product to product. */
static void look_joined(flaw_voice_trainer *t, flaw_voice_sample *s)
{
    int cells = flaw_views_cells(&t->voice->shape);
    size_t all = FLAW_STAGES * (size_t)cells * (size_t)cells;
    const float *joined = s->entry->joined[s->defective];
    for (size_t i = 0; i < all; i++) t->shifted[i] = joined[i] + s->shift;
    flaw_decoder_map_of(&t->compute, t->voice, t->shifted, cells, s->map, t->work);
}

/* The map that the prompt learner reads, and the decoder's own. */
static void look(flaw_voice_trainer *t, flaw_voice_sample *s)
{
    const flaw_voice_shape *shape = &t->voice->shape;
    const flaw_sight *sight = sight_of(s);
    const float *stage[FLAW_STAGES];
    flaw_sight_decoder(sight, shape, stage);
    if (t->options->views > 1 && !s->few_shot) look_joined(t, s);
    if (t->options->views == 1) flaw_decoder_map(&t->compute, t->voice, stage, s->entry->text, s->stage_maps, s->map, t->work);
    if (s->few_shot)
        flaw_few_shot_map(&t->compute, shape, (const float *const *)sight->stage,
                          (const float *const *)s->entry->reference.stage, shape->grid * shape->grid, s->map, t->work);
}

/* Rows of one sample: the picture, then the prompts. A drawn map stands for no picture in particular. */
static void write_rows(flaw_voice_trainer *t, flaw_voice_sample *s, float *rows)
{
    const flaw_voice_shape *shape = &t->voice->shape;
    size_t words = (size_t)shape->words, joint = (size_t)shape->joint;
    double square = 1e-12;
    for (size_t e = 0; e < joint && s->entry; e++) square += (double)s->embedding[e] * (double)s->embedding[e];
    for (size_t e = 0; e < joint; e++) s->unit[e] = s->entry ? (float)((double)s->embedding[e] / sqrt(square)) : 0;
    for (size_t w = 0; w < words; w++)
        rows[w] =
            t->compute.kernels->dot(joint, t->voice->view.project_w + w * joint, s->unit) + t->voice->view.project_b[w];
    flaw_prompt_forward(&t->compute, t->voice, s->map, rows + words, s->saved, t->work);
}

void flaw_voice_look(flaw_voice_trainer *t, flaw_voice_sample *s, float *rows)
{
    if (s->entry) {
        s->embedding = (s->defective != s->swapped ? &s->entry->defective : &s->entry->normal)->embedding;
        look(t, s);
    }
    write_rows(t, s, rows);
}

/* Back from the rows: projection, prompt learner, and the map where it is the decoder's. */
static void rows_back(flaw_voice_trainer *t, flaw_voice_sample *s, const float *d_rows)
{
    const flaw_voice_shape *shape = &t->voice->shape;
    size_t words = (size_t)shape->words, joint = (size_t)shape->joint, area = area_of(t);
    for (size_t w = 0; w < words; w++) {
        t->compute.kernels->axpy(joint, d_rows[w], s->unit, t->grads.project_w + w * joint);
        t->grads.project_b[w] += d_rows[w];
    }
    bool to_decoder = s->entry && !s->few_shot;
    memset(s->d_map, 0, area * sizeof(float));
    flaw_prompt_backward(&t->compute, t->voice, s->map, s->saved, d_rows + words, to_decoder ? s->d_map : NULL,
                         &t->grads, t->work);
    for (size_t k = 0; k < FLAW_STAGES; k++)
        for (size_t i = 0; i < area; i++) s->d_stage_maps[k * area + i] = shape->share[k] * s->d_map[i];
}

/* The decoder's losses, as the mean over the pictures of the pass, and its gradient. */
static void decoder_back(flaw_voice_trainer *t, flaw_voice_sample *s, int pictures, float scale)
{
    const flaw_voice_shape *shape = &t->voice->shape;
    const float *stage[FLAW_STAGES];
    const flaw_voice_train_options *o = t->options;
    float weight = scale / (float)pictures;
    flaw_stage_losses loss;
    flaw_map_stage_losses(&loss, t->compute.pool, area_of(t), s->stage_maps, s->defective ? s->entry->mask : t->nothing,
                          weight * o->focal, weight * o->dice, s->d_stage_maps);
    for (int k = 0; k < FLAW_STAGES; k++) {
        t->values.focal += loss.focal[k] / (double)weight;
        t->values.dice += loss.dice[k] / (double)weight;
    }
    flaw_sight_decoder(sight_of(s), shape, stage);
    flaw_decoder_backward(&t->compute, t->voice, stage, s->entry->text, s->d_stage_maps, &t->grads, t->work);
}

static int count_targets(const flaw_language_batch *batch)
{
    int count = 0;
    for (int i = 0; i < batch->n * batch->tokens; i++) count += batch->target[i] >= 0;
    return count;
}

void flaw_voice_pass(flaw_voice_trainer *t, const flaw_language_batch *batch, float scale)
{
    const flaw_voice_shape *shape = &t->voice->shape;
    size_t words = (size_t)shape->words, rows = 1 + (size_t)flaw_voice_prompts(shape);
    int pictures = 0, targets = count_targets(batch);
    for (int i = 0; i < batch->n; i++) {
        flaw_voice_look(t, &t->sample[i], t->rows + (size_t)i * rows * words);
        pictures += t->sample[i].entry != NULL;
    }
    flaw_language_batch whole = *batch;
    memset(t->d_rows, 0, (size_t)batch->n * rows * words * sizeof(float));
    whole.rows = t->rows;
    whole.d_rows = t->d_rows;
    flaw_language_loss loss =
        flaw_language_train_step(&t->compute, &t->pass, &whole, scale / (float)(targets ? targets : 1));
    t->values.words += loss.sum;
    t->values.right += loss.right;
    t->values.targets += loss.targets;
    t->values.pictures += pictures;
    for (int i = 0; i < batch->n; i++) {
        rows_back(t, &t->sample[i], t->d_rows + (size_t)i * rows * words);
        if (t->sample[i].entry && t->options->decoder_rate > 0) decoder_back(t, &t->sample[i], pictures, scale);
    }
}

float flaw_voice_rate(const flaw_voice_train_options *o, int64_t step)
{
    if (step < o->warmup || !o->linear) {
        flaw_schedule s = {.peak = o->rate, .floor = o->rate * 0.01f, .warmup = o->warmup, .steps = o->steps};
        return flaw_schedule_rate(&s, step);
    }
    return o->rate * (float)(o->steps - step) / (float)(o->steps - o->warmup);
}

static flaw_status update(flaw_voice_trainer *t, flaw_error *err)
{
    float rate = flaw_voice_rate(t->options, t->step);
    t->step++;
    t->values.norm += flaw_optimiser_step(&t->compute, &t->voice_part.optimiser, &t->voice_part.moments, rate, t->step);
    if (!t->language_part.list) return FLAW_OK;
    if (t->lora.model) flaw_voice_adapter_backward(t);
    flaw_optimiser_step(&t->compute, &t->language_part.optimiser, &t->language_part.moments, rate, t->step);
    if (t->lora.model) flaw_lora_apply(&t->compute, &t->lora);
    return flaw_language_train_pack(&t->pass, &t->compute, err);
}

flaw_status flaw_voice_step(flaw_voice_trainer *t, flaw_error *err)
{
    const flaw_voice_train_options *o = t->options;
    flaw_voice_values *v = &t->values;
    double start = flaw_run_seconds();
    for (int pass = 0; pass < o->accumulate; pass++) {
        flaw_language_batch batch;
        double before = flaw_run_seconds();
        flaw_status status = flaw_voice_choose(t, pass, &batch, err);
        v->data_seconds += flaw_run_seconds() - before;
        if (status) return status;
        flaw_voice_pass(t, &batch, 1.0f / (float)o->accumulate);
    }
    flaw_status status = update(t, err);
    double seconds = flaw_run_seconds() - start;
    v->seconds += seconds;
    v->all_seconds += seconds;
    v->steps++;
    v->all_steps++;
    if (!status && !isfinite(v->words + v->focal + v->dice))
        return flaw_fail(err, FLAW_INTERNAL, "step %lld: the loss is not finite", (long long)t->step);
    return status;
}
