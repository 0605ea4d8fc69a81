/* Options, texts, vocabulary and weights: all that must stand before the first step of a language model's training. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/sha256.h"
#include "learn/language/language_run.h"
#include "learn/language/pieces_learn.h"

#define TEXT_LIMIT ((size_t)256 << 20) /* bytes of a file of texts */
#define HELD_OUT_SEED 0x68656c64u     /* the dialogues kept aside are drawn from another seed */
#define KEPT_ASIDE 20                  /* of the file's texts, each so many-th is held out */

void flaw_language_train_options_init(flaw_language_train_options *options)
{
    *options = (flaw_language_train_options){
        .seed = 1, .dialogues = 20000, .held_out = 400, .steps = 1500, .rows = 8, .part = 2, .vocab = 768, .width = 192,
        .layers = 5, .heads = 6, .kv_heads = 2, .hidden = 512, .context = 512, .rate = 3e-3f, .warmup = 100, .decay = 0.1f,
        .clip = 1, .ema = 0.995f, .log_every = 20, .checkpoint_every = 250, .evaluate_every = 250};
}

static flaw_status check_options(const flaw_language_train_options *o, flaw_error *err)
{
    if (!o->folder || !o->folder[0]) return flaw_fail(err, FLAW_USAGE, "training: no folder for checkpoints is given");
    if (o->steps < 1 || o->rows < 1 || o->part < 1 || o->rows > 4096 || o->dialogues < 0 || o->held_out < 0)
        return flaw_fail(err, FLAW_USAGE,
                         "training: %lld steps of %d rows, %d at a time, %d texts; all must be over 0, rows at most "
                         "4096",
                         (long long)o->steps, o->rows, o->part, o->dialogues);
    return FLAW_OK;
}

static flaw_language_shape shape_of(const flaw_language_train_options *o, int vocab)
{
    return (flaw_language_shape){
        .block = {.width = o->width, .heads = o->heads, .kv_heads = o->kv_heads, .hidden = o->hidden, .act = FLAW_ACT_SILU,
                  .eps = 1e-5f, .causal = true, .rms = true, .gated = true, .rotary = FLAW_ROTARY_HALVES, .rotary_base = 10000},
        .layers = o->layers, .vocab = vocab, .context = o->context, .tied = true};
}

/* What the texts are fed to: the counts of words, or the corpora. */
typedef struct reader {
    flaw_language_trainer *t;
    flaw_word_counts *counts; /* NULL: the vocabulary stands */
    const flaw_pieces *pieces;
} reader;

static flaw_status take_text(const reader *r, const char *text, size_t size, bool held_out, flaw_error *err)
{
    if (r->counts) return held_out ? FLAW_OK : flaw_piece_words_add(r->counts, text, size, 1, err);
    flaw_corpus *c = held_out ? &r->t->held_out : &r->t->texts;
    flaw_status status = flaw_corpus_begin(c, err);
    if (!status) status = flaw_corpus_put(c, flaw_pieces_bos(r->pieces), err);
    if (!status) status = flaw_corpus_text(c, r->pieces, text, size, err);
    return status ? status : flaw_corpus_put(c, flaw_pieces_eos(r->pieces), err);
}

/* Texts parted by empty lines; each `aside`-th is held out (1: all, 0: none). */
static flaw_status take_texts(const reader *r, const char *at, size_t size, int aside, flaw_error *err)
{
    const char *end = at + size;
    int number = 0;
    flaw_status status = FLAW_OK;
    while (at < end && !status) {
        const char *gap = memmem(at, (size_t)(end - at), "\n\n", 2);
        size_t length = (size_t)((gap ? gap : end) - at);
        while (length && at[length - 1] == '\n') length--;
        if (length) status = take_text(r, at, length, aside && ++number % aside == 0, err);
        at = gap ? gap + 2 : end;
        while (at < end && *at == '\n') at++;
    }
    return status;
}

static flaw_status take_file(const reader *r, const char *path, flaw_error *err)
{
    flaw_bytes file;
    flaw_status status = flaw_file_read(&file, path, TEXT_LIMIT, err);
    if (status) return status;
    status = take_texts(r, (const char *)file.data, file.size, KEPT_ASIDE, err);
    flaw_bytes_release(&file);
    return status;
}

static flaw_status take_dialogues(const reader *r, uint64_t seed, int count, bool held_out, flaw_error *err)
{
    flaw_buffer text;
    flaw_buffer_init(&text, TEXT_LIMIT);
    flaw_status status = flaw_dialogue_corpus(&text, r->t->dialogues, seed, count, err);
    if (!status) status = take_texts(r, text.data, text.size, held_out, err);
    flaw_buffer_release(&text);
    return status;
}

