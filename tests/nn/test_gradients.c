/* Every layer's backward pass against central differences of its forward pass, float32 reference kernels.
 * The loss is sum(r * y) with fixed random r, summed in double; a gradient passes when it is within 1e-3 of the largest
 * component of its array. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/random.h"
#include "nn/block_train.h"
#include "nn/loss.h"
#include "nn/norm.h"

#define BOUND 1e-3
#define STEP 4e-3f

typedef struct fixture {
    flaw_compute c;
    flaw_arena arena;
    flaw_random random;
} fixture;

static void fixture_open(fixture *f, int threads, flaw_level level, flaw_precision precision)
{
    flaw_error err;
    assert_int_equal(flaw_compute_open(&f->c, threads, level, precision, &err), FLAW_OK);
    flaw_arena_init(&f->arena, 0);
    flaw_random_init(&f->random, 7, 0);
}

static void fixture_close(fixture *f)
{
    flaw_compute_close(&f->c);
    flaw_arena_release(&f->arena);
}

static float *floats(fixture *f, size_t n, double size)
{
    float *p = flaw_arena_alloc(&f->arena, n + 16, sizeof *p);
    assert_non_null(p);
    for (size_t i = 0; size > 0 && i < n; i++) p[i] = (float)(size * flaw_random_normal(&f->random));
    return p;
}

static double weigh(size_t n, const float *r, const float *y)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += (double)r[i] * y[i];
    return sum;
}

/* Compare up to `probes` components of `grad` with central differences of loss(context) by `x`. */
typedef double (*loss_of)(void *context);

static void check(const char *what, loss_of loss, void *context, float *x, const float *grad, size_t n, int probes)
{
    double largest = 0, worst = 0;
    for (size_t i = 0; i < n; i++) largest = fmax(largest, fabs((double)grad[i]));
    assert_true(largest > 0);
    for (int k = 0; k < probes; k++) {
        size_t i = n <= (size_t)probes ? (size_t)k % n : (size_t)k * (n - 1) / (size_t)(probes - 1);
        float kept = x[i];
        x[i] = kept + STEP;
        double up = loss(context);
        x[i] = kept - STEP;
        double down = loss(context), width = (double)(kept + STEP) - (double)(kept - STEP);
        x[i] = kept;
        worst = fmax(worst, fabs((up - down) / width - (double)grad[i]));
    }
    if (worst > BOUND * largest) print_message("%s: off by %g, largest component %g\n", what, worst, largest);
    assert_true(worst <= BOUND * largest);
}

typedef struct linear_case {
    fixture *f;
    flaw_linear l;
    float *w, *b, *x, *y, *r;
    int rows;
} linear_case;

static double linear_loss(void *context)
{
    linear_case *t = context;
    flaw_error err;
    assert_int_equal(flaw_linear_pack(&t->l, &t->f->c, &t->f->arena, &err), FLAW_OK);
    flaw_linear_forward(&t->f->c, &t->l, t->rows, t->x, t->l.in, t->y, FLAW_ACT_NONE, NULL, NULL);
    return weigh((size_t)t->rows * (size_t)t->l.out, t->r, t->y);
}

