/* Figures of pictures. Conventions: one class only gives NaN; a constant score gives AUROC 1/2, AP = share of
 * positives, F1 = 2p/(1+p). */
#include <math.h>
#include <stdlib.h>

#include "base/checked.h"
#include "measure/metrics/curve.h"
#include "measure/metrics/ranking.h"
#include "measure/metrics/sweep.h"

/* The tie that begins at item i; the next one begins at *next. */
static flaw_step step_at(size_t *next, const flaw_ranking *r, size_t i)
{
    *next = flaw_ranking_next(r, i);
    flaw_step step = {.low_key = flaw_ranking_key(r, i), .high_key = flaw_ranking_key(r, i)};
    for (size_t j = i; j < *next; j++) step.marked += flaw_ranking_payload(r, j);
    step.background = *next - i - step.marked;
    return step;
}

static flaw_status rank(flaw_ranking *r, flaw_totals *totals, const float *scores, const uint8_t *labels, size_t n,
                        flaw_error *err)
{
    size_t positives;
    flaw_status status = flaw_ranking_of_labels(r, &positives, scores, labels, n, err);
    if (status != FLAW_OK) return status;
    *totals = (flaw_totals){.background = n - positives, .marked = positives};
    if (n) {
        totals->high_key = flaw_ranking_key(r, 0);
        totals->low_key = flaw_ranking_key(r, n - 1);
    }
    return FLAW_OK;
}

flaw_status flaw_image_measure(flaw_image_figures *out, const float *scores, const uint8_t *labels, size_t n,
                               flaw_error *err)
{
    flaw_ranking r;
    flaw_totals totals;
    flaw_sweep sweep;
    flaw_pixel_figures f;
    flaw_status status = rank(&r, &totals, scores, labels, n, err);
    if (status != FLAW_OK) return status;
    flaw_sweep_begin(&sweep, &totals, 1);
    for (size_t i = 0, next; i < n; i = next) {
        flaw_step step = step_at(&next, &r, i);
        flaw_sweep_step(&sweep, &step);
    }
    flaw_sweep_end(&f, &sweep);
    flaw_ranking_release(&r);
    *out = (flaw_image_figures){.good = (size_t)totals.background,
                                .bad = (size_t)totals.marked,
                                .auroc = f.auroc.value,
                                .ap = f.ap.value,
                                .aupr_trapezoid = f.aupr_trapezoid.value,
                                .f1_max = f.f1_max.value,
                                .accuracy_max = totals.background && totals.marked ? sweep.right_most / (double)n : NAN,
                                .f1_score = f.f1_score};
    return FLAW_OK;
}

flaw_status flaw_image_measure_kind(flaw_image_figures *out, const float *scores, const int *kinds, size_t n, int kind,
                                    flaw_error *err)
{
    if (kind < 1) return flaw_fail(err, FLAW_USAGE, "defect kind %d is not allowed, allowed are 1 and above", kind);
    size_t bytes, m = 0;
    if (!flaw_mul_ok(&bytes, n ? n : 1, sizeof(float)))
        return flaw_fail(err, FLAW_NO_MEMORY, "figures of %zu pictures: too many", n);
    float *kept = malloc(bytes);
    uint8_t *labels = malloc(n ? n : 1);
    flaw_status status = FLAW_OK;
    if (!kept || !labels) status = flaw_fail(err, FLAW_NO_MEMORY, "figures of %zu pictures: no memory", n);
    for (size_t i = 0; i < n && status == FLAW_OK; i++) {
        if (isnan(scores[i]) && (kinds[i] == 0 || kinds[i] == kind))
            status = flaw_fail(err, FLAW_BAD_DATA, "score %zu of %zu is not a number; a metric needs ordered scores",
                               i, n);
        if (kinds[i] != 0 && kinds[i] != kind) continue;
        kept[m] = scores[i];
        labels[m++] = kinds[i] != 0;
    }
    if (status == FLAW_OK) status = flaw_image_measure(out, kept, labels, m, err);
    free(kept);
    free(labels);
    return status;
}

flaw_status flaw_auroc(double *out, const float *scores, const uint8_t *labels, size_t n, flaw_error *err)
{
    flaw_image_figures f;
    flaw_status status = flaw_image_measure(&f, scores, labels, n, err);
    if (status == FLAW_OK) *out = f.auroc;
    return status;
}

flaw_status flaw_average_precision(double *out, const float *scores, const uint8_t *labels, size_t n, flaw_error *err)
{
    flaw_image_figures f;
    flaw_status status = flaw_image_measure(&f, scores, labels, n, err);
    if (status == FLAW_OK) *out = f.ap;
    return status;
}

flaw_status flaw_f1_max(double *out, const float *scores, const uint8_t *labels, size_t n, flaw_error *err)
{
    flaw_image_figures f;
    flaw_status status = flaw_image_measure(&f, scores, labels, n, err);
    if (status == FLAW_OK) *out = f.f1_max;
    return status;
}

flaw_status flaw_accuracy(double *out, const float *scores, const uint8_t *labels, size_t n, double threshold,
                          flaw_error *err)
{
    size_t right = 0;
    if (isnan(threshold)) return flaw_fail(err, FLAW_USAGE, "accuracy at a threshold that is not a number");
    for (size_t i = 0; i < n; i++) {
        if (isnan(scores[i]))
            return flaw_fail(err, FLAW_BAD_DATA, "score %zu of %zu is not a number; a metric needs ordered scores", i,
                             n);
        right += ((double)scores[i] > threshold) == (labels[i] != 0);
    }
    *out = n ? (double)right / (double)n : NAN;
    return FLAW_OK;
}

flaw_status flaw_image_curve(flaw_curve *out, flaw_curve_kind kind, const float *scores, const uint8_t *labels,
                             size_t n, size_t points, flaw_error *err)
{
    flaw_ranking r;
    flaw_totals totals;
    flaw_curve_builder b;
    if (kind != FLAW_CURVE_ROC && kind != FLAW_CURVE_PR)
        return flaw_fail(err, FLAW_USAGE, "curve kind %d is not one of pictures", (int)kind);
    flaw_status status = rank(&r, &totals, scores, labels, n, err);
    if (status != FLAW_OK) return status;
    status = flaw_curve_begin(&b, points, err);
    if (status == FLAW_OK && (!totals.background || !totals.marked)) {
        flaw_curve_abandon(&b);
        flaw_curve_none(out);
    } else if (status == FLAW_OK) {
        uint64_t background = 0, marked = 0;
        double x, y, score = INFINITY;
        for (size_t i = 0, next;; i = next) {
            flaw_sweep_curve_point(&x, &y, kind, &totals, background, marked, 0);
            flaw_curve_add(&b, x, y, score);
            if (i >= n) break;
            flaw_step step = step_at(&next, &r, i);
            background += step.background;
            marked += step.marked;
            score = flaw_key_score(step.low_key);
        }
        flaw_curve_end(out, &b);
    }
    flaw_ranking_release(&r);
    return status;
}
