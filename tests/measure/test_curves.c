/* AUROC, average precision and F1-max against slow twins straight from their definitions, and against values computed
 * by hand and with scikit-learn 1.2.1 (roc_auc_score, average_precision_score, precision_recall_curve). */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/random.h"
#include "flaw/metrics.h"

#define MAX_N 60

/* P(score of a positive > score of a negative) + 1/2 P(equal), over all pairs. */
static double slow_auroc(const float *s, const uint8_t *l, size_t n)
{
    double wins = 0, pairs = 0;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++)
            if (l[i] && !l[j]) {
                pairs++;
                wins += s[i] > s[j] ? 1 : s[i] == s[j] ? 0.5 : 0;
            }
    return pairs > 0 ? wins / pairs : NAN;
}

/* Precision and recall when everything with score >= t is called anomalous. */
static void at_threshold(double *precision, double *recall, const float *s, const uint8_t *l, size_t n, float t)
{
    double tp = 0, fp = 0, positives = 0;
    for (size_t i = 0; i < n; i++) {
        positives += l[i] != 0;
        if (s[i] >= t && l[i]) tp++;
        if (s[i] >= t && !l[i]) fp++;
    }
    *precision = tp / (tp + fp);
    *recall = tp / positives;
}

static int descending(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return (x < y) - (x > y);
}

static void slow_precision_f1(double *ap, double *f1, const float *s, const uint8_t *l, size_t n)
{
    float t[MAX_N];
    memcpy(t, s, n * sizeof *t);
    qsort(t, n, sizeof *t, descending);
    *ap = *f1 = 0;
    double last = 0;
    for (size_t i = 0; i < n; i++) {
        double p, r;
        at_threshold(&p, &r, s, l, n, t[i]);
        *ap += (r - last) * p;
        last = r;
        if (p + r > 0) *f1 = fmax(*f1, 2 * p * r / (p + r));
    }
}

static void check_all(const float *s, const uint8_t *l, size_t n, double auroc, double ap, double f1)
{
    double value = -1;
    flaw_error err;
    assert_int_equal(flaw_auroc(&value, s, l, n, &err), FLAW_OK);
    assert_true(fabs(value - auroc) < 1e-12);
    assert_int_equal(flaw_average_precision(&value, s, l, n, &err), FLAW_OK);
    assert_true(fabs(value - ap) < 1e-12);
    assert_int_equal(flaw_f1_max(&value, s, l, n, &err), FLAW_OK);
    assert_true(fabs(value - f1) < 1e-12);
}

/* 10,000 random sets, from few distinct scores (many ties) to all distinct, negative values and both zeros included. */
static void test_random_sets(void **state)
{
    flaw_random r;
    flaw_random_init(&r, 20, 1);
    int used = 0;
    for (int set = 0; set < 10000; set++) {
        size_t n = 2 + (size_t)flaw_random_below(&r, MAX_N - 1);
        int levels = 1 + flaw_random_below(&r, 40);
        double share = flaw_random_uniform(&r);
        float s[MAX_N];
        uint8_t l[MAX_N];
        size_t positives = 0;
        for (size_t i = 0; i < n; i++) {
            l[i] = flaw_random_uniform(&r) < share ? (uint8_t)(1 + flaw_random_below(&r, 255)) : 0;
            positives += l[i] != 0;
            s[i] =
                levels > 38 ? (float)flaw_random_normal(&r) : (float)(flaw_random_below(&r, levels) - levels / 2) / 7;
            if (s[i] == 0 && flaw_random_below(&r, 2)) s[i] = -0.0f;
        }
        if (positives == 0 || positives == n) continue;
        double ap, f1;
        slow_precision_f1(&ap, &f1, s, l, n);
        check_all(s, l, n, slow_auroc(s, l, n), ap, f1);
        used++;
    }
    assert_true(used > 8000);
}

static void test_known_values(void **state)
{
    /* scikit-learn's own example of average_precision_score, and a longer set with ties across classes. */
    const float s1[] = {0.1f, 0.4f, 0.35f, 0.8f};
    const uint8_t l1[] = {0, 0, 1, 1};
    check_all(s1, l1, 4, 0.75, 0.8333333333333333, 0.8);
    const float s2[] = {3, 1, 2, 2, 2, 5, 4, 4, 0, 1};
    const uint8_t l2[] = {1, 0, 1, 0, 0, 1, 0, 1, 0, 0};
    check_all(s2, l2, 10, 0.8541666666666666, 0.7470238095238095, 0.75);
}

static void test_conventions(void **state)
{
    const float perfect[] = {1, 2, 3, 10, 11}, constant[] = {7, 7, 7, 7, 7};
    const uint8_t labels[] = {0, 0, 0, 1, 1};
    check_all(perfect, labels, 5, 1, 1, 1);
    check_all(constant, labels, 5, 0.5, 0.4, 2 * 0.4 / 1.4);
    const float ends[] = {-INFINITY, 0, 1, 2, INFINITY}; /* infinities rank at the ends */
    check_all(ends, labels, 5, 1, 1, 1);
    double value = 0;
    const uint8_t none[5] = {0}, all[] = {1, 1, 1, 1, 1};
    assert_int_equal(flaw_auroc(&value, perfect, none, 5, NULL), FLAW_OK);
    assert_true(isnan(value));
    assert_int_equal(flaw_f1_max(&value, perfect, all, 5, NULL), FLAW_OK);
    assert_true(isnan(value));
    assert_int_equal(flaw_average_precision(&value, perfect, all, 0, NULL), FLAW_OK);
    assert_true(isnan(value));
}

static void test_not_a_number_is_refused_by_place(void **state)
{
    const float s[] = {1, NAN, 2};
    const uint8_t l[] = {0, 1, 1};
    double value = 42;
    flaw_error err = {0};
    assert_int_equal(flaw_auroc(&value, s, l, 3, &err), FLAW_BAD_DATA);
    assert_non_null(strstr(err.text, "score 1 of 3"));
    assert_int_equal(flaw_average_precision(&value, s, l, 3, &err), FLAW_BAD_DATA);
    assert_int_equal(flaw_f1_max(&value, s, l, 3, &err), FLAW_BAD_DATA);
    assert_true(value == 42);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_sets),
        cmocka_unit_test(test_known_values),
        cmocka_unit_test(test_conventions),
        cmocka_unit_test(test_not_a_number_is_refused_by_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
