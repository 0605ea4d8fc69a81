/* Windows, harmonic means and text scores. */
#include "../check.h"

#include <math.h>

#include "base/random.h"
#include "detect/align.h"

enum { MOST = 20 };

/* A map of constant scores is that constant: each patch is covered at least once, and by no more than k * k windows. */
static void test_constant(void **state)
{
    double score[MOST * MOST], map[MOST * MOST];
    for (int grid = 2; grid <= 15; grid++)
        for (int k = 2; k <= 3 && k <= grid; k++) {
            for (int i = 0; i < MOST * MOST; i++) score[i] = 0.37;
            flaw_align_windows(map, score, grid, k);
            for (int i = 0; i < grid * grid; i++) assert_true(fabs(map[i] - 0.37) < 1e-12);
        }
}

/* One window with another score shows in exactly its k * k patches, by the harmonic mean over the windows of a patch.
 */
static void test_cover(void **state)
{
    const int grid = 6;
    for (int k = 2; k <= 3; k++) {
        int across = grid - k + 1;
        for (int w = 0; w < across * across; w++) {
            double score[MOST * MOST], map[MOST * MOST];
            for (int i = 0; i < across * across; i++) score[i] = i == w ? 0.9 : 0.1;
            flaw_align_windows(map, score, grid, k);
            for (int y = 0; y < grid; y++)
                for (int x = 0; x < grid; x++) {
                    int wy = w / across, wx = w % across, covers = 0;
                    bool inside = y >= wy && y < wy + k && x >= wx && x < wx + k;
                    for (int i = 0; i < across * across; i++)
                        covers += y >= i / across && y < i / across + k && x >= i % across && x < i % across + k;
                    assert_true(covers >= 1 && covers <= k * k);
                    double want = inside ? covers / ((covers - 1) / 0.1 + 1 / 0.9) : 0.1;
                    assert_true(fabs(map[y * grid + x] - want) < 1e-12);
                }
        }
    }
}

static void test_scales(void **state)
{
    flaw_random r;
    double a[9], b[9], map[9];
    flaw_random_init(&r, 1, 0);
    for (int i = 0; i < 9; i++) {
        a[i] = flaw_random_range(&r, 0.05, 0.95);
        b[i] = flaw_random_range(&r, 0.05, 0.95);
    }
    const double *const same[3] = {a, a, a}, *const two[2] = {a, b};
    flaw_align_scales(map, same, 3, 9);
    for (int i = 0; i < 9; i++) assert_true(fabs(map[i] - a[i]) < 1e-12);
    flaw_align_scales(map, two, 2, 9);
    for (int i = 0; i < 9; i++) {
        assert_true(fabs(map[i] - 2 * a[i] * b[i] / (a[i] + b[i])) < 1e-12);
        assert_true(map[i] <= (a[i] + b[i]) / 2); /* pulled towards the low one */
    }
}

/* Zeros neither become infinite nor "normal by accident". */
static void test_zero(void **state)
{
    double zero[9] = {0}, half[9], map[9];
    for (int i = 0; i < 9; i++) half[i] = 0.5;
    const double *const scale[2] = {zero, half};
    flaw_align_scales(map, scale, 2, 9);
    for (int i = 0; i < 9; i++) assert_true(isfinite(map[i]) && map[i] > 0 && map[i] < 1e-5);
    flaw_align_windows(map, zero, 3, 2);
    for (int i = 0; i < 9; i++) assert_true(isfinite(map[i]) && map[i] < 1e-5);
}

static void test_logistic(void **state)
{
    assert_true(flaw_align_logistic(0) == 0.5);
    assert_true(fabs(flaw_align_logistic(1) - 0.7310585786300049) < 1e-15);
    assert_true(fabs(flaw_align_logistic(-2) + flaw_align_logistic(2) - 1) < 1e-15);
    assert_true(flaw_align_logistic(1000) == 1 - FLAW_SCORE_LOW && flaw_align_logistic(-1000) == FLAW_SCORE_LOW);
    assert_true(isnan(flaw_align_logistic(NAN)));
}

/* Swapping normal and abnormal maps s to 1 - s. */
static void test_rows(void **state)
{
    const flaw_kernels *kernels = flaw_kernels_select(FLAW_LEVEL_REF);
    const float normal[4] = {1, 0, 0, 0}, abnormal[4] = {0, 0.6f, 0.8f, 0};
    const float rows[12] = {1, 0, 0, 0, 0, 0.6f, 0.8f, 0, 0.5f, 0.5f, 0.5f, 0.5f};
    flaw_prototypes p = {{normal, abnormal}, 4, 0.07}, q = {{abnormal, normal}, 4, 0.07};
    double s[3], t[3];
    flaw_align_rows(s, &p, rows, 3, kernels);
    flaw_align_rows(t, &q, rows, 3, kernels);
    for (int i = 0; i < 3; i++) assert_true(fabs(s[i] + t[i] - 1) < 1e-9);
    assert_true(s[0] < 0.5 && s[1] > 0.5);
    assert_true(fabs(s[2] - 1 / (1 + exp(-(0.7 - 0.5) / 0.07))) < 1e-6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_constant), cmocka_unit_test(test_cover),    cmocka_unit_test(test_scales),
        cmocka_unit_test(test_zero),     cmocka_unit_test(test_logistic), cmocka_unit_test(test_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
