/* Products with compact matrices: equal to float32 products with the unpacked matrix, for few rows and many, several
 * parts, bias, activation, residual; the same bits for any number of threads. */
#include "../kernel/levels.h"
#include "../kernel/weights_random.h"

#include "nn/linear.h"

enum { PARTS = 3 };

typedef struct problem {
    int n, cols, out, x_row;
    flaw_matrix part[PARTS];
    uint8_t *data[PARTS];
    float *plain; /* [out, cols] */
    float *x, *bias, *residual;
} problem;

static problem problem_new(flaw_random *r, int n, int cols, const flaw_weight_type type[PARTS], const int rows[PARTS])
{
    problem q = {.n = n, .cols = cols, .x_row = cols + dice(r, 0, 3)};
    for (int i = 0; i < PARTS; i++) q.out += rows[i];
    q.plain = array_new((size_t)(q.out * cols));
    float *at = q.plain;
    for (int i = 0; i < PARTS; i++) {
        size_t bytes = flaw_weight_row_bytes(type[i], (size_t)cols);
        q.data[i] = malloc((size_t)rows[i] * bytes + 1);
        weights_random(r, type[i], (size_t)rows[i], (size_t)cols, q.data[i] + 1);
        q.part[i] = (flaw_matrix){.type = type[i], .rows = rows[i], .cols = cols, .data = q.data[i] + 1};
        for (int j = 0; j < rows[i]; j++, at += cols) flaw_matrix_row(&q.part[i], j, at);
    }
    q.x = array_random(r, (size_t)(n * q.x_row), 1.0);
    q.bias = array_random(r, (size_t)q.out, 1.0);
    q.residual = array_random(r, (size_t)(n * q.out), 1.0);
    return q;
}

static void problem_free(problem *q)
{
    for (int i = 0; i < PARTS; i++) free(q->data[i]);
    array_free(q->plain);
    array_free(q->x);
    array_free(q->bias);
    array_free(q->residual);
}

/* What y should be, and how far sums of float32 (or bf16) may be from it. */
static double expected(const problem *q, int t, int r, flaw_activation act, float *pre, double *size)
{
    double sum = 0.0, total = 0.0;
    for (int i = 0; i < q->cols; i++) {
        double each = (double)q->plain[(size_t)r * (size_t)q->cols + (size_t)i] * (double)q->x[t * q->x_row + i];
        sum += each;
        total += fabs(each);
    }
    float y;
    *pre = (float)(sum + (double)q->bias[r]);
    flaw_kernels_select(FLAW_LEVEL_REF)->activate(act, 1, pre, &y);
    *size = total;
    return (double)y + (double)q->residual[t * q->out + r];
}

/* Of row r, as a share of its sum of sizes. Fixed point of 16 bits: half a unit of the largest of 128 numbers in each. */
static double tolerance(const flaw_compute *c, const problem *q, int r)
{
    const flaw_weight_many *fixed = c->kernels->weight_many;
    int part = 0;
    while (r >= q->part[part].rows) r -= q->part[part++].rows;
    if (q->n <= flaw_matrix_few(c->precision == FLAW_INT8 ? FLAW_BF16 : c->precision)) return 1e-6;
    if (c->precision != FLAW_BF16 && fixed && fixed->reads[q->part[part].type]) return 4e-5;
    return c->precision == FLAW_F32 ? 1e-6 : 0x1p-7 / 4.0;
}

static void check_linear(flaw_compute *c, const problem *q, flaw_activation act, float *y, float *pre)
{
    flaw_linear l = {.in = q->cols, .out = q->out, .b = q->bias, .part = q->part, .parts = PARTS};
    memcpy(y, q->residual, (size_t)(q->n * q->out) * sizeof *y); /* the residual may be y itself */
    flaw_linear_forward(c, &l, q->n, q->x, q->x_row, y, act, y, pre);
    for (int t = 0; t < q->n; t++) {
        for (int r = 0; r < q->out; r++) {
            float want_pre;
            const double each = tolerance(c, q, r);
            double size, want = expected(q, t, r, act, &want_pre, &size), got = (double)y[t * q->out + r];
            if (!(fabs(got - want) <= each * size + 1e-5) ||
                !(fabs((double)pre[t * q->out + r] - (double)want_pre) <= each * size + 1e-5))
                fail_msg("%s: %d x %d x %d at %d, %d: %g, expected %g (sum of sizes %g)", c->kernels->name, q->n,
                         q->out, q->cols, t, r, got, want, size);
        }
    }
}

