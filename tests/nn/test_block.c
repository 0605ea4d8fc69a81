/* The block as LLaMA has it (RMS norm, gated SiLU, rotary positions, grouped queries) against a plain reading of its
 * equations in double, and read piece by piece with a cache. */
#include <math.h>

#include "base/random.h"
#include "check.h"
#include "level_loop.h"
#include "nn/block.h"

typedef struct fixture {
    flaw_compute c;
    flaw_arena arena;
    flaw_random random;
    flaw_block b;
    int tokens;
} fixture;

static float *floats(fixture *f, size_t n, double size)
{
    float *p = flaw_arena_alloc(&f->arena, n + 16, sizeof *p);
    assert_non_null(p);
    for (size_t i = 0; size > 0 && i < n; i++) p[i] = (float)(size * flaw_random_normal(&f->random));
    return p;
}

/* A block of random weights for up to `tokens` tokens; the biases are there when the norms have them. */
static void open_block(fixture *f, const flaw_block_shape *s, int tokens, int threads, flaw_level level,
                       flaw_precision precision)
{
    flaw_error err;
    memset(f, 0, sizeof *f);
    assert_ok(flaw_compute_open(&f->c, threads, level, precision, &err));
    flaw_arena_init(&f->arena, 0);
    flaw_random_init(&f->random, 31, 0);
    f->tokens = tokens;
    f->b.shape = *s;
    size_t d = (size_t)s->width, q = (size_t)flaw_block_qkv_width(s), f1 = (size_t)flaw_block_fc1_width(s);
    size_t hidden = (size_t)s->hidden;
    flaw_block_weights *w = &f->b.weights;
    w->norm1_w = floats(f, d, 1);
    w->norm2_w = floats(f, d, 1);
    w->qkv_w = floats(f, q * d, 0.4);
    w->out_w = floats(f, d * d, 0.3);
    w->fc1_w = floats(f, f1 * d, 0.4);
    w->fc2_w = floats(f, d * hidden, 0.3);
    if (!s->rms) {
        w->norm1_b = floats(f, d, 1);
        w->norm2_b = floats(f, d, 1);
        w->qkv_b = floats(f, q, 1);
        w->out_b = floats(f, d, 1);
        w->fc1_b = floats(f, f1, 1);
        w->fc2_b = floats(f, d, 1);
    }
    float *turns = floats(f, flaw_rotary_floats(s, tokens), 0);
    if (s->rotary) flaw_rotary_fill(s, tokens, turns);
    f->b.turns = turns;
    assert_ok(flaw_block_pack(&f->b, &f->c, &f->arena, &err));
    assert_ok(flaw_compute_reserve(&f->c, flaw_block_scratch(&f->c, s, tokens), &err));
    assert_ok(flaw_compute_reserve(&f->c, flaw_block_cached_scratch(tokens), &err));
}

static void close_block(fixture *f)
{
    flaw_compute_close(&f->c);
    flaw_arena_release(&f->arena);
}

static void norm_double(const flaw_block_shape *s, const double *x, const float *w, const float *b, double *y)
{
    double mean = 0, square = 0;
    for (int i = 0; i < s->width; i++) mean += s->rms ? 0 : x[i] / s->width;
    for (int i = 0; i < s->width; i++) square += (x[i] - mean) * (x[i] - mean) / s->width;
    for (int i = 0; i < s->width; i++)
        y[i] = (x[i] - mean) / sqrt(square + (double)s->eps) * (double)w[i] + (s->rms ? 0 : (double)b[i]);
}

/* y[out] = W x + b + y */
static void linear_double(int in, int out, const float *w, const float *b, const double *x, double *y)
{
    for (int o = 0; o < out; o++) {
        if (b) y[o] += (double)b[o];
        for (int i = 0; i < in; i++) y[o] += (double)w[o * in + i] * x[i];
    }
}

