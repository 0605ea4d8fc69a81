#include "measure/metrics/sweep.h"

#include <math.h>

static void add(flaw_bounded *to, double low, double value, double high)
{
    to->low += low;
    to->value += value;
    to->high += high;
}

static flaw_bounded known(double value)
{
    return (flaw_bounded){value, value, value};
}

/* Of the dialect: threshold i of 200 equal steps from the lowest score up. */
static double threshold_of(const flaw_sweep *s, int i)
{
    double lowest = flaw_key_score(s->totals.low_key), highest = flaw_key_score(s->totals.high_key);
    return lowest + i * ((highest - lowest) / FLAW_SWEEP_THRESHOLDS);
}

void flaw_sweep_begin(flaw_sweep *s, const flaw_totals *totals, double limit)
{
    *s = (flaw_sweep){.totals = *totals, .limit = limit, .f1_score = NAN, .threshold = FLAW_SWEEP_THRESHOLDS - 1};
    if (!isfinite(threshold_of(s, 1)) || totals->low_key == totals->high_key) s->threshold = -1;
    s->right_most = (double)totals->background; /* nothing is called anomalous */
}

static double share_of(const flaw_sweep *s, flaw_wide share)
{
    return (double)share / ((double)FLAW_SHARE_ONE * (double)s->totals.regions);
}

/* The thresholds of the dialect that lie above this step's lowest score: score > threshold counts as found. */
static void pass_thresholds(flaw_sweep *s, const flaw_step *step)
{
    const double lowest = flaw_key_score(step->low_key), highest = flaw_key_score(step->high_key);
    const double background = (double)s->totals.background;
    for (double t; s->threshold >= 0 && (t = threshold_of(s, s->threshold)) >= lowest; s->threshold--) {
        flaw_sweep_point *p = &s->point[s->threshold];
        p->fpr = known((double)s->background / background);
        p->overlap = known(share_of(s, s->share));
        if (t >= highest) continue;
        p->fpr.high = (double)(s->background + step->background) / background;
        p->overlap.high = share_of(s, s->share + step->share);
        double part = (highest - t) / (highest - lowest); /* as if the scores lay evenly in the bin */
        p->fpr.value += part * (p->fpr.high - p->fpr.low);
        p->overlap.value += part * (p->overlap.high - p->overlap.low);
    }
}

/* Average precision, F1 and the trapezoid under precision against recall. */
static void add_precision(flaw_sweep *s, const flaw_step *step)
{
    const bool mixed = step->low_key != step->high_key && step->marked;
    const double tp = (double)s->marked, fp = (double)s->background, p = (double)step->marked,
                 n = (double)step->background, all = (double)s->totals.marked;
    const double last = tp + fp > 0 ? tp / (tp + fp) : 1, now = (tp + p) / (tp + fp + p + n), gain = p / all;
    const double f1 = 2 * (tp + p) / (tp + fp + p + n + all);
    if (f1 > s->f1.value) {
        s->f1.value = s->f1.low = f1;
        s->f1_score = flaw_key_score(step->low_key);
    }
    s->right_most = fmax(s->right_most, tp + p + ((double)s->totals.background - fp - n));
    if (!mixed) {
        s->f1.high = fmax(s->f1.high, f1);
        add(&s->ap, gain * now, gain * now, gain * now);
        add(&s->trapezoid, gain * (last + now) / 2, gain * (last + now) / 2, gain * (last + now) / 2);
        return;
    }
    /* Best order: all marked first. Worst: the j-th marked score has a precision of at least
       (tp + j) / (tp + j + wrong) with wrong = fp + n; the sum over j is at least
       p - wrong * log(1 + p / (tp + wrong)). */
    const double best = (tp + p) / (tp + p + fp), wrong = fp + n;
    const double worst_sum = wrong > 0 ? p - wrong * log1p(p / (tp + wrong)) : p;
    s->f1.high = fmax(s->f1.high, 2 * (tp + p) / (tp + p + fp + all));
    add(&s->ap, worst_sum / all, gain * now, gain * best);
    add(&s->trapezoid, wrong > 0 ? gain * tp / (tp + wrong) : gain, gain * (last + now) / 2, gain * fmax(last, best));
}

