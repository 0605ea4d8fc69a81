#include "detect/batch_limit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define NORMAL 1.4826

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *x, size_t n)
{
    qsort(x, n, sizeof *x, ascending);
    return n % 2 ? x[n / 2] : (x[n / 2 - 1] + x[n / 2]) / 2;
}

/* x is overwritten. */
static double limit_of(double *x, size_t n, double deviations, double *middle)
{
    *middle = median(x, n);
    for (size_t i = 0; i < n; i++) x[i] = fabs(x[i] - *middle);
    return *middle + deviations * NORMAL * median(x, n);
}

static void describe(flaw_calibration *c, size_t count, double middle, double deviations)
{
    snprintf(c->about, sizeof c->about,
             "Limit from the %zu pictures themselves: %.4g, the median of their scores (%.4g) and %.3g median "
             "deviations. It takes for granted that most of them are good; what share of good parts lies over it is "
             "not known.",
             count, c->threshold, middle, deviations);
}

flaw_status flaw_calibrate_batch(flaw_calibration *out, const flaw_sample *sample, size_t count, double deviations,
                                 flaw_error *err)
{
    if (!count) return flaw_fail(err, FLAW_USAGE, "a limit from a batch without pictures");
    for (size_t i = 0; i < count; i++)
        if (!isfinite(sample[i].score) || !isfinite(sample[i].peak) || !isfinite(sample[i].middle))
            return flaw_fail(err, FLAW_BAD_DATA, "the score of picture %zu of the batch is not a finite number", i + 1);
    double *x = malloc(count * sizeof *x), middle;
    if (!x) return flaw_fail(err, FLAW_NO_MEMORY, "the limit of %zu pictures: memory was refused", count);
    flaw_calibration c = {.false_alarm_rate = NAN, .good = 0};
    snprintf(c.rule, sizeof c.rule, "batch");
    for (size_t i = 0; i < count; i++) x[i] = sample[i].peak;
    c.map_threshold = limit_of(x, count, deviations, &middle);
    for (size_t i = 0; i < count; i++) x[i] = sample[i].middle;
    c.map_low = median(x, count);
    for (size_t i = 0; i < count; i++) x[i] = sample[i].score;
    c.threshold = limit_of(x, count, deviations, &middle);
    describe(&c, count, middle, deviations);
    free(x);
    *out = c;
    return FLAW_OK;
}
