/* Answers in words, read: flaw_answer_parse of include/flaw/talk.h, and its parts. */
#ifndef FLAW_TALK_ANSWER_H
#define FLAW_TALK_ANSWER_H

#include "flaw/talk.h"
#include "talk/clause.h"

/* Add the nine places that a clause names, each once in the order of mention: "upper left" is "top left", "middle" is
 * "center"; "top left" is not "top" and "left"; "not at the top" and "that is right" name none. */
void flaw_places_add(flaw_answer *answer, const flaw_clause *c);

#endif
