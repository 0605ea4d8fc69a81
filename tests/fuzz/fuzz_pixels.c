/* A file of pixel counts, its sum unchecked: what is read can be measured, drawn as curves, merged with itself and
 * written, without a figure outside its range. */
#include <math.h>

#include "fuzz.h"
#include "measure/metrics/pixels.h"

static void require_figure(const flaw_bounded *f)
{
    const double slack = 1e-6;
    flaw_fuzz_require(isnan(f->value) || (f->value >= -slack && f->value <= 1 + slack));
    flaw_fuzz_require(isnan(f->value) || isnan(f->low) || f->low <= f->value + slack);
    flaw_fuzz_require(isnan(f->value) || isnan(f->high) || f->value <= f->high + slack);
}

static void measure(flaw_pixels *p)
{
    flaw_pixel_figures f;
    flaw_curve curve;
    flaw_error err;
    flaw_fuzz_require(flaw_pixels_measure(&f, p, 0.3, &err) == FLAW_OK);
    require_figure(&f.auroc);
    require_figure(&f.ap);
    require_figure(&f.f1_max);
    require_figure(&f.aupro);
    require_figure(&f.aupr_trapezoid);
    require_figure(&f.aupro_cflow200);
    for (flaw_curve_kind kind = FLAW_CURVE_ROC; kind <= FLAW_CURVE_PRO; kind++) {
        flaw_fuzz_require(flaw_pixels_curve(&curve, p, kind, 10, &err) == FLAW_OK);
        flaw_fuzz_require(curve.count <= 10);
        flaw_curve_release(&curve);
    }
    flaw_interval interval[FLAW_FIGURES];
    if (p->keeps_sketches && p->total.pictures < 50) {
        const flaw_resample options = {.replicates = 100};
        flaw_fuzz_require(flaw_pixels_intervals(interval, p, 0.3, &options, &err) == FLAW_OK);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    flaw_pixels *p, *sum;
    flaw_error err;
    if (flaw_pixels_parse(&p, data, size, "counts", &err) != FLAW_OK) return 0;
    measure(p);
    const flaw_pixels_options options = {.bits = p->total.bits};
    if (!p->keeps_sketches && flaw_pixels_open(&sum, &options, &err) == FLAW_OK) {
        flaw_fuzz_require(flaw_pixels_merge(sum, p, &err) == FLAW_OK);
        flaw_fuzz_require(flaw_pixels_merge(sum, p, &err) == FLAW_OK);
        measure(sum);
        flaw_pixels_close(sum);
    }
    flaw_pixels_close(p);
    return 0;
}
