/* The language model's training pass and its adapters against central differences of the loss, float32 reference kernels;
 * what frozen weights, padding, packing of texts, threads and chunks of targets must not change. */
#include <math.h>

#include "check.h"
#include "tiny_language.h"

#define STEP 4e-3f
#define ADAPTER_STEP 1.5e-2f /* their share in a weight is small */
#define BOUND 1e-3

static double loss_of(tiny_language *x)
{
    flaw_error err;
    assert_ok(flaw_language_train_pack(&x->t, &x->c, &err));
    return (double)TINY_SCALE * flaw_language_train_evaluate(&x->c, &x->t, &x->batch).sum;
}

static double adapted_loss(tiny_language *x)
{
    flaw_lora_apply(&x->c, &x->lora);
    return loss_of(x);
}

static void check(const char *what, double (*loss)(tiny_language *), tiny_language *x, float *w, const float *grad, size_t n,
                  float step)
{
    enum { PROBES = 20 };
    double largest = 0, worst = 0;
    for (size_t i = 0; i < n; i++) largest = fmax(largest, fabs((double)grad[i]));
    assert_true(largest > 0);
    for (size_t k = 0; k < PROBES; k++) {
        size_t i = k * (n - 1) / (PROBES - 1);
        float kept = w[i];
        w[i] = kept + step;
        double up = loss(x);
        w[i] = kept - step;
        double down = loss(x), width = (double)(kept + step) - (double)(kept - step);
        w[i] = kept;
        worst = fmax(worst, fabs((up - down) / width - (double)grad[i]));
    }
    if (!(worst <= BOUND * largest)) fail_msg("%s: off by %g, largest component %g", what, worst, largest);
}

static void test_differences(void **state)
{
    for (int tied = 0; tied < 2; tied++) {
        tiny_language x;
        assert_int_equal(tiny_language_open(&x, tied, 1, FLAW_LEVEL_REF), FLAW_OK);
        flaw_language_loss l = flaw_language_train_step(&x.c, &x.t, &x.batch, TINY_SCALE);
        flaw_lora_backward(&x.c, &x.lora, &x.t.g);
        assert_int_equal(l.targets, 8 + 3 + 8);
        assert_true(fabs(loss_of(&x) - (double)TINY_SCALE * l.sum) < 1e-9);
        check("rows", loss_of, &x, x.rows, x.d_rows, TINY_ROWS * 24, STEP);
        for (size_t i = 0; i < x.m->list.count; i++) {
            const flaw_parameter *p = &x.m->list.item[i];
            check(p->name, loss_of, &x, x.m->weights + p->offset, x.t.grads + p->offset, p->count, STEP);
        }
        for (size_t i = 0; i < x.lora.list.count; i++) {
            const flaw_parameter *p = &x.lora.list.item[i];
            check(p->name, adapted_loss, &x, x.lora.weights + p->offset, x.lora.grads + p->offset, p->count,
                  ADAPTER_STEP);
        }
        tiny_language_close(&x);
    }
}

/* Frozen weights have no gradients, and the given rows the same ones. */
static void test_frozen(void **state)
{
    tiny_language x;
    flaw_error err;
    flaw_language_train frozen;
    float kept[TINY_ROWS * 24];
    flaw_language_limits limits = {.rows = TINY_N * TINY_T, .tokens = TINY_T, .frozen = true};
    assert_int_equal(tiny_language_open(&x, true, 1, FLAW_LEVEL_AUTO), FLAW_OK);
    flaw_language_train_step(&x.c, &x.t, &x.batch, TINY_SCALE);
    memcpy(kept, x.d_rows, sizeof kept);
    assert_ok(flaw_language_train_open(&frozen, x.m, limits, &x.c, &err));
    assert_ok(flaw_language_train_pack(&frozen, &x.c, &err));
    assert_null(frozen.grads);
    memset(x.d_rows, 0, sizeof x.d_rows);
    flaw_language_train_step(&x.c, &frozen, &x.batch, TINY_SCALE);
    assert_memory_equal(kept, x.d_rows, sizeof kept);
    flaw_language_train_close(&frozen);
    limits.tokens = 17;
    assert_int_equal(flaw_language_train_open(&frozen, x.m, limits, &x.c, &err), FLAW_USAGE);
    assert_contains(err.text, "17");
    tiny_language_close(&x);
}

/* Each text alone gives the loss and the gradients that all give together; what stands behind the end of one, nothing. */
static void test_texts_are_apart(void **state)
{
    tiny_language x;
    assert_int_equal(tiny_language_open(&x, true, 1, FLAW_LEVEL_AUTO), FLAW_OK);
    flaw_language_loss all = flaw_language_train_step(&x.c, &x.t, &x.batch, TINY_SCALE), sum = {0};
    size_t total = x.m->list.total;
    float *kept = malloc(total * sizeof *kept), rows[TINY_ROWS * 24];
    assert_non_null(kept);
    memcpy(kept, x.t.grads, total * sizeof *kept);
    memcpy(rows, x.d_rows, sizeof rows);
    memset(x.t.grads, 0, total * sizeof *kept);
    memset(x.d_rows, 0, sizeof x.d_rows);
    for (int t = 6; t < TINY_T; t++) x.ids[TINY_T + t] = 5 + t; /* padding */
    for (int i = 0; i < TINY_N; i++) {
        flaw_language_batch one = x.batch;
        one.n = 1;
        one.tokens = i == 1 ? 8 : TINY_T;
        one.ids += i * TINY_T;
        one.target += i * TINY_T;
        flaw_language_loss l = flaw_language_train_step(&x.c, &x.t, &one, TINY_SCALE);
        sum.sum += l.sum;
        sum.targets += l.targets;
        sum.right += l.right;
    }
    assert_true(fabs(sum.sum - all.sum) < 1e-5 && sum.targets == all.targets && sum.right == all.right);
    double gap = 0, size = 0;
    for (size_t i = 0; i < total; i++) {
        gap += pow((double)kept[i] - (double)x.t.grads[i], 2);
        size += pow((double)kept[i], 2);
    }
    for (int i = 0; i < TINY_ROWS * 24; i++) gap += pow((double)rows[i] - (double)x.d_rows[i], 2);
    assert_true(sqrt(gap / size) < 1e-6);
    free(kept);
    tiny_language_close(&x);
}