static flaw_status take_all(const reader *r, flaw_error *err)
{
    const flaw_language_train_options *o = r->t->options;
    flaw_status status = FLAW_OK;
    if (r->t->dialogues) {
        status = take_dialogues(r, o->seed, o->dialogues, false, err);
        if (!status) status = take_dialogues(r, o->seed ^ HELD_OUT_SEED, o->held_out, true, err);
    }
    if (!status && o->text && o->text[0]) status = take_file(r, o->text, err);
    return status;
}

static flaw_status read_lists(flaw_language_trainer *t, flaw_error *err)
{
    const char *path = t->options->dialogue ? t->options->dialogue : "models/dialogue.txt";
    return path[0] ? flaw_dialogues_read(&t->dialogues, path, err) : FLAW_OK;
}

static flaw_status learn_vocabulary(flaw_pieces **out, flaw_language_trainer *t, flaw_error *err)
{
    flaw_word_counts counts;
    flaw_arena arena;
    flaw_arena_init(&arena, 0);
    flaw_word_counts_init(&counts, &arena);
    const reader r = {.t = t, .counts = &counts};
    flaw_status status = take_all(&r, err);
    if (!status) status = flaw_pieces_learn(out, &counts, t->options->vocab, err);
    flaw_arena_release(&arena);
    return status;
}

static flaw_status hash_vocabulary(flaw_language_trainer *t, const flaw_pieces *pieces, flaw_error *err)
{
    flaw_buffer model;
    flaw_buffer_init(&model, 1u << 24);
    flaw_pieces_write(pieces, &model);
    flaw_status status = model.failed ? flaw_fail(err, FLAW_NO_MEMORY, "no memory for the vocabulary") : FLAW_OK;
    if (!status) flaw_sha256_hex(model.data, model.size, t->vocabulary);
    flaw_buffer_release(&model);
    return status;
}

/* Whatever the texts came from: dialogues of any lists and seed, or a file. */
static void hash_texts(flaw_language_trainer *t)
{
    const flaw_corpus *const each[] = {&t->texts, &t->held_out};
    flaw_sha256 h;
    uint8_t digest[32];
    flaw_sha256_init(&h);
    for (int i = 0; i < 2; i++) {
        if (!each[i]->count) continue;
        flaw_sha256_update(&h, each[i]->start, (each[i]->count + 1) * sizeof *each[i]->start);
        flaw_sha256_update(&h, each[i]->ids, each[i]->start[each[i]->count] * sizeof *each[i]->ids);
    }
    flaw_sha256_final(&h, digest);
    for (int i = 0; i < 32; i++) snprintf(t->read + 2 * i, 3, "%02x", digest[i]);
}

static bool ends(const char *name, const char *suffix)
{
    size_t n = strlen(name), s = strlen(suffix);
    return n >= s && !strcmp(name + n - s, suffix);
}

/* Standard deviation of a random start; what leads back into the residual stream is smaller the deeper the tower. */
static double spread(const flaw_language_shape *s, const flaw_parameter *p)
{
    double deep = pow(2.0 * s->layers, -0.5);
    if (ends(p->name, "token") || ends(p->name, "head")) return 0.02;
    if (ends(p->name, "out.w")) return pow(s->block.width, -0.5) * deep;
    if (ends(p->name, "fc2.w")) return pow(s->block.hidden, -0.5) * deep;
    return pow(s->block.width, -0.5);
}

static void start_weights(flaw_language_trainer *t)
{
    const flaw_parameters *list = &t->model->list;
    for (size_t i = 0; i < list->count; i++) {
        const flaw_parameter *p = &list->item[i];
        float *w = t->model->weights + p->offset;
        flaw_random random;
        flaw_random_init(&random, t->options->seed ^ 0x6c616e67u, i);
        for (size_t k = 0; k < p->count; k++)
            w[k] = p->rank < 2 ? 1 : (float)(spread(&t->model->shape, p) * flaw_random_normal(&random));
    }
    memcpy(t->moments.average, t->model->weights, list->total * sizeof(float));
}

