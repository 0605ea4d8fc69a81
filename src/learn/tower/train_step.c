/* One step of training, and what it costs. */
#include <math.h>
#include <string.h>

#include "learn/tower/train_state.h"

#define MAX_LOG_SCALE 4.6052f /* scale 100, as CLIP's clamp */

static void run_teacher(flaw_trainer *t)
{
    flaw_image_output out = {0};
    for (int i = 0; i < FLAW_STAGES; i++) out.stage[i] = t->teacher_stage[i];
    flaw_clip_encode_images(&t->compute, t->teacher, t->batch.pictures, t->batch.pixels, &out, t->teacher_work);
}

flaw_status flaw_train_step(flaw_trainer *t, flaw_loss_values *loss, double *norm, double seconds[2], flaw_error *err)
{
    const flaw_train_options *o = t->options;
    double start = flaw_run_seconds();
    flaw_status status = flaw_data_draw(&t->batch, &t->data, t->step, t->compute.pool, err);
    if (status) return status;
    seconds[0] = flaw_run_seconds() - start;
    status = flaw_clip_train_pack(&t->model, &t->compute, err);
    if (status) return status;
    if (t->teacher) run_teacher(t);
    flaw_clip_train_images(&t->compute, &t->model, t->batch.pictures, t->batch.pixels);
    flaw_clip_train_texts(&t->compute, &t->model, t->batch.sentences, t->batch.tokens, t->batch.ids, t->shape.context,
                          t->batch.end);
    flaw_loss_batch batch = {.pairs = t->batch.pairs, .sentences = o->sentences, .target = t->batch.target,
                             .group = t->batch.group};
    if (t->teacher) batch.teacher = (const float *const *)t->teacher_stage;
    *loss = flaw_train_loss(&t->compute, &t->model, &batch, &o->weight, t->loss_work);
    flaw_clip_train_texts_backward(&t->compute, &t->model);
    flaw_clip_train_images_backward(&t->compute, &t->model);
    flaw_schedule schedule = {.peak = o->rate, .floor = o->rate * 0.01f, .warmup = o->warmup, .steps = o->steps};
    *norm = flaw_optimiser_step(&t->compute, &t->optimiser, &t->moments, flaw_schedule_rate(&schedule, t->step), t->step + 1);
    float *log_scale = t->model.w.logit_scale;
    *log_scale = *log_scale < 0 ? 0 : *log_scale > MAX_LOG_SCALE ? MAX_LOG_SCALE : *log_scale;
    t->step++;
    seconds[1] = flaw_run_seconds() - start;
    if (!isfinite(loss->total)) return flaw_fail(err, FLAW_INTERNAL, "step %lld: the loss is not finite", (long long)t->step);
    return FLAW_OK;
}

/* Products of one block for one sequence: q, k, v and output, MLP, scores and mixing. */
static double block_flops(const flaw_block_shape *s, double tokens)
{
    double d = s->width, f = s->hidden;
    return 2 * tokens * (4 * d * d + 2 * d * f) + 4 * tokens * tokens * d;
}

double flaw_train_step_flops(const flaw_trainer *t)
{
    const flaw_clip_shape *s = &t->shape;
    double patches = flaw_clip_patches(s), tokens = 1 + patches, e = s->joint, d = s->image.width;
    double trained = s->image_layers - t->options->first_trained, frozen = t->options->first_trained;
    double image = block_flops(&s->image, tokens) * (frozen + 3 * trained);
    image += 2 * patches * 3 * s->patch * s->patch * d * (t->options->first_trained ? 1 : 2);
    image += 3 * 2 * d * e * (1 + (s->local_head ? FLAW_STAGES * tokens : 0));
    if (t->teacher) image += block_flops(&s->image, tokens) * s->image_layers;
    double text = 3 * (block_flops(&s->text, t->batch.tokens) * s->text_layers + 2.0 * s->text.width * e);
    return image * t->batch.pictures + text * t->batch.sentences;
}
