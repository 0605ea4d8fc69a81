/* AdamW against its equations in double, clipping, frozen groups, schedule, and equal bits for any number of threads. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/random.h"
#include "nn/optimiser.h"

#define COUNT 40000 /* several chunks */

typedef struct run {
    float *memory;
    flaw_moments a;
} run;

static void run_open(run *r)
{
    flaw_random random;
    flaw_random_init(&random, 11, 0);
    r->memory = calloc(5 * COUNT, sizeof(float));
    assert_non_null(r->memory);
    r->a = (flaw_moments){.w = r->memory, .g = r->memory + COUNT, .m = r->memory + 2 * COUNT,
                          .v = r->memory + 3 * COUNT, .average = r->memory + 4 * COUNT};
    for (int i = 0; i < COUNT; i++) r->a.w[i] = r->a.average[i] = (float)flaw_random_normal(&random);
}

static void gradient(run *r, int step)
{
    flaw_random random;
    flaw_random_init(&random, 12, (uint64_t)step);
    for (int i = 0; i < COUNT; i++) r->a.g[i] = (float)(0.01 * flaw_random_normal(&random));
}

static const flaw_group groups[] = {
    {.offset = 0, .count = 30000, .decay = 0.1f, .rate = 1},
    {.offset = 30000, .count = 5000, .decay = 0, .rate = 0.5f},
    {.offset = 35000, .count = 5000, .decay = 0.1f, .rate = 0},
};
static const flaw_optimiser optimiser = {.beta1 = 0.9f, .beta2 = 0.98f, .eps = 1e-6f, .clip = 1, .ema = 0.99f,
                                         .groups = groups, .group_count = 3};

static void test_equations(void **state)
{
    (void)state;
    run r;
    flaw_compute c;
    run_open(&r);
    assert_int_equal(flaw_compute_open(&c, 2, FLAW_LEVEL_AUTO, FLAW_F32, NULL), FLAW_OK);
    const int probe[] = {0, 29999, 30000, 34999};
    double w[4], m[4] = {0}, v[4] = {0}, average[4];
    float frozen = r.a.w[36000];
    for (int k = 0; k < 4; k++) w[k] = average[k] = r.a.w[probe[k]];
    for (int t = 1; t <= 3; t++) {
        gradient(&r, t);
        double square = 0, g[4], rate = 0.01;
        for (int i = 0; i < 35000; i++) square += (double)r.a.g[i] * r.a.g[i];
        for (int k = 0; k < 4; k++) g[k] = r.a.g[probe[k]] / sqrt(square); /* the norm is above 1 */
        assert_true(sqrt(square) > 1);
        assert_true(fabs(flaw_optimiser_step(&c, &optimiser, &r.a, (float)rate, t) - sqrt(square)) < 1e-4);
        double ema = fmin(0.99, (1.0 + t) / (10.0 + t));
        for (int k = 0; k < 4; k++) {
            double own = rate * (k < 2 ? 1 : 0.5), decay = k < 2 ? 0.1 : 0;
            m[k] = 0.9 * m[k] + 0.1 * g[k];
            v[k] = 0.98 * v[k] + 0.02 * g[k] * g[k];
            w[k] -= own * (m[k] / (1 - pow(0.9, t)) / (sqrt(v[k] / (1 - pow(0.98, t))) + 1e-6) + decay * w[k]);
            average[k] = ema * average[k] + (1 - ema) * w[k];
            assert_true(fabs(r.a.w[probe[k]] - w[k]) < 1e-5);
            assert_true(fabs(r.a.average[probe[k]] - average[k]) < 1e-5);
            assert_true(r.a.g[probe[k]] == 0);
        }
    }
    assert_true(r.a.w[36000] == frozen);
    flaw_compute_close(&c);
    free(r.memory);
}

static void test_not_finite(void **state)
{
    (void)state;
    run r;
    flaw_compute c;
    run_open(&r);
    assert_int_equal(flaw_compute_open(&c, 1, FLAW_LEVEL_REF, FLAW_F32, NULL), FLAW_OK);
    gradient(&r, 1);
    r.a.g[17] = NAN;
    float before = r.a.w[17], other = r.a.w[0];
    assert_false(isfinite(flaw_optimiser_step(&c, &optimiser, &r.a, 0.01f, 1)));
    assert_true(r.a.w[17] == before && r.a.w[0] == other && r.a.g[17] == 0 && r.a.m[0] == 0);
    flaw_compute_close(&c);
    free(r.memory);
}

static void test_threads(void **state)
{
    (void)state;
    run r[2];
    for (int i = 0; i < 2; i++) {
        flaw_compute c;
        run_open(&r[i]);
        assert_int_equal(flaw_compute_open(&c, i ? 3 : 1, FLAW_LEVEL_AUTO, FLAW_F32, NULL), FLAW_OK);
        for (int t = 1; t <= 4; t++) {
            gradient(&r[i], t);
            flaw_optimiser_step(&c, &optimiser, &r[i].a, 0.01f, t);
        }
        flaw_compute_close(&c);
    }
    assert_memory_equal(r[0].memory, r[1].memory, 5 * COUNT * sizeof(float));
    free(r[0].memory);
    free(r[1].memory);
}

static void test_schedule(void **state)
{
    (void)state;
    flaw_schedule s = {.peak = 1, .floor = 0.1f, .warmup = 10, .steps = 110};
    assert_true(fabs(flaw_schedule_rate(&s, 0) - 0.1) < 1e-6);
    assert_true(fabs(flaw_schedule_rate(&s, 10) - 1) < 1e-6);
    assert_true(fabs(flaw_schedule_rate(&s, 60) - 0.55) < 1e-6);
    assert_true(fabs(flaw_schedule_rate(&s, 500) - 0.1) < 1e-6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_equations),
        cmocka_unit_test(test_not_finite),
        cmocka_unit_test(test_threads),
        cmocka_unit_test(test_schedule),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
