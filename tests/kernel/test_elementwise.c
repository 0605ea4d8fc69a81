#include "levels.h"

enum { ACTIVATIONS = FLAW_ACT_SILU + 1 };

static double act_double(flaw_activation act, double x)
{
    if (act == FLAW_ACT_GELU) return 0.5 * x * erfc(-x * M_SQRT1_2);
    if (act == FLAW_ACT_QUICK_GELU) return x / (1.0 + exp(-1.702 * x));
    if (act == FLAW_ACT_SILU) return x / (1.0 + exp(-x));
    return x;
}

static double slope_double(flaw_activation act, double x)
{
    if (act == FLAW_ACT_NONE) return 1.0;
    if (act == FLAW_ACT_GELU) return 0.5 * erfc(-x * M_SQRT1_2) + x * exp(-0.5 * x * x) * 0.3989422804014327;
    double z = act == FLAW_ACT_SILU ? x : 1.702 * x, s = 1.0 / (1.0 + exp(-z));
    return s * (1.0 + z / (1.0 + exp(z)));
}

/* Values everywhere on the line: dense where the functions bend, then up to the largest. */
static float *line_new(size_t *n)
{
    enum { DENSE = 400000 };
    *n = DENSE + 2 * 1000 + 1;
    float *x = array_new(*n);
    for (int i = 0; i < DENSE; i++) x[i] = (float)(-110.0 + 220.0 * i / DENSE) * (i % 4 ? 0.08f : 1.0f);
    for (int i = 0; i < 1000; i++) {
        x[DENSE + 2 * i] = ldexpf(1.0f + (float)i / 1000.0f, i % 270 - 145);
        x[DENSE + 2 * i + 1] = -x[DENSE + 2 * i];
    }
    x[*n - 1] = -0.0f;
    return x;
}

static void test_exp(void **state)
{
    levels all = levels_here();
    size_t n;
    float *x = line_new(&n), *y = array_new(n);
    for (int l = 0; l < all.count; l++) {
        all.table[l]->exp(n, x, y);
        double worst = 0.0;
        for (size_t i = 0; i < n; i++) {
            double want = exp((double)x[i]);
            if (want > 3.402823567e38) {
                assert_true(isinf(y[i]));
                continue;
            }
            int exponent;
            frexp(want, &exponent);
            double ulp = ldexp(1.0, (exponent < -125 ? -125 : exponent) - 24);
            worst = fmax(worst, fabs((double)y[i] - want) / ulp);
        }
        print_message("%s: exp within %.2f units in the last place\n", all.table[l]->name, worst);
        assert_true(worst <= 2.0);
    }
    array_free(x);
    array_free(y);
}

/* The activations are held to 3e-7 of max(1, |x|), which is 2.5 units in the last place of x. */
static void test_activations(void **state)
{
    levels all = levels_here();
    size_t n;
    float *x = line_new(&n), *y = array_new(n), *dy = array_new(n);
    for (size_t i = 0; i < n; i++) dy[i] = i % 2 ? 1.0f : -2.0f;
    for (int l = 0; l < all.count; l++) {
        for (int act = 0; act < ACTIVATIONS; act++) {
            double worst = 0.0, worst_slope = 0.0;
            all.table[l]->activate((flaw_activation)act, n, x, y);
            for (size_t i = 0; i < n; i++) {
                double d = fabs((double)y[i] - act_double((flaw_activation)act, (double)x[i]));
                worst = fmax(worst, d / fmax(1.0, fabs((double)x[i])));
            }
            all.table[l]->activate_backward((flaw_activation)act, n, x, dy, y);
            for (size_t i = 0; i < n; i++) {
                double want = (double)dy[i] * slope_double((flaw_activation)act, (double)x[i]);
                worst_slope = fmax(worst_slope, fabs((double)y[i] - want) / fabs((double)dy[i]));
            }
            print_message("%s: activation %d within %.1e, its slope within %.1e\n", all.table[l]->name, act, worst,
                          worst_slope);
            assert_true(worst <= 3e-7 && worst_slope <= 5e-7);
        }
    }
    array_free(x);
    array_free(y);
    array_free(dy);
}

