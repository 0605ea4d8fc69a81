/* Conformal p-values and limits (Vovk et al. 2005) from scores of good parts that the memory did not hold: the share of
 * new good parts that are alarmed is bounded without any guess about how scores are distributed, as long as the new ones
 * are exchangeable with the others (same camera, lamp, place). */
#ifndef FLAW_DETECT_CONFORMAL_H
#define FLAW_DETECT_CONFORMAL_H

#include <stdbool.h>
#include <stddef.h>

/* Chance of a score at least as large when the part is as good as the others: (1 + how many of score[n] are no smaller)
 * / (n + 1). NaN without scores or for one that is no number. */
double flaw_conformal_p(const float *good, size_t n, double score);

/* The limit which a good part passes with a chance of at most `rate`: passing it is the same as p <= rate. `sorted` rises.
 * False where n parts do not suffice. */
bool flaw_conformal_limit(double *out, const double *sorted, size_t n, double rate);

/* Good parts that a rate over 0 needs: 1 / rate - 1, rounded up. */
double flaw_conformal_parts(double rate);

#endif
