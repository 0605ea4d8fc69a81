#include "../check.h"

#include <math.h>

#include "base/random.h"

/* Vigna's xoshiro256starstar.c from state {1, 2, 3, 4}: values published with the rand_xoshiro crate's tests. */
static void test_generator(void **state)
{
    static const uint64_t expected[] = {
        UINT64_C(11520),
        UINT64_C(0),
        UINT64_C(1509978240),
        UINT64_C(1215971899390074240),
        UINT64_C(1216172134540287360),
        UINT64_C(607988272756665600),
        UINT64_C(16172922978634559625),
        UINT64_C(8476171486693032832),
        UINT64_C(10595114339597558777),
        UINT64_C(2904607092377533576),
    };
    flaw_random r = {{1, 2, 3, 4}};
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) assert_true(flaw_random_u64(&r) == expected[i]);
}

/* splitmix64 from 0, as every description of it lists. */
static void test_seeding(void **state)
{
    flaw_random r;
    flaw_random_init(&r, 0, 0);
    assert_true(r.s[0] == UINT64_C(0xe220a8397b1dcdaf));
    assert_true(r.s[1] == UINT64_C(0x6e789e6aa1b965f4));
    assert_true(r.s[2] == UINT64_C(0x06c45d188009454f));
    assert_true(r.s[3] == UINT64_C(0xf88bb8a8724c81ec));
}

/* What recipes and training runs of today saw must come out for ever: a change here breaks their repetition. */
static void test_fixed_values(void **state)
{
    flaw_random r;
    flaw_random_init(&r, 42, 7);
    assert_true(flaw_random_u64(&r) == UINT64_C(0x11a904479c05b3da));
    assert_true(flaw_random_u64(&r) == UINT64_C(0xcffd69429302c462));
    assert_int_equal(flaw_random_below(&r, 1000), 436);
    assert_true(flaw_random_uniform(&r) == 0x1.4072452c560a2p-2);
    assert_true(fabs(flaw_random_normal(&r) - 0.3197074971899691) < 1e-14);
}

static void test_streams_and_seeds_differ(void **state)
{
    enum { EACH = 40 };
    uint64_t first[EACH * EACH];
    for (int seed = 0; seed < EACH; seed++) {
        for (int stream = 0; stream < EACH; stream++) {
            flaw_random r;
            flaw_random_init(&r, (uint64_t)seed, (uint64_t)stream);
            first[seed * EACH + stream] = flaw_random_u64(&r);
        }
    }
    for (int a = 0; a < EACH * EACH; a++) {
        for (int b = a + 1; b < EACH * EACH; b++) assert_true(first[a] != first[b]);
    }
}

static void test_copy_continues(void **state)
{
    flaw_random r, saved;
    flaw_random_init(&r, 3, 0);
    flaw_random_normal(&r); /* holds nothing back: the copy is the whole state */
    saved = r;
    for (int i = 0; i < 100; i++) assert_true(flaw_random_normal(&r) == flaw_random_normal(&saved));
}

/* Chi-square with n-1 degrees of freedom: mean n-1, standard deviation sqrt(2(n-1)); five of them allowed. */
static void test_below_is_even(void **state)
{
    static const int sizes[] = {1, 2, 3, 6, 7, 10, 100, 1000};
    flaw_random r;
    flaw_random_init(&r, 5, 0);
    for (size_t k = 0; k < sizeof sizes / sizeof sizes[0]; k++) {
        const int n = sizes[k], draws = 1000 * n;
        int count[1000] = {0};
        for (int i = 0; i < draws; i++) {
            const int x = flaw_random_below(&r, n);
            assert_in_range(x, 0, n - 1);
            count[x]++;
        }
        double chi = 0;
        for (int x = 0; x < n; x++) chi += pow(count[x] - 1000.0, 2) / 1000.0;
        assert_true(fabs(chi - (n - 1)) <= 5 * sqrt(2.0 * (n - 1)));
    }
}

/* For n = 3 * 2^29 a plain remainder would give the lower third of the range half of all draws. */
static void test_below_is_unbiased_for_large_n(void **state)
{
    enum { DRAWS = 100000 };
    flaw_random r;
    flaw_random_init(&r, 6, 0);
    const int n = 3 << 29;
    int low = 0;
    for (int i = 0; i < DRAWS; i++) low += flaw_random_below(&r, n) < n / 3;
    assert_true(fabs(low - DRAWS / 3.0) < 5 * sqrt(DRAWS * 2.0 / 9.0));
    assert_int_equal(flaw_random_below(&r, 1), 0);
    assert_in_range(flaw_random_below(&r, INT32_MAX), 0, INT32_MAX - 1);
}

static void test_uniform(void **state)
{
    enum { DRAWS = 200000, BINS = 64 };
    flaw_random r;
    flaw_random_init(&r, 8, 0);
    int bin[BINS] = {0};
    double sum = 0, last = 0, product = 0;
    for (int i = 0; i < DRAWS; i++) {
        const double u = flaw_random_uniform(&r);
        assert_true(u >= 0 && u < 1);
        bin[(int)(u * BINS)]++;
        sum += u;
        product += (u - 0.5) * (last - 0.5);
        last = u;
    }
    double chi = 0;
    for (int i = 0; i < BINS; i++) chi += pow(bin[i] - (double)DRAWS / BINS, 2) / ((double)DRAWS / BINS);
    assert_true(fabs(chi - (BINS - 1)) < 5 * sqrt(2.0 * (BINS - 1)));
    assert_true(fabs(sum / DRAWS - 0.5) < 5 / sqrt(12.0 * DRAWS));
    assert_true(fabs(product / DRAWS) < 5 / (12 * sqrt(DRAWS))); /* neighbours know nothing of each other */
    for (int i = 0; i < 1000; i++) {
        const double x = flaw_random_range(&r, -3, 5);
        assert_true(x >= -3 && x < 5);
    }
}

/* Moments of the normal distribution, and how much lies within 1, 2 and 3 standard deviations. */
static void test_normal(void **state)
{
    enum { DRAWS = 400000 };
    static const double share[4] = {0, 0.682689492, 0.954499736, 0.997300204};
    flaw_random r;
    flaw_random_init(&r, 9, 0);
    double m[5] = {0};
    int within[4] = {0};
    for (int i = 0; i < DRAWS; i++) {
        const double x = flaw_random_normal(&r);
        assert_true(isfinite(x));
        for (int k = 1; k <= 4; k++) m[k] += pow(x, k) / DRAWS;
        for (int k = 1; k <= 3; k++) within[k] += fabs(x) < k;
    }
    const double sigma = 1 / sqrt(DRAWS);
    assert_true(fabs(m[1]) < 5 * sigma);
    assert_true(fabs(m[2] - 1) < 5 * sqrt(2) * sigma);
    assert_true(fabs(m[3]) < 5 * sqrt(15) * sigma);
    assert_true(fabs(m[4] - 3) < 5 * sqrt(96) * sigma);
    for (int k = 1; k <= 3; k++) {
        assert_true(fabs((double)within[k] / DRAWS - share[k]) < 5 * sqrt(share[k] * (1 - share[k])) * sigma);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_generator),
        cmocka_unit_test(test_seeding),
        cmocka_unit_test(test_fixed_values),
        cmocka_unit_test(test_streams_and_seeds_differ),
        cmocka_unit_test(test_copy_continues),
        cmocka_unit_test(test_below_is_even),
        cmocka_unit_test(test_below_is_unbiased_for_large_n),
        cmocka_unit_test(test_uniform),
        cmocka_unit_test(test_normal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
