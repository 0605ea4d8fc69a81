#include "detect/calibrate.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "detect/conformal.h"

#define LIMIT_SPREADS 1.75
#define USUAL_WEIGHT 4.0  /* the usual spread counts as so many good parts */
#define MEMORY_GAIN 0.25  /* distances to a memory of n parts are about 1 - MEMORY_GAIN / n of those to n - 1 parts */
#define SINGLE_MARGIN 1.1 /* one good part: the limit is at least this over mild changes of it ... */
#define SINGLE_GUESS 2.0  /* ... and this over their mean where the method knows nothing better */

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

static double mean_of(const double *x, int n)
{
    double sum = 0;
    for (int i = 0; i < n; i++) sum += x[i];
    return sum / n;
}

static double largest(const double *x, size_t n)
{
    double m = x[0];
    for (size_t i = 1; i < n; i++) m = fmax(m, x[i]);
    return m;
}

/* Samples as one number a part: its own value, or the mean of its mild changes where that is larger. */
typedef struct parts_table {
    double *score, *peak;           /* [parts] */
    double *own_score, *own_peak;   /* [parts] of the part alone */
    double *middle;              /* [count] of all samples */
    double changes, most;        /* mean and largest score of the changes */
    size_t changed;              /* how many there are */
} parts_table;

static void fill_table(parts_table *t, const flaw_sample *sample, size_t count, int parts)
{
    for (int p = 0; p < parts; p++) {
        double score = 0, peak = 0;
        int n = 0;
        for (size_t i = 0; i < count; i++) {
            if (sample[i].part != p) continue;
            if (sample[i].changed) {
                score += sample[i].score;
                peak += sample[i].peak;
                n++;
                t->changes += sample[i].score;
                t->most = t->changed++ ? fmax(t->most, sample[i].score) : sample[i].score;
            } else {
                t->score[p] = t->own_score[p] = sample[i].score;
                t->peak[p] = t->own_peak[p] = sample[i].peak;
            }
        }
        if (n) {
            t->score[p] = fmax(t->score[p], score / n);
            t->peak[p] = fmax(t->peak[p], peak / n);
        }
    }
    if (t->changed) t->changes /= (double)t->changed;
    for (size_t i = 0; i < count; i++) t->middle[i] = sample[i].middle;
}

/* How much nearer the memory of all n parts is than those behind the samples. */
static double memory_gain(int n, const flaw_scores_kind *kind)
{
    double missing = kind->missing > 0 ? kind->missing : 1;
    return kind->distance ? 1 - MEMORY_GAIN * missing / n : 1;
}

/* Mean and spreads of the parts; the spread of few parts is steadied by the usual one. */
static double limit_of(const double *x, int n, const flaw_scores_kind *kind)
{
    double mean = mean_of(x, n), usual = kind->spread * fabs(mean), sum = USUAL_WEIGHT * usual * usual;
    for (int i = 0; i < n; i++) sum += (x[i] - mean) * (x[i] - mean);
    return (mean + LIMIT_SPREADS * sqrt(sum / (n - 1 + USUAL_WEIGHT))) * memory_gain(n, kind);
}

/* One good part: changes of it are far too alike, what another part scores is a guess. */
static double limit_of_one(const parts_table *t, const flaw_scores_kind *kind)
{
    double guess = isnan(kind->alone) ? SINGLE_GUESS * t->changes : kind->alone;
    return fmax(guess, SINGLE_MARGIN * t->most);
}

static void describe(flaw_calibration *c, const parts_table *t, double most, double asked)
{
    int n = c->good;
    char rate[200];
    if (n < 2) snprintf(rate, sizeof rate, "With one good part the expected share of false alarms is not known");
    else
        snprintf(rate, sizeof rate, "At most about %.3g %% of good parts like these are expected over it%s",
                 100 * c->false_alarm_rate, asked > 0 ? ", as asked for" : "");
    snprintf(c->about, sizeof c->about,
             "Calibrated on %d good part%s, each scored against a memory of %s, and on %zu mild changes of %s: "
             "the largest score is %.4g and the limit %.4g. %s; 5 %% needs at least 19 good parts, 1 %% at least 99.",
             n, n == 1 ? "" : "s", n == 1 ? "itself" : "the others", t->changed, n == 1 ? "it" : "them", most,
             c->threshold, rate);
}

