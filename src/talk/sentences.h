/* Sentences in what a language model wrote: numbered or bulleted lists, plain lines, JSON arrays and objects, code
 * fences, quotes, headings ("Normal:", "## Abnormal"), chatter before and behind. Takes any bytes; whether a sentence
 * is any good is for others to say (talk/prompts_sift.h). */
#ifndef FLAW_TALK_SENTENCES_H
#define FLAW_TALK_SENTENCES_H

#include <stddef.h>

#include "base/arena.h"
#include "flaw/status.h"

#define FLAW_SENTENCES_MOST 1024 /* of one text, both sides together */

typedef struct flaw_sentences {
    char *text[2][FLAW_SENTENCES_MOST]; /* normal, abnormal: one line of valid UTF-8 each, not empty, no control characters,
                                           no quotes or marks around it, no full stop behind */
    size_t count[2];
    size_t dropped; /* longer than a sentence may be, or more than there is room for */
    flaw_arena arena;
} flaw_sentences;

/* `side`: the list that was asked for, 0 normal or 1 abnormal; a heading in the text says otherwise for what follows
 * it. */
flaw_status flaw_sentences_read(flaw_sentences *out, const char *text, size_t size, int side, flaw_error *err);
void flaw_sentences_release(flaw_sentences *s);

#endif
