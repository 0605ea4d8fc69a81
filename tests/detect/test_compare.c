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

static flaw_compute compute_of(int threads, flaw_level level, flaw_precision precision)
{
    flaw_compute c;
    flaw_error err = {0};
    assert_ok(flaw_compute_open(&c, threads, level, precision, &err));
    return c;
}

typedef struct answer {
    float *near;
    int *at;
} answer;

static answer nearest(flaw_compute *c, const float *bank_rows, size_t count, const float *query, int rows, int width)
{
    flaw_bank bank;
    flaw_error err = {0};
    assert_ok(flaw_bank_open(&bank, c, bank_rows, count, width, &err));
    answer a = {malloc((size_t)rows * sizeof *a.near), malloc((size_t)rows * sizeof *a.at)};
    void *work = malloc(flaw_bank_workspace(c, rows, width));
    assert_true(a.near && a.at && work);
    flaw_bank_nearest(&bank, c, query, rows, a.near, a.at, work);
    assert_memory_equal(bank.row, bank_rows, count * (size_t)width * sizeof(float));
    free(work);
    flaw_bank_close(&bank);
    return a;
}

static void answer_free(answer a)
{
    free(a.near);
    free(a.at);
}

static double cosine(const float *a, const float *b, int width)
{
    double sum = 0;
    for (int d = 0; d < width; d++) sum += (double)a[d] * (double)b[d];
    return sum;
}

/* The cosine is that of the row named, and no row is nearer. */
static void check_nearest(const flaw_compute *c, const float *bank, size_t count, const float *query, int rows, int width,
                          answer got)
{
    for (int q = 0; q < rows; q++) {
        const float *row = query + (size_t)q * (size_t)width;
        double best = -2;
        for (size_t b = 0; b < count; b++) best = fmax(best, cosine(row, bank + b * (size_t)width, width));
        assert_in_range(got.at[q], 0, count - 1);
        double named = cosine(row, bank + (size_t)got.at[q] * (size_t)width, width);
        if (!(fabs((double)got.near[q] - best) < 1e-6 && fabs(named - best) < 1e-6))
            fail_msg("%s, precision %d: query %d of %d x %zu x %d: %.8g in row %d (%.8g), expected %.8g",
                     c->kernels->name, (int)c->precision, q, rows, count, width, (double)got.near[q], got.at[q], named,
                     best);
    }
}

/* Sizes around the tiles: one row, one block less one, exactly one, one more, several. */
static void test_nearest(void **state)
{
    static const size_t counts[] = {1, 5, 255, 256, 257, 700};
    static const int queries[] = {1, 97, 196};
    static const int widths[] = {3, 64, 192};
    for (int run = 0; run < FLAW_PRECISIONS * FLAW_LEVEL_AUTO; run++) {
        flaw_level level = (flaw_level)(run / FLAW_PRECISIONS);
        if (!flaw_kernels_exact(level)) continue;
        flaw_compute c = compute_of(2, level, (flaw_precision)(run % FLAW_PRECISIONS));
        for (size_t i = 0; i < 6; i++)
            for (size_t j = 0; j < 3; j++) {
                int width = widths[(i + j) % 3], rows = queries[j];
                float *bank = unit_rows(counts[i], width, 1), *query = unit_rows((size_t)rows, width, 2);
                answer got = nearest(&c, bank, counts[i], query, rows, width);
                check_nearest(&c, bank, counts[i], query, rows, width, got);
                free(bank);
                free(query);
                answer_free(got);
            }
        flaw_compute_close(&c);
    }
}

/* So many rows that pieces take whole chunks and the whole query: the same as the nearest of each part. */
static void test_many(void **state)
{
    enum { COUNT = 70000, WIDTH = 16, ROWS = 130, PARTS = 10, PART = COUNT / PARTS };
    flaw_compute c = compute_of(3, FLAW_LEVEL_AUTO, FLAW_BF16);
    float *bank = unit_rows(COUNT, WIDTH, 12), *query = unit_rows(ROWS, WIDTH, 13);
    answer all = nearest(&c, bank, COUNT, query, ROWS, WIDTH);
    float best[ROWS];
    for (int p = 0; p < PARTS; p++) {
        answer part = nearest(&c, bank + (size_t)p * PART * WIDTH, PART, query, ROWS, WIDTH);
        for (int q = 0; q < ROWS; q++) best[q] = p && best[q] >= part.near[q] ? best[q] : part.near[q];
        answer_free(part);
    }
    for (int q = 0; q < ROWS; q++) assert_true(fabs((double)best[q] - (double)all.near[q]) <= 1e-6);
    answer_free(all);
    free(bank);
    free(query);
    flaw_compute_close(&c);
}

