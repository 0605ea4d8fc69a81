/* Per-region overlap against a slow twin that walks every distinct threshold and labels components by spreading, and
 * against values found by hand. */
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
#include "measure/metrics/components.h"
#include "slow_pixels.h"

#define SIDE 7
#define PICTURES 3

typedef struct set {
    float map[PICTURES][SIDE * SIDE];
    uint8_t mask[PICTURES][SIDE * SIDE];
    int width[PICTURES], height[PICTURES];
    size_t n;
} set;

static void slow_rates(double *fpr, double *overlap, const set *s, double t)
{
    double wrong = 0, background = 0, sum = 0, regions = 0;
    for (size_t p = 0; p < s->n; p++) {
        int pixels = s->width[p] * s->height[p], name[SIDE * SIDE];
        slow_spread(name, s->mask[p], s->width[p], s->height[p]);
        for (int region = 0; region <= pixels; region++) {
            double size = 0, found = 0;
            for (int i = 0; i < pixels; i++) {
                size += name[i] == region;
                found += name[i] == region && s->map[p][i] >= t;
            }
            if (region == 0) background += size, wrong += found;
            else if (size > 0) sum += found / size, regions++;
        }
    }
    *fpr = background > 0 ? wrong / background : NAN;
    *overlap = regions > 0 ? sum / regions : NAN;
}

static double slow_pro(const set *s, double limit)
{
    double area = 0, fpr = 0, overlap = 0, t = INFINITY;
    for (;;) {
        double next = -INFINITY; /* the largest value under t */
        for (size_t p = 0; p < s->n; p++)
            for (int i = 0; i < s->width[p] * s->height[p]; i++)
                if (s->map[p][i] < t && s->map[p][i] > next) next = s->map[p][i];
        if (next == -INFINITY) return area / limit;
        t = next;
        double f, o;
        slow_rates(&f, &o, s, t);
        if (isnan(f) || isnan(o)) return NAN;
        if (f > limit) {
            double at_limit = overlap + (o - overlap) * (limit - fpr) / (f - fpr);
            return (area + (limit - fpr) * (overlap + at_limit) / 2) / limit;
        }
        area += (f - fpr) * (overlap + o) / 2;
        fpr = f, overlap = o;
    }
}

static flaw_status fast(double *out, const set *s, double limit, flaw_error *err)
{
    const float *maps[PICTURES];
    const uint8_t *masks[PICTURES];
    for (size_t i = 0; i < PICTURES; i++) maps[i] = s->map[i], masks[i] = s->mask[i];
    return flaw_pro(out, maps, masks, s->width, s->height, s->n, limit, err);
}

static void random_set(set *s, flaw_random *r)
{
    s->n = 1 + (size_t)flaw_random_below(r, PICTURES);
    int levels = 1 + flaw_random_below(r, 30);
    double share = flaw_random_range(r, 0.05, 0.6);
    for (size_t p = 0; p < s->n; p++) {
        s->width[p] = 1 + flaw_random_below(r, SIDE);
        s->height[p] = 1 + flaw_random_below(r, SIDE);
        for (int i = 0; i < s->width[p] * s->height[p]; i++) {
            s->mask[p][i] = flaw_random_uniform(r) < share ? 255 : 0;
            s->map[p][i] = (float)(flaw_random_below(r, levels) - 3 + (s->mask[p][i] ? 2 : 0)) / 3;
        }
    }
}

static void test_random_sets(void **state)
{
    flaw_random r;
    flaw_random_init(&r, 21, 1);
    int used = 0;
    for (int i = 0; i < 10000; i++) {
        static set s;
        random_set(&s, &r);
        double limit = i % 3 == 0 ? 1 : i % 3 == 1 ? 0.3 : flaw_random_range(&r, 0.01, 1), value;
        assert_int_equal(fast(&value, &s, limit, NULL), FLAW_OK);
        double expected = slow_pro(&s, limit);
        if (isnan(expected)) {
            assert_true(isnan(value));
            continue;
        }
        assert_true(fabs(value - expected) < 1e-12);
        used++;
    }
    assert_true(used > 8000);
}

/* Two diagonal pixels are one region (8 neighbours); pixels at the ends of two rows are not neighbours. */
static void test_components(void **state)
{
    const uint8_t mask[] = {1, 0, 0, 1, /**/ 0, 1, 0, 0, /**/ 0, 0, 0, 1, /**/ 1, 0, 0, 1};
    const uint32_t expected[] = {5, 0, 0, 6, /**/ 0, 5, 0, 0, /**/ 0, 0, 0, 7, /**/ 8, 0, 0, 7};
    uint32_t label[16], count;
    assert_int_equal(flaw_components_label(label, &count, mask, 4, 4, 5, NULL), FLAW_OK);
    assert_int_equal(count, 4);
    assert_memory_equal(label, expected, sizeof expected);
}