static double act_double(flaw_activation act, double x)
{
    if (act == FLAW_ACT_SILU) return x / (1 + exp(-x));
    return 0.5 * x * erfc(-x * M_SQRT1_2);
}

/* Positions turned into the heads of x [heads, width] at position t. */
static void turn_double(const flaw_block_shape *s, int heads, int t, double *x)
{
    int width = s->width / s->heads;
    for (int h = 0; h < heads && s->rotary; h++) {
        for (int j = 0; j < width / 2; j++) {
            int a = h * width + (s->rotary == FLAW_ROTARY_HALVES ? j : 2 * j);
            int b = s->rotary == FLAW_ROTARY_HALVES ? a + width / 2 : a + 1;
            double angle = t / pow((double)s->rotary_base, 2.0 * j / width), u = x[a], v = x[b];
            x[a] = u * cos(angle) - v * sin(angle);
            x[b] = u * sin(angle) + v * cos(angle);
        }
    }
}

/* One query against its keys, into out [width]. `seen` rows of qkv [.., Q] from `rows` on. */
static void attend_double(const flaw_block_shape *s, int head, int seen, const double *q, const double *rows, double *out)
{
    int width = s->width / s->heads, kv = flaw_block_kv_width(s), row = flaw_block_qkv_width(s);
    int column = s->width + head / (s->heads / flaw_block_kv_heads(s)) * width;
    double *p = calloc((size_t)seen, sizeof *p), top = -INFINITY, sum = 0;
    for (int j = 0; j < seen; j++) {
        for (int i = 0; i < width; i++) p[j] += q[i] * rows[j * row + column + i] / sqrt(width);
        top = fmax(top, p[j]);
    }
    for (int j = 0; j < seen; j++) sum += exp(p[j] - top);
    for (int i = 0; i < width; i++) {
        out[i] = 0;
        for (int j = 0; j < seen; j++) out[i] += exp(p[j] - top) / sum * rows[j * row + column + kv + i];
    }
    free(p);
}

/* The whole block for one sequence, x [T, D] in place. */
static void block_double(const flaw_block *b, int tokens, double *x)
{
    const flaw_block_shape *s = &b->shape;
    const flaw_block_weights *w = &b->weights;
    int d = s->width, q = flaw_block_qkv_width(s), f1 = flaw_block_fc1_width(s);
    double *h = calloc((size_t)(d + f1), sizeof *h), *wide = h + d, *qkv = calloc((size_t)(tokens * q), sizeof *qkv);
    for (int t = 0; t < tokens; t++) {
        norm_double(s, x + t * d, w->norm1_w, w->norm1_b, h);
        linear_double(d, q, w->qkv_w, w->qkv_b, h, qkv + t * q);
        turn_double(s, s->heads + flaw_block_kv_heads(s), t, qkv + t * q);
    }
    for (int t = 0; t < tokens; t++) {
        for (int head = 0; head < s->heads; head++)
            attend_double(s, head, s->causal ? t + 1 : tokens, qkv + t * q + head * (d / s->heads), qkv,
                          h + head * (d / s->heads));
        linear_double(d, d, w->out_w, w->out_b, h, x + t * d);
        norm_double(s, x + t * d, w->norm2_w, w->norm2_b, h);
        memset(wide, 0, (size_t)f1 * sizeof *wide);
        linear_double(d, f1, w->fc1_w, w->fc1_b, h, wide);
        for (int i = 0; i < s->hidden; i++) wide[i] = act_double(s->act, wide[i]) * (s->gated ? wide[s->hidden + i] : 1);
        linear_double(s->hidden, d, w->fc2_w, w->fc2_b, wide, x + t * d);
    }
    free(h);
    free(qkv);
}

