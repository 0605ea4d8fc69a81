/* The language model of an AnomalyGPT speaks about what its eyes see. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "inspect/talker.h"

static flaw_status make_room(flaw_voiced *v, flaw_error *err)
{
    const flaw_voice_shape *s = &v->m.voice->shape;
    size_t words = (size_t)s->words;
    v->token = flaw_arena_alloc(&v->arena, words, sizeof *v->token);
    v->prompts = flaw_arena_alloc(&v->arena, (size_t)flaw_voice_prompts(s) * words, sizeof *v->prompts);
    v->saved = flaw_arena_alloc(&v->arena, flaw_prompt_saved(s), sizeof *v->saved);
    v->work = flaw_arena_alloc(&v->arena, flaw_prompt_workspace(&v->compute, s), sizeof *v->work);
    if (v->token && v->prompts && v->saved && v->work) return FLAW_OK;
    return flaw_fail(err, FLAW_NO_MEMORY, "memory to talk was refused");
}

flaw_status flaw_voiced_open(flaw_voiced *out, const flaw_talk_options *options, const char *object, flaw_error *err)
{
    flaw_keep keep;
    flaw_level level;
    *out = (flaw_voiced){0};
    flaw_arena_init(&out->arena, 0);
    flaw_buffer_init(&out->said, (size_t)1 << 20);
    flaw_status s = flaw_keep_parse(&keep, options->precision, err);
    if (!s) s = flaw_level_parse(&level, options->level, err);
    if (!s) s = flaw_compute_open(&out->compute, options->threads, level, FLAW_F32, err);
    if (s) return s;
    s = flaw_anomalygpt_open(&out->m, options->model, keep, &out->compute, err);
    if (!s) s = make_room(out, err);
    if (!s) s = flaw_eyes_open(&out->eyes, &out->m, &out->compute, options, object, err);
    if (!s) s = flaw_reading_open(&out->reading, out->m.language, &out->compute, err);
    if (s) flaw_voiced_close(out);
    return s;
}

flaw_status flaw_voiced_product(flaw_voiced *v, const flaw_talk_options *options, const char *object, flaw_error *err)
{
    flaw_eyes eyes;
    flaw_status s = flaw_eyes_open(&eyes, &v->m, &v->compute, options, object, err);
    if (s) return s;
    flaw_eyes_close(&v->eyes);
    v->eyes = eyes;
    return FLAW_OK;
}

void flaw_voiced_close(flaw_voiced *v)
{
    flaw_dialogue_prompt_release(&v->prompt);
    flaw_reading_close(v->reading);
    flaw_eyes_close(&v->eyes);
    flaw_anomalygpt_close(&v->m);
    flaw_buffer_release(&v->said);
    if (v->compute.pool) flaw_compute_close(&v->compute);
    flaw_arena_release(&v->arena);
    *v = (flaw_voiced){0};
}

/* What the prompt learner makes of the map. */
static void write_prompts(flaw_voiced *v)
{
    flaw_prompt_forward(&v->compute, v->m.voice, v->eyes.map, v->prompts, v->saved, v->work);
}

/* What was said so far ends at `size` again. */
static void cut_said(flaw_voiced *v, size_t size)
{
    v->said.size = size;
    v->said.failed = false;
    if (v->said.data) v->said.data[size] = '\0';
}

static int prompt_rows(const flaw_voiced *v)
{
    return v->blind ? 0 : flaw_voice_prompts(&v->m.voice->shape);
}

static flaw_status begin(flaw_voiced *v, flaw_error *err)
{
    return flaw_dialogue_prompt_begin(&v->prompt, v->m.language, v->reading, v->token, v->prompts, prompt_rows(v), err);
}

flaw_status flaw_voiced_look(flaw_voiced *v, const flaw_picture *picture, flaw_result *facts, flaw_error *err)
{
    flaw_status s = flaw_eyes_look(&v->eyes, picture, err);
    if (!s) s = flaw_picture_token(v->m.voice, v->eyes.sight.embedding, v->token, err);
    if (!s) s = flaw_eyes_facts(&v->eyes, facts, err);
    if (s) return s;
    v->blind = false;
    write_prompts(v);
    s = begin(v, err);
    if (s) flaw_result_release(facts);
    cut_said(v, 0);
    return s;
}

flaw_status flaw_voiced_blindfold(flaw_voiced *v, flaw_error *err)
{
    v->blind = true;
    cut_said(v, 0);
    return begin(v, err);
}

void flaw_voiced_restart(flaw_voiced *v)
{
    flaw_dialogue_prompt_restart(&v->prompt);
    cut_said(v, 0);
}

