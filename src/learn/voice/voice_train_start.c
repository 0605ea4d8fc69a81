/* Options and everything that must stand before the first step. */
#include <stdio.h>
#include <string.h>

#include "base/sha256.h"
#include "learn/voice/voice_train_state.h"
#include "model/voice/voice_read.h"

void flaw_voice_train_options_init(flaw_voice_train_options *options)
{
    *options = (flaw_voice_train_options){
        .dialogue = "models/dialogue.txt", .scene_share = 0.6, .window = 512, .fresh = 0.06, .views = 1, .seed = 1, .steps = 4000,
        .warmup = 100, .batch = 16, .accumulate = 1, .rate = 1e-3f, .decoder_rate = 0.03f, .language_rate = 0, .decay = 1e-3f,
        .clip = 1, .focal = 1, .dice = 1, .few_shot_share = 0.5, .ground_share = 0, .dialogue_share = 0.1,
        .channels = {8, 16, 32, 64, 96}, .base = 9, .few_shot_gain = 2, .log_every = 20, .checkpoint_every = 200,
        .evaluate_every = 500, .evaluate_pairs = 64};
}

static flaw_status check_options(const flaw_voice_train_options *o, flaw_error *err)
{
    const struct {
        const char *what;
        double value, min, max;
    } limits[] = {
        {"steps", (double)o->steps, 1, 1e9}, {"warm-up steps", (double)o->warmup, 0, 1e9}, {"batch", o->batch, 1, 1024},
        {"passes of a step", o->accumulate, 1, 1024}, {"rate", (double)o->rate, 0, 1},
        {"rate of the decoder", (double)o->decoder_rate, 0, 1000},
        {"rate of the language model", (double)o->language_rate, 0, 1000},
        {"weight decay", (double)o->decay, 0, 10}, {"share of scenes", o->scene_share, 0, 1},
        {"share of few-shot maps", o->few_shot_share, 0, 1}, {"share of drawn maps", o->ground_share, 0, 1},
        {"share of ordinary dialogue", o->dialogue_share, 0, 1}, {"window", o->window, 1, 100000}, {"fresh share", o->fresh, 0, 1},
        {"share of swapped embeddings", o->swap_share, 0, 1},
        {"sources", o->sources, 0, FLAW_TRAIN_MAX_SOURCES}, {"pairs to evaluate", o->evaluate_pairs, 1, 100000},
        {"weight of the focal loss", (double)o->focal, 0, 1e6}, {"weight of the dice loss", (double)o->dice, 0, 1e6},
    };
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++)
        if (!(limits[i].value >= limits[i].min && limits[i].value <= limits[i].max))
            return flaw_fail(err, FLAW_USAGE, "training a voice: %s is %g, allowed are %g to %g", limits[i].what,
                             limits[i].value, limits[i].min, limits[i].max);
    if (o->warmup >= o->steps)
        return flaw_fail(err, FLAW_USAGE, "training a voice: %lld warm-up steps of %lld in all", (long long)o->warmup,
                         (long long)o->steps);
    if (o->adapter < 0) return flaw_fail(err, FLAW_USAGE, "training a voice: adapters of rank %d", o->adapter);
    if (o->adapter && o->ground_share > 0)
        return flaw_fail(err, FLAW_USAGE,
                         "training a voice: drawn maps are for a prompt learner, adapters take its place");
    if (o->views != 1 && o->decoder_rate > 0)
        return flaw_fail(err, FLAW_USAGE,
                         "training a voice: %d views of a picture with a decoder rate of %g, allowed is 0: of several views "
                         "only the joined map is kept", o->views, (double)o->decoder_rate);
    if (o->even_levels && (o->views == 1 || o->adapter))
        return flaw_fail(err, FLAW_USAGE, "training a voice: even levels are for a prompt learner on joined maps of several views");
    if (!o->folder || !o->folder[0])
        return flaw_fail(err, FLAW_USAGE, "training a voice: no folder for checkpoints is given");
    return FLAW_OK;
}