/* Infinities have limits, NaNs stay, and a value gives the same bits anywhere in an array. */
static void test_special_values(void **state)
{
    levels all = levels_here();
    for (int l = 0; l < all.count; l++) {
        const flaw_kernels *k = all.table[l];
        for (int n = 1; n < 40; n++) {
            for (int at = 0; at < n; at++) {
                float x[40], y[40], dy[40], alone;
                for (int i = 0; i < n; i++) x[i] = dy[i] = 1.5f;
                x[at] = NAN;
                k->exp((size_t)n, x, y);
                for (int i = 0; i < n; i++) assert_true((isnan(y[i]) != 0) == (i == at));
                for (int act = 0; act < ACTIVATIONS; act++) {
                    k->activate((flaw_activation)act, (size_t)n, x, y);
                    for (int i = 0; i < n; i++) assert_true((isnan(y[i]) != 0) == (i == at));
                    k->activate((flaw_activation)act, 1, x + (at + 1) % n, &alone);
                    if (n > 1) assert_true(same_bits(&alone, y + (at + 1) % n, 1));
                    k->activate_backward((flaw_activation)act, (size_t)n, x, dy, y);
                    for (int i = 0; i < n; i++) assert_true((isnan(y[i]) != 0) == (i == at && act != FLAW_ACT_NONE));
                }
            }
        }
        for (int act = 1; act < ACTIVATIONS; act++) {
            float x[2] = {INFINITY, -INFINITY}, one[2] = {1.0f, 1.0f}, y[2];
            k->activate((flaw_activation)act, 2, x, y);
            assert_true(isinf(y[0]) && fabsf(y[1]) < 1e-30f);
            k->activate_backward((flaw_activation)act, 2, x, one, y);
            assert_true(fabsf(y[0] - 1.0f) < 2e-7f && fabsf(y[1]) < 2e-7f);
        }
    }
}

/* Gated rows with steps between them: against the formula in double; in place gives the same bits, and what stands behind a
 * row is left alone. */
static void test_gate(void **state)
{
    enum { ROWS = 3, SPARE = 3 };
    levels all = levels_here();
    flaw_random r;
    flaw_random_init(&r, 23, 0);
    for (int l = 0; l < all.count; l++) {
        const flaw_kernels *k = all.table[l];
        for (int act = 0; act < ACTIVATIONS; act++) {
            for (int f = 1; f < 50; f += 1 + f / 4) {
                int row = 2 * f + SPARE;
                float *x = array_random(&r, (size_t)(ROWS * row), 2.0), *y = array_random(&r, (size_t)(ROWS * row), 1.0);
                float *dx = array_new((size_t)(ROWS * row)), *place = array_new((size_t)(ROWS * row)), guard = y[f];
                memcpy(place, x, (size_t)(ROWS * row) * sizeof *x);
                for (int i = 0; i < ROWS * row; i++) dx[i] = 7.0f;
                for (int i = 0; i < ROWS; i++) memcpy(dx + i * row + f, y + i * row, (size_t)f * sizeof *y);
                k->gate_backward((flaw_activation)act, ROWS, f, x, row, dx + f, row, dx, row);
                for (int i = 0; i < ROWS; i++) {
                    for (int j = 0; j < f; j++) {
                        double g = (double)x[i * row + j], up = (double)x[i * row + f + j], dy = (double)y[i * row + j];
                        double d_gate = dy * up * slope_double((flaw_activation)act, g);
                        double d_up = dy * act_double((flaw_activation)act, g), size = 1 + fabs(g * dy) + fabs(up * dy);
                        assert_true(fabs((double)dx[i * row + j] - d_gate) <= 1e-6 * size);
                        assert_true(fabs((double)dx[i * row + f + j] - d_up) <= 1e-6 * size);
                    }
                    for (int j = 2 * f; j < row; j++) assert_true(dx[i * row + j] == 7.0f);
                }
                k->gate((flaw_activation)act, ROWS, f, x, row, y, row);
                k->gate((flaw_activation)act, ROWS, f, place, row, place, row);
                for (int i = 0; i < ROWS; i++) {
                    assert_true(same_bits(y + i * row, place + i * row, (size_t)f));
                    for (int j = 0; j < f; j++) {
                        double g = (double)x[i * row + j], up = (double)x[i * row + f + j];
                        double want = act_double((flaw_activation)act, g) * up;
                        assert_true(fabs((double)y[i * row + j] - want) <= 1e-6 * (1 + fabs(g * up)));
                    }
                }
                assert_true(y[f] == guard);
                array_free(x);
                array_free(y);
                array_free(dx);
                array_free(place);
            }
        }
    }
}