static void test_linear(void **state)
{
    (void)state;
    fixture f;
    flaw_error err;
    fixture_open(&f, 1, FLAW_LEVEL_REF, FLAW_F32);
    int in = 21, out = 130, rows = FLAW_GRADIENT_CHUNK + 37; /* two chunks, two tiles, odd edges */
    linear_case t = {.f = &f, .rows = rows, .w = floats(&f, (size_t)(in * out), 0.2), .b = floats(&f, (size_t)out, 1)};
    t.x = floats(&f, (size_t)(rows * in), 1);
    t.y = floats(&f, (size_t)(rows * out), 0);
    t.r = floats(&f, (size_t)(rows * out), 1);
    t.l = (flaw_linear){.in = in, .out = out, .w = t.w, .b = t.b};
    linear_loss(&t);
    float *dw = floats(&f, (size_t)(in * out), 0), *db = floats(&f, (size_t)out, 0);
    float *dx = floats(&f, (size_t)(rows * in), 0);
    assert_int_equal(flaw_linear_pack_backward(&t.l, &f.c, &f.arena, &err), FLAW_OK);
    assert_int_equal(flaw_compute_reserve(&f.c, flaw_gradient_scratch(&f.c), &err), FLAW_OK);
    flaw_gradient_job job = {.rows = rows, .in = in, .out = out, .x = t.x, .x_row = in, .dy = t.r, .dy_row = out,
                             .dw = dw, .db = db};
    void *work = flaw_arena_alloc(&f.arena, flaw_gradient_workspace(&f.c, &job, 1), 1);
    flaw_gradient_run(&f.c, &job, 1, work);
    flaw_linear_backward(&f.c, &t.l, rows, t.r, out, dx, false);
    check("linear dw", linear_loss, &t, t.w, dw, (size_t)(in * out), 40);
    check("linear db", linear_loss, &t, t.b, db, (size_t)out, 20);
    check("linear dx", linear_loss, &t, t.x, dx, (size_t)(rows * in), 40);
    fixture_close(&f);
}

typedef struct norm_case {
    fixture *f;
    int rows, d;
    float *x, *w, *b, *y, *r, *mean, *rstd;
} norm_case;

static double norm_loss(void *context)
{
    norm_case *t = context;
    flaw_norm_forward(&t->f->c, t->rows, t->d, 1e-5f, t->x, t->d, t->w, t->b, t->y, t->mean, t->rstd);
    return weigh((size_t)t->rows * (size_t)t->d, t->r, t->y);
}

static void test_norm(void **state)
{
    (void)state;
    fixture f;
    fixture_open(&f, 1, FLAW_LEVEL_REF, FLAW_F32);
    int rows = FLAW_TILE_ROWS * 2 + 5, d = 19;
    size_t n = (size_t)(rows * d);
    norm_case t = {.f = &f, .rows = rows, .d = d, .x = floats(&f, n, 2), .w = floats(&f, (size_t)d, 1)};
    t.b = floats(&f, (size_t)d, 1);
    t.y = floats(&f, n, 0);
    t.r = floats(&f, n, 1);
    t.mean = floats(&f, (size_t)rows, 0);
    t.rstd = floats(&f, (size_t)rows, 0);
    norm_loss(&t);
    float *dx = floats(&f, n, 0), *dw = floats(&f, (size_t)d, 0), *db = floats(&f, (size_t)d, 0);
    flaw_norm_backward(&f.c, rows, d, t.x, t.w, t.mean, t.rstd, t.r, dx, dw, db,
                       floats(&f, flaw_norm_workspace(rows, d), 0));
    check("norm dx", norm_loss, &t, t.x, dx, n, 60);
    check("norm dw", norm_loss, &t, t.w, dw, (size_t)d, d);
    check("norm db", norm_loss, &t, t.b, db, (size_t)d, d);
    fixture_close(&f);
}

typedef struct block_case {
    fixture *f;
    flaw_block b;
    flaw_block_saved s;
    int n, tokens;
    float *weights, *grads, *x, *dx, *r;
    size_t count;
    void *work;
} block_case;

/* All parameters of a block in one array, in the order of the struct; RMS norms and what goes with them have no bias. */
#define FIELDS 12
static void field_sizes(const flaw_block_shape *s, int size[FIELDS])
{
    int d = s->width, b = !s->rms, q = flaw_block_qkv_width(s), f = flaw_block_fc1_width(s);
    const int sizes[FIELDS] = {d, b * d, q * d, b * q, d * d, b * d, d, b * d, f * d, b * f, d * s->hidden, b * d};
    memcpy(size, sizes, sizeof sizes);
}

static size_t lay_out(flaw_block_weights *w, float *base, const flaw_block_shape *s)
{
    float **field[] = {&w->norm1_w, &w->norm1_b, &w->qkv_w, &w->qkv_b, &w->out_w, &w->out_b,
                       &w->norm2_w, &w->norm2_b, &w->fc1_w, &w->fc1_b, &w->fc2_w, &w->fc2_b};
    int size[FIELDS];
    field_sizes(s, size);
    size_t at = 0;
    for (int i = 0; i < FIELDS; i++) {
        *field[i] = size[i] ? base + at : NULL;
        at += (size_t)size[i];
    }
    return at;
}

