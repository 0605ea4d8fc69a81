/* The difference of two AUROC on the same pictures with its variance: DeLong, DeLong and Clarke-Pearson (1988),
 * "Comparing the areas under two or more correlated receiver operating characteristic curves"; in O(n log n) by mean
 * ranks as in Sun and Xu (2014). */
#include <math.h>
#include <stdlib.h>

#include "flaw/metrics.h"
#include "measure/metrics/ranking.h"

/* ranks[i]: mean rank of picture i among those with `label` (2: all), from 1 for the lowest score. */
static flaw_status mean_ranks(double *ranks, const float *scores, const uint8_t *labels, int label, size_t n,
                              flaw_error *err)
{
    flaw_ranking r;
    flaw_status status = flaw_ranking_init(&r, n, err);
    if (status != FLAW_OK) return status;
    for (size_t i = 0; i < n && status == FLAW_OK; i++)
        if (label == 2 || (labels[i] != 0) == label)
            if (!flaw_ranking_add(&r, scores[i], (uint32_t)i))
                status = flaw_fail(err, FLAW_BAD_DATA,
                                   "score %zu of %zu is not a number; a metric needs ordered scores", i, n);
    if (status == FLAW_OK) flaw_ranking_sort(&r);
    for (size_t i = 0, next; status == FLAW_OK && i < r.n; i = next) {
        next = flaw_ranking_next(&r, i);
        for (size_t j = i; j < next; j++)
            ranks[flaw_ranking_payload(&r, j)] = (double)r.n - (double)(i + next - 1) / 2;
    }
    flaw_ranking_release(&r);
    return status;
}

/* Structural components: for a bad picture the share of good ones under it, for a good one the share of bad ones over
 * it. The mean over either class is the AUROC. */
static flaw_status components(double *out, double *work, const float *scores, const uint8_t *labels, size_t n,
                              size_t bads, flaw_error *err)
{
    const double count[2] = {(double)(n - bads), (double)bads};
    flaw_status status = mean_ranks(out, scores, labels, 2, n, err);
    if (status == FLAW_OK) status = mean_ranks(work, scores, labels, 0, n, err);
    if (status == FLAW_OK) status = mean_ranks(work, scores, labels, 1, n, err);
    for (size_t i = 0; i < n && status == FLAW_OK; i++)
        out[i] = labels[i] ? (out[i] - work[i]) / count[0] : 1 - (out[i] - work[i]) / count[1];
    return status;
}

/* Of the standard normal distribution, both tails together 1 - level: by halving, to the last bit but a few. */
static double normal_quantile(double level)
{
    double low = 0, high = 40;
    for (int i = 0; i < 100; i++) {
        const double middle = (low + high) / 2;
        if (erfc(middle / sqrt(2)) > 1 - level) low = middle;
        else high = middle;
    }
    return (low + high) / 2;
}

/* Mean and variance of the mean of first - second over one class. */
static void class_mean(double *mean, double *variance, const double *first, const double *second,
                       const uint8_t *labels, int label, size_t n)
{
    double count = 0, sum = 0, squares = 0;
    for (size_t i = 0; i < n; i++)
        if ((labels[i] != 0) == label) sum += first[i] - second[i], count++;
    *mean = sum / count;
    for (size_t i = 0; i < n; i++)
        if ((labels[i] != 0) == label) squares += pow(first[i] - second[i] - *mean, 2);
    *variance = squares / (count - 1) / count;
}

static flaw_difference difference_of(const double *first, const double *second, const uint8_t *labels, size_t n,
                                     double level)
{
    double of_good, of_bad, mean;
    flaw_difference out;
    class_mean(&mean, &of_good, first, second, labels, 0, n);
    class_mean(&mean, &of_bad, first, second, labels, 1, n);
    const double deviation = sqrt(of_good + of_bad), reach = normal_quantile(level) * deviation;
    out.low = mean - reach;
    out.high = mean + reach;
    out.p = deviation > 0 ? erfc(fabs(mean) / deviation / sqrt(2)) : mean == 0 ? 1 : NAN;
    return out;
}

flaw_status flaw_delong(flaw_difference *out, const float *first, const float *second, const uint8_t *labels, size_t n,
                        double level, flaw_error *err)
{
    if (level == 0) level = 0.95;
    if (!(level > 0 && level < 1))
        return flaw_fail(err, FLAW_USAGE, "level %g of an interval is not allowed, allowed is 0 < level < 1", level);
    if (n > 1 << 30) return flaw_fail(err, FLAW_USAGE, "%zu pictures cannot be compared", n);
    double area[2];
    flaw_status status = flaw_auroc(&area[0], first, labels, n, err);
    if (status == FLAW_OK) status = flaw_auroc(&area[1], second, labels, n, err);
    if (status != FLAW_OK) return status;
    size_t bads = 0;
    for (size_t i = 0; i < n; i++) bads += labels[i] != 0;
    flaw_difference made = {.low = NAN, .high = NAN, .p = NAN};
    if (bads >= 2 && n - bads >= 2) {
        double *work = malloc(3 * n * sizeof *work);
        if (!work) return flaw_fail(err, FLAW_NO_MEMORY, "comparing %zu pictures: no memory", n);
        status = components(work, work + 2 * n, first, labels, n, bads, err);
        if (status == FLAW_OK) status = components(work + n, work + 2 * n, second, labels, n, bads, err);
        if (status == FLAW_OK) made = difference_of(work, work + n, labels, n, level);
        free(work);
    }
    if (status != FLAW_OK) return status;
    made.first = area[0];
    made.second = area[1];
    *out = made;
    return FLAW_OK;
}