static void test_conventions(void **state)
{
    set s = {.n = 1, .width = {4}, .height = {3}, .mask = {{1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9}}};
    double value;
    memcpy(s.map[0], (float[]){5, 5, 0, 1, 0, 2, 0, 1, 0, 0, 0, 3}, 12 * sizeof(float)); /* perfect */
    assert_int_equal(fast(&value, &s, 0.3, NULL), FLAW_OK);
    assert_true(fabs(value - 1) < 1e-15);
    for (int i = 0; i < 12; i++) s.map[0][i] = 1.25f; /* constant: one straight line */
    assert_int_equal(fast(&value, &s, 0.3, NULL), FLAW_OK);
    assert_true(fabs(value - 0.15) < 1e-15);
    /* By hand: the larger region is found first (overlap 1/2 at FPR 0), then one of nine background pixels, then all:
     * from (0, 1/2) to (1/9, 1/2) to (1, 1); at FPR 0.3 the overlap is 1/2 + (0.3 - 1/9) / (8/9) / 2. */
    memcpy(s.map[0], (float[]){5, 5, 4, 1, 1, 1, 1, 1, 1, 1, 1, 1}, 12 * sizeof(float));
    double end = 0.5 + (0.3 - 1.0 / 9) / (8.0 / 9) / 2;
    double expected = (0.5 / 9 + (0.3 - 1.0 / 9) * (0.5 + end) / 2) / 0.3;
    assert_int_equal(fast(&value, &s, 0.3, NULL), FLAW_OK);
    assert_true(fabs(value - expected) < 1e-15);
    memset(s.mask[0], 0, 12); /* no region, then no background */
    assert_int_equal(fast(&value, &s, 0.3, NULL), FLAW_OK);
    assert_true(isnan(value));
    memset(s.mask[0], 1, 12);
    assert_int_equal(fast(&value, &s, 0.3, NULL), FLAW_OK);
    assert_true(isnan(value));
}

/* A monotone change of the scores changes nothing: the trap of linearly spaced thresholds (spec of the field, C.3). */
static void test_scale_of_scores_does_not_matter(void **state)
{
    flaw_random r;
    flaw_random_init(&r, 22, 1);
    set s, t;
    for (int i = 0; i < 200; i++) {
        random_set(&s, &r);
        t = s;
        for (size_t p = 0; p < s.n; p++)
            for (int j = 0; j < SIDE * SIDE; j++) t.map[p][j] = expf(3 * s.map[p][j]);
        double a, b;
        assert_int_equal(fast(&a, &s, 0.3, NULL), FLAW_OK);
        assert_int_equal(fast(&b, &t, 0.3, NULL), FLAW_OK);
        assert_true(a == b || (isnan(a) && isnan(b)));
    }
}

/* The overlap alone sorts only the scores that surely matter, guessed from some of the pixels: the same as from all scores
 * where the guess is wrong (every 11th pixel stands out, or those alone are low), where scores span all of float, and
 * where they are one. */
static void test_same_as_from_all_scores(void **state)
{
    enum { LARGE = 90, KINDS = 5 };
    static float map[2][LARGE * LARGE];
    static uint8_t mask[2][LARGE * LARGE];
    const float *maps[2] = {map[0], map[1]};
    const uint8_t *masks[2] = {mask[0], NULL};
    const int sides[2] = {LARGE, LARGE};
    flaw_random r;
    flaw_error err;
    (void)state;
    flaw_random_init(&r, 12, 0);
    for (int kind = 0; kind < KINDS; kind++) {
        for (int i = 0; i < 2 * LARGE * LARGE; i++) {
            const int at = i % (LARGE * LARGE);
            const float noise = (float)flaw_random_range(&r, -1, 1);
            const int sampled = at % 11 == 0;
            mask[i / (LARGE * LARGE)][at] = at / LARGE % 30 < 7 && at % LARGE % 40 < 9;
            map[i / (LARGE * LARGE)][at] = kind == 0   ? noise + 10.0f * (float)sampled
                                           : kind == 1 ? noise - 10.0f * (float)sampled
                                           : kind == 2 ? ldexpf(noise, flaw_random_below(&r, 250) - 125)
                                           : kind == 3 ? noise
                                                       : 0.25f;
        }
        const flaw_pixels_picture pictures[2] = {
            {.id = 0, .map = map[0], .mask = mask[0], .width = LARGE, .height = LARGE},
            {.id = 1, .map = map[1], .width = LARGE, .height = LARGE}};
        for (double limit = 0.05; limit <= 1.0; limit += 0.19) {
            flaw_pixel_figures all;
            double pro;
            assert_int_equal(flaw_pixels_exact(&all, pictures, 2, limit, &err), FLAW_OK);
            assert_int_equal(flaw_pro(&pro, maps, masks, sides, sides, 2, limit, &err), FLAW_OK);
            assert_true(fabs(pro - all.aupro.value) <= 1e-12);
        }
    }
}

static void test_wrong_input(void **state)
{
    set s = {.n = 1, .width = {2}, .height = {2}, .mask = {{1, 0, 0, 0}}};
    flaw_error err = {0};
    double value = 42;
    s.map[0][3] = NAN;
    assert_int_equal(fast(&value, &s, 0.3, &err), FLAW_BAD_DATA);
    assert_non_null(strstr(err.text, "(1, 1)"));
    assert_int_equal(fast(&value, &s, 0, &err), FLAW_USAGE);
    assert_int_equal(fast(&value, &s, NAN, &err), FLAW_USAGE);
    s.height[0] = 0;
    assert_int_equal(fast(&value, &s, 0.3, &err), FLAW_USAGE);
    assert_true(value == 42);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_sets), cmocka_unit_test(test_components),
        cmocka_unit_test(test_conventions), cmocka_unit_test(test_scale_of_scores_does_not_matter),
        cmocka_unit_test(test_same_as_from_all_scores), cmocka_unit_test(test_wrong_input),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
