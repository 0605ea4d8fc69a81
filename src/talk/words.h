/* Sentences made of measured facts; no language model. */
#ifndef FLAW_TALK_WORDS_H
#define FLAW_TALK_WORDS_H

#include "flaw/inspect.h"

/* Fills result->words from verdict, score, threshold, regions, object and doubt. */
void flaw_words_say(flaw_result *result);

#endif
