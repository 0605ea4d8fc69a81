/* Contextual scoring of ALFA (arXiv 2404.09654; reconstruction): which of an object's sentences fit this very picture.
 * The exact rule of the paper is not public; these are three readings of its words, and none. */
#ifndef FLAW_DETECT_CONTEXT_H
#define FLAW_DETECT_CONTEXT_H

#include <stdbool.h>

#include "flaw/status.h"

typedef enum flaw_context_rule {
    FLAW_CONTEXT_NONE,      /* all sentences, equal weights: a static ensemble */
    FLAW_CONTEXT_OVERLAP,   /* drop sentences whose similarity lies where both classes' ranges overlap */
    FLAW_CONTEXT_RELEVANCE, /* keep the more similar half of each class */
    FLAW_CONTEXT_SOFT,      /* weight by how clearly a sentence tells the classes apart, and by similarity */
} flaw_context_rule;

/* NULL = overlap. FLAW_USAGE names the allowed ones. */
flaw_status flaw_context_named(flaw_context_rule *out, const char *name, flaw_error *err);
const char *flaw_context_name(flaw_context_rule rule);

#define FLAW_PROMPTS_MOST 1024 /* sentences of one class */

/* similarity[c][count[c]]: cosines of the picture with the sentences of class c (0 normal, 1 abnormal), 1 <= count <=
 * FLAW_PROMPTS_MOST. pinned[c][count[c]]: sentences that no rule drops, by rule S without the factor for how clearly
 * they tell the classes apart; pinned[c] NULL = none. weight[c][count[c]]: non-negative, summing to 1. Never empty and
 * never NaN for finite similarities. */
void flaw_context_weigh(flaw_context_rule rule, const double *const similarity[2], const int count[2],
                        const bool *const pinned[2], double *const weight[2]);
/* Where the ranges of both classes overlap: a similarity in [overlap[0], overlap[1]] is ambiguous; none is where the
 * first is larger. */
void flaw_context_overlap(double overlap[2], const double *const similarity[2], const int count[2]);

#endif
