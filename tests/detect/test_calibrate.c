/* Limits from good parts on synthetic scores: promised rates, few parts, one part, broken numbers, text, user. */
#include "../check.h"

#include <math.h>

#include "base/random.h"
#include "detect/calibrate.h"
#include "detect/conformal.h"

static const flaw_scores_kind distance = {.distance = true, .spread = 0.1, .alone = NAN};
static const flaw_scores_kind other = {.spread = 0.02, .alone = NAN};

/* One sample a part and one change of it, normal around 0.3. */
static size_t make(flaw_sample *s, int parts, flaw_random *r)
{
    size_t n = 0;
    for (int p = 0; p < parts; p++)
        for (int changed = 0; changed < 2; changed++) {
            double score = 0.3 + 0.03 * flaw_random_normal(r);
            s[n++] = (flaw_sample){.part = p, .score = score, .peak = score, .middle = 0.1, .changed = changed};
        }
    return n;
}

/* A rate asked for is kept: over many draws of parts, the share of new good parts over the limit is at most the rate.
 */
static void test_promised_rate(void **state)
{
    static const double rates[] = {0.2, 0.1, 0.05};
    static flaw_sample s[400];
    flaw_random r;
    flaw_random_init(&r, 1, 0);
    for (int i = 0; i < 3; i++) {
        int parts = (int)ceil(1 / rates[i] - 1 - 1e-9), over = 0;
        const int draws = 4000;
        for (int d = 0; d < draws; d++) {
            flaw_calibration c;
            flaw_error err = {0};
            size_t n = 0;
            for (int p = 0; p < parts; p++) {
                double score = 0.3 + 0.03 * flaw_random_normal(&r);
                s[n++] = (flaw_sample){.part = p, .score = score, .peak = score, .middle = 0.1};
            }
            assert_ok(flaw_calibrate(&c, s, n, parts, rates[i], &other, &err));
            assert_true(c.false_alarm_rate == rates[i]);
            double score = 0.3 + 0.03 * flaw_random_normal(&r);
            bool alarmed = score > c.threshold;
            over += alarmed;
            assert_int_equal(alarmed, flaw_conformal_p(c.part, (size_t)parts, (double)(float)score) <= rates[i] + 1e-9);
            flaw_calibration_release(&c);
        }
        double share = (double)over / draws, sd = sqrt(rates[i] / draws);
        print_message("  rate %.2f with %d parts: %.3f\n", rates[i], parts, share);
        assert_true(share < rates[i] + 4 * sd && share > rates[i] - 4 * sd - 0.01);
    }
}

/* One part fewer cannot promise it: refused, and the message says how many are needed. */
static void test_too_few(void **state)
{
    flaw_sample s[64];
    flaw_random r;
    flaw_error err = {0};
    flaw_calibration c;
    flaw_random_init(&r, 2, 0);
    size_t n = make(s, 18, &r);
    assert_int_equal(flaw_calibrate(&c, s, n, 18, 0.05, &distance, &err), FLAW_USAGE);
    assert_contains(err.text, "18 good parts");
    assert_contains(err.text, "at least 19");
    assert_contains(err.text, "5.26 %");
    n = make(s, 19, &r);
    assert_ok(flaw_calibrate(&c, s, n, 19, 0.05, &distance, &err));
    assert_true(c.false_alarm_rate == 0.05);
    assert_contains(c.about, "as asked for");
    flaw_calibration_release(&c);
}

/* Default rule: the stated bound (m + 1) / (n + 1) holds on the average for exchangeable parts. */
static void test_default_rule(void **state)
{
    static flaw_sample s[64];
    static const int counts[] = {2, 3, 4, 8, 16};
    flaw_random r;
    flaw_random_init(&r, 3, 0);
    for (int i = 0; i < 5; i++) {
        double stated = 0, over = 0;
        for (int d = 0; d < 3000; d++) {
            flaw_calibration c;
            flaw_error err = {0};
            size_t n = make(s, counts[i], &r);
            assert_ok(flaw_calibrate(&c, s, n, counts[i], 0, &other, &err));
            assert_true(c.false_alarm_rate >= 1.0 / (counts[i] + 1) - 1e-12);
            assert_int_equal(c.good, counts[i]);
            flaw_calibration_release(&c);
            stated += c.false_alarm_rate / 3000;
            over += (0.3 + 0.03 * flaw_random_normal(&r) > c.threshold) / 3000.0;
        }
        print_message("  %d parts: stated %.3f, measured %.3f\n", counts[i], stated, over);
        assert_true(over < stated);
        assert_true(over < 0.25);
    }
}