static void test_vectors(void **state)
{
    levels all = levels_here();
    for (int l = 0; l < all.count; l++) {
        const flaw_kernels *k = all.table[l];
        flaw_random r;
        flaw_random_init(&r, 21, 0);
        for (size_t n = 0; n < 300; n += 1 + n / 4) {
            float *x = array_random(&r, n + 1, 1.0), *y = array_random(&r, n + 1, 1.0), *z = array_new(n + 1);
            double sum = 0.0, size = 0.0;
            for (size_t i = 0; i < n; i++) {
                sum += (double)x[i] * (double)y[i];
                size += fabs((double)x[i] * (double)y[i]);
            }
            assert_true(fabs((double)k->dot(n, x, y) - sum) <= 2.0 * EPS * fabs(sum) + 1e-15 * size);
            memcpy(z, y, (n + 1) * sizeof *z);
            k->axpy(n, 0.3f, x, z);
            for (size_t i = 0; i < n; i++) {
                double want = (double)y[i] + (double)0.3f * (double)x[i];
                assert_true(fabs((double)z[i] - want) <= 3.0 * EPS * (fabs((double)y[i]) + fabs((double)x[i])));
            }
            assert_true(z[n] == y[n]);
            memcpy(z, x, (n + 1) * sizeof *z);
            k->scale(n, -1.7f, z);
            for (size_t i = 0; i < n; i++) assert_true(z[i] == -1.7f * x[i]);
            assert_true(z[n] == x[n]);
            array_free(x);
            array_free(y);
            array_free(z);
        }
    }
}

static void adamw_double(const flaw_adamw *o, double *w, double g, double *m, double *v)
{
    g *= (double)o->grad_scale;
    *m = (double)o->beta1 * *m + (1.0 - (double)o->beta1) * g;
    *v = (double)o->beta2 * *v + (1.0 - (double)o->beta2) * g * g;
    double step = *m * (double)o->correct1 / (sqrt(*v * (double)o->correct2) + (double)o->eps);
    *w -= (double)o->rate * (step + (double)o->decay * *w);
}

static void test_adamw(void **state)
{
    enum { N = 77, STEPS = 5 };
    levels all = levels_here();
    for (int l = 0; l < all.count; l++) {
        flaw_random r;
        flaw_random_init(&r, 22, 0);
        float *w = array_random(&r, N + 1, 1.0), *m = array_new(N + 1), *v = array_new(N + 1);
        double dw[N], dm[N] = {0}, dv[N] = {0};
        for (int i = 0; i < N; i++) dw[i] = (double)w[i];
        float guard = w[N];
        memset(m, 0, (N + 1) * sizeof *m);
        memset(v, 0, (N + 1) * sizeof *v);
        for (int step = 1; step <= STEPS; step++) {
            flaw_adamw o = {.rate = 0.01f,
                            .beta1 = 0.9f,
                            .beta2 = 0.95f,
                            .eps = 1e-8f,
                            .decay = 0.05f,
                            .correct1 = 1.0f / (1.0f - powf(0.9f, (float)step)),
                            .correct2 = 1.0f / (1.0f - powf(0.95f, (float)step)),
                            .grad_scale = 0.5f};
            float *g = array_random(&r, N, 1.0);
            all.table[l]->adamw(&o, N, w, g, m, v);
            for (int i = 0; i < N; i++) {
                adamw_double(&o, &dw[i], (double)g[i], &dm[i], &dv[i]);
                assert_true(fabs((double)w[i] - dw[i]) <= 4.0 * step * EPS * (1.0 + fabs(dw[i])));
            }
            array_free(g);
        }
        assert_true(w[N] == guard && m[N] == 0.0f && v[N] == 0.0f);
        array_free(w);
        array_free(m);
        array_free(v);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_exp),     cmocka_unit_test(test_activations), cmocka_unit_test(test_special_values),
        cmocka_unit_test(test_gate),    cmocka_unit_test(test_vectors),     cmocka_unit_test(test_adamw),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
