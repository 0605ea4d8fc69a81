/* Replicates of figures over drawn pictures, and what they say. */
#ifndef FLAW_MEASURE_RESAMPLE_H
#define FLAW_MEASURE_RESAMPLE_H

#include "base/random.h"
#include "flaw/metrics.h"

/* Figures of one replicate from how often each picture was drawn: times[n]. */
typedef void (*flaw_replicate)(double out[FLAW_FIGURES], const void *context, const uint32_t *times);

typedef struct flaw_draws {
    double *value;           /* [FLAW_FIGURES, replicates] owned */
    flaw_resample options;   /* nothing is 0 any more */
} flaw_draws;

/* The options with what is usual for 0, or FLAW_USAGE. */
flaw_status flaw_resample_fill(flaw_resample *out, const flaw_resample *options, flaw_error *err);
/* Draws pictures and measures; labels[n] says which are bad. */
flaw_status flaw_draws_make(flaw_draws *out, flaw_replicate measure, const void *context, const uint8_t *labels,
                            size_t n, const flaw_resample *options, flaw_error *err);
/* Sorts that figure's replicates; the interval at the level, `off` added. */
void flaw_draws_interval(double *low, double *high, flaw_draws *draws, flaw_figure figure, double off);
/* Twice the smaller share of the replicates that with `off` added are <= 0, or >= 0, each with one more for the data
 * themselves; at most 1. */
double flaw_draws_p(const flaw_draws *draws, flaw_figure figure, double off);
void flaw_draws_release(flaw_draws *draws);

#endif
