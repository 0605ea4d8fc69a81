/* The fine-grained aligner: own solver, the two limits of lambda, the adjoint identity. */
#include "../check.h"

#include <math.h>

#include "base/random.h"
#include "detect/aligner.h"

enum { N = 12, E = 40 };

static void fill(float *x, size_t rows, flaw_random *r)
{
    for (size_t i = 0; i < rows; i++) {
        double square = 0;
        for (int d = 0; d < E; d++) {
            x[i * E + (size_t)d] = (float)flaw_random_normal(r);
            square += (double)x[i * E + (size_t)d] * x[i * E + (size_t)d];
        }
        for (int d = 0; d < E; d++) x[i * E + (size_t)d] /= (float)sqrt(square);
    }
}

static double dot(const float *a, const float *b)
{
    double sum = 0;
    for (int d = 0; d < E; d++) sum += (double)a[d] * b[d];
    return sum;
}

static flaw_compute compute;
static void *room;

static int open_compute(void **state)
{
    flaw_error err;
    assert_ok(flaw_compute_open(&compute, 2, FLAW_LEVEL_REF, FLAW_F32, &err));
    assert_ok(flaw_compute_reserve(&compute, compute.kernels->product_scratch(FLAW_F32, E), &err));
    room = malloc(flaw_aligner_room(&compute, N, E));
    return room ? 0 : -1;
}

static int close_compute(void **state)
{
    free(room);
    flaw_compute_close(&compute);
    return 0;
}

typedef struct setting {
    float global[N * E], local[N * E], text[2 * E], pulled[2 * E];
} setting;

static void pull(setting *s, double lambda)
{
    flaw_error err = {0};
    float *const out[2] = {s->pulled, s->pulled + E};
    const float *const text[2] = {s->text, s->text + E};
    assert_ok(flaw_aligner_pull(out, text, s->global, s->local, N, E, lambda, &compute, room, &err));
}

static setting make(uint64_t seed)
{
    setting s;
    flaw_random r;
    flaw_random_init(&r, seed, 0);
    fill(s.global, N, &r);
    fill(s.local, N, &r);
    fill(s.text, 2, &r);
    return s;
}

static void test_cholesky(void **state)
{
    enum { SIZE = 60 };
    static double k[SIZE * SIZE], copy[SIZE * SIZE], x[SIZE * 2], b[SIZE * 2], root[SIZE * SIZE];
    flaw_random r;
    flaw_error err = {0};
    flaw_random_init(&r, 5, 0);
    for (int i = 0; i < SIZE * SIZE; i++) root[i] = flaw_random_normal(&r);
    for (int i = 0; i < SIZE; i++)
        for (int j = 0; j < SIZE; j++) {
            double sum = i == j ? 0.5 : 0;
            for (int p = 0; p < SIZE; p++) sum += root[i * SIZE + p] * root[j * SIZE + p];
            k[i * SIZE + j] = copy[i * SIZE + j] = sum;
        }
    for (int i = 0; i < SIZE * 2; i++) x[i] = b[i] = flaw_random_normal(&r);
    assert_ok(flaw_solve_cholesky(k, x, SIZE, 2, &err));
    for (int i = 0; i < SIZE; i++)
        for (int c = 0; c < 2; c++) {
            double sum = 0;
            for (int j = 0; j < SIZE; j++) sum += copy[i * SIZE + j] * x[j * 2 + c];
            assert_true(fabs(sum - b[i * 2 + c]) < 1e-9);
        }
    double bad[4] = {1, 0, 2, 1}, y[2] = {1, 1};
    assert_int_equal(flaw_solve_cholesky(bad, y, 2, 1, &err), FLAW_BAD_DATA);
    double broken[4] = {NAN, 0, 0, 1};
    assert_int_equal(flaw_solve_cholesky(broken, y, 2, 1, &err), FLAW_BAD_DATA);
}

/* lambda -> infinity: no aligner. */
static void test_large_lambda(void **state)
{
    setting s = make(1);
    pull(&s, 1e9);
    for (int i = 0; i < 2 * E; i++) assert_true(fabs(s.pulled[i] - s.text[i]) < 1e-6);
    pull(&s, INFINITY);
    assert_memory_equal(s.pulled, s.text, sizeof s.text);
}

/* lambda -> 0 with fewer pairs than dimensions: a window's mean patch scores as the window's class embedding does. */
static void test_small_lambda(void **state)
{
    setting s = make(2);
    pull(&s, 1e-7);
    for (int i = 0; i < N; i++)
        for (int c = 0; c < 2; c++)
            assert_true(fabs(dot(s.local + i * E, s.pulled + c * E) - dot(s.global + i * E, s.text + c * E)) < 1e-4);
}

