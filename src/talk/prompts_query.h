/* What a language model is asked, once for the normal and once for the abnormal state, in the same words but for the
 * name of the state (spec 1.3 A). Words of the user (object, brief) stand in the user's message only. */
#ifndef FLAW_TALK_PROMPTS_QUERY_H
#define FLAW_TALK_PROMPTS_QUERY_H

#include "base/buffer.h"

extern const char *const flaw_query_states[2]; /* "normal", "abnormal" */

const char *flaw_query_system(void);
/* Append the question for `count` sentences about a state; `brief` is cleaned, or NULL. have[have_count]: sentences
 * that are there already, others are wanted; fault: what was wrong with most of the others (flaw_sift_worst), "" for
 * nothing. */
void flaw_query_say(flaw_buffer *out, int state, const char *object, int count, const char *brief, char *const *have,
                    int have_count, const char *fault);

#endif