/* Area of overlap against false positive rate, up to the limit, where the last line is cut. Where nothing is found the
 * curve is flat, and is added in one piece however many steps it has: the sum does not depend on how they were cut. */
static void add_flat(flaw_sweep *s)
{
    const double all = (double)s->totals.background, from = (double)s->flat / all,
                 to = fmin((double)s->background / all, s->limit);
    if (to > from) {
        const double area = (to - from) * share_of(s, s->share);
        add(&s->overlap_area, area, area, area);
    }
    s->flat = s->background;
}

static void add_overlap(flaw_sweep *s, const flaw_step *step)
{
    if (!step->share) return;
    add_flat(s);
    const double all = (double)s->totals.background, from = (double)s->background / all;
    s->flat = s->background + step->background;
    if (!step->background || from >= s->limit) return;
    const double to = (double)s->flat / all, end = fmin(to, s->limit);
    const double low = share_of(s, s->share), high = share_of(s, s->share + step->share);
    const double at_end = low + (high - low) * ((end - from) / (to - from));
    const double value = (end - from) * (low + at_end) / 2;
    if (step->low_key == step->high_key) add(&s->overlap_area, value, value, value);
    else add(&s->overlap_area, (end - from) * low, value, (end - from) * high);
}

void flaw_sweep_step(flaw_sweep *s, const flaw_step *step)
{
    if (s->totals.regions && s->totals.background) {
        pass_thresholds(s, step);
        add_overlap(s, step);
    }
    if (s->totals.marked) add_precision(s, step);
    s->pairs += (flaw_wide)step->background * (2 * (flaw_wide)s->marked + step->marked);
    if (step->low_key != step->high_key) s->doubt += (flaw_wide)step->background * step->marked;
    s->background += step->background;
    s->marked += step->marked;
    s->share += step->share;
}

/* The lowest score over a threshold. */
static uint32_t key_over(double threshold)
{
    const float near = (float)threshold;
    return flaw_key_of(near) + ((double)near <= threshold);
}

uint32_t flaw_sweep_mergeable(const flaw_sweep *s, uint32_t key)
{
    for (int i = s->threshold; i >= 0; i--) {
        const uint32_t bound = key_over(threshold_of(s, i));
        if (bound <= key) return bound;
    }
    return 0;
}

/* The dialect's area when the `kept` lowest false positive rates are used, those of the thresholds 200 - kept .. 199.
 * Bounds: with e the largest doubt of a rate and D their span, a stretched rate moves by at most 4 e / (D - 2 e); the
 * area moves by that times the range of the overlaps (integration by parts), and by the largest doubt of an overlap. */
static flaw_bounded stretched_area(const flaw_sweep *s, int kept)
{
    const flaw_sweep_point *p = s->point;
    const int first = FLAW_SWEEP_THRESHOLDS - kept, last = FLAW_SWEEP_THRESHOLDS - 1;
    if (kept < 2) return known(NAN);
    const double span = p[first].fpr.value - p[last].fpr.value;
    if (!(span > 0)) return known(NAN);
    double area = 0, rate_doubt = 0, overlap_doubt = 0;
    for (int i = first; i <= last; i++) {
        rate_doubt = fmax(rate_doubt, p[i].fpr.high - p[i].fpr.low);
        overlap_doubt = fmax(overlap_doubt, p[i].overlap.high - p[i].overlap.low);
        if (i > first)
            area += (p[i - 1].fpr.value - p[i].fpr.value) / span * (p[i - 1].overlap.value + p[i].overlap.value) / 2;
    }
    if (rate_doubt == 0 && overlap_doubt == 0) return known(area);
    double reach = 1;
    if (span > 2 * rate_doubt)
        reach = overlap_doubt + 4 * rate_doubt / (span - 2 * rate_doubt) * p[first].overlap.high;
    return (flaw_bounded){area, fmax(area - reach, 0), fmin(area + reach, 1)};
}