/* Between the limits: the solution of the ridge problem, by its normal equations (L'L + lambda I) B = L'G + lambda I.
 */
static void test_ridge(void **state)
{
    static double k[E * E], b[E * E];
    setting s = make(3);
    flaw_error err = {0};
    const double lambda = 0.7;
    for (int i = 0; i < E; i++)
        for (int j = 0; j < E; j++) {
            double gram = i == j ? lambda : 0, right = i == j ? lambda : 0;
            for (int n = 0; n < N; n++) {
                gram += (double)s.local[n * E + i] * s.local[n * E + j];
                right += (double)s.local[n * E + i] * s.global[n * E + j];
            }
            k[i * E + j] = gram;
            b[i * E + j] = right;
        }
    assert_ok(flaw_solve_cholesky(k, b, E, E, &err)); /* b = B, [E, E] */
    pull(&s, lambda);
    for (int c = 0; c < 2; c++)
        for (int i = 0; i < E; i++) {
            double want = 0;
            for (int j = 0; j < E; j++) want += b[i * E + j] * s.text[c * E + j];
            assert_true(fabs(want - s.pulled[c * E + i]) < 1e-5);
        }
}

/* The adjoint: a patch brought to the words' side meets a text as the patch meets the text brought to the patches. */
static void test_push(void **state)
{
    static const double lambdas[] = {1e-3, 0.7, 30, INFINITY};
    float row[E], pushed[E];
    flaw_random r;
    flaw_error err = {0};
    flaw_random_init(&r, 8, 0);
    for (int i = 0; i < 4; i++) {
        setting s = make(5 + (uint64_t)i);
        fill(row, 1, &r);
        pull(&s, lambdas[i]);
        assert_ok(flaw_aligner_push(pushed, row, s.global, s.local, N, E, lambdas[i], &compute, room, &err));
        for (int c = 0; c < 2; c++)
            assert_true(fabs(dot(pushed, s.text + c * E) - dot(row, s.pulled + c * E)) < 1e-5);
        assert_int_equal(!memcmp(pushed, row, sizeof row), isinf(lambdas[i]));
    }
}

/* Global equal to local: nothing to learn, the text stays. */
static void test_nothing_to_learn(void **state)
{
    setting s = make(4);
    memcpy(s.global, s.local, sizeof s.local);
    pull(&s, 0.5);
    for (int i = 0; i < 2 * E; i++) assert_true(fabs(s.pulled[i] - s.text[i]) < 1e-6);
}

/* Pairs of a picture: windows of 2, of 3, the whole; locals are means of the patches inside, at unit length. */
static void test_pairs(void **state)
{
    enum { G = 4, W2 = 9, W3 = 4, ALL = W2 + W3 + 1 };
    static float patches[G * G * E], w2[W2 * E], w3[W3 * E], cls[E], global[ALL * E], local[ALL * E];
    flaw_random r;
    flaw_random_init(&r, 6, 0);
    fill(patches, G * G, &r);
    fill(w2, W2, &r);
    fill(w3, W3, &r);
    fill(cls, 1, &r);
    flaw_features f = {.grid = G, .joint = E, .cls = cls, .patches = patches, .window = {w2, w3}};
    assert_int_equal(flaw_aligner_pairs(NULL, NULL, &f), ALL);
    assert_int_equal(flaw_aligner_pairs(global, local, &f), ALL);
    assert_memory_equal(global, w2, sizeof w2);
    assert_memory_equal(global + W2 * E, w3, sizeof w3);
    assert_memory_equal(global + (ALL - 1) * E, cls, sizeof cls);
    for (int i = 0; i < ALL; i++) assert_true(fabs(dot(local + i * E, local + i * E) - 1) < 1e-5);
    float sum[E] = {0}; /* window of 3 at row 1, column 0 is the third of them */
    for (int y = 1; y < 4; y++)
        for (int x = 0; x < 3; x++)
            for (int d = 0; d < E; d++) sum[d] += patches[(y * G + x) * E + d];
    double length = sqrt(dot(sum, sum));
    for (int d = 0; d < E; d++) assert_true(fabs(local[(W2 + 2) * E + d] - sum[d] / length) < 1e-5);
    f.window[0] = f.window[1] = NULL;
    assert_int_equal(flaw_aligner_pairs(global, local, &f), 1);
    assert_memory_equal(global, cls, sizeof cls);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cholesky), cmocka_unit_test(test_large_lambda),     cmocka_unit_test(test_small_lambda),
        cmocka_unit_test(test_ridge),    cmocka_unit_test(test_nothing_to_learn), cmocka_unit_test(test_pairs),
        cmocka_unit_test(test_push),
    };
    return cmocka_run_group_tests(tests, open_compute, close_compute);
}
