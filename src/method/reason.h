/* Why a picture has its score: what every sentence does to it, whatever the method.
 *
 * The words' margin is that of the two prototypes with what was looked at, over tau: of the rows x of the views
 *   sum over x of scale_a <x, t_a> - scale_n <x, t_n>,  t_c = sum_i w_i e_i / |sum_i w_i e_i|.
 * A sentence's part of it is w_i f_i with f_i = sum over x of scale_c <x, e_i> / |sum w e|: cosines that all lie high
 * (or low) together, so that parts differ little. The weights of both sides sum to 1, so one number may be taken from
 * every f_i and the margin stays: taken is the f of the kept sentence that fits worst. The rest is the sentence's pull:
 * negative for the normal side, positive for the abnormal one, 0 for the one that fits worst and for dropped ones; the
 * pulls sum to the margin.
 *
 * A rescore is no approximation: the weights without the sentence, the prototypes and all that follows from them. */
#ifndef FLAW_METHOD_REASON_H
#define FLAW_METHOD_REASON_H

#include "detect/prompts.h"

/* Of side c, in the order of the prompts: arrays [count[c] + banned[c]]. */
typedef struct flaw_reason {
    double *similarity[2]; /* cosine of what was looked at with the sentence */
    double *weight[2];     /* 0 where dropped or banned */
    double *pull[2];
    double *other[2]; /* image score without the sentence, of banned ones: with it; NaN where there is none */
    double margin;
    flaw_context_rule rule;
    double *memory; /* owned: all of the above */
} flaw_reason;

typedef struct flaw_view {
    const float *row; /* [E] */
    double scale[2];
} flaw_view;

/* The image score with the prototypes text[2] [E], those of the set without sentence `index` of `side` (banned: with).
 */
typedef flaw_status (*flaw_rescore)(void *context, const float *const text[2], int side, int index, double *image,
                                    flaw_error *err);

flaw_status flaw_reason_new(flaw_reason *out, const flaw_prompt_set *set, flaw_context_rule rule, flaw_error *err);
void flaw_reason_release(flaw_reason *reason);

/* Three steps of a method's explanation, one after the other. Similarities with `row` [E], and weights. */
void flaw_reason_weigh(flaw_reason *r, const flaw_prompt_set *set, const float *row, const flaw_kernels *kernels);
/* Pulls and margin. */
void flaw_reason_pull(flaw_reason *r, const flaw_prompt_set *set, const flaw_view *views, int count,
                      const flaw_kernels *kernels);
/* The other scores. */
flaw_status flaw_reason_rescore(flaw_reason *r, const flaw_prompt_set *set, flaw_rescore rescore, void *context,
                                flaw_error *err);

#endif
