/* Every figure of a ranking in one walk from the highest score down. What is walked are steps: either the scores of one
 * exact value, or those that share a bin of a histogram and whose order is not known; the second kind widens the bounds
 * by what any order of its scores could change. */
#ifndef FLAW_MEASURE_SWEEP_H
#define FLAW_MEASURE_SWEEP_H

#include <stdbool.h>

#include "flaw/metrics.h"
#include "measure/metrics/key.h"

/* A whole region's share. One pixel of a region of s pixels holds FLAW_SHARE_ONE / s, rounded: a region of a million
 * pixels is off by less than 1e-12. */
#define FLAW_SHARE_ONE ((uint64_t)1 << 60)
static inline uint64_t flaw_share_of(uint64_t pixels)
{
    return (FLAW_SHARE_ONE + pixels / 2) / pixels;
}

typedef struct flaw_step {
    uint64_t background, marked;
    flaw_wide share;             /* of regions, in FLAW_SHARE_ONE */
    uint32_t low_key, high_key;  /* equal: all these scores are the same */
} flaw_step;

typedef struct flaw_totals {
    uint64_t background, marked, regions;
    uint32_t low_key, high_key; /* over all scores */
} flaw_totals;

enum { FLAW_SWEEP_THRESHOLDS = 200 };

/* A point of the dialect with 200 thresholds, between the counts before and after the step that holds it. */
typedef struct flaw_sweep_point {
    flaw_bounded fpr, overlap;
} flaw_sweep_point;

typedef struct flaw_sweep {
    flaw_totals totals;
    double limit;
    uint64_t background, marked; /* so far */
    flaw_wide share;
    uint64_t flat;               /* background up to which overlap_area was added */
    flaw_wide pairs, doubt;      /* twice the ordered pairs of a marked and a background score; doubt of the same */
    flaw_bounded ap, f1, trapezoid, overlap_area;
    double f1_score, right_most; /* score that gives f1; most scores on the right side of a threshold */
    int threshold;               /* next of the 200, downwards */
    flaw_sweep_point point[FLAW_SWEEP_THRESHOLDS]; /* [threshold] */
} flaw_sweep;

/* totals with background 0 or marked 0 make every figure NaN. */
void flaw_sweep_begin(flaw_sweep *s, const flaw_totals *totals, double limit);
void flaw_sweep_step(flaw_sweep *s, const flaw_step *step);
/* Steps of background alone may be taken together with one of this key, which is the highest of them, down to the key
 * that is returned: no threshold of the dialect lies between. */
uint32_t flaw_sweep_mergeable(const flaw_sweep *s, uint32_t key);
/* Fills the figures; pictures, lowest, highest are left to the caller. */
void flaw_sweep_end(flaw_pixel_figures *out, flaw_sweep *s);

flaw_status flaw_sweep_check_limit(double limit, flaw_error *err);
/* Pictures and the range of scores. */
void flaw_sweep_describe(flaw_pixel_figures *out, const flaw_totals *totals, uint64_t pictures);

/* A point of a curve after the counts of a step. */
void flaw_sweep_curve_point(double *x, double *y, flaw_curve_kind kind, const flaw_totals *totals, uint64_t background,
                            uint64_t marked, flaw_wide share);

#endif