/* Limits that keep the rate asked for, by the parts' own scores. */
static void set_promised(flaw_calibration *c, parts_table *t, double rate)
{
    size_t n = (size_t)c->good;
    qsort(t->own_score, n, sizeof(double), ascending);
    qsort(t->own_peak, n, sizeof(double), ascending);
    flaw_conformal_limit(&c->threshold, t->own_score, n, rate);
    flaw_conformal_limit(&c->map_threshold, t->own_peak, n, rate);
    c->false_alarm_rate = rate;
}

static void set_usual(flaw_calibration *c, const parts_table *t, const flaw_scores_kind *kind)
{
    int n = c->good, over = 0;
    if (n < 2) {
        c->threshold = limit_of_one(t, kind);
        c->map_threshold = fmax(t->peak[0] * SINGLE_MARGIN, SINGLE_GUESS * mean_of(t->peak, n));
        c->false_alarm_rate = NAN;
    } else {
        c->threshold = limit_of(t->score, n, kind);
        c->map_threshold = fmax(limit_of(t->peak, n, kind), largest(t->peak, (size_t)n));
        for (int i = 0; i < n; i++) over += t->own_score[i] > c->threshold;
        c->false_alarm_rate = (over + 1.0) / (n + 1.0);
    }
    if (kind->distance) c->map_threshold = c->threshold;
}

static void set_limits(flaw_calibration *c, parts_table *t, size_t count, double rate, const flaw_scores_kind *kind)
{
    size_t n = (size_t)c->good;
    double gain = memory_gain(c->good, kind), most = fmax(largest(t->own_score, n), t->changed ? t->most : -INFINITY);
    if (rate > 0) {
        for (size_t i = 0; i < n; i++) {
            t->own_score[i] *= gain;
            t->own_peak[i] *= gain;
        }
        set_promised(c, t, rate);
    } else {
        set_usual(c, t, kind);
        for (size_t i = 0; i < n; i++) t->own_score[i] *= gain;
    }
    for (size_t i = 0; i < n; i++) c->part[i] = (float)t->own_score[i];
    c->map_low = middle_of(t->middle, count);
    describe(c, t, most, rate);
}

static flaw_status check_samples(const flaw_sample *sample, size_t count, int parts, double rate, flaw_error *err)
{
    if (!(rate >= 0 && rate < 1))
        return flaw_fail(err, FLAW_USAGE, "a false-alarm rate of %g was asked for, allowed are 0 to below 1", rate);
    if (count < 1 || parts < 1) return flaw_fail(err, FLAW_USAGE, "calibration without good parts");
    if (rate > 0 && parts < flaw_conformal_parts(rate))
        return flaw_fail(err, FLAW_USAGE,
                         "a false-alarm rate of %.3g %% cannot be promised from %d good part%s: it needs at least "
                         "%.0f; from these no less than %.3g %% can be promised",
                         100 * rate, parts, parts == 1 ? "" : "s", flaw_conformal_parts(rate), 100.0 / (parts + 1));
    for (size_t i = 0; i < count; i++) {
        if (sample[i].part < 0 || sample[i].part >= parts)
            return flaw_fail(err, FLAW_INTERNAL, "calibration: sample %zu is of part %d of %d", i, sample[i].part,
                             parts);
        if (!isfinite(sample[i].score) || !isfinite(sample[i].peak) || !isfinite(sample[i].middle))
            return flaw_fail(err, FLAW_BAD_DATA, "calibration: the score of good part %d is not a finite number",
                             sample[i].part + 1);
    }
    return FLAW_OK;
}