/* How many thresholds keep a rate under the limit is itself in doubt when one of them lies in the bin at the limit. */
static flaw_bounded dialect(const flaw_sweep *s)
{
    if (s->threshold != -1 || s->totals.low_key == s->totals.high_key || !isfinite(threshold_of(s, 1)))
        return known(NAN);
    int surely = 0, perhaps = 0, kept = 0;
    for (int i = FLAW_SWEEP_THRESHOLDS - 1; i >= 0; i--) {
        surely += s->point[i].fpr.high < s->limit;
        perhaps += s->point[i].fpr.low < s->limit;
        kept += s->point[i].fpr.value < s->limit;
    }
    flaw_bounded out = stretched_area(s, kept);
    for (int k = surely; k <= perhaps; k++) {
        flaw_bounded other = stretched_area(s, k);
        out.low = isnan(other.low) ? 0 : fmin(out.low, other.low);
        out.high = isnan(other.high) ? 1 : fmax(out.high, other.high);
    }
    return surely == perhaps ? stretched_area(s, kept) : out;
}

void flaw_sweep_end(flaw_pixel_figures *out, flaw_sweep *s)
{
    const flaw_bounded none = known(NAN);
    const flaw_totals *t = &s->totals;
    *out = (flaw_pixel_figures){.regions = t->regions, .background = t->background, .marked = t->marked,
                                .limit = s->limit, .auroc = none, .ap = none, .f1_max = none, .aupro = none,
                                .aupr_trapezoid = none, .aupro_cflow200 = none, .f1_score = NAN};
    if (!t->background || !t->marked) return;
    double pairs = 2 * (double)t->background * (double)t->marked;
    out->auroc = (flaw_bounded){(double)s->pairs / pairs, (double)(s->pairs - s->doubt) / pairs,
                                (double)(s->pairs + s->doubt) / pairs};
    out->ap = s->ap;
    out->f1_max = s->f1;
    out->f1_score = s->f1_score;
    out->aupr_trapezoid = s->trapezoid;
    if (!t->regions) return;
    add_flat(s);
    const flaw_bounded *a = &s->overlap_area;
    out->aupro = (flaw_bounded){a->value / s->limit, a->low / s->limit, a->high / s->limit};
    out->aupro_cflow200 = dialect(s);
}

flaw_status flaw_sweep_check_limit(double limit, flaw_error *err)
{
    if (limit > 0 && limit <= 1) return FLAW_OK;
    return flaw_fail(err, FLAW_USAGE, "limit %g of the overlap: allowed is 0 < limit <= 1", limit);
}

void flaw_sweep_describe(flaw_pixel_figures *out, const flaw_totals *totals, uint64_t pictures)
{
    const bool any = totals->background || totals->marked;
    out->pictures = pictures;
    out->lowest = any ? flaw_key_score(totals->low_key) : NAN;
    out->highest = any ? flaw_key_score(totals->high_key) : NAN;
}

void flaw_sweep_curve_point(double *x, double *y, flaw_curve_kind kind, const flaw_totals *totals, uint64_t background,
                            uint64_t marked, flaw_wide share)
{
    const double fpr = (double)background / (double)totals->background, tpr = (double)marked / (double)totals->marked;
    *x = kind == FLAW_CURVE_PR ? tpr : fpr;
    switch (kind) {
    case FLAW_CURVE_ROC: *y = tpr; break;
    case FLAW_CURVE_PR: *y = marked + background ? (double)marked / (double)(marked + background) : 1; break;
    case FLAW_CURVE_PRO: *y = (double)share / ((double)FLAW_SHARE_ONE * (double)totals->regions); break;
    }
}