/* An odd one among many parts does not carry the limit away. */
static void test_outlier(void **state)
{
    flaw_sample s[64];
    flaw_random r;
    flaw_error err = {0};
    flaw_calibration before, after;
    flaw_random_init(&r, 4, 0);
    size_t n = make(s, 20, &r);
    assert_ok(flaw_calibrate(&before, s, n, 20, 0, &distance, &err));
    s[6].score = s[6].peak = 0.6;
    assert_ok(flaw_calibrate(&after, s, n, 20, 0, &distance, &err));
    assert_true(after.threshold < 0.55 && after.threshold > before.threshold);
    assert_true(after.false_alarm_rate >= 2.0 / 21 - 1e-12); /* it lies over the limit, and that is counted */
    flaw_calibration_release(&before);
    flaw_calibration_release(&after);
}

/* Distances to a memory of n parts are expected to be shorter than those to n - 1, which the samples are. */
static void test_memory_gain(void **state)
{
    flaw_sample s[64];
    flaw_random r;
    flaw_error err = {0};
    flaw_random_init(&r, 8, 0);
    for (int parts = 2; parts <= 16; parts *= 2) {
        flaw_calibration near, same;
        flaw_scores_kind still = distance;
        still.distance = false;
        size_t n = make(s, parts, &r);
        assert_ok(flaw_calibrate(&near, s, n, parts, 0, &distance, &err));
        assert_ok(flaw_calibrate(&same, s, n, parts, 0, &still, &err));
        assert_true(fabs(near.threshold - same.threshold * (1 - 0.25 / parts)) < 1e-12);
        flaw_calibration_release(&near);
        flaw_calibration_release(&same);
    }
}

/* Distances: one limit for score and map. Other scores: nothing of a good part's map is over the limit. */
static void test_map_limits(void **state)
{
    flaw_sample s[64];
    flaw_random r;
    flaw_error err = {0};
    flaw_calibration c;
    flaw_random_init(&r, 5, 0);
    size_t n = make(s, 6, &r);
    for (size_t i = 0; i < n; i++) {
        s[i].peak = 0.9 + 0.001 * (double)i;
        s[i].middle = 0.05 + 0.001 * (double)i;
    }
    assert_ok(flaw_calibrate(&c, s, n, 6, 0, &distance, &err));
    assert_true(c.map_threshold == c.threshold);
    flaw_calibration_release(&c);
    s[4].peak = 5; /* the odd one among the peaks is no less a good part */
    assert_ok(flaw_calibrate(&c, s, n, 6, 0, &other, &err));
    for (size_t i = 0; i < n; i++)
        if (!s[i].changed) assert_true(s[i].peak <= c.map_threshold);
    assert_true(fabs(c.map_low - 0.0555) < 1e-12); /* median of the middles */
    assert_true(c.map_low < c.map_threshold);
    flaw_calibration_release(&c);
}

static void test_one_part(void **state)
{
    flaw_sample s[3] = {{.score = 0, .peak = 0, .middle = 0},
                        {.score = 0.10, .peak = 0.10, .middle = 0.01, .changed = true},
                        {.score = 0.14, .peak = 0.14, .middle = 0.02, .changed = true}};
    flaw_error err = {0};
    flaw_calibration c;
    flaw_scores_kind kind = distance;
    assert_ok(flaw_calibrate(&c, s, 3, 1, 0, &kind, &err));
    assert_true(isnan(c.false_alarm_rate));
    assert_true(fabs(c.threshold - 0.24) < 1e-12); /* twice the mean of the changes */
    assert_contains(c.about, "one good part");
    assert_contains(c.about, "not known");
    flaw_calibration_release(&c);
    kind.alone = 0.4;
    assert_ok(flaw_calibrate(&c, s, 3, 1, 0, &kind, &err));
    assert_true(c.threshold == 0.4);
    flaw_calibration_release(&c);
    kind.alone = 0.05; /* never under what mild changes score */
    assert_ok(flaw_calibrate(&c, s, 3, 1, 0, &kind, &err));
    assert_true(c.threshold > 0.14);
    flaw_calibration_release(&c);
}

