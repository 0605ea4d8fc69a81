/* Intervals of pixel figures, and two methods compared, by drawing pictures: each is its sketch. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "measure/metrics/pixels.h"
#include "measure/metrics/ranking.h"
#include "measure/metrics/resample.h"

typedef struct cell {
    uint32_t key, picture, background, marked;
    flaw_wide share;
} cell;

/* All cells of all pictures from the highest score down, pictures by id. */
typedef struct drawn {
    flaw_sketches pictures; /* by id */
    cell *cell;             /* [cells] owned */
    size_t cells;
    double limit;
    double off[FLAW_FIGURES]; /* figure of the whole set less that of the cells */
    double value[FLAW_FIGURES];
} drawn;

static void drawn_release(drawn *d)
{
    flaw_sketches_release(&d->pictures);
    free(d->cell);
    *d = (drawn){0};
}

static flaw_status sort_cells(drawn *d, flaw_error *err)
{
    size_t n = 0;
    for (size_t i = 0; i < d->pictures.count; i++) n += d->pictures.item[i].count;
    if (n >= UINT32_MAX) return flaw_fail(err, FLAW_NO_MEMORY, "summaries of pictures hold %zu cells: too many", n);
    flaw_ranking r;
    flaw_status status = flaw_ranking_init(&r, n, err);
    if (status != FLAW_OK) return status;
    cell *all = malloc((n ? n : 1) * sizeof *all);
    d->cell = malloc((n ? n : 1) * sizeof *d->cell);
    if (all && d->cell) {
        for (size_t i = 0; i < d->pictures.count; i++)
            for (uint32_t k = 0; k < d->pictures.item[i].count; k++) {
                const flaw_cell *c = &d->pictures.item[i].cell[k];
                flaw_ranking_add(&r, flaw_key_score(c->key), (uint32_t)r.n);
                all[r.n - 1] = (cell){c->key, (uint32_t)i, c->background, c->marked,
                                      (flaw_wide)(c->share * (double)FLAW_SHARE_ONE)};
            }
        flaw_ranking_sort(&r);
        for (size_t i = 0; i < n; i++) d->cell[i] = all[flaw_ranking_payload(&r, i)];
        d->cells = n;
    } else {
        status = flaw_fail(err, FLAW_NO_MEMORY, "no memory for %zu cells of pictures", n);
    }
    free(all);
    flaw_ranking_release(&r);
    return status;
}

/* times NULL: each picture once. */
static void measure(double out[FLAW_FIGURES], const void *context, const uint32_t *times)
{
    const drawn *d = context;
    flaw_totals totals = {0};
    for (size_t i = 0; i < d->pictures.count; i++) {
        const uint64_t count = times ? times[i] : 1;
        totals.background += count * d->pictures.item[i].background;
        totals.marked += count * d->pictures.item[i].marked;
        totals.regions += count * d->pictures.item[i].regions;
    }
    flaw_sweep sweep;
    flaw_pixel_figures f;
    flaw_sweep_begin(&sweep, &totals, d->limit);
    for (size_t i = 0; i < d->cells;) {
        const uint32_t key = d->cell[i].key;
        flaw_step step = {.low_key = key, .high_key = key};
        for (; i < d->cells && d->cell[i].key == key; i++) {
            const cell *c = &d->cell[i];
            const uint64_t count = times ? times[c->picture] : 1;
            step.background += count * c->background;
            step.marked += count * c->marked;
            step.share += count * c->share;
        }
        if (step.background || step.marked) flaw_sweep_step(&sweep, &step);
    }
    flaw_sweep_end(&f, &sweep);
    out[FLAW_AUROC] = f.auroc.value;
    out[FLAW_AP] = f.ap.value;
    out[FLAW_F1_MAX] = f.f1_max.value;
    out[FLAW_AUPRO] = f.aupro.value;
}

