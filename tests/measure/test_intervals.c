/* Bootstrap and permutation: against enumeration by hand, against replicates made by adding pictures again and again,
 * against a known truth, and against themselves for any number of threads. */
#include "../check.h"

#include <math.h>

#include "base/random.h"
#include "flaw/metrics.h"

enum { SIDE = 32, PIXELS = SIDE * SIDE, PICTURES = 24 };

/* ---- pictures ---- */

static void random_scores(float *scores, uint8_t *labels, int n, double shift, flaw_random *r)
{
    for (int i = 0; i < n; i++) {
        labels[i] = i % 2;
        scores[i] = (float)(flaw_random_normal(r) + shift * labels[i]);
    }
}

/* Scores of good N(0, 1) and bad N(1, 1): the true AUROC is Phi(1 / sqrt 2). Of 200 intervals at 0.9 about 180 hold it;
 * percentile intervals of 40 pictures hold it a little less often. */
static void test_coverage(void **state)
{
    const double truth = 0.5 * erfc(-0.5);
    flaw_random r;
    flaw_random_init(&r, 41, 0);
    int held = 0;
    for (int i = 0; i < 200; i++) {
        float scores[40];
        uint8_t labels[40];
        flaw_interval out[FLAW_FIGURES];
        random_scores(scores, labels, 40, 1, &r);
        const flaw_resample options = {.replicates = 200, .level = 0.9, .seed = (uint64_t)i};
        assert_int_equal(flaw_image_intervals(out, scores, labels, 40, &options, NULL), FLAW_OK);
        held += out[FLAW_AUROC].low <= truth && truth <= out[FLAW_AUROC].high;
        for (int f = FLAW_AUROC; f <= FLAW_F1_MAX; f++) assert_true(out[f].low <= out[f].high);
        assert_true(isnan(out[FLAW_AUPRO].value) && isnan(out[FLAW_AUPRO].low));
    }
    assert_in_range(held, 164, 192); /* 0.82 .. 0.96 */
}

static double slow_auroc(const double *s, const uint8_t *l, int n)
{
    double wins = 0, pairs = 0;
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++)
            if (l[i] && !l[j]) wins += s[i] > s[j] ? 1 : s[i] == s[j] ? 0.5 : 0, pairs++;
    return wins / pairs;
}

static double slow_rank(const float *s, int n, int i)
{
    double rank = 0;
    for (int j = 0; j < n; j++) rank += s[j] < s[i] ? 1 : s[j] == s[i] ? 0.5 : 0;
    return rank;
}

/* Every way to exchange the ranks of the two methods, by double loops. */
static double slow_permutation(const float *a, const float *b, const uint8_t *labels, int n)
{
    double observed = 0, count = 0;
    for (int way = 0; way < 1 << n; way++) {
        double first[16], second[16];
        for (int i = 0; i < n; i++) {
            const bool exchange = way >> i & 1;
            first[i] = slow_rank(exchange ? b : a, n, i);
            second[i] = slow_rank(exchange ? a : b, n, i);
        }
        const double difference = fabs(slow_auroc(first, labels, n) - slow_auroc(second, labels, n));
        if (way == 0) observed = difference;
        count += difference >= observed - 1e-12;
    }
    return count / (1 << n);
}

static void test_permutation_by_enumeration(void **state)
{
    flaw_random r;
    flaw_random_init(&r, 42, 0);
    for (int i = 0; i < 60; i++) {
        const int n = 6 + i % 4;
        float a[16], b[16];
        uint8_t labels[16];
        random_scores(a, labels, n, 2, &r);
        random_scores(b, labels, n, 0, &r);
        for (int k = 0; k < n; k++) { /* some ties */
            a[k] = roundf(a[k] * 2);
            b[k] = roundf(b[k] * 2);
        }
        flaw_difference out[FLAW_FIGURES];
        assert_int_equal(flaw_image_compare(out, a, b, labels, (size_t)n, NULL, NULL), FLAW_OK);
        const double expected = slow_permutation(a, b, labels, n);
        assert_true(fabs(out[FLAW_AUROC].p - expected) < 1e-12);
    }
}

/* Where there are too many ways, drawn ones come near: 8,192 ways against 2,000 drawn ones. */
static void test_permutation_by_drawing(void **state)
{
    flaw_random r;
    flaw_random_init(&r, 43, 0);
    float a[13], b[13];
    uint8_t labels[13];
    random_scores(a, labels, 13, 1.5, &r);
    random_scores(b, labels, 13, 0, &r);
    const double expected = slow_permutation(a, b, labels, 13);
    for (uint64_t seed = 0; seed < 3; seed++) {
        flaw_difference out[FLAW_FIGURES];
        const flaw_resample options = {.replicates = 2000, .seed = seed};
        assert_int_equal(flaw_image_compare(out, a, b, labels, 13, &options, NULL), FLAW_OK);
        assert_true(fabs(out[FLAW_AUROC].p - expected) < 4 * sqrt(expected * (1 - expected) / 2000) + 1e-3);
    }
}

