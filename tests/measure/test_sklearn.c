/* Figures of pictures against scikit-learn's and DeLong's formula, as tools/make_metric_golden.py wrote them. */
#include "../check.h"

#include <math.h>

#include "flaw/metrics.h"

enum { MOST = 64 };

typedef struct golden_case {
    float first[MOST], second[MOST];
    uint8_t label[MOST];
    size_t n;
    double auroc, ap, trapezoid, f1, error, p;
} golden_case;

static FILE *open_golden(void)
{
    char path[4096];
    const char *source = getenv("FLAW_SOURCE");
    snprintf(path, sizeof path, "%s/tests/measure/data/metric-golden.txt", source ? source : ".");
    FILE *f = fopen(path, "r");
    if (!f) fail_msg("cannot open %s", path);
    if (!fgets(path, sizeof path, f)) fail_msg("empty file of golden figures");
    return f;
}

static bool next_case(golden_case *c, FILE *f)
{
    if (fscanf(f, " case %zu", &c->n) != 1) return false;
    assert_in_range(c->n, 4, MOST);
    for (size_t i = 0; i < c->n; i++) {
        unsigned label;
        assert_int_equal(fscanf(f, "%f %f %u", &c->first[i], &c->second[i], &label), 3);
        c->label[i] = (uint8_t)label;
    }
    assert_int_equal(fscanf(f, " figures %lf %lf %lf %lf %lf %lf", &c->auroc, &c->ap, &c->trapezoid, &c->f1, &c->error,
                            &c->p), 6);
    return true;
}

static void test_figures(void **state)
{
    FILE *f = open_golden();
    golden_case c;
    int cases = 0;
    for (; next_case(&c, f); cases++) {
        flaw_image_figures got;
        assert_int_equal(flaw_image_measure(&got, c.first, c.label, c.n, NULL), FLAW_OK);
        assert_true(fabs(got.auroc - c.auroc) < 1e-12);
        assert_true(fabs(got.ap - c.ap) < 1e-12);
        assert_true(fabs(got.aupr_trapezoid - c.trapezoid) < 1e-12);
        assert_true(fabs(got.f1_max - c.f1) < 1e-12);
    }
    fclose(f);
    assert_true(cases >= 100);
}

static void test_delong(void **state)
{
    FILE *f = open_golden();
    golden_case c;
    int cases = 0;
    while (next_case(&c, f)) {
        flaw_difference d;
        assert_int_equal(flaw_delong(&d, c.first, c.second, c.label, c.n, 0, NULL), FLAW_OK);
        assert_true(fabs(d.first - c.auroc) < 1e-12);
        assert_true(fabs((d.low + d.high) / 2 - (d.first - d.second)) < 1e-12);
        /* 1.959963984540054: the normal quantile of 0.975 */
        assert_true(fabs((d.high - d.low) / 2 - 1.959963984540054 * c.error) < 1e-9);
        if (!isnan(c.p)) {
            assert_true(fabs(d.p - c.p) < 1e-9);
            cases++;
        }
    }
    fclose(f);
    assert_true(cases >= 100);
}

static void test_delong_without_variance(void **state)
{
    const float same[] = {1, 2, 3, 4, 5}, turned[] = {5, 4, 3, 2, 1};
    const uint8_t labels[] = {0, 0, 0, 1, 1}, one_bad[] = {0, 0, 0, 0, 1};
    flaw_difference d;
    assert_int_equal(flaw_delong(&d, same, same, labels, 5, 0.9, NULL), FLAW_OK);
    assert_true(d.p == 1 && d.low == 0 && d.high == 0 && d.first == 1);
    assert_int_equal(flaw_delong(&d, same, turned, labels, 5, 0.9, NULL), FLAW_OK);
    assert_true(isnan(d.p) && d.low == 1 && d.second == 0);
    assert_int_equal(flaw_delong(&d, same, turned, one_bad, 5, 0.9, NULL), FLAW_OK);
    assert_true(isnan(d.p) && isnan(d.low) && d.first == 1);
    assert_int_equal(flaw_delong(&d, same, turned, labels, 5, 1, NULL), FLAW_USAGE);
    const float broken[] = {1, 2, NAN, 4, 5};
    assert_int_equal(flaw_delong(&d, same, broken, labels, 5, 0, NULL), FLAW_BAD_DATA);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_figures),
        cmocka_unit_test(test_delong),
        cmocka_unit_test(test_delong_without_variance),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