/* More targets than one chunk of logits holds, on one thread and on three: the same bits, and the loss of the parts. */
static void test_chunks_and_threads(void **state)
{
    enum { N = 40, T = 16 };
    float *grads[2];
    double loss[2], parts = 0;
    for (int k = 0; k < 2; k++) {
        tiny_language x;
        flaw_error err;
        flaw_language_train t;
        flaw_random r;
        int32_t ids[N * T], target[N * T];
        flaw_random_init(&r, 5, 0);
        assert_int_equal(tiny_language_open(&x, true, k ? 3 : 1, FLAW_LEVEL_AUTO), FLAW_OK);
        assert_ok(flaw_language_train_open(&t, x.m, (flaw_language_limits){.rows = N * T, .tokens = T}, &x.c, &err));
        for (int i = 0; i < N * T; i++) {
            ids[i] = flaw_random_below(&r, TINY_VOCAB);
            target[i] = i % T ? flaw_random_below(&r, TINY_VOCAB) : -1;
        }
        flaw_language_batch b = {.n = N, .tokens = T, .ids = ids, .target = target};
        loss[k] = flaw_language_train_step(&x.c, &t, &b, 1).sum;
        grads[k] = malloc(x.m->list.total * sizeof(float));
        assert_non_null(grads[k]);
        memcpy(grads[k], t.grads, x.m->list.total * sizeof(float));
        for (int i = 0; i < N && k; i++) {
            flaw_language_batch one = {.n = 1, .tokens = T, .ids = ids + i * T, .target = target + i * T};
            parts += flaw_language_train_evaluate(&x.c, &t, &one).sum;
        }
        if (k) assert_memory_equal(grads[0], grads[1], x.m->list.total * sizeof(float));
        flaw_language_train_close(&t);
        tiny_language_close(&x);
    }
    assert_true(loss[0] == loss[1] && fabs(parts / loss[0] - 1) < 1e-6);
    free(grads[0]);
    free(grads[1]);
}

/* A model kept in compact types, thawed, holds what the compact rows say. */
static void test_thaw(void **state)
{
    tiny_language x;
    flaw_error err;
    flaw_language *copy, reader;
    assert_int_equal(tiny_language_open(&x, false, 1, FLAW_LEVEL_REF), FLAW_OK);
    const flaw_block_shape *s = &x.m->shape.block;
    int kv = flaw_block_kv_width(s);
    flaw_matrix qkv[3] = {{FLAW_WEIGHT_F32, 24, 24, x.m->block[0].qkv.w},
                          {FLAW_WEIGHT_F32, kv, 24, x.m->block[0].qkv.w + 24 * 24},
                          {FLAW_WEIGHT_F32, kv, 24, x.m->block[0].qkv.w + 24 * (24 + kv)}};
    reader = *x.m;
    reader.view.token = NULL;
    x.m->block[0].qkv.part = qkv; /* as a file has them: three matrices below each other */
    x.m->block[0].qkv.parts = 3;
    x.m->block[0].qkv.w = NULL;
    assert_ok(flaw_language_thaw(&copy, x.m, &err));
    assert_memory_equal(copy->weights, x.m->weights, x.m->list.total * sizeof(float));
    flaw_language_train t;
    flaw_language_limits limits = {.rows = 16, .tokens = 16};
    assert_int_equal(flaw_language_train_open(&t, &reader, limits, &x.c, &err), FLAW_USAGE);
    assert_contains(err.text, "opened for reading");
    flaw_language_close(copy);
    tiny_language_close(&x);
}

static void test_adapters_begin_as_nothing(void **state)
{
    tiny_language x;
    flaw_error err;
    flaw_random r;
    flaw_lora l;
    flaw_random_init(&r, 3, 0);
    assert_int_equal(tiny_language_open(&x, false, 1, FLAW_LEVEL_AUTO), FLAW_OK);
    float *kept = malloc(x.m->list.total * sizeof *kept);
    assert_non_null(kept);
    memcpy(kept, x.m->weights, x.m->list.total * sizeof *kept);
    assert_int_equal(flaw_lora_open(&l, x.m, 0, 1, &r, &err), FLAW_USAGE);
    assert_int_equal(flaw_lora_open(&l, x.m, 25, 1, &r, &err), FLAW_USAGE);
    assert_contains(err.text, "25");
    assert_ok(flaw_lora_open(&l, x.m, 4, 1, &r, &err));
    assert_int_equal(l.list.total, 2 * 4 * (4 * 24 + 24 * 4 + 4 * 24 + 8 * 4 + 4 * 24 + 8 * 4 + 4 * 24 + 24 * 4) / 4);
    assert_string_equal(l.list.item[2].name, "layers.0.self_attn.k_proj.lora_A.weight");
    flaw_lora_apply(&x.c, &l);
    assert_memory_equal(x.m->weights, kept, x.m->list.total * sizeof *kept);
    flaw_lora_close(&l);
    free(kept);
    tiny_language_close(&x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_differences),
        cmocka_unit_test(test_frozen),
        cmocka_unit_test(test_texts_are_apart),
        cmocka_unit_test(test_chunks_and_threads),
        cmocka_unit_test(test_thaw),
        cmocka_unit_test(test_adapters_begin_as_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