static flaw_status prepare(drawn *d, const flaw_pixels *p, double limit, flaw_error *err)
{
    flaw_pixel_figures f;
    flaw_status status = flaw_pixels_measure(&f, p, limit, err);
    if (status != FLAW_OK) return status;
    if (!p->keeps_sketches)
        return flaw_fail(err, FLAW_USAGE, "pixel counts without summaries of pictures have no intervals");
    d->limit = limit;
    status = flaw_sketches_copy(&d->pictures, &p->sketches, err);
    if (status == FLAW_OK) status = flaw_sketches_sort(&d->pictures, err);
    if (status == FLAW_OK) status = sort_cells(d, err);
    if (status != FLAW_OK) return status;
    double of_cells[FLAW_FIGURES];
    measure(of_cells, d, NULL);
    d->value[FLAW_AUROC] = f.auroc.value;
    d->value[FLAW_AP] = f.ap.value;
    d->value[FLAW_F1_MAX] = f.f1_max.value;
    d->value[FLAW_AUPRO] = f.aupro.value;
    for (int i = 0; i < FLAW_FIGURES; i++) d->off[i] = d->value[i] - of_cells[i];
    return FLAW_OK;
}

static flaw_status draw(flaw_draws *out, flaw_replicate replicate, const drawn *d, const flaw_resample *options,
                        flaw_error *err)
{
    const size_t n = d->pictures.count;
    uint8_t *labels = malloc(n ? n : 1);
    if (!labels) return flaw_fail(err, FLAW_NO_MEMORY, "drawing from %zu pictures: no memory", n);
    for (size_t i = 0; i < n; i++) labels[i] = d->pictures.item[i].marked > 0;
    flaw_status status = flaw_draws_make(out, replicate, d, labels, n, options, err);
    free(labels);
    return status;
}

flaw_status flaw_pixels_intervals(flaw_interval out[FLAW_FIGURES], const flaw_pixels *p, double limit,
                                  const flaw_resample *options, flaw_error *err)
{
    drawn d = {0};
    flaw_draws draws = {0};
    flaw_status status = prepare(&d, p, limit, err);
    if (status == FLAW_OK) status = draw(&draws, measure, &d, options, err);
    for (int f = 0; f < FLAW_FIGURES && status == FLAW_OK; f++) {
        out[f].value = d.value[f];
        flaw_draws_interval(&out[f].low, &out[f].high, &draws, f, d.off[f]);
    }
    flaw_draws_release(&draws);
    drawn_release(&d);
    return status;
}

/* context: two `drawn` of the same pictures. */
static void measure_difference(double out[FLAW_FIGURES], const void *context, const uint32_t *times)
{
    const drawn *d = context;
    double second[FLAW_FIGURES];
    measure(out, &d[0], times);
    measure(second, &d[1], times);
    for (int f = 0; f < FLAW_FIGURES; f++) out[f] -= second[f];
}

static flaw_status check_same(const drawn d[2], flaw_error *err)
{
    const flaw_sketches *a = &d[0].pictures, *b = &d[1].pictures;
    if (a->count != b->count)
        return flaw_fail(err, FLAW_USAGE, "%zu pictures cannot be compared with %zu, they must be the same ones",
                         a->count, b->count);
    for (size_t i = 0; i < a->count; i++) {
        const flaw_sketch *x = &a->item[i], *y = &b->item[i];
        if (x->id != y->id || x->background != y->background || x->marked != y->marked || x->regions != y->regions)
            return flaw_fail(err, FLAW_USAGE, "picture %llu of one method is not picture %llu of the other",
                             (unsigned long long)x->id, (unsigned long long)y->id);
    }
    return FLAW_OK;
}

flaw_status flaw_pixels_compare(flaw_difference out[FLAW_FIGURES], const flaw_pixels *first, const flaw_pixels *second,
                                double limit, const flaw_resample *options, flaw_error *err)
{
    drawn d[2] = {0};
    flaw_draws draws = {0};
    flaw_status status = prepare(&d[0], first, limit, err);
    if (status == FLAW_OK) status = prepare(&d[1], second, limit, err);
    if (status == FLAW_OK) status = check_same(d, err);
    if (status == FLAW_OK) status = draw(&draws, measure_difference, d, options, err);
    for (int f = 0; f < FLAW_FIGURES && status == FLAW_OK; f++) {
        const double off = d[0].off[f] - d[1].off[f];
        out[f] = (flaw_difference){.first = d[0].value[f], .second = d[1].value[f]};
        out[f].p = flaw_draws_p(&draws, f, off);
        flaw_draws_interval(&out[f].low, &out[f].high, &draws, f, off);
    }
    flaw_draws_release(&draws);
    drawn_release(&d[0]);
    drawn_release(&d[1]);
    return status;
}
