/* Figures and curves of counted pixels. */
#include <math.h>

#include "measure/metrics/curve.h"
#include "measure/metrics/pixels.h"

flaw_status flaw_pixels_measure(flaw_pixel_figures *out, const flaw_pixels *p, double limit, flaw_error *err)
{
    flaw_status status = flaw_pixels_refuse_broken(p, err);
    if (status == FLAW_OK) status = flaw_sweep_check_limit(limit, err);
    if (status != FLAW_OK) return status;
    const flaw_counts *c = &p->total;
    flaw_sweep sweep;
    flaw_step step;
    flaw_sweep_begin(&sweep, &c->totals, limit);
    for (int64_t bin = ((int64_t)1 << c->bits) - 1; flaw_counts_next(&step, c, &bin);) flaw_sweep_step(&sweep, &step);
    flaw_sweep_end(out, &sweep);
    flaw_sweep_describe(out, &c->totals, c->pictures);
    return FLAW_OK;
}

flaw_status flaw_pixels_curve(flaw_curve *out, const flaw_pixels *p, flaw_curve_kind kind, size_t points,
                              flaw_error *err)
{
    flaw_curve_builder b;
    flaw_status status = flaw_pixels_refuse_broken(p, err);
    if (status == FLAW_OK && (kind < FLAW_CURVE_ROC || kind > FLAW_CURVE_PRO))
        status = flaw_fail(err, FLAW_USAGE, "curve kind %d is not known", (int)kind);
    if (status == FLAW_OK) status = flaw_curve_begin(&b, points, err);
    if (status != FLAW_OK) return status;
    const flaw_counts *c = &p->total;
    const flaw_totals *t = &c->totals;
    if (!t->background || !t->marked || (kind == FLAW_CURVE_PRO && !t->regions)) {
        flaw_curve_abandon(&b);
        flaw_curve_none(out);
        return FLAW_OK;
    }
    flaw_step step = {0}, sum = {0};
    double x, y, score = INFINITY;
    int64_t bin = ((int64_t)1 << c->bits) - 1;
    do {
        flaw_sweep_curve_point(&x, &y, kind, t, sum.background, sum.marked, sum.share);
        flaw_curve_add(&b, x, y, score);
        if (!flaw_counts_next(&step, c, &bin)) break;
        sum.background += step.background;
        sum.marked += step.marked;
        sum.share += step.share;
        score = flaw_key_score(step.low_key);
    } while (true);
    flaw_curve_end(out, &b);
    return FLAW_OK;
}
