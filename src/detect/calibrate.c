#include "detect/calibrate.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Stated safety margin: the limit lies above the largest score of a good part by this share of it, or by the spread of
 * the good parts where that is larger (docs/methods.md has the measurements). */
#define MARGIN 0.05
#define SPREADS 1.0
#define SINGLE_MARGIN 0.5 /* one good part: only changes of itself are known, which are far too alike */

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double middle_of(double *x, size_t n)
{
    qsort(x, n, sizeof *x, ascending);
    return n % 2 ? x[n / 2] : (x[n / 2 - 1] + x[n / 2]) / 2;
}

/* Standard deviation, 0 for one. */
static double spread(const double *x, size_t n)
{
    double mean = 0, sum = 0;
    for (size_t i = 0; i < n; i++) mean += x[i] / (double)n;
    for (size_t i = 0; i < n; i++) sum += (x[i] - mean) * (x[i] - mean);
    return n > 1 ? sqrt(sum / (double)(n - 1)) : 0;
}

static double margin_of(const double *x, size_t n, double most, int parts)
{
    if (parts < 2) return SINGLE_MARGIN * fabs(most);
    return fmax(MARGIN * fabs(most), SPREADS * spread(x, n) / sqrt((double)parts));
}

static double largest(const double *x, size_t n)
{
    double m = x[0];
    for (size_t i = 1; i < n; i++) m = fmax(m, x[i]);
    return m;
}

/* The k-th smallest score of the unchanged parts bounds the rate by `rate` when k = ceil((1 - rate)(n + 1)) <= n. */
static bool quantile(double *limit, const double *real, size_t n, double rate)
{
    double k = ceil((1 - rate) * (double)(n + 1) - 1e-9);
    if (rate <= 0 || k > (double)n || k < 1) return false;
    double *sorted = malloc(n * sizeof *sorted);
    if (!sorted) return false;
    memcpy(sorted, real, n * sizeof *sorted);
    qsort(sorted, n, sizeof *sorted, ascending);
    *limit = sorted[(size_t)k - 1];
    free(sorted);
    return true;
}

static void describe(flaw_calibration *c, size_t changes, double most, double asked, bool by_quantile)
{
    int n = c->good;
    char rate[160];
    if (n < 2)
        snprintf(rate, sizeof rate, "With one good part the expected share of false alarms is not known");
    else if (by_quantile)
        snprintf(rate, sizeof rate, "At most %.3g %% of good parts like these are expected over it",
                 100 * c->false_alarm_rate);
    else
        snprintf(rate, sizeof rate,
                 "At most %.3g %% of good parts like these are expected over it (1 in %d: no more can be promised from %d)",
                 100 * c->false_alarm_rate, n + 1, n);
    int used = snprintf(c->about, sizeof c->about,
                        "Calibrated on %d good part%s, each scored against a memory of %s, and %zu mild changes of them: "
                        "the largest score is %.4g and the limit %.4g. %s; 5 %% needs at least 19 good parts, 1 %% at "
                        "least 99.",
                        n, n == 1 ? "" : "s", n == 1 ? "itself" : "the others", changes, most, c->threshold, rate);
    if (asked > 0 && !by_quantile && used > 0 && (size_t)used < sizeof c->about)
        snprintf(c->about + used, sizeof c->about - (size_t)used,
                 " The %.3g %% asked for needs at least %.0f good parts.", 100 * asked, ceil(1 / asked - 1 - 1e-9));
}