/* The language model with float weights, whatever form it came in. */
static flaw_status open_language(flaw_voice_trainer *t, flaw_error *err)
{
    flaw_language *read = NULL;
    flaw_status status = flaw_language_open(&read, t->options->language, FLAW_KEEP_FILE, NULL, &t->compute, err);
    if (!status) status = flaw_language_thaw(&t->language, read, err);
    if (!status && !t->language->pieces) {
        t->language->pieces = read->pieces;
        read->pieces = NULL;
    }
    if (!status) {
        t->language->bos = read->bos;
        t->language->eos = read->eos;
    }
    flaw_language_close(read);
    if (!status && !t->language->pieces)
        status = flaw_fail(err, FLAW_USAGE, "%s has no tokenizer: it cannot be taught to speak of pictures",
                           t->language->name);
    return status;
}

static flaw_status new_voice(flaw_voice_trainer *t, flaw_error *err)
{
    const flaw_voice_train_options *o = t->options;
    const flaw_clip_shape *s = &t->towers->shape;
    bool own = s->local_head;
    flaw_voice_shape shape = {.width = s->image.width, .joint = s->joint, .grid = s->grid, .side = s->side,
                              .words = t->language->shape.block.width, .base = o->adapter ? 0 : o->base,
                              .scale = own ? 30 : 100, .stage_norm = own, .fused = own,
                              .share = {0.25f, 0.25f, 0.25f, 0.25f}, .few_shot_gain = o->few_shot_gain};
    for (int i = 0; i < FLAW_VOICE_CHANNELS && !o->adapter; i++) shape.channels[i] = o->channels[i];
    if (!o->adapter) shape.channels[FLAW_VOICE_CHANNELS] = shape.words;
    if (own) memcpy(shape.share, (const float[]){0.1f, 0.2f, 0.2f, 0.5f}, sizeof shape.share);
    flaw_status status = flaw_voice_shape_check(&shape, "training a voice", err);
    if (!status) status = flaw_voice_new(&t->voice, &shape, err);
    if (!status) flaw_voice_init(t->voice, t->towers, t->language, o->seed);
    return status;
}

/* The voice of the language model's bundle where it holds one, else a new one. With adapters it has no prompt learner. */
static flaw_status open_voice(flaw_voice_trainer *t, flaw_error *err)
{
    const char *path = t->options->language;
    flaw_tensors file;
    bool named = path && *path && strcmp(path, "default") != 0 && !flaw_file_is_folder(path);
    if (!named || flaw_tensors_open(&file, path, NULL)) return new_voice(t, err);
    bool has = flaw_tensors_metadata(&file, "voice") != NULL;
    flaw_status status = has ? flaw_voice_read_bundle(&t->voice, &file, err) : new_voice(t, err);
    flaw_tensors_close(&file);
    if (!status && t->options->adapter) status = flaw_voice_drop_prompts(&t->voice, err);
    if (!status && !t->options->adapter && !t->voice->shape.base)
        status = flaw_fail(err, FLAW_USAGE, "%s: its voice has no prompt learner, it can be trained with adapters only",
                           path);
    if (status) return status;
    if (has) flaw_run_note(&t->talk, "going on with the voice of %s", path);
    return flaw_voice_check_fit(&t->voice->shape, &t->towers->shape, t->language->shape.block.width, path, err);
}

/* Vectors, and the prompts learnt once, do not decay. */
static flaw_status open_trained(flaw_trained *out, const flaw_parameters *list, float *weights, float *grads,
                                float clip, flaw_arena *arena, flaw_error *err)
{
    *out = (flaw_trained){.list = list, .moments = {.w = weights, .g = grads}};
    out->moments.m = flaw_arena_alloc(arena, list->total, sizeof(float));
    out->moments.v = flaw_arena_alloc(arena, list->total, sizeof(float));
    out->groups = flaw_arena_alloc(arena, list->count, sizeof *out->groups);
    if (!out->moments.m || !out->moments.v || !out->groups)
        return flaw_fail(err, FLAW_NO_MEMORY, "no memory for the optimiser of %zu weights", list->total);
    out->optimiser = (flaw_optimiser){.beta1 = 0.9f, .beta2 = 0.95f, .eps = 1e-8f, .clip = clip, .groups = out->groups,
                                      .group_count = list->count};
    return FLAW_OK;
}

