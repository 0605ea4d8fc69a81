/* Convolution, pooling and the products under them: against plain loops, against central differences, and the same bits for
 * any number of threads. */
#include "../check.h"
#include "../level_loop.h"

#include <math.h>

#include "base/arena.h"
#include "base/random.h"
#include "nn/conv.h"

typedef struct fixture {
    flaw_compute c;
    flaw_arena arena;
    flaw_random random;
} fixture;

static fixture open_fixture(int threads, flaw_level level)
{
    fixture f;
    flaw_error err = {0};
    assert_ok(flaw_compute_open(&f.c, threads, level, FLAW_BF16, &err)); /* float32 all the same */
    assert_ok(flaw_compute_reserve(&f.c, flaw_plain_product_scratch(&f.c), &err));
    flaw_arena_init(&f.arena, 0);
    flaw_random_init(&f.random, 3, 1);
    return f;
}

static void close_fixture(fixture *f)
{
    flaw_compute_close(&f->c);
    flaw_arena_release(&f->arena);
}

static float *floats(fixture *f, size_t n, double size)
{
    float *p = flaw_arena_alloc(&f->arena, n, sizeof *p);
    assert_non_null(p);
    for (size_t i = 0; size > 0 && i < n; i++) p[i] = (float)(size * flaw_random_normal(&f->random));
    return p;
}

static void close_to(const float *got, const double *want, size_t n, double bar)
{
    double worst = 0, top = 0;
    for (size_t i = 0; i < n; i++) {
        worst = fmax(worst, fabs(got[i] - want[i]));
        top = fmax(top, fabs(want[i]));
    }
    if (!(worst <= bar * top)) fail_msg("off by %g of %g", worst, top);
}

static void plain_conv(const flaw_conv *s, const float *x, const float *w, const float *b, double *y)
{
    int h = flaw_conv_height(s), width = flaw_conv_width(s), k = s->kernel;
    for (int o = 0; o < s->out; o++)
        for (int r = 0; r < h; r++)
            for (int q = 0; q < width; q++) {
                double sum = b[o];
                for (int i = 0; i < s->in; i++)
                    for (int t = 0; t < k * k; t++) {
                        int row = r + t / k - s->pad, column = q + t % k - s->pad;
                        if (row < 0 || row >= s->height || column < 0 || column >= s->width) continue;
                        sum += (double)w[(o * s->in + i) * k * k + t] * x[(i * s->height + row) * s->width + column];
                    }
                y[(o * h + r) * width + q] = sum;
            }
}

static const flaw_conv shapes[] = {
    {1, 4, 20, 23, 3, 1}, {5, 7, 9, 8, 5, 0}, {3, 2, 6, 6, 5, 2}, {130, 100, 5, 5, 5, 0}, {2, 3, 1, 1, 3, 1}, {300, 5, 3, 4, 3, 1},
};

static void test_forward(void **state)
{
    AT_EVERY_KIND_OF_VECTOR(level)
        for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
            const flaw_conv *s = &shapes[i];
            fixture f = open_fixture(2, level);
            size_t pixels = (size_t)(flaw_conv_height(s) * flaw_conv_width(s)), taps = (size_t)(s->in * s->kernel * s->kernel);
            float *x = floats(&f, (size_t)(s->in * s->height * s->width), 1), *w = floats(&f, (size_t)s->out * taps, 1);
            float *b = floats(&f, (size_t)s->out, 1), *y = floats(&f, (size_t)s->out * pixels, 1);
            double *want = flaw_arena_alloc(&f.arena, (size_t)s->out * pixels, sizeof *want);
            flaw_conv_forward(&f.c, s, x, w, b, y, floats(&f, flaw_conv_work(&f.c, s), 0));
            plain_conv(s, x, w, b, want);
            close_to(y, want, (size_t)s->out * pixels, 1e-5);
            close_fixture(&f);
        }
}

static double loss(const flaw_conv *s, const float *x, const float *w, const float *b, const float *r, double *y)
{
    double sum = 0;
    plain_conv(s, x, w, b, y);
    for (int i = 0; i < s->out * flaw_conv_height(s) * flaw_conv_width(s); i++) sum += r[i] * y[i];
    return sum;
}

