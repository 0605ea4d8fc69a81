/* Options of the training of APRIL-GAN, and everything that must stand before the first step. */
#include <math.h>
#include <string.h>

#include "learn/voice/april_train.h"
#include "learn/voice/voice_train_state.h"
#include "model/voice/decoder.h"

void flaw_april_train_options_init(flaw_april_train_options *options)
{
    *options = (flaw_april_train_options){.scene_share = 0.6,
                                          .window = 512,
                                          .fresh = 0.06,
                                          .seed = 1,
                                          .steps = 1000,
                                          .warmup = 20,
                                          .batch = 16,
                                          .rate = 1e-3f,
                                          .focal = 1,
                                          .dice = 1,
                                          .log_every = 20,
                                          .checkpoint_every = 200,
                                          .evaluate_every = 250,
                                          .evaluate_pairs = 64};
}

static flaw_status check_options(const flaw_april_train_options *o, flaw_error *err)
{
    const struct {
        const char *what;
        double value, min, max;
    } limits[] = {
        {"steps", (double)o->steps, 1, 1e9},
        {"warm-up steps", (double)o->warmup, 0, 1e9},
        {"batch", o->batch, 1, 1024},
        {"rate", (double)o->rate, 0, 1},
        {"weight decay", (double)o->decay, 0, 10},
        {"share of scenes", o->scene_share, 0, 1},
        {"window", o->window, 1, 100000},
        {"fresh share", o->fresh, 0, 1},
        {"sources", o->sources, 0, FLAW_TRAIN_MAX_SOURCES},
        {"pairs to evaluate", o->evaluate_pairs, 1, 100000},
        {"weight of the focal loss", (double)o->focal, 0, 1e6},
        {"weight of the dice loss", (double)o->dice, 0, 1e6},
    };
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++)
        if (!(limits[i].value >= limits[i].min && limits[i].value <= limits[i].max))
            return flaw_fail(err, FLAW_USAGE, "training APRIL-GAN: %s is %g, allowed are %g to %g", limits[i].what,
                             limits[i].value, limits[i].min, limits[i].max);
    if (o->warmup >= o->steps)
        return flaw_fail(err, FLAW_USAGE, "training APRIL-GAN: %lld warm-up steps of %lld in all", (long long)o->warmup,
                         (long long)o->steps);
    if (!o->folder || !o->folder[0])
        return flaw_fail(err, FLAW_USAGE, "training APRIL-GAN: no folder for checkpoints is given");
    return FLAW_OK;
}

/* As published (raw tokens, logits x 100, a random start) on any tower; where patches meet the words by training (local
 * head) the linears start as that head, on normed tokens and at its temperature. */
static flaw_status new_decoder(flaw_april_trainer *t, flaw_error *err)
{
    const flaw_clip_shape *s = &t->towers->shape;
    flaw_random random;
    flaw_voice_shape shape = {.width = s->image.width,
                              .joint = s->joint,
                              .grid = s->grid,
                              .side = s->side,
                              .scale = s->local_head ? 30 : 100,
                              .stage_norm = s->local_head,
                              .share = {0.25f, 0.25f, 0.25f, 0.25f},
                              .few_shot_gain = 1};
    if (!s->joint || !t->towers->tokenizer)
        return flaw_fail(err, FLAW_USAGE, "%s has no text tower: APRIL-GAN compares patches with words",
                         t->towers->name);
    flaw_status status = flaw_decoder_new(&t->decoder, &shape, err);
    if (status) return status;
    flaw_random_init(&random, t->options->seed, 0x6170726c);
    flaw_voice_init_decoder(t->decoder, t->towers, &random);
    return FLAW_OK;
}

static float *floats(flaw_april_trainer *t, size_t count, bool *failed)
{
    float *x = flaw_arena_alloc(&t->arena, count, sizeof *x);
    if (!x) *failed = true;
    return x;
}

