/* Memory bank and coreset against plain loops. */
#include "../check.h"

#include <math.h>

#include "base/random.h"
#include "detect/compare.h"
#include "detect/coreset.h"

static float *unit_rows(size_t rows, int width, uint64_t seed)
{
    flaw_random r;
    float *x = malloc(rows * (size_t)width * sizeof *x);
    assert_non_null(x);
    flaw_random_init(&r, seed, 0);
    for (size_t i = 0; i < rows; i++) {
        double square = 0;
        for (int d = 0; d < width; d++) {
            float v = (float)flaw_random_normal(&r);
            x[i * (size_t)width + (size_t)d] = v;
            square += (double)v * v;
        }
        for (int d = 0; d < width; d++) x[i * (size_t)width + (size_t)d] /= (float)sqrt(square);
    }
    return x;
}

static flaw_compute compute_of(int threads, flaw_level level)
{
    flaw_compute c;
    flaw_error err = {0};
    assert_ok(flaw_compute_open(&c, threads, level, FLAW_F32, &err));
    return c;
}

static float *nearest(flaw_compute *c, const float *bank_rows, size_t count, const float *query, int rows, int width)
{
    flaw_bank bank;
    flaw_error err = {0};
    assert_ok(flaw_bank_open(&bank, c, bank_rows, count, width, &err));
    float *near = malloc((size_t)rows * sizeof *near), *work = malloc(flaw_bank_workspace(&bank, rows) * sizeof *work);
    assert_true(near && work);
    flaw_bank_nearest(&bank, c, query, rows, near, work);
    assert_memory_equal(bank.row, bank_rows, count * (size_t)width * sizeof(float));
    free(work);
    flaw_bank_close(&bank);
    return near;
}

/* Sizes around the tiles: one row, one block less one, exactly one, one more, several. */
static void test_nearest(void **state)
{
    static const size_t counts[] = {1, 5, 255, 256, 257, 700};
    static const int queries[] = {1, 95, 96, 97, 196};
    static const int widths[] = {3, 64, 192};
    for (flaw_level level = FLAW_LEVEL_REF; level <= flaw_kernels_best(); level = (flaw_level)(level + 1)) {
        flaw_compute c = compute_of(2, level);
        for (size_t i = 0; i < 6; i++)
            for (size_t j = 0; j < 5; j++) {
                int width = widths[(i + j) % 3], rows = queries[j];
                float *bank = unit_rows(counts[i], width, 1), *query = unit_rows((size_t)rows, width, 2);
                float *near = nearest(&c, bank, counts[i], query, rows, width);
                for (int q = 0; q < rows; q++) {
                    double best = -2;
                    for (size_t b = 0; b < counts[i]; b++) {
                        double sum = 0;
                        for (int d = 0; d < width; d++)
                            sum += (double)query[q * width + d] * bank[b * (size_t)width + (size_t)d];
                        best = fmax(best, sum);
                    }
                    if (!(fabs(near[q] - best) < 2e-6)) fail_msg("row %d: %.8g, expected %.8g", q, near[q], best);
                }
                free(bank);
                free(query);
                free(near);
            }
        flaw_compute_close(&c);
    }
}

/* The same bits for any number of threads and any number of queries at a time; a row against itself is at distance 0.
 */
static void test_same_bits(void **state)
{
    flaw_compute one = compute_of(1, FLAW_LEVEL_AMX), three = compute_of(3, FLAW_LEVEL_AMX);
    float *bank = unit_rows(900, 96, 3), *query = unit_rows(196, 96, 4);
    memcpy(query + 50 * 96, bank + 700 * 96, 96 * sizeof(float));
    float *a = nearest(&one, bank, 900, query, 196, 96), *b = nearest(&three, bank, 900, query, 196, 96);
    float *alone = nearest(&three, bank, 900, query + 150 * 96, 1, 96);
    assert_memory_equal(a, b, 196 * sizeof *a);
    assert_memory_equal(a + 150, alone, sizeof *a);
    assert_true(fabs(1 - a[50]) < 1e-6);
    free(a);
    free(b);
    free(alone);
    free(bank);
    free(query);
    flaw_compute_close(&one);
    flaw_compute_close(&three);
}

