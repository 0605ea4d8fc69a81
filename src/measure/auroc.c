/* Figures of a ranking: AUROC (Mann-Whitney, ties count one half), average precision (step rule, as scikit-learn:
 * sum of (R_n - R_{n-1}) P_n) and the largest F1 over all thresholds. Conventions: one class only gives NaN; a constant
 * score gives AUROC 1/2, AP = share of positives, F1 = 2p/(1+p). */
#include <math.h>

#include "flaw/measure.h"
#include "measure/ranking.h"

/* One pass over the ties from the highest score down; `add` sees the counts above and inside each tie. */
typedef struct counts {
    double above_positive, above_negative; /* ranked strictly higher */
    double tie_positive, tie_negative;     /* in this tie */
    double positives;                      /* in all */
} counts;

static double auroc_step(const counts *c)
{
    return c->tie_negative * (c->above_positive + 0.5 * c->tie_positive);
}

static double precision_step(const counts *c)
{
    double found = c->above_positive + c->tie_positive;
    return c->tie_positive / c->positives * (found / (found + c->above_negative + c->tie_negative));
}

static double f1_value(const counts *c)
{
    double found = c->above_positive + c->tie_positive;
    return 2 * found / (found + c->above_negative + c->tie_negative + c->positives);
}

typedef double (*step_function)(const counts *c);

static flaw_status over_ties(double *sum, double *largest, double *pairs, step_function step, const float *scores,
                             const uint8_t *labels, size_t n, flaw_error *err)
{
    flaw_ranking r;
    size_t positives;
    flaw_status status = flaw_ranking_of_labels(&r, &positives, scores, labels, n, err);
    if (status != FLAW_OK) return status;
    counts c = {.positives = (double)positives};
    *sum = *largest = 0;
    *pairs = (double)positives * (double)(n - positives);
    for (size_t i = 0, next; *pairs > 0 && i < n; i = next) {
        next = flaw_ranking_next(&r, i);
        size_t found = 0;
        for (size_t j = i; j < next; j++) found += flaw_ranking_payload(&r, j);
        c.tie_positive = (double)found;
        c.tie_negative = (double)(next - i - found);
        double value = step(&c);
        *sum += value;
        *largest = fmax(*largest, value);
        c.above_positive += c.tie_positive;
        c.above_negative += c.tie_negative;
    }
    flaw_ranking_release(&r);
    return FLAW_OK;
}

flaw_status flaw_auroc(double *out, const float *scores, const uint8_t *labels, size_t n, flaw_error *err)
{
    double sum, largest, pairs;
    flaw_status status = over_ties(&sum, &largest, &pairs, auroc_step, scores, labels, n, err);
    if (status == FLAW_OK) *out = pairs > 0 ? sum / pairs : NAN;
    return status;
}

flaw_status flaw_average_precision(double *out, const float *scores, const uint8_t *labels, size_t n, flaw_error *err)
{
    double sum, largest, pairs;
    flaw_status status = over_ties(&sum, &largest, &pairs, precision_step, scores, labels, n, err);
    if (status == FLAW_OK) *out = pairs > 0 ? sum : NAN;
    return status;
}

flaw_status flaw_f1_max(double *out, const float *scores, const uint8_t *labels, size_t n, flaw_error *err)
{
    double sum, largest, pairs;
    flaw_status status = over_ties(&sum, &largest, &pairs, f1_value, scores, labels, n, err);
    if (status == FLAW_OK) *out = pairs > 0 ? largest : NAN;
    return status;
}