/* The same bits for any number of threads and any number of queries at a time; a row against itself is at distance 0,
 * and of equal rows the first is named. */
static void test_same_bits(void **state)
{
    for (flaw_precision precision = FLAW_F32; precision < FLAW_PRECISIONS; precision = (flaw_precision)(precision + 1)) {
        flaw_compute one = compute_of(1, FLAW_LEVEL_AUTO, precision), many = compute_of(7, FLAW_LEVEL_AUTO, precision);
        float *bank = unit_rows(900, 96, 3), *query = unit_rows(196, 96, 4);
        memcpy(query + 50 * 96, bank + 700 * 96, 96 * sizeof(float));
        for (int copy = 100; copy < 150; copy++) memcpy(bank + copy * 96, bank + 700 * 96, 96 * sizeof(float));
        answer a = nearest(&one, bank, 900, query, 196, 96), b = nearest(&many, bank, 900, query, 196, 96);
        answer alone = nearest(&many, bank, 900, query + 150 * 96, 1, 96);
        assert_memory_equal(a.near, b.near, 196 * sizeof *a.near);
        assert_memory_equal(a.at, b.at, 196 * sizeof *a.at);
        assert_memory_equal(a.near + 150, alone.near, sizeof *a.near);
        assert_int_equal(a.at[150], alone.at[0]);
        assert_true(fabs(1 - (double)a.near[50]) < 1e-6);
        assert_int_equal(a.at[50], 100);
        answer_free(a);
        answer_free(b);
        answer_free(alone);
        free(bank);
        free(query);
        flaw_compute_close(&one);
        flaw_compute_close(&many);
    }
}

/* A query that is not finite is near to nothing, and the others are as without it. */
static void test_broken_query(void **state)
{
    flaw_compute c = compute_of(1, FLAW_LEVEL_AUTO, FLAW_BF16);
    float *bank = unit_rows(300, 32, 5), *query = unit_rows(3, 32, 6);
    answer before = nearest(&c, bank, 300, query, 3, 32);
    query[40] = NAN;
    answer after = nearest(&c, bank, 300, query, 3, 32);
    assert_true(isnan(after.near[1]));
    assert_int_equal(after.at[1], -1);
    assert_true(after.near[0] == before.near[0] && after.near[2] == before.near[2]);
    answer_free(before);
    answer_free(after);
    free(bank);
    free(query);
    flaw_compute_close(&c);
}

static void test_refused(void **state)
{
    flaw_compute c = compute_of(1, FLAW_LEVEL_REF, FLAW_F32);
    flaw_bank bank;
    float row[4] = {1, 0, 0, 0};
    size_t chosen[4];
    const float *tables[1] = {row};
    flaw_error err = {0};
    assert_int_equal(flaw_bank_open(&bank, &c, row, 0, 4, &err), FLAW_USAGE);
    assert_int_equal(flaw_bank_open(&bank, &c, row, 1, 0, &err), FLAW_USAGE);
    float broken[8] = {1, 0, 0, 0, 0, INFINITY, 0, 0};
    assert_int_equal(flaw_bank_open(&bank, &c, broken, 2, 4, &err), FLAW_BAD_DATA);
    assert_non_null(strstr(err.text, "row 1 of 2"));
    assert_int_equal(flaw_coreset_choose(chosen, 0, tables, 1, 1, 4, 1, &c, &err), FLAW_USAGE);
    assert_int_equal(flaw_coreset_choose(chosen, 2, tables, 1, 1, 4, 1, &c, &err), FLAW_USAGE);
    flaw_compute_close(&c);
}