/* Quirk: the object's name is the first of these that stands anywhere in what was said, as a part of words too. */
static const char *const upstream_names[] = {"bottle",     "cable",     "capsule",  "carpet", "grid",      "hazelnut",
                                             "leather",    "metal nut", "pill",     "screw",  "tile",      "toothbrush",
                                             "transistor", "wood",      "zipper",   "object", "candle",    "cashew",
                                             "chewinggum", "fryum",     "macaroni", "pcb",    "pipe fryum"};

/* The name found in the text; where it is another than before, text vectors, map and prompts are made again. */
static flaw_status name_by_words(flaw_voiced *v, const char *question, flaw_result *facts, flaw_error *err)
{
    const char *name = "object";
    flaw_result changed;
    flaw_buffer_text(&v->said, question);
    flaw_buffer_text(&v->said, "\n");
    for (size_t i = sizeof upstream_names / sizeof *upstream_names; i-- > 0;)
        if (!v->said.failed && strstr(v->said.data, upstream_names[i])) name = upstream_names[i];
    if (strcmp(name, v->eyes.object) == 0) return FLAW_OK;
    flaw_status s = flaw_eyes_name(&v->eyes, name, err);
    if (!s) s = flaw_eyes_facts(&v->eyes, &changed, err);
    if (s) return s;
    flaw_result_release(facts);
    *facts = changed;
    write_prompts(v);
    return flaw_dialogue_prompt_change(&v->prompt, v->token, v->prompts, prompt_rows(v), err);
}

/* Words on their way to the caller, without the white space they begin with. */
typedef struct passing {
    flaw_talk_words words;
    void *context;
    bool begun;
} passing;

static int pass(void *context, const char *text, size_t size)
{
    passing *p = context;
    while (!p->begun && size && isspace((unsigned char)*text)) {
        text++;
        size--;
    }
    if (!size) return p->words(p->context, "", 0);
    p->begun = true;
    return p->words(p->context, text, size);
}

/* Tokens kept free for the answer: all that were asked for, or half of what the model can read at all. */
static int room_of(const flaw_voiced *v, int max_tokens)
{
    int half = (v->prompt.context - v->prompt.base) / 2;
    return max_tokens < half ? max_tokens : half;
}

static flaw_status keep_answer(flaw_voiced *v, flaw_written *written, flaw_answer *out, flaw_error *err)
{
    const char *text = written->text.data ? written->text.data : "";
    out->text = flaw_talk_trimmed(text, written->text.size);
    if (!out->text) return flaw_fail(err, FLAW_NO_MEMORY, "memory for an answer was refused");
    flaw_dialogue_prompt_written(&v->prompt, written->ids, written->count);
    flaw_status s = flaw_dialogue_prompt_answer(&v->prompt, out->text, err);
    if (s) return s;
    flaw_buffer_text(&v->said, out->text);
    flaw_buffer_text(&v->said, "\n");
    out->ids = written->ids;
    out->id_count = written->count;
    out->cut = written->end == FLAW_END_LENGTH;
    written->ids = NULL;
    return FLAW_OK;
}

/* Put the question: to published weights byte for byte, as their scripts do; ours were trained on trimmed ones. */
static flaw_status put_question(flaw_voiced *v, const char *question, int room, flaw_error *err)
{
    if (flaw_voice_is_published(&v->m.voice->shape)) return flaw_dialogue_prompt_ask(&v->prompt, question, room, err);
    char *trimmed = flaw_talk_trimmed(question, strlen(question));
    if (!trimmed) return flaw_fail(err, FLAW_NO_MEMORY, "memory for a question was refused");
    flaw_status s = flaw_dialogue_prompt_ask(&v->prompt, trimmed, room, err);
    free(trimmed);
    return s;
}

flaw_status flaw_voiced_ask(flaw_voiced *v, const flaw_talk_options *options, const char *question,
                            flaw_talk_words words, void *context, flaw_result *facts, flaw_answer *out, flaw_error *err)
{
    passing passed = {.words = words, .context = context};
    flaw_writing writing = {.max_tokens = room_of(v, options->max_tokens),
                            .sampling = {.temperature = options->temperature, .top_p = options->top_p},
                            .seed = options->seed,
                            .stop = FLAW_DIALOGUE_STOP,
                            .hashes = true,
                            .upstream_cut = options->upstream_quirks != 0,
                            .words = words ? pass : NULL,
                            .context = &passed};
    flaw_written written = {0};
    size_t first = v->prompt.first, said = v->said.size;
    flaw_status s = options->upstream_quirks ? name_by_words(v, question, facts, err) : FLAW_OK;
    if (!s) s = put_question(v, question, writing.max_tokens, err);
    if (!s) s = flaw_language_write(v->reading, &writing, &written, err);
    if (!s) s = keep_answer(v, &written, out, err);
    flaw_written_release(&written);
    if (s) cut_said(v, said);
    if (!s && v->prompt.first > first)
        snprintf(out->note, sizeof out->note, "the model reads %d tokens: the oldest turns were forgotten",
                 v->prompt.context);
    return s;
}