static void test_refused(void **state)
{
    flaw_compute c = compute_of(1, FLAW_LEVEL_REF);
    flaw_bank bank;
    float row[4] = {1, 0, 0, 0};
    size_t chosen[4];
    const float *tables[1] = {row};
    flaw_error err = {0};
    assert_int_equal(flaw_bank_open(&bank, &c, row, 0, 4, &err), FLAW_USAGE);
    assert_int_equal(flaw_bank_open(&bank, &c, row, 1, 0, &err), FLAW_USAGE);
    assert_int_equal(flaw_coreset_choose(chosen, 0, tables, 1, 1, 4, 1, &c, &err), FLAW_USAGE);
    assert_int_equal(flaw_coreset_choose(chosen, 2, tables, 1, 1, 4, 1, &c, &err), FLAW_USAGE);
    flaw_compute_close(&c);
}

/* Clusters far apart: a coreset of as many rows as clusters takes one of each, which a random choice would not. */
static void test_coreset_clusters(void **state)
{
    enum { CLUSTERS = 20, EACH = 100, WIDTH = 96, COUNT = CLUSTERS * EACH };
    flaw_compute c = compute_of(2, FLAW_LEVEL_REF);
    float *centers = unit_rows(CLUSTERS, WIDTH, 7), *noise = unit_rows(COUNT, WIDTH, 8);
    float *rows = malloc(COUNT * WIDTH * sizeof *rows);
    size_t chosen[CLUSTERS];
    const float *tables[1] = {rows};
    flaw_error err = {0};
    assert_non_null(rows);
    for (int i = 0; i < COUNT; i++)
        for (int d = 0; d < WIDTH; d++)
            rows[i * WIDTH + d] = centers[i % CLUSTERS * WIDTH + d] + 0.05f * noise[i * WIDTH + d];
    assert_ok(flaw_coreset_choose(chosen, CLUSTERS, tables, 1, COUNT, WIDTH, 11, &c, &err));
    bool seen[CLUSTERS] = {false};
    for (int i = 0; i < CLUSTERS; i++) {
        assert_false(seen[chosen[i] % CLUSTERS]);
        seen[chosen[i] % CLUSTERS] = true;
    }
    free(centers);
    free(noise);
    free(rows);
    flaw_compute_close(&c);
}

/* No row twice, the same seed the same choice whatever the threads, all rows when all are kept. */
static void test_coreset_fixed(void **state)
{
    enum { COUNT = 1500, WIDTH = 40 };
    flaw_compute one = compute_of(1, FLAW_LEVEL_REF), three = compute_of(3, FLAW_LEVEL_AMX);
    float *a = unit_rows(COUNT, WIDTH, 9), *b = unit_rows(COUNT, WIDTH, 10);
    const float *tables[2] = {a, b};
    static size_t first[COUNT], second[COUNT];
    static bool seen[COUNT];
    flaw_error err = {0};
    assert_ok(flaw_coreset_choose(first, 400, tables, 2, COUNT, WIDTH, 5, &one, &err));
    assert_ok(flaw_coreset_choose(second, 400, tables, 2, COUNT, WIDTH, 5, &three, &err));
    assert_memory_equal(first, second, 400 * sizeof *first);
    assert_ok(flaw_coreset_choose(second, 400, tables, 2, COUNT, WIDTH, 6, &three, &err));
    assert_memory_not_equal(first, second, 400 * sizeof *first);
    assert_ok(flaw_coreset_choose(first, COUNT, tables, 2, COUNT, WIDTH, 5, &three, &err));
    for (int i = 0; i < COUNT; i++) {
        assert_true(first[i] < COUNT && !seen[first[i]]);
        seen[first[i]] = true;
    }
    free(a);
    free(b);
    flaw_compute_close(&one);
    flaw_compute_close(&three);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nearest),          cmocka_unit_test(test_same_bits),     cmocka_unit_test(test_refused),
        cmocka_unit_test(test_coreset_clusters), cmocka_unit_test(test_coreset_fixed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