static void test_refused(void **state)
{
    flaw_sample s[4];
    flaw_random r;
    flaw_calibration c;
    flaw_error err = {0};
    flaw_random_init(&r, 6, 0);
    size_t n = make(s, 2, &r);
    assert_int_equal(flaw_calibrate(&c, s, n, 2, 1.0, &distance, &err), FLAW_USAGE);
    assert_int_equal(flaw_calibrate(&c, s, n, 2, -0.1, &distance, &err), FLAW_USAGE);
    assert_int_equal(flaw_calibrate(&c, s, n, 2, NAN, &distance, &err), FLAW_USAGE);
    assert_int_equal(flaw_calibrate(&c, s, 0, 2, 0, &distance, &err), FLAW_USAGE);
    const double broken[] = {NAN, INFINITY, -INFINITY};
    for (int i = 0; i < 3; i++)
        for (int field = 0; field < 3; field++) {
            flaw_sample bad[4];
            memcpy(bad, s, sizeof s);
            *(field == 0 ? &bad[2].score : field == 1 ? &bad[2].peak : &bad[2].middle) = broken[i];
            assert_int_equal(flaw_calibrate(&c, bad, n, 2, 0, &distance, &err), FLAW_BAD_DATA);
            assert_contains(err.text, "part 2");
        }
}

static void test_text_and_user(void **state)
{
    flaw_calibration c;
    flaw_calibrate_text(&c);
    assert_string_equal(c.rule, "text");
    assert_true(c.threshold == 0.5 && isnan(c.false_alarm_rate) && c.map_threshold == 0.5);
    flaw_calibrate_user(&c, 0.8, &other);
    assert_string_equal(c.rule, "user");
    assert_true(c.threshold == 0.8 && isnan(c.false_alarm_rate) && c.map_threshold == 0.5);
    flaw_calibrate_user(&c, 0.7, &distance);
    assert_true(c.map_threshold == 0.7);
}

static void test_record(void **state)
{
    flaw_sample s[8];
    flaw_random r;
    flaw_error err = {0};
    flaw_calibration c, back;
    flaw_record record;
    flaw_random_init(&r, 7, 0);
    size_t n = make(s, 1, &r);
    assert_ok(flaw_calibrate(&c, s, n, 1, 0, &distance, &err)); /* with a NaN rate */
    flaw_record_init(&record);
    assert_ok(flaw_calibration_save(&c, &record, &err));
    assert_ok(flaw_calibration_load(&back, &record, &err));
    assert_true(back.threshold == c.threshold && isnan(back.false_alarm_rate) && back.map_low == c.map_low);
    assert_string_equal(back.about, c.about);
    assert_true(back.part && back.part[0] == c.part[0]);
    flaw_calibration_release(&back);
    flaw_record_release(&record);
    flaw_record_init(&record);
    c.threshold = NAN;
    assert_ok(flaw_calibration_save(&c, &record, &err));
    assert_int_equal(flaw_calibration_load(&back, &record, &err), FLAW_BAD_DATA);
    flaw_record_release(&record);
    flaw_calibration_release(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_promised_rate), cmocka_unit_test(test_too_few),     cmocka_unit_test(test_default_rule),
        cmocka_unit_test(test_outlier),       cmocka_unit_test(test_memory_gain), cmocka_unit_test(test_map_limits),
        cmocka_unit_test(test_one_part),      cmocka_unit_test(test_refused),     cmocka_unit_test(test_text_and_user),
        cmocka_unit_test(test_record),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