/* The layer is linear in each of its inputs, so one difference of any width is exact. */
static void check_gradient(const flaw_conv *s, float *x, float *w, float *b, const float *r, double *y, float *at,
                           const float *grad, size_t n)
{
    double largest = 0;
    for (size_t i = 0; i < n; i++) largest = fmax(largest, fabs(grad[i]));
    for (size_t probe = 0; probe < 12; probe++) {
        size_t i = n <= 12 ? probe % n : probe * (n - 1) / 11;
        float kept = at[i];
        double before = loss(s, x, w, b, r, y);
        at[i] = kept + 1;
        double width = (double)at[i] - kept, after = loss(s, x, w, b, r, y);
        at[i] = kept;
        double slope = (after - before) / width;
        if (fabs(slope - grad[i]) > 1e-4 * (largest + 1e-3)) fail_msg("%zu: %g, %g", i, slope, grad[i]);
    }
}

static void test_backward(void **state)
{
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        const flaw_conv *s = &shapes[i];
        fixture f = open_fixture(2, FLAW_LEVEL_AUTO);
        size_t in = (size_t)(s->in * s->height * s->width), taps = (size_t)(s->in * s->kernel * s->kernel), o = (size_t)s->out;
        size_t out = o * (size_t)(flaw_conv_height(s) * flaw_conv_width(s));
        float *x = floats(&f, in, 1), *w = floats(&f, o * taps, 1), *b = floats(&f, o, 1), *r = floats(&f, out, 1);
        float *dx = floats(&f, in, 1), *dw = floats(&f, o * taps, 0), *db = floats(&f, o, 0);
        double *y = flaw_arena_alloc(&f.arena, out, sizeof *y);
        flaw_conv_backward(&f.c, s, x, w, r, dx, dw, db, floats(&f, flaw_conv_work(&f.c, s), 0));
        check_gradient(s, x, w, b, r, y, x, dx, in);
        check_gradient(s, x, w, b, r, y, w, dw, o * taps);
        check_gradient(s, x, w, b, r, y, b, db, o);
        close_fixture(&f);
    }
}

static void test_pool(void **state)
{
    /* 2 channels of 5 x 4: the last row is left out; zeros, ties and negatives. */
    const float x[40] = {1, 2, -1, -2, 3, 3, -3, 0, 5, 5, 0, 1, 5, 5, 1, 1, 9, 9, 9, 9,
                         0, 0, -1, 7, 0, 0, 8, 2, 1, 0, 0, 0, 0, 2, 0, 0, 9, 9, 9, 9};
    const float want[8] = {3, 0, 5, 1, 0, 8, 2, 0};
    const uint8_t from[8] = {2, 4, 0, 1, 4, 2, 3, 4};
    fixture f = open_fixture(2, FLAW_LEVEL_REF);
    float y[8], dx[40];
    uint8_t which[8];
    flaw_relu_pool_forward(&f.c, 2, 5, 4, x, y, which);
    assert_memory_equal(y, want, sizeof want);
    assert_memory_equal(which, from, sizeof from);
    const float dy[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    flaw_relu_pool_backward(&f.c, 2, 5, 4, dy, which, dx);
    float expected[40] = {0};
    expected[4] = 1, expected[8] = 3, expected[11] = 4, expected[26] = 6, expected[33] = 7;
    assert_memory_equal(dx, expected, sizeof expected);
    close_fixture(&f);
}

static void test_threads(void **state)
{
    const flaw_conv s = {16, 100, 40, 40, 3, 1};
    float *result[2], *gradient[2];
    fixture f[2];
    for (int i = 0; i < 2; i++) {
        f[i] = open_fixture(1 + 2 * i, FLAW_LEVEL_AUTO);
        float *x = floats(&f[i], 16 * 1600, 1), *w = floats(&f[i], 100 * 144, 1), *b = floats(&f[i], 100, 1);
        float *work = floats(&f[i], flaw_conv_work(&f[i].c, &s), 0);
        result[i] = floats(&f[i], 100 * 1600, 0);
        gradient[i] = floats(&f[i], 100 * 144, 0);
        flaw_conv_forward(&f[i].c, &s, x, w, b, result[i], work);
        flaw_conv_backward(&f[i].c, &s, x, w, result[i], x, gradient[i], b, work);
    }
    assert_memory_equal(result[0], result[1], 100 * 1600 * sizeof(float));
    assert_memory_equal(gradient[0], gradient[1], 100 * 144 * sizeof(float));
    close_fixture(&f[0]);
    close_fixture(&f[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forward),
        cmocka_unit_test(test_backward),
        cmocka_unit_test(test_pool),
        cmocka_unit_test(test_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
