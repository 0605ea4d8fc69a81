/* Options and everything that must stand before the first step. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "format/tensors.h"
#include "learn/tower/train_state.h"
#include "learn/tower/vocab.h"

void flaw_train_options_init(flaw_train_options *options)
{
    *options = (flaw_train_options){
        .words = "models/words.txt", .scene_share = 0.5, .scene_window = 1024, .scene_fresh = 0.25, .seed = 1,
        .steps = 20000, .pairs = 16, .sentences = 2, .first_trained = 9, .rate = 5e-4f, .tower_rate = 0.3f, .warmup = 500,
        .decay = 0.05f, .clip = 1, .ema = 0.999f,
        .weight = {.contrast = 0.3f, .state = 1, .peak = 0.5f, .local = 8, .dice = 1, .distil = 0}, .merges = 2000,
        .joint = 256, .text_width = 192, .text_layers = 4, .text_heads = 3, .context = 40, .log_every = 50,
        .checkpoint_every = 1000, .evaluate_every = 1000, .evaluate_pairs = 128};
}

static flaw_status check_options(const flaw_train_options *o, flaw_error *err)
{
    const struct { const char *what; double value, min, max; } limits[] = {
        {"steps", (double)o->steps, 1, 1e9}, {"pairs", o->pairs, 1, 1024}, {"sentences", o->sentences, 1, 64},
        {"first trained block", o->first_trained, 0, 512}, {"rate", (double)o->rate, 0, 1},
        {"warm-up steps", (double)o->warmup, 0, 1e9}, {"merges", o->merges, 1, 8000}, {"joint width", o->joint, 1, 4096},
        {"text width", o->text_width, 8, 4096}, {"text layers", o->text_layers, 1, 64}, {"text heads", o->text_heads, 1, 64},
        {"context", o->context, 8, 512}, {"share of scenes", o->scene_share, 0, 1}, {"share of varied subjects", o->vary, 0, 1},
        {"sources", o->sources, 0, FLAW_TRAIN_MAX_SOURCES},
        {"pairs to evaluate", o->evaluate_pairs, 1, 100000}, {"average", (double)o->ema, 0, 1},
    };
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++)
        if (!(limits[i].value >= limits[i].min && limits[i].value <= limits[i].max))
            return flaw_fail(err, FLAW_USAGE, "training: %s is %g, allowed are %g to %g", limits[i].what,
                             limits[i].value, limits[i].min, limits[i].max);
    if (!o->folder || !o->folder[0]) return flaw_fail(err, FLAW_USAGE, "training: no folder for checkpoints is given");
    if (o->text_width % o->text_heads)
        return flaw_fail(err, FLAW_USAGE, "training: text width %d is not a multiple of its %d heads", o->text_width,
                         o->text_heads);
    return FLAW_OK;
}

/* Words of the lists count more than those of the fixed sentences: names are what must be read well. */
static flaw_status count_words(flaw_word_counts *counts, const flaw_trainer *t, flaw_error *err)
{
    flaw_status status = FLAW_OK;
    const char *text;
    for (int s = 0; s < FLAW_WORD_SECTIONS; s++)
        for (size_t i = 0; i < t->words.count[s] && !status; i++)
            status = flaw_word_counts_add(counts, t->words.entry[s][i], 3, err);
    for (int i = 0; !status && (text = flaw_words_template(i)) != NULL; i++)
        status = flaw_word_counts_add(counts, text, 1, err);
    for (int i = 0; !status && i < flaw_scene_kind_count(); i++)
        if (!flaw_scene_kind_held_out(i)) status = flaw_word_counts_add(counts, flaw_scene_kind_name(i), 3, err);
    for (size_t i = 0; !status && i < t->photos.count; i++)
        status = flaw_word_counts_add(counts, t->photos.item[i].name, 1, err);
    return status;
}

static flaw_status learn_vocabulary(flaw_trainer *t, flaw_error *err)
{
    flaw_word_counts counts;
    flaw_arena arena;
    flaw_arena_init(&arena, 0);
    flaw_word_counts_init(&counts, &arena);
    flaw_status status = count_words(&counts, t, err);
    if (!status) status = flaw_vocab_learn(&t->merges, &counts, t->options->merges, err);
    flaw_arena_release(&arena);
    return status;
}

