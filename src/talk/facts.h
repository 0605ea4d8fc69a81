/* The fact sheet: what was measured on a picture, in plain lines "name: value". People read it, and a language model
 * that sees no picture answers from it. */
#ifndef FLAW_TALK_FACTS_H
#define FLAW_TALK_FACTS_H

#include "base/buffer.h"
#include "flaw/inspect.h"

typedef enum flaw_facts {
    FLAW_FACTS_ALL,
    FLAW_FACTS_MEASURED /* without texts of others: name of the object, sentences of a prompt file, names of files */
} flaw_facts;

/* Append the sheet. Every line ends with a newline; a value never holds one. */
void flaw_facts_say(flaw_buffer *out, const flaw_result *r, flaw_facts which);

#endif