/* Adam of betas 0.5 and 0.999, as published. Biases do not decay. */
static flaw_status open_arrays(flaw_april_trainer *t, flaw_error *err)
{
    const flaw_april_train_options *o = t->options;
    const flaw_parameters *list = &t->decoder->list;
    size_t side = (size_t)t->decoder->shape.side, area = side * side;
    bool failed = false;
    t->grads = floats(t, list->total, &failed);
    t->moments = (flaw_moments){.w = t->decoder->weights,
                                .g = t->grads,
                                .m = floats(t, list->total, &failed),
                                .v = floats(t, list->total, &failed)};
    t->groups = flaw_arena_alloc(&t->arena, list->count, sizeof *t->groups);
    t->nothing = flaw_arena_alloc(&t->arena, area, 1);
    t->map = floats(t, area, &failed);
    t->stage_maps = floats(t, FLAW_STAGES * area, &failed);
    t->d_stage_maps = floats(t, FLAW_STAGES * area, &failed);
    t->work = floats(t, flaw_decoder_workspace(&t->compute, &t->decoder->shape), &failed);
    if (failed || !t->groups || !t->nothing)
        return flaw_fail(err, FLAW_NO_MEMORY, "no memory to train %zu weights", list->total);
    for (size_t i = 0; i < list->count; i++) {
        const flaw_parameter *q = &list->item[i];
        t->groups[i] =
            (flaw_group){.offset = q->offset, .count = q->count, .decay = q->rank == 1 ? 0 : o->decay, .rate = 1};
    }
    t->optimiser = (flaw_optimiser){
        .beta1 = 0.5f, .beta2 = 0.999f, .eps = 1e-8f, .clip = o->clip, .groups = t->groups, .group_count = list->count};
    for (int i = 0; i < FLAW_STAGES; i++) {
        t->grad_view.decoder_w[i] = t->grads + (t->decoder->view.decoder_w[i] - t->decoder->weights);
        t->grad_view.decoder_b[i] = t->grads + (t->decoder->view.decoder_b[i] - t->decoder->weights);
    }
    return FLAW_OK;
}

static flaw_status open_all(flaw_april_trainer *t, flaw_error *err)
{
    const flaw_april_train_options *o = t->options;
    flaw_status s = check_options(o, err);
    if (!s) s = flaw_compute_open(&t->compute, o->threads, FLAW_LEVEL_AUTO, o->float32 ? FLAW_F32 : FLAW_BF16, err);
    if (!s) s = flaw_clip_open(&t->towers, o->model ? o->model : "", &t->compute, err);
    if (!s) s = new_decoder(t, err);
    if (!s) s = flaw_voice_reserve(&t->compute, err);
    if (!s) s = open_arrays(t, err);
    if (!s) s = flaw_photos_load(&t->photos, o->source, o->sources, t->compute.pool, err);
    if (s) return s;
    t->data = (flaw_voice_data){.views = 1,
                                .towers = t->towers,
                                .shape = &t->decoder->shape,
                                .photos = &t->photos,
                                .c = &t->compute,
                                .seed = o->seed,
                                .scene_share = o->scene_share,
                                .split = FLAW_SPLIT_TRAIN,
                                .window = o->window};
    return flaw_voice_data_open(&t->data, err);
}

flaw_status flaw_april_trainer_open(flaw_april_trainer *out, const flaw_april_train_options *options,
                                    const flaw_april_train_callbacks *callbacks, flaw_error *err)
{
    *out = (flaw_april_trainer){.options = options, .callbacks = callbacks};
    if (callbacks) out->talk = (flaw_run_talk){callbacks->context, callbacks->note, callbacks->stop};
    flaw_arena_init(&out->arena, 0);
    flaw_status s = open_all(out, err);
    if (s) {
        flaw_april_trainer_close(out);
        return s;
    }
    flaw_run_note(&out->talk, "%zu photographs; linears of %.2f million weights on %s, kernels %s", out->photos.count,
                  (double)out->decoder->list.total * 1e-6, out->towers->name, out->compute.kernels->name);
    return FLAW_OK;
}

void flaw_april_trainer_close(flaw_april_trainer *t)
{
    flaw_voice_data_close(&t->data);
    flaw_photos_release(&t->photos);
    flaw_voice_close(t->decoder);
    flaw_clip_close(t->towers);
    flaw_compute_close(&t->compute);
    flaw_arena_release(&t->arena);
    memset(t, 0, sizeof *t);
}
