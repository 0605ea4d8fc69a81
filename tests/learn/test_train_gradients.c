/* The whole loss of the trainer by every parameter of a tiny CLIP: against central differences, the same bits for any
 * number of threads, frozen blocks, and how far bf16 products may stray. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tiny_clip.h"

static void check_parameter(tiny *x, const flaw_parameter *p, const float *grads)
{
    enum { PROBES = 6 };
    double largest = 0, worst = 0;
    for (size_t k = 0; k < p->count; k++) largest = fmax(largest, fabs((double)grads[p->offset + k]));
    for (int probe = 0; probe < PROBES; probe++) {
        size_t k = p->count <= PROBES ? (size_t)probe % p->count : (size_t)probe * (p->count - 1) / (PROBES - 1);
        float *w = &x->t.weights[p->offset + k], kept = *w, step = 1e-3f;
        double side[2];
        for (int s = 0; s < 2; s++) {
            *w = s ? kept + step : kept - step;
            side[s] = tiny_forward(x).total;
        }
        *w = kept;
        double numeric = (side[1] - side[0]) / ((double)(kept + step) - (double)(kept - step));
        worst = fmax(worst, fabs(numeric - (double)grads[p->offset + k]));
    }
    if (worst > 2e-3 * largest + 2e-3) print_message("%s: off by %g, largest %g\n", p->name, worst, largest);
    assert_true(worst <= 2e-3 * largest + 2e-3); /* differences of a float32 loss are good to about 1e-3 */
}

static void test_central_differences(void **state)
{
    (void)state;
    tiny x;
    assert_int_equal(tiny_open(&x, 1, FLAW_LEVEL_REF, FLAW_F32, 0), FLAW_OK);
    tiny_step(&x);
    float *grads = malloc(x.t.list.total * sizeof *grads);
    assert_non_null(grads);
    memcpy(grads, x.t.grads, x.t.list.total * sizeof *grads);
    for (size_t i = 0; i < x.t.list.count; i++) check_parameter(&x, &x.t.list.item[i], grads);
    free(grads);
    tiny_close(&x);
}

static void test_threads(void **state)
{
    (void)state;
    for (int precision = FLAW_F32; precision <= FLAW_BF16; precision++) {
        tiny one, three;
        assert_int_equal(tiny_open(&one, 1, FLAW_LEVEL_AUTO, (flaw_precision)precision, 0), FLAW_OK);
        assert_int_equal(tiny_open(&three, 3, FLAW_LEVEL_AUTO, (flaw_precision)precision, 0), FLAW_OK);
        flaw_loss_values a = tiny_step(&one), b = tiny_step(&three);
        assert_true(a.total == b.total);
        assert_memory_equal(one.t.grads, three.t.grads, one.t.list.total * sizeof(float));
        tiny_close(&one);
        tiny_close(&three);
    }
}

/* With frozen blocks the others get the same gradients, and the frozen ones none. The same but for rounding: frozen blocks
 * run forward as in inspection, where attention over few tokens sums in another order (simd/few.inc.c). */
static void test_frozen(void **state)
{
    (void)state;
    tiny all, some;
    assert_int_equal(tiny_open(&all, 2, FLAW_LEVEL_AUTO, FLAW_F32, 0), FLAW_OK);
    assert_int_equal(tiny_open(&some, 2, FLAW_LEVEL_AUTO, FLAW_F32, 2), FLAW_OK);
    all.weight.distil = some.weight.distil = 0;
    tiny_step(&all);
    tiny_step(&some);
    for (size_t i = 0; i < all.t.list.count; i++) {
        const flaw_parameter *p = &all.t.list.item[i];
        bool head = !strncmp(p->name, "image.proj", 10) || !strncmp(p->name, "image.post", 10);
        bool block = !strncmp(p->name, "image.block.2", 13) || !strncmp(p->name, "image.block.3", 13);
        bool frozen = !strncmp(p->name, "image.", 6) && !head && !block;
        double gap = 0, size = 0;
        for (size_t k = p->offset; k < p->offset + p->count; k++) {
            gap += pow((double)some.t.grads[k] - all.t.grads[k], 2);
            size += pow(all.t.grads[k], 2);
            assert_true(!frozen || some.t.grads[k] == 0);
        }
        assert_true(frozen || gap <= 1e-10 * size);
    }
    tiny_close(&all);
    tiny_close(&some);
}

static void test_bf16_bound(void **state)
{
    (void)state;
    tiny exact, rounded;
    assert_int_equal(tiny_open(&exact, 1, FLAW_LEVEL_REF, FLAW_F32, 0), FLAW_OK);
    assert_int_equal(tiny_open(&rounded, 1, FLAW_LEVEL_AUTO, FLAW_BF16, 0), FLAW_OK);
    tiny_step(&exact);
    tiny_step(&rounded);
    double gap = 0, size = 0;
    for (size_t i = 0; i < exact.t.list.total; i++) {
        gap += pow((double)exact.t.grads[i] - rounded.t.grads[i], 2);
        size += pow(exact.t.grads[i], 2);
    }
    print_message("bf16 products: relative distance of the whole gradient %.4f\n", sqrt(gap / size));
    assert_true(sqrt(gap / size) < 0.05);
    tiny_close(&exact);
    tiny_close(&rounded);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_central_differences),
        cmocka_unit_test(test_threads),
        cmocka_unit_test(test_frozen),
        cmocka_unit_test(test_bf16_bound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
