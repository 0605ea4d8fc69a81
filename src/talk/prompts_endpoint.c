/* An OpenAI-compatible endpoint writes sentences. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "talk/endpoint.h"
#include "talk/prompts_writer.h"

static flaw_status write_sentences(flaw_writer *w, const flaw_wanted *wanted, flaw_buffer *reply, flaw_error *err)
{
    flaw_endpoint e = *(const flaw_endpoint *)w->self;
    const flaw_message message[] = {{FLAW_SPEAKER_SYSTEM, wanted->system}, {FLAW_SPEAKER_USER, wanted->user}};
    flaw_endpoint_answer answer = {0};
    e.max_tokens = FLAW_WRITER_TOKENS(wanted->count);
    flaw_status s = flaw_endpoint_ask(&answer, &e, message, 2, NULL, NULL, err);
    if (s) return s;
    flaw_buffer_text(reply, answer.text);
    if (*answer.model) snprintf(w->model, sizeof w->model, "%s", answer.model);
    free(answer.text);
    return reply->failed ? flaw_fail(err, FLAW_NO_MEMORY, "memory for a reply was refused") : FLAW_OK;
}

static void close_endpoint(flaw_writer *w)
{
    free(w->self);
    w->self = NULL;
}

flaw_status flaw_writer_endpoint(flaw_writer *out, const flaw_prompts_options *o, flaw_error *err)
{
    flaw_endpoint *e = malloc(sizeof *e);
    if (!e) return flaw_fail(err, FLAW_NO_MEMORY, "an endpoint was refused");
    *e = (flaw_endpoint){.url = o->llm,
                         .model = o->llm_model,
                         .key = o->llm_key,
                         .timeout = o->llm_timeout,
                         .wait = 0.5,
                         .temperature = o->temperature,
                         .top_p = o->top_p,
                         .seed = o->seed};
    flaw_status s = flaw_endpoint_check(e, err);
    if (s) {
        free(e);
        return s;
    }
    *out = (flaw_writer){.write = write_sentences, .close = close_endpoint, .self = e};
    snprintf(out->model, sizeof out->model, "%s", o->llm_model ? o->llm_model : "not named");
    return FLAW_OK;
}

void flaw_writer_close(flaw_writer *w)
{
    if (w->close) w->close(w);
    *w = (flaw_writer){0};
}
