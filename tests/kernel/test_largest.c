/* The largest of each row, kept while tiles pass by, against a sort of the same product's C: on every level, in pieces of
 * any order, with equal values on purpose. */
#include "levels.h"

enum { SHAPES = 100, MOST = 20 };

typedef struct problem {
    int m, n, k, keep, from;
    bool bias;
    flaw_precision prec;
    float *a, *b, *add; /* [m, k], [n, k], [n] */
    void *packed, *scratch;
} problem;

/* Few different values: the products hold many equal ones. */
static float *coarse(flaw_random *r, size_t n)
{
    float *x = array_new(n);
    for (size_t i = 0; i < n; i++) x[i] = (float)dice(r, -2, 2);
    return x;
}

static problem problem_new(flaw_random *r, const flaw_kernels *k)
{
    problem q = {.m = dice(r, 1, 200), .n = dice(r, 1, 700), .k = dice(r, 1, 70), .keep = dice(r, 1, MOST)};
    bool ties = dice(r, 0, 1);
    q.from = dice(r, 0, 1000);
    q.bias = dice(r, 0, 1);
    q.prec = (flaw_precision)dice(r, 0, FLAW_PRECISIONS - 1);
    q.a = ties ? coarse(r, (size_t)(q.m * q.k)) : array_random(r, (size_t)(q.m * q.k), 1.0);
    q.b = ties ? coarse(r, (size_t)(q.n * q.k)) : array_random(r, (size_t)(q.n * q.k), 1.0);
    q.add = ties ? coarse(r, (size_t)q.n) : array_random(r, (size_t)q.n, 1.0);
    q.packed = room_new(k->pack_size(q.prec, q.k, q.n));
    k->pack(q.prec, q.k, q.n, q.b, 1, q.k, q.packed);
    q.scratch = room_new(k->product_scratch(q.prec, q.k));
    return q;
}

static void problem_free(problem *q)
{
    array_free(q->a);
    array_free(q->b);
    array_free(q->add);
    free(q->packed);
    free(q->scratch);
}

static flaw_product describe(const problem *q)
{
    return (flaw_product){
        .m = q->m, .n = q->n, .k = q->k, .a = q->a, .a_row = q->k, .a_col = 1, .b = q->packed, .c_row = q->n,
        .bias = q->bias ? q->add : NULL};
}

/* Pieces from the last to the first, or the other way round. */
static flaw_ranked *kept(flaw_random *r, const flaw_kernels *k, const problem *q)
{
    flaw_ranked *list = malloc((size_t)(q->m * q->keep) * sizeof *list);
    assert_non_null(list);
    flaw_largest_clear(list, q->m * q->keep);
    flaw_largest l = {.keep = q->keep, .from = q->from, .list = list};
    flaw_product p = describe(q);
    p.largest = &l;
    int across = (q->n + FLAW_TILE_COLS - 1) / FLAW_TILE_COLS, down = (q->m + FLAW_TILE_ROWS - 1) / FLAW_TILE_ROWS;
    bool backwards = dice(r, 0, 1);
    for (int step = 0; step < across * down; step++) {
        int piece = backwards ? across * down - 1 - step : step;
        int m0 = piece / across * FLAW_TILE_ROWS, n0 = piece % across * FLAW_TILE_COLS;
        int m1 = m0 + FLAW_TILE_ROWS < q->m ? m0 + FLAW_TILE_ROWS : q->m;
        int n1 = n0 + FLAW_TILE_COLS < q->n ? n0 + FLAW_TILE_COLS : q->n;
        k->product(q->prec, &p, m0, m1, n0, n1, q->scratch);
    }
    return list;
}

static int in_order(const void *a, const void *b)
{
    const flaw_ranked *x = a, *y = b;
    if (x->value != y->value) return x->value < y->value ? 1 : -1;
    return x->column - y->column;
}

static void check_rows(const flaw_kernels *k, const problem *q, const flaw_ranked *list)
{
    float *c = array_new((size_t)(q->m * q->n));
    flaw_ranked *row = malloc((size_t)q->n * sizeof *row);
    assert_non_null(row);
    flaw_product p = describe(q);
    p.c = c;
    k->product(q->prec, &p, 0, q->m, 0, q->n, q->scratch);
    for (int i = 0; i < q->m; i++) {
        for (int j = 0; j < q->n; j++) row[j] = (flaw_ranked){c[i * q->n + j], q->from + j};
        qsort(row, (size_t)q->n, sizeof *row, in_order);
        for (int t = 0; t < q->keep; t++) {
            flaw_ranked got = list[i * q->keep + t], want = t < q->n ? row[t] : (flaw_ranked){-INFINITY, INT_MAX};
            if (got.value != want.value || got.column != want.column)
                fail_msg("%s: row %d, place %d of %d x %d x %d: %g in %d, expected %g in %d", k->name, i, t, q->m, q->n,
                         q->k, (double)got.value, got.column, (double)want.value, want.column);
        }
    }
    free(row);
    array_free(c);
}

static void test_shapes(void **state)
{
    levels all = levels_here();
    for (int l = 0; l < all.count; l++) {
        flaw_random r;
        flaw_random_init(&r, 20, 0);
        for (int s = 0; s < SHAPES / (l == 0 ? 10 : 1) / (ROUNDS_SHARE > 1 ? 2 : 1); s++) {
            problem q = problem_new(&r, all.table[l]);
            flaw_ranked *list = kept(&r, all.table[l], &q);
            check_rows(all.table[l], &q, list);
            free(list);
            problem_free(&q);
        }
    }
}

/* A row of NaN keeps nothing, and the rows beside it are as without it. */
static void test_nan(void **state)
{
    levels all = levels_here();
    for (int l = 0; l < all.count; l++) {
        flaw_random r;
        flaw_random_init(&r, 21, 0);
        problem q = problem_new(&r, all.table[l]);
        flaw_ranked *before = kept(&r, all.table[l], &q);
        for (int p = 0; p < q.k; p++) q.a[p] = NAN;
        flaw_ranked *after = kept(&r, all.table[l], &q);
        for (int t = 0; t < q.keep; t++) assert_true(after[t].column == INT_MAX);
        assert_memory_equal(before + q.keep, after + q.keep, (size_t)((q.m - 1) * q.keep) * sizeof *after);
        free(before);
        free(after);
        problem_free(&q);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_shapes), cmocka_unit_test(test_nan)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
