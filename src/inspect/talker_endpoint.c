/* Dialogue with an endpoint: rules and facts first, then the turns. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "inspect/talker.h"
#include "talk/brief.h"

#define MOST_BYTES 16384 /* of the turns that are sent along: endpoints read only so much */

/* The first question that is sent carries the product's name and brief: they are words of the user, and stand where
 * those stand. */
static char *with_name(const flaw_result *facts, const char *question)
{
    flaw_buffer text;
    flaw_buffer_init(&text, MOST_BYTES + 65536 + strlen(question));
    if (strcmp(facts->object, "object") != 0)
        flaw_buffer_printf(&text, "The product is called \"%s\".\n\n", facts->object);
    if (facts->brief) {
        flaw_buffer_text(&text, "Notes about the product, from the user and not measured:\n");
        flaw_brief_quote(&text, facts->brief);
        flaw_buffer_text(&text, "\n");
    }
    flaw_buffer_text(&text, question);
    if (!text.failed) return text.data;
    flaw_buffer_release(&text);
    return NULL;
}

static bool add_line(flaw_remote *r, char *text)
{
    char **longer = text ? realloc(r->line, (r->count + 1) * sizeof *longer) : NULL;
    if (!longer) {
        free(text);
        return false;
    }
    r->line = longer;
    r->line[r->count++] = text;
    return true;
}

static void drop_last(flaw_remote *r)
{
    free(r->line[--r->count]);
}

/* Forget the oldest turns until the rest is short enough; the last question stays. */
static bool forget(flaw_remote *r)
{
    size_t bytes = 0, first = r->count;
    while (first > r->first && (bytes += strlen(r->line[first - 1])) <= MOST_BYTES) first--;
    if ((r->count - first) % 2 == 0) first++; /* begin with a question */
    if (first >= r->count) first = r->count - 1;
    bool forgot = first > r->first;
    r->first = first;
    return forgot;
}

static flaw_status send_turns(const flaw_remote *r, const char *rules, const flaw_result *facts, flaw_talk_words words,
                              void *context, flaw_endpoint_answer *answer, flaw_error *err)
{
    size_t turns = r->count - r->first;
    flaw_message *message = calloc(turns + 1, sizeof *message);
    char *first = with_name(facts, r->line[r->first]);
    flaw_status s = FLAW_OK;
    if (!message || !first) s = flaw_fail(err, FLAW_NO_MEMORY, "memory for a dialogue was refused");
    if (!s) message[0] = (flaw_message){FLAW_SPEAKER_SYSTEM, rules};
    for (size_t i = 0; !s && i < turns; i++)
        message[i + 1] =
            (flaw_message){i % 2 ? FLAW_SPEAKER_ASSISTANT : FLAW_SPEAKER_USER, i ? r->line[r->first + i] : first};
    if (!s) s = flaw_endpoint_ask(answer, &r->endpoint, message, turns + 1, words, context, err);
    free(first);
    free(message);
    return s;
}

/* Keep question and answer; one that was stopped before its first word is as if never asked for. */
static flaw_status keep_answer(flaw_remote *r, const flaw_endpoint_answer *answer, flaw_answer *out, flaw_error *err)
{
    out->text = flaw_talk_trimmed(answer->text, strlen(answer->text));
    out->cut = answer->cut;
    if (!out->text) return flaw_fail(err, FLAW_NO_MEMORY, "memory for an answer was refused");
    if (!*out->text) drop_last(r);
    else if (!add_line(r, strdup(out->text))) return flaw_fail(err, FLAW_NO_MEMORY, "memory for an answer was refused");
    return FLAW_OK;
}

flaw_status flaw_remote_ask(flaw_remote *r, const flaw_result *facts, const char *question, flaw_talk_words words,
                            void *context, flaw_answer *out, flaw_error *err)
{
    flaw_endpoint_answer answer = {0};
    flaw_buffer rules;
    if (!add_line(r, strdup(question))) return flaw_fail(err, FLAW_NO_MEMORY, "memory for a question was refused");
    bool forgot = forget(r);
    flaw_buffer_init(&rules, 65536);
    flaw_endpoint_system(&rules, facts);
    flaw_status s = rules.failed ? flaw_fail(err, FLAW_NO_MEMORY, "memory for the facts was refused")
                                 : send_turns(r, rules.data, facts, words, context, &answer, err);
    if (!s) s = keep_answer(r, &answer, out, err);
    flaw_buffer_release(&rules);
    free(answer.text);
    if (s) drop_last(r); /* the question was never answered */
    else if (forgot)
        snprintf(out->note, sizeof out->note, "the dialogue is long: the oldest turns were not sent along");
    return s;
}

void flaw_remote_restart(flaw_remote *r)
{
    while (r->count) drop_last(r);
    free(r->line);
    r->line = NULL;
    r->first = 0;
}
