/* Contextual scoring: the properties of spec section 5 and the simulated behaviour of the bare interval rule. */
#include "../check.h"

#include <math.h>

#include "base/random.h"
#include "detect/context.h"

enum { MOST = 100 };

typedef struct draw {
    double s[2][MOST], w[2][MOST];
    int n[2];
} draw;

static void weigh(flaw_context_rule rule, draw *d)
{
    const double *const s[2] = {d->s[0], d->s[1]};
    double *const w[2] = {d->w[0], d->w[1]};
    flaw_context_weigh(rule, s, d->n, NULL, w);
}

/* Gaussian similarities, abnormal ones `gap` standard deviations higher. */
static void make(draw *d, flaw_random *r, int k0, int k1, double gap)
{
    d->n[0] = k0;
    d->n[1] = k1;
    for (int c = 0; c < 2; c++)
        for (int i = 0; i < d->n[c]; i++) d->s[c][i] = 0.25 + 0.01 * (flaw_random_normal(r) + c * gap);
}

static int kept(const draw *d, int c)
{
    int n = 0;
    for (int i = 0; i < d->n[c]; i++) n += d->w[c][i] > 0;
    return n;
}

static void check_weights(const draw *d)
{
    for (int c = 0; c < 2; c++) {
        double sum = 0;
        for (int i = 0; i < d->n[c]; i++) {
            assert_true(isfinite(d->w[c][i]) && d->w[c][i] >= 0);
            sum += d->w[c][i];
        }
        assert_true(fabs(sum - 1) < 1e-12);
    }
}

/* Whatever the similarities: weights are finite, not negative, and sum to 1; a class keeps its minimum under rule O. */
static void test_never_empty(void **state)
{
    static const double gaps[] = {0, 0.5, 1, 2, 3, 10, 1000};
    static const int counts[] = {1, 2, 3, 10, 25, 100};
    flaw_random r;
    draw d;
    flaw_random_init(&r, 1, 0);
    for (int rule = FLAW_CONTEXT_NONE; rule <= FLAW_CONTEXT_SOFT; rule++)
        for (size_t g = 0; g < 7; g++)
            for (size_t k = 0; k < 6; k++)
                for (int repeat = 0; repeat < 40; repeat++) {
                    make(&d, &r, counts[k], counts[(k + (size_t)repeat) % 6], gaps[g]);
                    weigh((flaw_context_rule)rule, &d);
                    check_weights(&d);
                    if (rule != FLAW_CONTEXT_OVERLAP) continue;
                    for (int c = 0; c < 2; c++) {
                        int least = (int)fmax(3, ceil(0.2 * d.n[c]));
                        assert_true(kept(&d, c) >= (least < d.n[c] ? least : d.n[c]));
                    }
                }
}

static void test_all_equal(void **state)
{
    draw d = {.n = {25, 25}};
    for (int c = 0; c < 2; c++)
        for (int i = 0; i < 25; i++) d.s[c][i] = 0.3;
    for (int rule = FLAW_CONTEXT_NONE; rule <= FLAW_CONTEXT_SOFT; rule++) {
        weigh((flaw_context_rule)rule, &d);
        check_weights(&d);
    }
}

/* Rule O with disjoint ranges keeps every sentence: the static ensemble. */
static void test_disjoint(void **state)
{
    flaw_random r;
    draw d;
    flaw_random_init(&r, 2, 0);
    make(&d, &r, 25, 25, 100);
    weigh(FLAW_CONTEXT_OVERLAP, &d);
    for (int c = 0; c < 2; c++)
        for (int i = 0; i < 25; i++) assert_true(d.w[c][i] == 1.0 / 25);
}

/* What lies in the overlap goes, what lies outside stays. */
static void test_overlap(void **state)
{
    draw d = {.n = {8, 8}};
    for (int i = 0; i < 8; i++) {
        d.s[0][i] = 0.1 * i;        /* 0.0 .. 0.7 */
        d.s[1][i] = 0.35 + 0.1 * i; /* 0.35 .. 1.05: overlap is [0.35, 0.7] */
    }
    weigh(FLAW_CONTEXT_OVERLAP, &d);
    for (int i = 0; i < 8; i++) {
        assert_true((d.w[0][i] > 0) == (d.s[0][i] < 0.35));
        assert_true((d.w[1][i] > 0) == (d.s[1][i] > 0.7));
    }
}