static double block_loss(void *context)
{
    block_case *t = context;
    flaw_error err;
    assert_int_equal(flaw_block_pack(&t->b, &t->f->c, &t->f->arena, &err), FLAW_OK);
    flaw_block_train_forward(&t->f->c, &t->b, t->n, t->tokens, &t->s);
    return weigh((size_t)(t->n * t->tokens * t->b.shape.width), t->r, t->s.y);
}

static void block_open(block_case *t, fixture *f, flaw_block_shape shape, int n, int tokens)
{
    flaw_block_weights unused;
    size_t rows = (size_t)(n * tokens), d = (size_t)shape.width;
    memset(t, 0, sizeof *t);
    t->f = f;
    t->n = n;
    t->tokens = tokens;
    t->b.shape = shape;
    t->count = lay_out(&unused, (float[1]){0}, &shape);
    t->weights = floats(f, t->count, 0.3);
    t->grads = floats(f, t->count, 0);
    lay_out(&t->b.weights, t->weights, &shape);
    float *turns = floats(f, flaw_rotary_floats(&shape, tokens), 0);
    if (shape.rotary) flaw_rotary_fill(&shape, tokens, turns);
    t->b.turns = turns;
    t->x = floats(f, rows * d, 1);
    t->dx = floats(f, rows * d, 0);
    t->r = floats(f, rows * d, 0.3);
    flaw_block_saved_place(&t->s, &shape, n, tokens, floats(f, flaw_block_saved_floats(&shape, n, tokens), 0));
    t->s.x = t->x;
    t->work = flaw_arena_alloc(&f->arena, flaw_block_backward_bytes(&f->c, &shape, n, tokens), 1);
    assert_non_null(t->work);
    assert_int_equal(flaw_compute_reserve(&f->c, flaw_block_train_scratch(&f->c, &shape, tokens), NULL), FLAW_OK);
}

static void block_backward(block_case *t)
{
    flaw_block_weights g;
    lay_out(&g, t->grads, &t->b.shape);
    assert_int_equal(flaw_block_pack_backward(&t->b, &t->f->c, &t->f->arena, NULL), FLAW_OK);
    flaw_block_backward(&t->f->c, &t->b, &t->s, t->n, t->tokens, t->r, t->dx, &g, t->work);
}

static void check_block(flaw_block_shape shape, int n, int tokens)
{
    fixture f;
    fixture_open(&f, 1, FLAW_LEVEL_REF, FLAW_F32);
    block_case t;
    block_open(&t, &f, shape, n, tokens);
    block_loss(&t);
    block_backward(&t);
    static const char *const name[FIELDS] = {"norm1_w", "norm1_b", "qkv_w", "qkv_b", "out_w", "out_b",
                                             "norm2_w", "norm2_b", "fc1_w", "fc1_b", "fc2_w", "fc2_b"};
    int size[FIELDS];
    size_t at = 0;
    field_sizes(&shape, size);
    for (int i = 0; i < FIELDS; at += (size_t)size[i++])
        if (size[i]) check(name[i], block_loss, &t, t.weights + at, t.grads + at, (size_t)size[i], 24);
    check("x", block_loss, &t, t.x, t.dx, (size_t)(n * tokens * shape.width), 24);
    fixture_close(&f);
}

static void test_block(void **state)
{
    (void)state;
    check_block((flaw_block_shape){.width = 12, .heads = 3, .hidden = 20, .act = FLAW_ACT_GELU, .eps = 1e-5f}, 13, 9);
    check_block((flaw_block_shape){.width = 8, .heads = 2, .hidden = 16, .act = FLAW_ACT_QUICK_GELU, .eps = 1e-5f,
                                   .causal = true}, 3, 7);
}

#define LLAMA .act = FLAW_ACT_SILU, .eps = 1e-5f, .causal = true, .rms = true, .gated = true, .rotary_base = 100