static void set_groups(flaw_trained *p, float decay, float rate, const char *prefix, float prefix_rate)
{
    for (size_t i = 0; i < p->list->count; i++) {
        const flaw_parameter *q = &p->list->item[i];
        bool vector = q->rank == 1 || !strcmp(q->name, "voice.base");
        bool other = prefix && !strncmp(q->name, prefix, strlen(prefix));
        p->groups[i] = (flaw_group){.offset = q->offset, .count = q->count, .decay = vector ? 0 : decay,
                                    .rate = other ? prefix_rate : rate};
    }
}

static flaw_status open_parts(flaw_voice_trainer *t, flaw_error *err)
{
    const flaw_voice_train_options *o = t->options;
    bool frozen = !o->adapter && !(o->language_rate > 0);
    int rows = o->batch * t->language->shape.context;
    flaw_language_limits limits = {.rows = rows, .tokens = t->language->shape.context, .frozen = frozen};
    flaw_status status = flaw_language_train_open(&t->pass, t->language, limits, &t->compute, err);
    if (!status) status = flaw_language_train_pack(&t->pass, &t->compute, err);
    t->voice_grads = flaw_arena_alloc(&t->arena, t->voice->list.total, sizeof *t->voice_grads);
    if (!status && !t->voice_grads) status = flaw_fail(err, FLAW_NO_MEMORY, "no memory for gradients");
    if (status) return status;
    flaw_voice_view_over(&t->grads, &t->voice->shape, &t->voice->list, t->voice_grads);
    status = open_trained(&t->voice_part, &t->voice->list, t->voice->weights, t->voice_grads, o->clip, &t->arena, err);
    if (!status) set_groups(&t->voice_part, o->decay, 1, "voice.decoder", o->decoder_rate);
    if (frozen || o->adapter)
        flaw_sha256_hex(t->language->weights, t->language->list.total * sizeof(float), t->frozen);
    if (status || frozen) return status;
    if (o->adapter) status = flaw_voice_adapter_open(t, err);
    const flaw_lora *l = &t->lora;
    if (!status && o->adapter)
        status = open_trained(&t->language_part, &l->list, l->weights, l->grads, o->clip, &t->arena, err);
    else if (!status)
        status = open_trained(&t->language_part, &t->language->list, t->language->weights, t->pass.grads, o->clip,
                              &t->arena, err);
    if (!status) set_groups(&t->language_part, o->decay, o->language_rate > 0 ? o->language_rate : 1, NULL, 0);
    return status;
}

static bool alloc(float **out, flaw_arena *arena, size_t floats)
{
    return (*out = flaw_arena_alloc(arena, floats, sizeof **out)) != NULL;
}

static flaw_status open_samples(flaw_voice_trainer *t, flaw_error *err)
{
    const flaw_voice_shape *s = &t->voice->shape;
    size_t batch = (size_t)t->options->batch, area = (size_t)s->side * (size_t)s->side;
    size_t rows = batch * (1 + (size_t)flaw_voice_prompts(s)) * (size_t)s->words, work = flaw_prompt_workspace(&t->compute, s);
    if (flaw_decoder_workspace(&t->compute, s) > work) work = flaw_decoder_workspace(&t->compute, s);
    if (flaw_few_shot_workspace(&t->compute, s, s->grid * s->grid) > work)
        work = flaw_few_shot_workspace(&t->compute, s, s->grid * s->grid);
    t->sample = flaw_arena_alloc(&t->arena, batch, sizeof *t->sample);
    t->nothing = flaw_arena_alloc(&t->arena, area, 1);
    size_t cells = (size_t)flaw_views_cells(s);
    bool ok = t->sample && t->nothing && alloc(&t->rows, &t->arena, rows) && alloc(&t->d_rows, &t->arena, rows) &&
              alloc(&t->work, &t->arena, work) && alloc(&t->shifted, &t->arena, FLAW_STAGES * cells * cells);
    for (size_t i = 0; i < batch && ok; i++) {
        flaw_voice_sample *p = &t->sample[i];
        ok = alloc(&p->unit, &t->arena, (size_t)s->joint) && alloc(&p->map, &t->arena, area) &&
             alloc(&p->d_map, &t->arena, area) && alloc(&p->stage_maps, &t->arena, FLAW_STAGES * area) &&
             alloc(&p->d_stage_maps, &t->arena, FLAW_STAGES * area) &&
             alloc(&p->saved, &t->arena, flaw_prompt_saved(s));
    }
    return ok ? FLAW_OK : flaw_fail(err, FLAW_NO_MEMORY, "no memory for a batch of %zu samples", batch);
}