/* Fallback: a class inside the other's range is filled up with the sentences farthest from the other's mean. */
static void test_fallback(void **state)
{
    draw d = {.n = {6, 6}};
    const double inside[6] = {0.48, 0.49, 0.5, 0.51, 0.53, 0.55}, around[6] = {0.1, 0.2, 0.4, 0.6, 0.8, 0.9};
    memcpy(d.s[0], inside, sizeof inside);
    memcpy(d.s[1], around, sizeof around); /* mean 0.5 */
    weigh(FLAW_CONTEXT_OVERLAP, &d);
    assert_int_equal(kept(&d, 0), 3);
    assert_true(d.w[0][5] > 0 && d.w[0][4] > 0 && d.w[0][0] > 0);
}

static void test_relevance(void **state)
{
    draw d = {.n = {10, 20}};
    for (int c = 0; c < 2; c++)
        for (int i = 0; i < d.n[c]; i++) d.s[c][i] = (i * 7 % d.n[c]) / 100.0;
    weigh(FLAW_CONTEXT_RELEVANCE, &d);
    for (int c = 0; c < 2; c++) {
        assert_int_equal(kept(&d, c), 5); /* half of the smaller class, equal counts */
        for (int i = 0; i < d.n[c]; i++) assert_true((d.w[c][i] > 0) == (d.s[c][i] * 100 > d.n[c] - 5.5));
    }
}

/* Rule S: weights grow with similarity, and a sentence on the wrong side counts less than its similarity alone says. */
static void test_soft(void **state)
{
    draw d = {.n = {3, 3}, .s = {{0.10, 0.12, 0.30}, {0.28, 0.30, 0.32}}};
    weigh(FLAW_CONTEXT_SOFT, &d);
    assert_true(d.w[1][2] > d.w[1][1] && d.w[1][1] > d.w[1][0]);
    double by_similarity = exp((0.30 - 0.12) / 0.05);
    assert_true(d.w[0][2] / d.w[0][1] < by_similarity);
}

/* Pinned sentences are kept by every rule; the others as the rule has it. Pins of none are no pins. */
static void test_pins(void **state)
{
    flaw_random r;
    draw d, p;
    bool pinned[2][MOST];
    flaw_random_init(&r, 9, 0);
    for (int rule = FLAW_CONTEXT_NONE; rule <= FLAW_CONTEXT_SOFT; rule++)
        for (int repeat = 0; repeat < 50; repeat++) {
            const double *const s[2] = {p.s[0], p.s[1]};
            double *const w[2] = {p.w[0], p.w[1]};
            const bool *const pins[2] = {pinned[0], repeat % 2 ? pinned[1] : NULL};
            make(&d, &r, 20, 17, 1);
            memset(pinned, 0, sizeof pinned);
            weigh((flaw_context_rule)rule, &d);
            p = d;
            flaw_context_weigh((flaw_context_rule)rule, s, p.n, pins, w);
            for (int c = 0; c < 2; c++) assert_memory_equal(p.w[c], d.w[c], (size_t)d.n[c] * sizeof(double));
            for (int i = 0; i < 2; i++) pinned[0][(repeat * 3 + 11 * i) % 20] = true;
            for (int i = 0; i < 14; i++) pinned[1][(repeat + i) % 17] = true; /* more than rule R takes */
            flaw_context_weigh((flaw_context_rule)rule, s, p.n, pins, w);
            check_weights(&p);
            for (int c = 0; c < 2; c++)
                for (int i = 0; pins[c] && i < p.n[c]; i++) {
                    if (pinned[c][i]) assert_true(p.w[c][i] > 0);
                    if (rule == FLAW_CONTEXT_NONE) assert_true(p.w[c][i] == 1.0 / p.n[c]);
                    for (int j = 0; rule == FLAW_CONTEXT_SOFT && pinned[c][i] && j < i; j++)
                        if (pinned[c][j]) /* similarity alone */
                            assert_true(fabs(log(p.w[c][i] / p.w[c][j]) - (p.s[c][i] - p.s[c][j]) / 0.05) < 1e-9);
                }
            if (rule == FLAW_CONTEXT_RELEVANCE) assert_int_equal(kept(&p, 0), 9);
            if (rule == FLAW_CONTEXT_RELEVANCE) assert_int_equal(kept(&p, 1), pins[1] ? 14 : 9);
            if (rule == FLAW_CONTEXT_OVERLAP)
                for (int i = 0; i < 20; i++)
                    assert_true(pinned[0][i] || kept(&d, 0) <= 4 || (p.w[0][i] > 0) == (d.w[0][i] > 0));
        }
}