/* Clusters far apart: a coreset of as many rows as clusters takes one of each, which a random choice would not. */
static void test_coreset_clusters(void **state)
{
    enum { CLUSTERS = 20, EACH = 100, WIDTH = 96, COUNT = CLUSTERS * EACH };
    flaw_compute c = compute_of(2, FLAW_LEVEL_REF, FLAW_F32);
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

/* Greedy choice as it is told, in double: always the row farthest from all kept ones. */
static void choose_plainly(size_t *chosen, size_t keep, const float *const *tables, int spaces, size_t count, int width)
{
    double *apart = malloc(count * sizeof *apart);
    assert_non_null(apart);
    for (size_t i = 0; i < count; i++) apart[i] = INFINITY;
    for (size_t k = 1; k < keep; k++) {
        size_t last = chosen[k - 1], best = 0;
        for (size_t i = 0; i < count; i++) {
            double square = 0;
            for (int s = 0; s < spaces; s++)
                for (int d = 0; d < width; d++) {
                    double x = (double)tables[s][i * (size_t)width + (size_t)d] -
                               (double)tables[s][last * (size_t)width + (size_t)d];
                    square += x * x;
                }
            apart[i] = fmin(apart[i], square);
            if (apart[i] > apart[best]) best = i;
        }
        chosen[k] = best;
    }
    free(apart);
}

/* The same rows in the same order, more rows than are in the running at a time; rows in clusters, so that a choice lowers
 * many distances, and rows all over the sphere, where it lowers few. */
static void test_coreset_plainly(void **state)
{
    enum { COUNT = 4000, KEEP = 200, WIDTH = 24, CLUSTERS = 37 };
    static size_t want[KEEP], got[KEEP];
    for (int clusters = 0; clusters < 2; clusters++) {
        float *a = unit_rows(COUNT, WIDTH, 14), *b = unit_rows(COUNT, WIDTH, 15);
        for (int i = 0; clusters && i < COUNT; i++)
            for (int d = 0; d < WIDTH; d++) a[i * WIDTH + d] = 0.3f * a[i * WIDTH + d] + b[i % CLUSTERS * WIDTH + d];
        const float *tables[2] = {a, b};
        for (int run = 0; run < 4; run++) {
            int spaces = 1 + run % 2;
            flaw_error err = {0};
            flaw_compute c = compute_of(1 + run, run < 2 ? FLAW_LEVEL_REF : FLAW_LEVEL_AUTO, FLAW_F32);
            assert_ok(flaw_coreset_choose(got, KEEP, tables, spaces, COUNT, WIDTH, 3, &c, &err));
            want[0] = got[0];
            choose_plainly(want, KEEP, tables, spaces, COUNT, WIDTH);
            for (int k = 0; k < KEEP; k++)
                if (got[k] != want[k]) fail_msg("run %d: choice %d is row %zu, expected %zu", run, k, got[k], want[k]);
            flaw_compute_close(&c);
        }
        free(a);
        free(b);
    }
}

/* Rows that are all one: every choice is at distance 0, and still none is taken twice; the lowest come first. */
static void test_coreset_equal(void **state)
{
    enum { COUNT = 2500, WIDTH = 8 };
    static size_t chosen[COUNT];
    static bool seen[COUNT];
    flaw_compute c = compute_of(2, FLAW_LEVEL_AUTO, FLAW_F32);
    float *rows = malloc(COUNT * WIDTH * sizeof *rows);
    const float *tables[1] = {rows};
    flaw_error err = {0};
    assert_non_null(rows);
    for (int i = 0; i < COUNT * WIDTH; i++) rows[i] = 0.25f;
    assert_ok(flaw_coreset_choose(chosen, COUNT, tables, 1, COUNT, WIDTH, 4, &c, &err));
    for (int k = 0; k < COUNT; k++) {
        assert_true(chosen[k] < COUNT && !seen[chosen[k]]);
        seen[chosen[k]] = true;
        if (k > 1) assert_true(chosen[k] > chosen[k - 1]);
    }
    free(rows);
    flaw_compute_close(&c);
}

/* No row twice, the same seed the same choice whatever the threads, all rows when all are kept. */
static void test_coreset_fixed(void **state)
{
    enum { COUNT = 1500, WIDTH = 40 };
    flaw_compute one = compute_of(1, FLAW_LEVEL_REF, FLAW_F32), three = compute_of(3, FLAW_LEVEL_AUTO, FLAW_F32);
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
        cmocka_unit_test(test_nearest),          cmocka_unit_test(test_many),
        cmocka_unit_test(test_same_bits),        cmocka_unit_test(test_broken_query),
        cmocka_unit_test(test_refused),          cmocka_unit_test(test_coreset_clusters),
        cmocka_unit_test(test_coreset_plainly),  cmocka_unit_test(test_coreset_equal),
        cmocka_unit_test(test_coreset_fixed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
