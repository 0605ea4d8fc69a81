/* Losses against central differences, and against values that can be worked out by hand. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/random.h"
#include "nn/loss.h"

#define N 6
#define E 5

typedef struct values {
    float a[N * E], b[N * E], z[N], t[N], da[N * E], db[N * E], dz[N], work[2 * N * N], inverse[N];
    float log_scale;
    double d_log_scale;
    int32_t group[N];
} values;

static void fill(values *v)
{
    flaw_random r;
    memset(v, 0, sizeof *v);
    flaw_random_init(&r, 3, 1);
    for (int i = 0; i < N * E; i++) {
        v->a[i] = (float)flaw_random_normal(&r);
        v->b[i] = (float)flaw_random_normal(&r);
    }
    for (int i = 0; i < N; i++) {
        v->z[i] = (float)flaw_random_normal(&r);
        v->t[i] = (float)flaw_random_uniform(&r);
        v->group[i] = i == 3 ? 1 : i; /* rows 1 and 3 share a caption */
    }
    v->log_scale = 0.7f;
}

typedef double (*loss_of)(values *v);

static double contrast(values *v)
{
    return flaw_contrast_loss(N, E, v->a, v->b, v->group, v->log_scale, 1.5f, v->da, v->db, &v->d_log_scale, v->work);
}

static double focal(values *v)
{
    return flaw_focal_loss(N, v->z, v->t, 2, 0.8f, v->dz);
}

static double plain(values *v)
{
    return flaw_focal_loss(N, v->z, v->t, 0, 0.8f, v->dz);
}

static double dice(values *v)
{
    return flaw_dice_loss(N, v->z, v->t, 0.8f, v->dz);
}

static double cosine(values *v)
{
    return flaw_cosine_loss(N, E, v->a, v->b, 1.3f, v->da);
}

static double smooth(values *v)
{
    return flaw_smooth_l1_loss(N * E, v->a, v->b, 1.3f, v->da);
}

/* The direction logit and the unit rows, weighed by fixed numbers. */
static double direction(values *v)
{
    float z[N];
    double sum = 0;
    flaw_direction_forward(N, E, v->a, v->b, expf(v->log_scale), z, v->inverse);
    for (int i = 0; i < N; i++) sum += (double)z[i] * v->t[i];
    flaw_direction_backward(N, E, v->a, v->b, expf(v->log_scale), z, v->inverse, v->t, v->da, v->db, &v->d_log_scale);
    return sum;
}

static double unit(values *v)
{
    float y[N * E];
    double sum = 0;
    flaw_unit_forward(N, E, v->a, y, v->inverse);
    for (int i = 0; i < N * E; i++) sum += (double)y[i] * v->b[i];
    flaw_unit_backward(N, E, y, v->inverse, v->b, v->da);
    return sum;
}

static void check(const char *what, loss_of loss, size_t x_at, size_t n, size_t grad_at)
{
    values v, trial;
    fill(&v);
    loss(&v);
    for (size_t i = 0; i < n; i++) {
        float *x = (float *)((char *)&trial + x_at) + i, grad = ((float *)((char *)&v + grad_at))[i];
        double side[2];
        for (int s = 0; s < 2; s++) {
            fill(&trial);
            *x += s ? 2e-3f : -2e-3f;
            side[s] = loss(&trial);
        }
        double numeric = (side[1] - side[0]) / 4e-3;
        if (fabs(numeric - grad) > 1e-3) print_message("%s[%zu]: %g, differences give %g\n", what, i, grad, numeric);
        assert_true(fabs(numeric - grad) <= 1e-3);
    }
}

#define CHECK(loss, x, n, grad) check(#loss " by " #x, loss, offsetof(values, x), n, offsetof(values, grad))

static void test_gradients(void **state)
{
    (void)state;
    CHECK(contrast, a, N * E, da);
    CHECK(contrast, b, N * E, db);
    CHECK(focal, z, N, dz);
    CHECK(plain, z, N, dz);
    CHECK(dice, z, N, dz);
    CHECK(cosine, a, N * E, da);
    CHECK(smooth, a, N * E, da);
    CHECK(direction, a, N * E, da);
    CHECK(direction, b, E, db);
    CHECK(unit, a, N * E, da);
}

static void check_scale(loss_of loss)
{
    values v, up, down;
    fill(&v);
    fill(&up);
    fill(&down);
    up.log_scale += 1e-3f;
    down.log_scale -= 1e-3f;
    loss(&v);
    double numeric = (loss(&up) - loss(&down)) / ((double)up.log_scale - down.log_scale);
    assert_true(fabs(numeric - v.d_log_scale) < 2e-3);
}

static void test_scale_gradients(void **state)
{
    (void)state;
    check_scale(contrast);
    check_scale(direction);
}

static void test_known_values(void **state)
{
    (void)state;
    float z[2] = {0, 0}, t[2] = {1, 0}, dz[2] = {0, 0};
    assert_true(fabs(flaw_focal_loss(2, z, t, 0, 1, dz) - log(2)) < 1e-9);
    assert_true(fabs(dz[0] + 0.25) < 1e-6 && fabs(dz[1] - 0.25) < 1e-6);
    assert_true(fabs(flaw_focal_loss(2, z, t, 2, 1, dz) - 0.25 * log(2)) < 1e-9);
    /* One pair alone is certain; equal rows in one group leave the entropy of an even target. */
    float a[4] = {1, 0, 1, 0}, da[4] = {0}, db[4] = {0}, work[8];
    double d_scale = 0;
    assert_true(fabs(flaw_contrast_loss(1, 2, a, a, (int32_t[]){0}, 1, 1, da, db, &d_scale, work)) < 1e-9);
    assert_true(fabs(flaw_contrast_loss(2, 2, a, a, (int32_t[]){4, 4}, 1, 1, da, db, &d_scale, work) - log(2)) < 1e-6);
    float x[2] = {3, 0}, target[2] = {0, 2}, dx[2] = {0};
    assert_true(fabs(flaw_cosine_loss(1, 2, x, target, 1, dx) - 1) < 1e-6);
    assert_true(fabs(flaw_smooth_l1_loss(2, x, target, 1, dx) - (2.5 + 1.5) / 2) < 1e-6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_gradients),
        cmocka_unit_test(test_scale_gradients),
        cmocka_unit_test(test_known_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