/* The overlap by hand: of [0.1, 0.3] and [0.2, 0.5]; none of ranges that lie apart. */
static void test_overlap_range(void **state)
{
    const double low[3] = {0.3, 0.1, 0.2}, high[2] = {0.5, 0.2}, apart[2] = {0.31, 0.9};
    const double *const meet[2] = {low, high}, *const far[2] = {apart, low};
    double overlap[2];
    flaw_context_overlap(overlap, meet, (const int[2]){3, 2});
    assert_true(overlap[0] == 0.2 && overlap[1] == 0.3);
    flaw_context_overlap(overlap, far, (const int[2]){2, 3});
    assert_true(overlap[0] > overlap[1]);
}

static void test_permutation(void **state)
{
    flaw_random r;
    draw d, p;
    flaw_random_init(&r, 3, 0);
    for (int rule = FLAW_CONTEXT_NONE; rule <= FLAW_CONTEXT_SOFT; rule++)
        for (int repeat = 0; repeat < 50; repeat++) {
            make(&d, &r, 25, 25, 0.7);
            p = d;
            for (int i = 0; i < 25; i++) p.s[0][i] = d.s[0][(i * 7 + 3) % 25];
            weigh((flaw_context_rule)rule, &d);
            weigh((flaw_context_rule)rule, &p);
            for (int i = 0; i < 25; i++) {
                assert_true(fabs(p.w[0][i] - d.w[0][(i * 7 + 3) % 25]) < 1e-12);
                assert_true(fabs(p.w[1][i] - d.w[1][i]) < 1e-12);
            }
        }
}

/* Swapping the classes swaps the weights. */
static void test_swap(void **state)
{
    flaw_random r;
    draw d, p;
    flaw_random_init(&r, 4, 0);
    for (int rule = FLAW_CONTEXT_NONE; rule <= FLAW_CONTEXT_SOFT; rule++)
        for (int repeat = 0; repeat < 50; repeat++) {
            make(&d, &r, 12, 12, 1);
            memcpy(p.s[0], d.s[1], sizeof d.s[1]);
            memcpy(p.s[1], d.s[0], sizeof d.s[0]);
            p.n[0] = p.n[1] = 12;
            weigh((flaw_context_rule)rule, &d);
            weigh((flaw_context_rule)rule, &p);
            for (int i = 0; i < 12; i++)
                assert_true(fabs(p.w[0][i] - d.w[1][i]) < 1e-12 && fabs(p.w[1][i] - d.w[0][i]) < 1e-12);
        }
}

static void test_names(void **state)
{
    flaw_context_rule rule;
    flaw_error err = {0};
    assert_ok(flaw_context_named(&rule, NULL, &err));
    assert_int_equal(rule, FLAW_CONTEXT_OVERLAP);
    for (int i = FLAW_CONTEXT_NONE; i <= FLAW_CONTEXT_SOFT; i++) {
        assert_ok(flaw_context_named(&rule, flaw_context_name((flaw_context_rule)i), &err));
        assert_int_equal(rule, i);
    }
    assert_int_equal(flaw_context_named(&rule, "sharp", &err), FLAW_USAGE);
    assert_contains(err.text, "sharp");
    assert_contains(err.text, "relevance");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_never_empty), cmocka_unit_test(test_all_equal),   cmocka_unit_test(test_disjoint),
        cmocka_unit_test(test_overlap),     cmocka_unit_test(test_fallback),    cmocka_unit_test(test_relevance),
        cmocka_unit_test(test_soft),        cmocka_unit_test(test_permutation), cmocka_unit_test(test_swap),
        cmocka_unit_test(test_names),       cmocka_unit_test(test_pins),        cmocka_unit_test(test_overlap_range),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