static bool is_bundle(const flaw_clip *start)
{
    return start && start->shape.local_head && start->shape.text.width > 0;
}

/* A start that is a bundle keeps its vocabulary: its text tower knows these tokens. */
static flaw_status keep_vocabulary(flaw_trainer *t, flaw_error *err)
{
    flaw_tensors file;
    flaw_status status = flaw_safetensors_open(&file, t->options->init, err);
    if (status) return status;
    const char *merges = flaw_tensors_metadata(&file, "merges");
    if (merges) flaw_buffer_text(&t->merges, merges);
    if (!merges)
        status = flaw_fail(err, FLAW_BAD_DATA, "%s: no metadata 'merges'; expected is a flaw bundle", t->options->init);
    else if (t->merges.failed)
        status = flaw_fail(err, FLAW_NO_MEMORY, "%s: no memory for its vocabulary", t->options->init);
    flaw_tensors_close(&file);
    return status;
}

static flaw_status make_vocabulary(flaw_trainer *t, const flaw_clip *start, flaw_error *err)
{
    flaw_buffer_init(&t->merges, 1u << 24);
    flaw_status status = is_bundle(start) ? keep_vocabulary(t, err) : learn_vocabulary(t, err);
    if (status) return status;
    return flaw_tokenizer_from_merges(&t->tokenizer, (const uint8_t *)t->merges.data, t->merges.size,
                                      is_bundle(start) ? t->options->init : "learnt vocabulary", 1 << 20, err);
}

/* The image tower's shape is the start's (DeiT-Tiny's without one), all of it when the start is a bundle; the rest is
 * chosen. */
static flaw_status choose_shape(flaw_trainer *t, const flaw_clip *tower, flaw_error *err)
{
    const flaw_train_options *o = t->options;
    flaw_clip_shape s = {.image = {.width = 192, .heads = 3, .hidden = 768, .act = FLAW_ACT_GELU, .eps = 1e-6f},
                         .image_layers = 12, .side = 224, .patch = 16, .patch_bias = true,
                         .prepare = {.resize_to = 256, .mean = {0.485f, 0.456f, 0.406f}, .std = {0.229f, 0.224f, 0.225f}}};
    if (tower) s = tower->shape;
    if (s.registers || s.image.gated)
        return flaw_fail(err, FLAW_USAGE, "%s: towers with registers or a gated MLP (DINOv2) cannot be trained here",
                         tower->name);
    if (is_bundle(tower)) {
        t->shape = s;
        return FLAW_OK;
    }
    s.classes = 0;
    s.joint = o->joint;
    s.local_head = true;
    s.text = (flaw_block_shape){.width = o->text_width, .heads = o->text_heads, .hidden = 4 * o->text_width,
                                .act = FLAW_ACT_GELU, .eps = 1e-5f, .causal = true};
    s.text_layers = o->text_layers;
    s.context = o->context;
    s.vocab = flaw_tokenizer_vocab(t->tokenizer);
    s.text_end = flaw_tokenizer_end(t->tokenizer);
    flaw_clip_shape_derive(&s);
    t->shape = s;
    return flaw_clip_shape_check(&s, "training", err);
}

static flaw_status make_moments(flaw_trainer *t, flaw_error *err)
{
    size_t total = t->model.list.total;
    t->moments = (flaw_moments){.w = t->model.weights, .g = t->model.grads};
    t->moments.m = flaw_arena_alloc(&t->arena, total, sizeof(float));
    t->moments.v = flaw_arena_alloc(&t->arena, total, sizeof(float));
    t->moments.average = flaw_arena_alloc(&t->arena, total, sizeof(float));
    t->kept = flaw_arena_alloc(&t->arena, total, sizeof(float));
    t->loss_work = flaw_arena_alloc(&t->arena, flaw_train_loss_floats(&t->shape, t->options->pairs, t->options->sentences),
                                    sizeof(float));
    if (!t->moments.m || !t->moments.v || !t->moments.average || !t->kept || !t->loss_work)
        return flaw_fail(err, FLAW_NO_MEMORY, "no memory for the optimiser of %zu weights", total);
    return FLAW_OK;
}