static void test_pictures_any_threads(void **state)
{
    flaw_random r;
    flaw_random_init(&r, 44, 0);
    float a[50], b[50];
    uint8_t labels[50];
    random_scores(a, labels, 50, 1.5, &r);
    random_scores(b, labels, 50, 0.5, &r);
    flaw_interval one[FLAW_FIGURES], other[FLAW_FIGURES];
    flaw_difference two[FLAW_FIGURES], three[FLAW_FIGURES];
    flaw_resample options = {.replicates = 500, .seed = 7};
    assert_int_equal(flaw_image_intervals(one, a, labels, 50, &options, NULL), FLAW_OK);
    assert_int_equal(flaw_image_compare(two, a, b, labels, 50, &options, NULL), FLAW_OK);
    options.threads = 3;
    assert_int_equal(flaw_image_intervals(other, a, labels, 50, &options, NULL), FLAW_OK);
    assert_int_equal(flaw_image_compare(three, a, b, labels, 50, &options, NULL), FLAW_OK);
    assert_memory_equal(one, other, sizeof one);
    assert_memory_equal(two, three, sizeof two);
    options.seed = 8;
    assert_int_equal(flaw_image_intervals(other, a, labels, 50, &options, NULL), FLAW_OK);
    assert_memory_not_equal(one, other, sizeof one);
    assert_true(two[FLAW_AUROC].p < 0.1 && two[FLAW_AUROC].high > two[FLAW_AUROC].low);
}

static void test_wrong_use(void **state)
{
    float scores[] = {1, 2, 3};
    const uint8_t labels[] = {0, 0, 1}, none[] = {0, 0, 0};
    flaw_interval out[FLAW_FIGURES] = {0};
    flaw_difference pair[FLAW_FIGURES];
    assert_int_equal(flaw_image_intervals(out, scores, labels, 3, &(flaw_resample){.replicates = 99}, NULL),
                     FLAW_USAGE);
    assert_int_equal(flaw_image_intervals(out, scores, labels, 3, &(flaw_resample){.level = 1}, NULL), FLAW_USAGE);
    assert_int_equal(flaw_image_intervals(out, scores, labels, 3, &(flaw_resample){.level = NAN}, NULL), FLAW_USAGE);
    assert_int_equal(flaw_image_intervals(out, scores, labels, 3, &(flaw_resample){.threads = -1}, NULL), FLAW_USAGE);
    assert_true(out[0].value == 0);
    assert_int_equal(flaw_image_intervals(out, scores, none, 3, NULL, NULL), FLAW_OK);
    assert_true(isnan(out[FLAW_AUROC].value) && isnan(out[FLAW_AUROC].low));
    assert_int_equal(flaw_image_intervals(out, scores, none, 0, NULL, NULL), FLAW_OK);
    assert_int_equal(flaw_image_compare(pair, scores, scores, none, 3, NULL, NULL), FLAW_OK);
    assert_true(isnan(pair[FLAW_AP].p));
    assert_int_equal(flaw_image_compare(pair, scores, scores, labels, 3, NULL, NULL), FLAW_OK);
    assert_true(pair[FLAW_AP].p == 1 && pair[FLAW_AP].low == 0);
    scores[1] = NAN;
    assert_int_equal(flaw_image_intervals(out, scores, labels, 3, NULL, NULL), FLAW_BAD_DATA);
    assert_int_equal(flaw_image_compare(pair, scores, scores, labels, 3, NULL, NULL), FLAW_BAD_DATA);
}

/* ---- pixels ---- */

static float map[2][PICTURES][PIXELS]; /* two methods */
static uint8_t mask[PICTURES][PIXELS];

static void draw_pictures(double second_shift)
{
    flaw_random r;
    flaw_random_init(&r, 45, 0);
    for (int k = 0; k < PICTURES; k++) {
        const int size = 3 + flaw_random_below(&r, 10), x0 = flaw_random_below(&r, SIDE - size),
                  y0 = flaw_random_below(&r, SIDE - size);
        const double level = flaw_random_normal(&r), ease = flaw_random_range(&r, 0, 3);
        for (int i = 0; i < PIXELS; i++) {
            const int x = i % SIDE, y = i / SIDE;
            mask[k][i] = k % 2 && x >= x0 && x < x0 + size && y >= y0 && y < y0 + size;
            for (int m = 0; m < 2; m++)
                map[m][k][i] = (float)(flaw_random_normal(&r) + 0.3 * level +
                                       (mask[k][i] ? ease + (m ? second_shift : 0) : 0));
        }
    }
}

static flaw_pixels_picture picture_of(int method, int k, uint64_t id)
{
    return (flaw_pixels_picture){.id = id, .map = map[method][k], .mask = k % 2 ? mask[k] : NULL, .width = SIDE,
                                 .height = SIDE};
}

