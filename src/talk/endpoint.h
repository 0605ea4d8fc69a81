/* An OpenAI-compatible endpoint: POST URL/chat/completions. It sees no picture; what it may say is told in the system
 * message, and words of users stand in user messages only. */
#ifndef FLAW_TALK_ENDPOINT_H
#define FLAW_TALK_ENDPOINT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "flaw/inspect.h"
#include "flaw/talk.h"

typedef struct flaw_endpoint {
    const char *url;   /* "http://host:port/v1", or with "/chat/completions" behind */
    const char *model; /* NULL: none is named */
    const char *key;   /* NULL: none; never part of a message */
    double timeout;    /* seconds for an answer, tries and waits included */
    double wait;       /* seconds before the second try (twice that before the third) */
    int max_tokens;
    double temperature, top_p;
    uint64_t seed;
} flaw_endpoint;

#define FLAW_ENDPOINT_TRIES 3

typedef enum flaw_speaker { FLAW_SPEAKER_SYSTEM, FLAW_SPEAKER_USER, FLAW_SPEAKER_ASSISTANT } flaw_speaker;

typedef struct flaw_message {
    flaw_speaker speaker;
    const char *text;
} flaw_message;

typedef struct flaw_endpoint_answer {
    char *text;   /* malloc'ed */
    bool cut;     /* max_tokens ended it */
    bool stopped; /* `words` ended it */
    char model[128]; /* the one that answered, by its own word; else empty */
} flaw_endpoint_answer;

/* FLAW_USAGE for an address or key that cannot be. Asks nobody. */
flaw_status flaw_endpoint_check(const flaw_endpoint *e, flaw_error *err);
/* Words as they come go to `words`, which is also called with size 0 while nothing comes: nonzero ends the answer.
 * Tried again on 429, 5xx and refused connections, until the first word has come. */
flaw_status flaw_endpoint_ask(flaw_endpoint_answer *out, const flaw_endpoint *e, const flaw_message *message,
                              size_t count, flaw_talk_words words, void *context, flaw_error *err);

/* The system message: the rules, and what was measured. Nothing in it was written by users. */
void flaw_endpoint_system(flaw_buffer *out, const flaw_result *facts);

#endif