flaw_status flaw_calibrate(flaw_calibration *out, const flaw_sample *sample, size_t count, int parts, double rate,
                           const flaw_scores_kind *kind, flaw_error *err)
{
    flaw_status s = check_samples(sample, count, parts, rate, err);
    if (s) return s;
    size_t n = (size_t)parts;
    double *memory = calloc(4 * n + count, sizeof *memory);
    flaw_calibration c = {.good = parts, .part = malloc(n * sizeof *c.part)};
    if (!memory || !c.part) {
        free(memory);
        free(c.part);
        return flaw_fail(err, FLAW_NO_MEMORY, "calibration of %zu samples: memory was refused", count);
    }
    parts_table t = {.score = memory,
                     .peak = memory + n,
                     .own_score = memory + 2 * n,
                     .own_peak = memory + 3 * n,
                     .middle = memory + 4 * n};
    snprintf(c.rule, sizeof c.rule, "good-parts");
    fill_table(&t, sample, count, parts);
    set_limits(&c, &t, count, rate, kind);
    free(memory);
    *out = c;
    return FLAW_OK;
}

void flaw_calibration_release(flaw_calibration *c)
{
    free(c->part);
    c->part = NULL;
}

void flaw_calibrate_text(flaw_calibration *out)
{
    *out = (flaw_calibration){.threshold = 0.5, .false_alarm_rate = NAN, .map_threshold = 0.5};
    snprintf(out->rule, sizeof out->rule, "text");
    snprintf(
        out->about, sizeof out->about,
        "No good parts were given: a picture is anomalous when it is nearer to the sentences about damaged parts than "
        "to those about good ones (limit 0.5). The expected share of false alarms is not known; with two good parts "
        "or more it is bounded, and 5 %% needs at least 19.");
}

void flaw_calibrate_model(flaw_calibration *c, double limit)
{
    if (!(limit > 0) || !isfinite(limit)) return;
    c->threshold = c->map_threshold = limit;
    snprintf(c->rule, sizeof c->rule, "model");
    snprintf(c->about, sizeof c->about,
             "No good parts were given: the limit %.4g is the one measured when the trained part of the method was "
             "made. The expected share of false alarms on this product is not known.",
             limit);
}

void flaw_calibrate_user(flaw_calibration *c, double threshold, const flaw_scores_kind *kind)
{
    c->threshold = threshold;
    c->false_alarm_rate = NAN;
    if (kind->distance) c->map_threshold = threshold;
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
    if (!s && c->part) s = flaw_record_put_table(r, "calibration.part", c->part, (size_t)c->good, 1, err);
    return s;
}

/* The scores of the good parts: as many as there were parts, each finite; recipes of text methods have none. */
static flaw_status load_parts(flaw_calibration *c, const flaw_record *r, flaw_error *err)
{
    const float *part;
    size_t rows;
    if (!flaw_record_find(r, "calibration.part")) return FLAW_OK;
    flaw_status s = flaw_record_table(r, "calibration.part", 1, &part, &rows, err);
    if (s) return s;
    if (!rows || rows != (size_t)c->good)
        return flaw_fail(err, FLAW_BAD_DATA, "the recipe has scores of %zu good parts, expected %d", rows, c->good);
    for (size_t i = 0; i < rows; i++)
        if (!isfinite(part[i]))
            return flaw_fail(err, FLAW_BAD_DATA, "the score of good part %zu in the recipe is not finite", i + 1);
    c->part = malloc(rows * sizeof *part);
    if (!c->part) return flaw_fail(err, FLAW_NO_MEMORY, "the scores of %zu good parts were refused", rows);
    memcpy(c->part, part, rows * sizeof *part);
    return FLAW_OK;
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
    s = load_parts(&c, r, err);
    if (s) return s;
    *out = c;
    return FLAW_OK;
}