static const flaw_block_shape shapes[] = {
    {.width = 24, .heads = 3, .hidden = 40, .act = FLAW_ACT_GELU, .eps = 1e-5f, .causal = true},
    {.width = 24, .heads = 3, .hidden = 40, .act = FLAW_ACT_SILU, .eps = 1e-5f, .causal = true, .rms = true, .gated = true,
     .rotary = FLAW_ROTARY_HALVES, .rotary_base = 10000},
    {.width = 48, .heads = 6, .hidden = 70, .act = FLAW_ACT_SILU, .eps = 1e-6f, .causal = true, .kv_heads = 2, .rms = true,
     .gated = true, .rotary = FLAW_ROTARY_PAIRS, .rotary_base = 500},
    {.width = 48, .heads = 4, .hidden = 33, .act = FLAW_ACT_SILU, .eps = 1e-6f, .kv_heads = 1, .rms = true, .gated = true,
     .rotary = FLAW_ROTARY_HALVES, .rotary_base = 10000}, /* not causal */
    {.width = 32, .heads = 2, .hidden = 64, .act = FLAW_ACT_SILU, .eps = 1e-6f, .causal = true}, /* each field alone, too */
    {.width = 32, .heads = 4, .hidden = 64, .act = FLAW_ACT_GELU, .eps = 1e-6f, .kv_heads = 2, .causal = true},
};
#define SHAPES (sizeof shapes / sizeof *shapes)

static void test_equations(void **state)
{
    enum { N = 2, T = 21 };
    AT_EVERY_LEVEL(level) {
        for (size_t i = 0; i < SHAPES; i++) {
            fixture f;
            open_block(&f, &shapes[i], T, 2, (flaw_level)level, FLAW_F32);
            size_t d = (size_t)shapes[i].width, n = N * T * d;
            float *x = floats(&f, n, 1), *work = floats(&f, flaw_block_workspace(&shapes[i], N, T), 0);
            double *want = calloc(n, sizeof *want);
            for (size_t k = 0; k < n; k++) want[k] = (double)x[k];
            for (int s = 0; s < N; s++) block_double(&f.b, T, want + (size_t)s * T * d);
            flaw_block_forward(&f.c, &f.b, N, T, x, work);
            double worst = 0, size = 0;
            for (size_t k = 0; k < n; k++) {
                worst = fmax(worst, fabs((double)x[k] - want[k]));
                size = fmax(size, fabs(want[k]));
            }
            if (!(worst <= 3e-6 * size)) fail_msg("level %d, shape %zu: off by %g of %g", level, i, worst, size);
            free(want);
            close_block(&f);
        }
    }
}

/* A token's result does not depend on how the text was cut into calls; nor on the threads. */
static void test_cached(void **state)
{
    enum { T = 45 };
    static const int cuts[][6] = {{T}, {1, 1, 1, 1, 41}, {20, 25}, {44, 1}, {8, 9, 7, 21}, {3, 42}};
    for (size_t i = 0; i < SHAPES; i++) {
        const flaw_block_shape *s = &shapes[i];
        if (!s->causal) continue;
        fixture f;
        open_block(&f, s, T, 3, FLAW_LEVEL_AUTO, FLAW_F32);
        size_t d = (size_t)s->width, kv = (size_t)flaw_block_kv_width(s);
        float *x = floats(&f, T * d, 1), *whole = floats(&f, T * d, 0), *y = floats(&f, T * d, 0);
        float *work = floats(&f, flaw_block_workspace(s, 1, T), 0);
        memcpy(whole, x, T * d * sizeof *x);
        flaw_block_forward(&f.c, &f.b, 1, T, whole, work);
        float *first = floats(&f, T * d, 0);
        double size = 0;
        for (size_t k = 0; k < T * d; k++) size = fmax(size, fabs((double)whole[k]));
        for (size_t cut = 0; cut < sizeof cuts / sizeof *cuts; cut++) {
            flaw_block_cache cache = {.k = floats(&f, T * kv, 0), .v = floats(&f, T * kv, 0), .room = T};
            memcpy(y, x, T * d * sizeof *x);
            for (int part = 0; cache.used < T; part++)
                flaw_block_forward_cached(&f.c, &f.b, cuts[cut][part], y + (size_t)cache.used * d, &cache, work);
            assert_int_equal(cache.used, T);
            for (size_t k = 0; k < T * d; k++)
                if (!(fabs((double)y[k] - (double)whole[k]) <= 1e-6 * size))
                    fail_msg("shape %zu, cut %zu, token %zu: %g, uncached %g", i, cut, k / d, (double)y[k], (double)whole[k]);
            if (cut == 0) memcpy(first, y, T * d * sizeof *y);
            assert_memory_equal(y, first, T * d * sizeof *y);
        }
        close_block(&f);
    }
}

