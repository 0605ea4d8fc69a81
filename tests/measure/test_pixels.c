/* Pixel figures: sorted exactly against slow twins, streamed against sorted, and streamed against itself in any order,
 * over any number of threads and accumulators. */
#include "../check.h"

#include "base/random.h"
#include "flaw/metrics.h"
#include "slow_pixels.h"

static uint8_t random_mark(flaw_random *r, double share)
{
    return flaw_random_uniform(r) < share ? (uint8_t)(1 + flaw_random_below(r, 255)) : 0;
}

/* `fine`: scores that differ by less than a bin, so that bins hold several. */
static void fill(slow_set *s, flaw_random *r, bool fine)
{
    memset(s, 0, sizeof *s);
    s->n = 1 + (size_t)flaw_random_below(r, SLOW_PICTURES);
    const int levels = 1 + flaw_random_below(r, 40);
    const double share = flaw_random_range(r, 0.05, 0.6), width = fine ? 1e-5 : 0.3;
    for (size_t k = 0; k < s->n; k++) {
        flaw_pixels_picture *p = &s->picture[k];
        *p = (flaw_pixels_picture){.id = k, .map = s->map[k], .width = 1 + flaw_random_below(r, SLOW_SIDE),
                                   .height = 1 + flaw_random_below(r, SLOW_SIDE)};
        const int kind = flaw_random_below(r, 4); /* good, mask, mask, region masks */
        if (kind == 1 || kind == 2) p->mask = s->mask[k];
        if (kind == 3) {
            p->regions = s->region[k];
            p->region_count = 1 + (size_t)flaw_random_below(r, SLOW_REGIONS);
        }
        for (int i = 0; i < p->width * p->height; i++) s->mask[k][i] = random_mark(r, share);
        for (size_t g = 0; g < SLOW_REGIONS; g++) {
            s->region[k][g] = (flaw_pixel_region){.pixel = s->pixel[k][g]};
            for (int i = 0; i < p->width * p->height; i++)
                if (random_mark(r, share)) s->pixel[k][g][s->region[k][g].area++] = (uint32_t)i;
            if (flaw_random_below(r, 3)) s->region[k][g].saturation = flaw_random_range(r, 0.2, 12);
        }
        for (int i = 0; i < p->width * p->height; i++)
            s->map[k][i] = (float)((fine ? 1 : -3) + width * (flaw_random_below(r, levels) + 3 * slow_marked(p, i)));
    }
}

static bool near(double a, double b, double reach)
{
    return (isnan(a) && isnan(b)) || fabs(a - b) <= reach;
}

static void check_exact(const flaw_pixel_figures *f, const slow_figures *slow)
{
    assert_true(near(f->auroc.value, slow->auroc, 1e-9));
    assert_true(near(f->ap.value, slow->ap, 1e-9));
    assert_true(near(f->f1_max.value, slow->f1, 1e-9));
    assert_true(near(f->aupr_trapezoid.value, slow->trapezoid, 1e-9));
    assert_true(near(f->aupro.value, slow->aupro, 1e-9));
    assert_true(near(f->aupro_cflow200.value, slow->cflow200, 1e-9));
}

static void check_bounds(const flaw_bounded *streamed, const flaw_bounded *exact)
{
    assert_true(isnan(streamed->value) == isnan(exact->value) || isnan(exact->value));
    if (isnan(exact->value)) return;
    assert_true(streamed->low <= streamed->value + 1e-12 && streamed->value <= streamed->high + 1e-12);
    assert_true(streamed->low <= exact->value + 1e-12 && exact->value <= streamed->high + 1e-12);
}

static flaw_pixel_figures streamed(const slow_set *s, double limit)
{
    flaw_pixels *p;
    flaw_pixel_figures f;
    assert_int_equal(flaw_pixels_open(&p, NULL, NULL), FLAW_OK);
    for (size_t k = 0; k < s->n; k++) assert_int_equal(flaw_pixels_add(p, &s->picture[k], NULL), FLAW_OK);
    assert_int_equal(flaw_pixels_measure(&f, p, limit, NULL), FLAW_OK);
    flaw_pixels_close(p);
    return f;
}

static void compare_with_twin(bool fine, int sets, int *with_overlap, int *with_dialect)
{
    static slow_set s;
    flaw_random r;
    flaw_random_init(&r, 31, fine);
    for (int i = 0; i < sets; i++) {
        fill(&s, &r, fine);
        const double limit = i % 3 == 0 ? 0.3 : i % 3 == 1 ? 1 : flaw_random_range(&r, 0.01, 1);
        const slow_figures slow = slow_measure(&s, limit);
        flaw_pixel_figures exact, counted = streamed(&s, limit);
        assert_int_equal(flaw_pixels_exact(&exact, s.picture, s.n, limit, NULL), FLAW_OK);
        check_exact(&exact, &slow);
        *with_overlap += !isnan(slow.aupro);
        *with_dialect += !isnan(slow.cflow200);
        check_bounds(&counted.auroc, &exact.auroc);
        check_bounds(&counted.ap, &exact.ap);
        check_bounds(&counted.f1_max, &exact.f1_max);
        check_bounds(&counted.aupr_trapezoid, &exact.aupr_trapezoid);
        check_bounds(&counted.aupro, &exact.aupro);
        check_bounds(&counted.aupro_cflow200, &exact.aupro_cflow200);
        if (!fine) assert_memory_equal(&counted, &exact, sizeof exact); /* one score to a bin: the same bits */
        else if (counted.auroc.low < counted.auroc.high) assert_true(counted.auroc.high - counted.auroc.low <= 1);
    }
}

static void test_slow_twin(void **state)
{
    int with_overlap = 0, with_dialect = 0;
    compare_with_twin(false, 600, &with_overlap, &with_dialect);
    compare_with_twin(true, 600, &with_overlap, &with_dialect);
    assert_true(with_overlap >= 1000);
    assert_true(with_dialect >= 300);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_slow_twin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