static flaw_status make_arrays(flaw_language_trainer *t, flaw_error *err)
{
    const flaw_language_train_options *o = t->options;
    const flaw_parameters *list = &t->model->list;
    size_t total = list->total, tokens = (size_t)o->rows * (size_t)o->context;
    t->moments = (flaw_moments){.w = t->model->weights, .g = t->train.grads};
    t->moments.m = flaw_arena_alloc(&t->arena, total, sizeof(float));
    t->moments.v = flaw_arena_alloc(&t->arena, total, sizeof(float));
    t->moments.average = flaw_arena_alloc(&t->arena, total, sizeof(float));
    t->kept = flaw_arena_alloc(&t->arena, total, sizeof(float));
    t->groups = flaw_arena_alloc(&t->arena, list->count, sizeof *t->groups);
    t->ids = flaw_arena_alloc(&t->arena, tokens, sizeof *t->ids);
    t->target = flaw_arena_alloc(&t->arena, tokens, sizeof *t->target);
    if (!t->moments.m || !t->moments.v || !t->moments.average || !t->kept || !t->groups || !t->ids || !t->target)
        return flaw_fail(err, FLAW_NO_MEMORY, "no memory for the optimiser of %zu weights", total);
    for (size_t i = 0; i < list->count; i++)
        t->groups[i] = (flaw_group){.offset = list->item[i].offset, .count = list->item[i].count,
                                    .decay = list->item[i].rank == 2 ? o->decay : 0, .rate = 1};
    t->optimiser = (flaw_optimiser){.beta1 = 0.9f, .beta2 = 0.95f, .eps = 1e-8f, .clip = o->clip, .ema = o->ema,
                                    .groups = t->groups, .group_count = list->count};
    return FLAW_OK;
}

static flaw_status make_model(flaw_language_trainer *t, flaw_pieces *pieces, flaw_error *err)
{
    const flaw_language_train_options *o = t->options;
    flaw_language_shape shape = shape_of(o, flaw_pieces_count(pieces));
    int part = o->part < o->rows ? o->part : o->rows;
    flaw_language_limits limits = {.rows = part * o->context, .tokens = o->context};
    flaw_status status = flaw_language_new(&t->model, &shape, "training", err);
    if (status) {
        flaw_pieces_free(pieces);
        return status;
    }
    t->model->pieces = pieces; /* the model's from now on */
    t->model->bos = flaw_pieces_bos(pieces);
    t->model->eos = flaw_pieces_eos(pieces);
    status = hash_vocabulary(t, pieces, err);
    const reader r = {.t = t, .pieces = pieces};
    if (!status) status = take_all(&r, err);
    if (!status && !t->texts.count) status = flaw_fail(err, FLAW_USAGE, "training: there is no text to learn from");
    if (!status) hash_texts(t);
    if (!status) status = flaw_language_train_open(&t->train, t->model, limits, &t->compute, err);
    if (!status) status = make_arrays(t, err);
    if (!status) start_weights(t);
    return status;
}

flaw_status flaw_language_trainer_open(flaw_language_trainer *out, const flaw_language_train_options *o,
                                       const flaw_language_train_callbacks *callbacks, flaw_error *err)
{
    flaw_pieces *pieces = NULL;
    *out = (flaw_language_trainer){.options = o, .callbacks = callbacks};
    if (callbacks) out->talk = (flaw_run_talk){callbacks->context, callbacks->note, callbacks->stop};
    flaw_arena_init(&out->arena, 0);
    flaw_status status = check_options(o, err);
    if (!status)
        status = flaw_compute_open(&out->compute, o->threads, FLAW_LEVEL_AUTO, o->float32 ? FLAW_F32 : FLAW_BF16, err);
    if (!status) status = read_lists(out, err);
    if (!status) status = learn_vocabulary(&pieces, out, err);
    if (!status) status = make_model(out, pieces, err);
    if (status) {
        flaw_language_trainer_close(out);
        return status;
    }
    flaw_run_note(&out->talk, "%zu texts of %zu tokens, %zu held out, vocabulary %d, %.2f million weights, kernels %s",
                  out->texts.count, out->texts.start[out->texts.count], out->held_out.count, flaw_pieces_count(pieces),
                  (double)out->model->list.total * 1e-6, out->compute.kernels->name);
    return FLAW_OK;
}

void flaw_language_trainer_close(flaw_language_trainer *t)
{
    flaw_language_train_close(&t->train);
    flaw_language_close(t->model);
    flaw_dialogues_free(t->dialogues);
    flaw_corpus_release(&t->texts);
    flaw_corpus_release(&t->held_out);
    flaw_history_release(&t->history);
    flaw_compute_close(&t->compute);
    flaw_arena_release(&t->arena);
    memset(t, 0, sizeof *t);
}