static void test_llama_block(void **state)
{
    (void)state;
    check_block((flaw_block_shape){.width = 12, .heads = 3, .hidden = 20, LLAMA, .rotary = FLAW_ROTARY_HALVES}, 13, 9);
    check_block((flaw_block_shape){.width = 16, .heads = 4, .hidden = 11, LLAMA, .rotary = FLAW_ROTARY_PAIRS, .kv_heads = 2},
                3, 7);
    check_block((flaw_block_shape){.width = 24, .heads = 6, .hidden = 16, LLAMA, .kv_heads = 1}, 2, 70);
}

/* The inference pass is the training pass without the keeping: equal bits. */
static void test_block_forwards_agree(void **state)
{
    (void)state;
    fixture f;
    const flaw_block_shape shapes[] = {
        {.width = 24, .heads = 3, .hidden = 40, .act = FLAW_ACT_GELU, .eps = 1e-6f},
        {.width = 24, .heads = 6, .hidden = 41, LLAMA, .rotary = FLAW_ROTARY_HALVES, .kv_heads = 2},
    };
    for (int i = 0; i < 2; i++) {
        const flaw_block_shape *shape = &shapes[i];
        fixture_open(&f, 2, FLAW_LEVEL_AUTO, FLAW_F32);
        block_case t;
        block_open(&t, &f, *shape, 5, 41);
        block_loss(&t);
        flaw_block_forward(&f.c, &t.b, 5, 41, t.x, floats(&f, flaw_block_workspace(shape, 5, 41), 0));
        assert_memory_equal(t.x, t.s.y, 5 * 41 * 24 * sizeof(float));
        fixture_close(&f);
    }
}

static const flaw_block_shape vision = {.width = 96, .heads = 3, .hidden = 384, .act = FLAW_ACT_GELU, .eps = 1e-6f};
static const flaw_block_shape language = {.width = 96, .heads = 6, .hidden = 200, LLAMA, .rotary = FLAW_ROTARY_HALVES,
                                          .kv_heads = 2};

static void run_threads(const flaw_block_shape *shape, int threads, flaw_precision precision, flaw_level level,
                        block_case *t, fixture *f)
{
    fixture_open(f, threads, level, precision);
    block_open(t, f, *shape, 12, 101);
    block_loss(t);
    block_backward(t);
}

static void test_threads_and_precisions(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) {
        fixture f1, f3;
        block_case one, three;
        const flaw_block_shape *shape = i % 2 ? &language : &vision;
        flaw_precision precision = i / 2 ? FLAW_BF16 : FLAW_F32;
        run_threads(shape, 1, precision, FLAW_LEVEL_AUTO, &one, &f1);
        run_threads(shape, 3, precision, FLAW_LEVEL_AUTO, &three, &f3);
        assert_memory_equal(one.grads, three.grads, one.count * sizeof(float));
        assert_memory_equal(one.dx, three.dx, 12 * 101 * 96 * sizeof(float));
        fixture_close(&f1);
        fixture_close(&f3);
    }
}

/* bf16 products keep 8 bits of each factor: the whole gradient stays within 2 % of the float32 one (relative norm). */
static void check_bf16(const flaw_block_shape *shape)
{
    fixture exact, rounded;
    block_case a, b;
    run_threads(shape, 1, FLAW_F32, FLAW_LEVEL_REF, &a, &exact);
    run_threads(shape, 1, FLAW_BF16, FLAW_LEVEL_AUTO, &b, &rounded);
    double gap = 0, size = 0;
    for (size_t i = 0; i < a.count; i++) {
        gap += pow((double)a.grads[i] - b.grads[i], 2);
        size += pow(a.grads[i], 2);
    }
    print_message("bf16 gradient: relative distance %.4f\n", sqrt(gap / size));
    assert_true(sqrt(gap / size) < 0.02);
    fixture_close(&exact);
    fixture_close(&rounded);
}

static void test_bf16_bound(void **state)
{
    (void)state;
    check_bf16(&vision);
    check_bf16(&language);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_linear),
        cmocka_unit_test(test_norm),
        cmocka_unit_test(test_block),
        cmocka_unit_test(test_llama_block),
        cmocka_unit_test(test_block_forwards_agree),
        cmocka_unit_test(test_threads_and_precisions),
        cmocka_unit_test(test_bf16_bound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