static flaw_status make_model(flaw_trainer *t, const flaw_clip *tower, flaw_error *err)
{
    const flaw_train_options *o = t->options;
    flaw_data_options data = {.seed = o->seed, .pairs = o->pairs, .sentences = o->sentences, .scene_share = o->scene_share,
                              .window = o->scene_window, .fresh = o->scene_fresh, .vary = o->vary};
    flaw_status status = flaw_data_open(&t->data, &data, &t->shape, &t->words, &t->photos, t->tokenizer, err);
    if (!status) status = flaw_batch_open(&t->batch, &t->data, &t->arena, err);
    flaw_clip_train_limits limits = {.pictures = t->batch.pictures, .sentences = t->batch.sentences,
                                     .first_trained = o->first_trained};
    if (!status) status = flaw_clip_train_open(&t->model, &t->shape, limits, &t->compute, err);
    if (!status) status = make_moments(t, err);
    if (!status) status = flaw_train_make_groups(t, err);
    if (status) return status;
    flaw_train_init_weights(&t->model, tower, o->seed);
    memcpy(t->moments.average, t->model.weights, t->model.list.total * sizeof(float));
    return FLAW_OK;
}

/* The teacher holds the stages that the memory bank compares; the last stage is free to learn. */
static flaw_status make_teacher(flaw_trainer *t, flaw_clip *tower, flaw_error *err)
{
    size_t n = (size_t)t->batch.pictures, stage = n * (size_t)(1 + flaw_clip_patches(&t->shape)) * (size_t)t->shape.image.width;
    for (int i = 0; i < FLAW_STAGES - 1; i++) {
        t->teacher_stage[i] = flaw_arena_alloc(&t->arena, stage, sizeof(float));
        if (!t->teacher_stage[i]) return flaw_fail(err, FLAW_NO_MEMORY, "no memory for the teacher's tokens");
    }
    t->teacher_work = flaw_arena_alloc(&t->arena, flaw_clip_image_workspace(tower, (int)n), sizeof(float));
    if (!t->teacher_work) return flaw_fail(err, FLAW_NO_MEMORY, "no memory for the teacher");
    return FLAW_OK;
}

static flaw_status open_all(flaw_trainer *t, flaw_error *err)
{
    const flaw_train_options *o = t->options;
    flaw_clip *tower = NULL;
    flaw_status status = check_options(o, err);
    if (!status)
        status = flaw_compute_open(&t->compute, o->threads, FLAW_LEVEL_AUTO, o->float32 ? FLAW_F32 : FLAW_BF16, err);
    if (!status) status = flaw_words_read(&t->words, o->words, err);
    if (!status) status = flaw_photos_load(&t->photos, o->source, o->sources, t->compute.pool, err);
    if (!status && o->init && o->init[0]) status = flaw_clip_open(&tower, o->init, &t->compute, err);
    if (!status) status = make_vocabulary(t, tower, err);
    if (!status) status = choose_shape(t, tower, err);
    if (!status) status = make_model(t, tower, err);
    if (!status && tower && o->weight.distil > 0) {
        t->teacher = tower;
        status = make_teacher(t, tower, err);
    } else {
        flaw_clip_close(tower);
    }
    return status;
}

flaw_status flaw_trainer_open(flaw_trainer *out, const flaw_train_options *options,
                              const flaw_train_callbacks *callbacks, flaw_error *err)
{
    *out = (flaw_trainer){.options = options, .callbacks = callbacks};
    if (callbacks) out->talk = (flaw_run_talk){callbacks->context, callbacks->note, callbacks->stop};
    flaw_arena_init(&out->arena, 0);
    flaw_status status = open_all(out, err);
    if (status) {
        flaw_trainer_close(out);
        return status;
    }
    flaw_run_note(&out->talk, "%zu photographs, vocabulary %d, %.2f million weights, kernels %s", out->photos.count,
                    out->shape.vocab, (double)out->model.list.total * 1e-6, out->compute.kernels->name);
    return FLAW_OK;
}

void flaw_trainer_close(flaw_trainer *t)
{
    flaw_data_close(&t->data);
    flaw_photos_release(&t->photos);
    if (t->words.arena.head) flaw_words_release(&t->words);
    flaw_tokenizer_free(t->tokenizer);
    flaw_buffer_release(&t->merges);
    flaw_clip_close(t->teacher);
    flaw_arena_release(&t->model.arena);
    flaw_compute_close(&t->compute);
    flaw_arena_release(&t->arena);
    memset(t, 0, sizeof *t);
}