/* Pictures' towers: the same bits for any number of threads and sequences at a time, and so whether heads are pieces of the
 * pool together with their queries, keys and values or not. */
static void test_same_bits(void **state)
{
    enum { T = 37, D = 256, N = 3 };
    static const flaw_block_shape s = {.width = D, .heads = 4, .hidden = 300, .act = FLAW_ACT_GELU, .eps = 1e-6f};
    AT_EVERY_LEVEL(level)
    {
        for (int precision = 0; precision < FLAW_PRECISIONS; precision++) {
            float first[N * T * D];
            for (int threads = 1; threads <= 4; threads++) {
                fixture f;
                open_block(&f, &s, T, threads, level, (flaw_precision)precision);
                f.b.out.twice = true;
                float *x = floats(&f, N * T * D, 1), *work = floats(&f, flaw_block_workspace(&s, N, T), 0);
                int at_once = threads % 2 ? 1 : N;
                for (int i = 0; i < N; i += at_once) flaw_block_forward(&f.c, &f.b, at_once, T, x + i * T * D, work);
                if (threads == 1) memcpy(first, x, sizeof first);
                assert_memory_equal(x, first, sizeof first);
                close_block(&f);
            }
        }
    }
}

/* So many rows of so wide a hidden layer that they meet the weights in groups and halves. */
static void test_same_bits_of_groups(void **state)
{
    enum { T = 130, D = 64, N = 3 };
    static const flaw_block_shape s = {.width = D, .heads = 1, .hidden = 4096, .act = FLAW_ACT_QUICK_GELU, .eps = 1e-6f};
    static float first[N * T * D];
    for (int precision = 0; precision < FLAW_PRECISIONS; precision++) {
        for (int threads = 1; threads <= 3; threads++) {
            fixture f;
            open_block(&f, &s, T, threads, flaw_kernels_best(), (flaw_precision)precision);
            float *x = floats(&f, N * T * D, 1), *work = floats(&f, flaw_block_workspace(&s, N, T), 0);
            int at_once = threads == 1 ? 1 : N;
            for (int i = 0; i < N; i += at_once) flaw_block_forward(&f.c, &f.b, at_once, T, x + i * T * D, work);
            if (threads == 1) memcpy(first, x, sizeof first);
            assert_memory_equal(x, first, sizeof first);
            close_block(&f);
        }
    }
}

static void test_rotary_table(void **state)
{
    flaw_block_shape s = {.width = 8, .heads = 2, .rotary = FLAW_ROTARY_PAIRS, .rotary_base = 10000};
    float table[3 * 4];
    assert_int_equal(flaw_rotary_floats(&s, 3), 12);
    flaw_rotary_fill(&s, 3, table);
    const double want[12] = {1, 1, 0, 0, cos(1), cos(0.01), sin(1), sin(0.01), cos(2), cos(0.02), sin(2), sin(0.02)};
    for (int i = 0; i < 12; i++) assert_true(table[i] == (float)want[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_equations),
        cmocka_unit_test(test_cached),
        cmocka_unit_test(test_same_bits),
        cmocka_unit_test(test_same_bits_of_groups),
        cmocka_unit_test(test_rotary_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