static flaw_status open_data(flaw_voice_trainer *t, flaw_error *err)
{
    const flaw_voice_train_options *o = t->options;
    flaw_status status = flaw_photos_load(&t->photos, o->source, o->sources, t->compute.pool, err);
    t->data = (flaw_voice_data){.towers = t->towers, .shape = &t->voice->shape, .photos = &t->photos, .c = &t->compute,
                                .seed = o->seed, .scene_share = o->scene_share, .split = FLAW_SPLIT_TRAIN, .window = o->window,
                                .voice = t->voice, .views = o->views};
    return status ? status : flaw_voice_data_open(&t->data, err);
}

static flaw_status open_all(flaw_voice_trainer *t, flaw_error *err)
{
    const flaw_voice_train_options *o = t->options;
    flaw_status status = check_options(o, err);
    if (!status)
        status = flaw_compute_open(&t->compute, o->threads, FLAW_LEVEL_AUTO, o->float32 ? FLAW_F32 : FLAW_BF16, err);
    if (!status) status = flaw_clip_open(&t->towers, o->model, &t->compute, err);
    if (!status) status = open_language(t, err);
    if (!status) status = open_voice(t, err);
    if (!status) status = flaw_voice_reserve(&t->compute, err);
    if (!status) status = open_parts(t, err);
    if (!status)
        status = flaw_voice_text_open(&t->text, t->language, o->dialogue, o->batch,
                                      flaw_voice_prompts(&t->voice->shape), err);
    if (!status) status = open_samples(t, err);
    return status ? status : open_data(t, err);
}

flaw_status flaw_voice_trainer_open(flaw_voice_trainer *out, const flaw_voice_train_options *options,
                                    const flaw_voice_train_callbacks *callbacks, flaw_error *err)
{
    *out = (flaw_voice_trainer){.options = options, .callbacks = callbacks};
    if (callbacks) out->talk = (flaw_run_talk){callbacks->context, callbacks->note, callbacks->stop};
    out->history.columns = HISTORY_COLUMNS;
    flaw_arena_init(&out->arena, 0);
    flaw_status status = open_all(out, err);
    if (status) {
        flaw_voice_trainer_close(out);
        return status;
    }
    flaw_run_note(&out->talk, "%zu photographs; voice of %.2f million weights on a language model of %.2f million (%s), kernels %s",
                    out->photos.count, (double)out->voice->list.total * 1e-6, (double)out->language->list.total * 1e-6,
                    out->lora.model ? "frozen, with adapters" : out->language_part.list ? "trained" : "frozen",
                    out->compute.kernels->name);
    if (out->lora.model)
        flaw_run_note(&out->talk, "adapters of rank %d: %.3f million weights, no prompt learner", options->adapter,
                      (double)out->lora.list.total * 1e-6);
    return FLAW_OK;
}

void flaw_voice_trainer_close(flaw_voice_trainer *t)
{
    flaw_history_release(&t->history);
    flaw_voice_data_close(&t->data);
    flaw_voice_text_close(&t->text);
    flaw_photos_release(&t->photos);
    if (t->pass.model) flaw_language_train_close(&t->pass);
    flaw_lora_close(&t->lora);
    flaw_voice_close(t->voice);
    flaw_language_close(t->language);
    flaw_clip_close(t->towers);
    flaw_compute_close(&t->compute);
    flaw_arena_release(&t->arena);
    memset(t, 0, sizeof *t);
}