static void open_compute(flaw_compute *c, int threads, flaw_level level, flaw_precision precision, int cols)
{
    flaw_error err;
    assert_int_equal(flaw_compute_open(c, threads, level, precision, &err), FLAW_OK);
    assert_int_equal(flaw_compute_reserve(c, flaw_matrix_scratch(c, cols), &err), FLAW_OK);
}

static void check_all(const problem *q, flaw_activation act)
{
    size_t n = (size_t)(q->n * q->out);
    float *y = array_new(n), *pre = array_new(n), *again = array_new(n);
    AT_EVERY_LEVEL(level) {
        for (int precision = 0; precision < FLAW_PRECISIONS; precision++) {
            flaw_compute c;
            open_compute(&c, 1, (flaw_level)level, (flaw_precision)precision, q->cols);
            check_linear(&c, q, act, y, pre);
            flaw_compute_close(&c);
            open_compute(&c, 3, (flaw_level)level, (flaw_precision)precision, q->cols);
            check_linear(&c, q, act, again, pre);
            assert_true(same_bits(y, again, n));
            flaw_compute_close(&c);
        }
    }
    array_free(y);
    array_free(pre);
    array_free(again);
}

/* Each type alone, few rows and many. */
static void test_types(void **state)
{
    static const int rows[PARTS] = {70, 1, 9}, count[] = {1, 4, 7, 9, 23, 70};
    flaw_random r;
    flaw_random_init(&r, 31, 0);
    for (int t = 0; t < FLAW_WEIGHT_TYPES; t++) {
        flaw_weight_type type[PARTS] = {(flaw_weight_type)t, (flaw_weight_type)t, (flaw_weight_type)t};
        int cols = (int)flaw_weight_block((flaw_weight_type)t);
        if (cols == 1) cols = 83;
        else if (cols == 32) cols = 96;
        for (size_t i = 0; i < sizeof count / sizeof count[0]; i++) {
            problem q = problem_new(&r, count[i], cols, type, rows);
            check_all(&q, FLAW_ACT_NONE);
            problem_free(&q);
        }
    }
}

/* Parts of several types under one bias, as files mix them. */
static void test_mixed(void **state)
{
    static const flaw_weight_type type[PARTS] = {FLAW_WEIGHT_Q4_K, FLAW_WEIGHT_F16, FLAW_WEIGHT_Q6_K};
    static const int rows[PARTS] = {130, 257, 3};
    flaw_random r;
    flaw_random_init(&r, 32, 0);
    for (int n = 2; n < 30; n += 23) {
        problem q = problem_new(&r, n, 256, type, rows);
        for (int act = FLAW_ACT_NONE; act <= FLAW_ACT_QUICK_GELU; act++) check_all(&q, (flaw_activation)act);
        problem_free(&q);
    }
}

/* A row's numbers do not depend on its neighbours while the call is of the same kind. */
static void test_rows_alone(void **state)
{
    static const flaw_weight_type type[PARTS] = {FLAW_WEIGHT_Q8_0, FLAW_WEIGHT_Q4_1, FLAW_WEIGHT_Q4_0};
    static const int rows[PARTS] = {65, 20, 11};
    flaw_random r;
    flaw_random_init(&r, 33, 0);
    problem q = problem_new(&r, 40, 64, type, rows);
    flaw_compute c;
    open_compute(&c, 2, FLAW_LEVEL_AUTO, FLAW_F32, q.cols);
    float y[40 * 65], part[40 * 65];
    for (int few = 0; few < 2; few++) {
        int n = few ? 4 : 40, less = few ? 1 : 17;
        flaw_matrix_forward(&c, &q.part[0], n, q.x, q.x_row, y, 65, q.bias, NULL);
        flaw_matrix_forward(&c, &q.part[0], less, q.x + 2 * q.x_row, q.x_row, part, 65, q.bias, NULL);
        assert_true(same_bits(y + 2 * 65, part, (size_t)less * 65));
    }
    flaw_compute_close(&c);
    problem_free(&q);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_types),
        cmocka_unit_test(test_mixed),
        cmocka_unit_test(test_rows_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