flaw_status flaw_calibrate(flaw_calibration *out, const flaw_sample *sample, size_t count, int parts, double rate,
                           flaw_error *err)
{
    if (!(rate >= 0 && rate < 1))
        return flaw_fail(err, FLAW_USAGE, "a false-alarm rate of %g was asked for, allowed are 0 to below 1", rate);
    if (count < 1 || parts < 1) return flaw_fail(err, FLAW_USAGE, "calibration without good parts");
    for (size_t i = 0; i < count; i++)
        if (!isfinite(sample[i].score) || !isfinite(sample[i].peak) || !isfinite(sample[i].middle))
            return flaw_fail(err, FLAW_BAD_DATA, "calibration: the score of good part %zu is not a finite number", i);
    double *table = malloc(4 * count * sizeof *table);
    if (!table) return flaw_fail(err, FLAW_NO_MEMORY, "calibration of %zu samples: memory was refused", count);
    double *score = table, *peak = table + count, *middle = table + 2 * count, *real = table + 3 * count;
    size_t reals = 0;
    for (size_t i = 0; i < count; i++) {
        score[i] = sample[i].score;
        peak[i] = sample[i].peak;
        middle[i] = sample[i].middle;
        if (!sample[i].changed) real[reals++] = sample[i].score;
    }
    double most = largest(score, count), highest = largest(peak, count);
    flaw_calibration c = {.good = parts};
    snprintf(c.rule, sizeof c.rule, "good-parts");
    bool by_quantile = parts >= 2 && quantile(&c.threshold, real, reals, rate);
    if (!by_quantile) c.threshold = most + margin_of(score, count, most, parts);
    c.false_alarm_rate = parts < 2 ? NAN : by_quantile ? rate : 1.0 / (parts + 1);
    c.map_threshold = highest + margin_of(peak, count, highest, parts);
    c.map_low = middle_of(middle, count);
    describe(&c, count - reals, most, rate, by_quantile);
    free(table);
    *out = c;
    return FLAW_OK;
}

void flaw_calibrate_text(flaw_calibration *out, double map_low)
{
    *out = (flaw_calibration){.threshold = 0.5, .false_alarm_rate = NAN, .map_threshold = 0.5, .map_low = map_low};
    snprintf(out->rule, sizeof out->rule, "text");
    snprintf(out->about, sizeof out->about,
             "No good parts were given: a picture is anomalous when it is nearer to the sentences about damaged parts than "
             "to those about good ones (limit 0.5). The expected share of false alarms is not known; it is from one "
             "good part on measured, and for 5 %% at least 19 good parts are needed.");
}

void flaw_calibrate_user(flaw_calibration *c, double threshold)
{
    c->threshold = threshold;
    c->false_alarm_rate = NAN;
    snprintf(c->rule, sizeof c->rule, "user");
    snprintf(c->about, sizeof c->about,
             "The limit %.4g is the user's own; the expected share of false alarms is not known.", threshold);
}

flaw_status flaw_calibration_save(const flaw_calibration *c, flaw_record *r, flaw_error *err)
{
    flaw_status s = flaw_record_put_text(r, "calibration.rule", c->rule, err);
    if (!s) s = flaw_record_put_text(r, "calibration.about", c->about, err);
    if (!s) s = flaw_record_put_number(r, "calibration.threshold", c->threshold, err);
    if (!s) s = flaw_record_put_number(r, "calibration.false_alarm_rate", c->false_alarm_rate, err);
    if (!s) s = flaw_record_put_number(r, "calibration.map_threshold", c->map_threshold, err);
    if (!s) s = flaw_record_put_number(r, "calibration.map_low", c->map_low, err);
    if (!s) s = flaw_record_put_number(r, "calibration.good", c->good, err);
    return s;
}

flaw_status flaw_calibration_load(flaw_calibration *out, const flaw_record *r, flaw_error *err)
{
    flaw_calibration c = {0};
    const char *rule, *about;
    flaw_status s = flaw_record_text(r, "calibration.rule", &rule, err);
    if (!s) s = flaw_record_text(r, "calibration.about", &about, err);
    if (!s) s = flaw_record_number(r, "calibration.threshold", &c.threshold, err);
    if (!s) s = flaw_record_number(r, "calibration.false_alarm_rate", &c.false_alarm_rate, err);
    if (!s) s = flaw_record_number(r, "calibration.map_threshold", &c.map_threshold, err);
    if (!s) s = flaw_record_number(r, "calibration.map_low", &c.map_low, err);
    if (!s) s = flaw_record_integer(r, "calibration.good", 0, 1000000000, &c.good, err);
    if (s) return s;
    if (!isfinite(c.threshold) || !isfinite(c.map_threshold) || !isfinite(c.map_low))
        return flaw_fail(err, FLAW_BAD_DATA, "the limits of the recipe are not finite numbers");
    snprintf(c.rule, sizeof c.rule, "%s", rule);
    snprintf(c.about, sizeof c.about, "%s", about);
    *out = c;
    return FLAW_OK;
}