static flaw_pixels *counted(int method, int sketches, int threads)
{
    flaw_pixels *p;
    flaw_pixels_picture picture[PICTURES];
    for (int k = 0; k < PICTURES; k++) picture[k] = picture_of(method, k, (uint64_t)k);
    assert_int_equal(flaw_pixels_open(&p, &(flaw_pixels_options){.sketches = sketches, .threads = threads}, NULL),
                     FLAW_OK);
    assert_int_equal(flaw_pixels_add_batch(p, picture, PICTURES, NULL), FLAW_OK);
    return p;
}

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Replicates made the long way: drawn pictures are counted again with new numbers, all pixels of them. */
static void test_pixels_against_recounting(void **state)
{
    enum { ROUNDS = 150 };
    static double value[FLAW_FIGURES][ROUNDS];
    draw_pictures(0);
    flaw_random r;
    flaw_random_init(&r, 46, 0);
    for (int i = 0; i < ROUNDS; i++) {
        flaw_pixels *p;
        flaw_pixel_figures f;
        assert_int_equal(flaw_pixels_open(&p, NULL, NULL), FLAW_OK);
        for (int k = 0; k < PICTURES; k++) {
            flaw_pixels_picture again = picture_of(0, 2 * flaw_random_below(&r, PICTURES / 2) + k % 2, (uint64_t)k);
            assert_int_equal(flaw_pixels_add(p, &again, NULL), FLAW_OK);
        }
        assert_int_equal(flaw_pixels_measure(&f, p, 0.3, NULL), FLAW_OK);
        flaw_pixels_close(p);
        value[FLAW_AUROC][i] = f.auroc.value;
        value[FLAW_AP][i] = f.ap.value;
        value[FLAW_F1_MAX][i] = f.f1_max.value;
        value[FLAW_AUPRO][i] = f.aupro.value;
    }
    flaw_interval out[FLAW_FIGURES];
    flaw_pixels *p = counted(0, 1, 1);
    assert_int_equal(flaw_pixels_intervals(out, p, 0.3, &(flaw_resample){.replicates = 2000, .level = 0.8}, NULL),
                     FLAW_OK);
    flaw_pixels_close(p);
    for (int f = 0; f < FLAW_FIGURES; f++) {
        qsort(value[f], ROUNDS, sizeof **value, ascending);
        const double low = value[f][ROUNDS / 10], high = value[f][ROUNDS - 1 - ROUNDS / 10], width = high - low;
        if (fabs(out[f].low - low) > 0.2 * width || fabs(out[f].high - high) > 0.2 * width)
            fail_msg("figure %d: [%g, %g], recounted [%g, %g]", f, out[f].low, out[f].high, low, high);
        assert_true(out[f].low < out[f].value && out[f].value < out[f].high);
    }
}

static void test_pixels_compared(void **state)
{
    draw_pictures(1.5);
    flaw_pixels *first = counted(0, 1, 1), *second = counted(1, 1, 2), *bare = counted(0, 0, 1);
    flaw_difference out[FLAW_FIGURES], again[FLAW_FIGURES];
    flaw_error err;
    flaw_resample options = {.replicates = 500};
    assert_int_equal(flaw_pixels_compare(out, second, first, 0.3, &options, NULL), FLAW_OK);
    for (int f = 0; f < FLAW_FIGURES; f++) {
        assert_true(out[f].first > out[f].second && out[f].low > 0 && out[f].p < 0.01);
        assert_true(out[f].low < out[f].first - out[f].second && out[f].first - out[f].second < out[f].high);
    }
    options.threads = 2;
    assert_int_equal(flaw_pixels_compare(again, second, first, 0.3, &options, NULL), FLAW_OK);
    assert_memory_equal(out, again, sizeof out);
    assert_int_equal(flaw_pixels_compare(out, first, first, 0.3, &options, NULL), FLAW_OK);
    assert_true(out[FLAW_AUPRO].p == 1 && out[FLAW_AUPRO].low == 0 && out[FLAW_AUPRO].high == 0);

    flaw_interval interval[FLAW_FIGURES];
    assert_int_equal(flaw_pixels_intervals(interval, bare, 0.3, NULL, &err), FLAW_USAGE);
    assert_contains(err.text, "without summaries");
    flaw_pixels_picture more = picture_of(0, 0, 99);
    assert_int_equal(flaw_pixels_add(second, &more, NULL), FLAW_OK);
    assert_int_equal(flaw_pixels_compare(out, first, second, 0.3, &options, &err), FLAW_USAGE);
    more = picture_of(0, 1, 98);
    assert_int_equal(flaw_pixels_add(first, &more, NULL), FLAW_OK);
    assert_int_equal(flaw_pixels_compare(out, first, second, 0.3, &options, &err), FLAW_USAGE);
    assert_contains(err.text, "picture 98");
    flaw_pixels_close(first);
    flaw_pixels_close(second);
    flaw_pixels_close(bare);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_coverage),
        cmocka_unit_test(test_permutation_by_enumeration),
        cmocka_unit_test(test_permutation_by_drawing),
        cmocka_unit_test(test_pictures_any_threads),
        cmocka_unit_test(test_wrong_use),
        cmocka_unit_test(test_pixels_against_recounting),
        cmocka_unit_test(test_pixels_compared),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
