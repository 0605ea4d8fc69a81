/* A language model from a file (LLaMA folder, GGUF) writes sentences, in AnomalyGPT's form of dialogue. */
#include <stdio.h>
#include <stdlib.h>

#include "base/path.h"
#include "talk/dialogue_prompt.h"
#include "talk/prompts_writer.h"

#define LEAST_ROOM 100 /* tokens: some five sentences */

typedef struct local {
    flaw_compute compute;
    flaw_language *model;
    flaw_reading *reading;
    flaw_dialogue_prompt prompt;
    flaw_sampling sampling;
    uint64_t seed;
} local;

static void close_local(flaw_writer *w)
{
    local *x = w->self;
    flaw_dialogue_prompt_release(&x->prompt);
    flaw_reading_close(x->reading);
    flaw_language_close(x->model);
    if (x->compute.pool) flaw_compute_close(&x->compute);
    free(x);
    w->self = NULL;
}

/* *room: tokens kept for the answer; fewer where the model's context is short, but not so few that no list fits. */
static flaw_status put_question(local *x, const flaw_wanted *wanted, int *room, flaw_error *err)
{
    flaw_buffer text;
    flaw_buffer_init(&text, 1 << 17);
    flaw_buffer_printf(&text, "%s\n\n%s", wanted->system, wanted->user);
    flaw_status s = text.failed ? flaw_fail(err, FLAW_NO_MEMORY, "memory for a question was refused") : FLAW_USAGE;
    for (; s == FLAW_USAGE && *room >= LEAST_ROOM; *room -= s == FLAW_USAGE ? *room / 4 : 0) {
        flaw_dialogue_prompt_restart(&x->prompt);
        s = flaw_dialogue_prompt_ask(&x->prompt, text.data, *room, err);
    }
    flaw_buffer_release(&text);
    return s;
}

static flaw_status write_sentences(flaw_writer *w, const flaw_wanted *wanted, flaw_buffer *reply, flaw_error *err)
{
    local *x = w->self;
    flaw_written written = {.count = 0};
    int most = FLAW_WRITER_TOKENS(wanted->count), half = x->model->shape.context / 2;
    if (most > half) most = half;
    if (most < LEAST_ROOM) most = LEAST_ROOM;
    flaw_status s = put_question(x, wanted, &most, err);
    const flaw_writing task = {
        .max_tokens = most, .sampling = x->sampling, .seed = x->seed, .stop = FLAW_DIALOGUE_STOP};
    if (!s) s = flaw_language_write(x->reading, &task, &written, err);
    if (s) return s;
    flaw_dialogue_prompt_written(&x->prompt, written.ids, written.count);
    flaw_buffer_append(reply, written.text.data ? written.text.data : "", written.text.size);
    flaw_written_release(&written);
    return reply->failed ? flaw_fail(err, FLAW_NO_MEMORY, "memory for a reply was refused") : FLAW_OK;
}

static flaw_status open_local(local *x, const flaw_prompts_options *o, flaw_error *err)
{
    flaw_keep keep;
    flaw_level level;
    flaw_status s = flaw_keep_parse(&keep, o->precision, err);
    if (!s) s = flaw_level_parse(&level, o->level, err);
    if (!s) s = flaw_compute_open(&x->compute, o->threads, level, FLAW_F32, err);
    if (!s) s = flaw_language_open(&x->model, o->llm_model, keep, NULL, &x->compute, err);
    if (!s) s = flaw_reading_open(&x->reading, x->model, &x->compute, err);
    if (!s) s = flaw_dialogue_prompt_begin(&x->prompt, x->model, x->reading, NULL, NULL, 0, err);
    return s;
}

flaw_status flaw_writer_local(flaw_writer *out, const flaw_prompts_options *o, flaw_error *err)
{
    local *x = calloc(1, sizeof *x);
    if (!x) return flaw_fail(err, FLAW_NO_MEMORY, "a language model was refused");
    x->sampling = (flaw_sampling){.temperature = o->temperature, .top_p = o->top_p};
    x->seed = o->seed;
    flaw_writer w = {.write = write_sentences, .close = close_local, .self = x};
    flaw_path_name(w.model, sizeof w.model, o->llm_model);
    flaw_status s = open_local(x, o, err);
    if (s) flaw_writer_close(&w);
    else *out = w;
    return s;
}
