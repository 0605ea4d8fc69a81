/* Short sequences through a few blocks at once give the bits that each gives alone, whatever they share. */
#include "base/random.h"
#include "check.h"
#include "nn/block_short.h"

enum { MOST_LAYERS = 3 };

typedef struct fixture {
    flaw_compute c;
    flaw_arena arena;
    flaw_random random;
    flaw_block block[MOST_LAYERS];
    flaw_short s;
    uint64_t seed; /* of the rows */
} fixture;

static float *floats(fixture *f, size_t n, double size)
{
    float *p = flaw_arena_alloc(&f->arena, n + 16, sizeof *p);
    assert_non_null(p);
    for (size_t i = 0; i < n; i++) p[i] = (float)(size * flaw_random_normal(&f->random));
    return p;
}

static void make_block(fixture *f, flaw_block *b, const flaw_block_shape *s)
{
    flaw_error err;
    size_t d = (size_t)s->width, f1 = (size_t)flaw_block_fc1_width(s), hidden = (size_t)s->hidden;
    b->shape = *s;
    b->weights = (flaw_block_weights){
        .norm1_w = floats(f, d, 1), .norm1_b = floats(f, d, 1), .norm2_w = floats(f, d, 1), .norm2_b = floats(f, d, 1),
        .qkv_w = floats(f, 3 * d * d, 0.2), .qkv_b = floats(f, 3 * d, 1), .out_w = floats(f, d * d, 0.1),
        .out_b = floats(f, d, 1), .fc1_w = floats(f, f1 * d, 0.2), .fc1_b = floats(f, f1, 1),
        .fc2_w = floats(f, d * hidden, 0.1), .fc2_b = floats(f, d, 1)};
    assert_ok(flaw_block_pack(b, &f->c, &f->arena, &err));
}

/* Any row of the table, but always the same one. */
static int row_of(const void *context, int kind, int sequence, int token)
{
    const fixture *f = context;
    uint64_t h = f->seed + (uint64_t)(kind * 7919 + sequence * 104729 + token * 1299709);
    return (int)((h * 0x9e3779b97f4a7c15u >> 33) % (uint64_t)f->s.table);
}

/* Each sequence by flaw_block_forward, alone. */
static void check_alone(fixture *f, int layers, const float *table, const float *got)
{
    size_t d = (size_t)f->block[0].shape.width;
    for (int k = 0; k < f->s.kinds; k++) {
        int tokens = f->s.kind[k].tokens;
        float *x = floats(f, (size_t)tokens * d, 1);
        float *work = floats(f, flaw_block_workspace(&f->block[0].shape, 1, tokens), 1);
        for (int i = 0; i < f->s.kind[k].n; i++, got += d) {
            for (int t = 0; t < tokens; t++)
                memcpy(x + (size_t)t * d, table + (size_t)row_of(f, k, i, t) * d, d * sizeof *x);
            for (int l = 0; l < layers; l++) flaw_block_forward(&f->c, &f->block[l], 1, tokens, x, work);
            if (memcmp(x, got, d * sizeof *x))
                fail_msg("level %s precision %d, %d threads, %d layers: sequence %d of %d tokens has other bits than alone",
                         f->c.kernels->name, f->c.precision, f->c.workers, layers, i, tokens);
        }
    }
}

static void check_shape(flaw_level level, flaw_precision precision, int threads, uint64_t seed)
{
    static const int widths[][2] = {{48, 3}, {64, 2}, {80, 5}, {64, 1}};
    flaw_error err;
    fixture f = {.seed = seed};
    assert_ok(flaw_compute_open(&f.c, threads, level, precision, &err));
    flaw_arena_init(&f.arena, 0);
    flaw_random_init(&f.random, seed, 0);
    const int *w = widths[flaw_random_below(&f.random, 4)], layers = 1 + flaw_random_below(&f.random, MOST_LAYERS);
    flaw_block_shape s = {.width = w[0], .heads = w[1], .hidden = 4 * w[0], .eps = 1e-5f,
                          .act = flaw_random_below(&f.random, 2) ? FLAW_ACT_GELU : FLAW_ACT_QUICK_GELU,
                          .gated = flaw_random_below(&f.random, 4) == 0};
    for (int l = 0; l < layers; l++) make_block(&f, &f.block[l], &s);
    f.s = (flaw_short){.kinds = 1 + flaw_random_below(&f.random, FLAW_SHORT_KINDS), .row_of = row_of, .context = &f,
                       .table = 1 + flaw_random_below(&f.random, 250)};
    for (int k = 0; k < f.s.kinds; k++) {
        f.s.kind[k].n = 1 + flaw_random_below(&f.random, 40);
        f.s.kind[k].tokens = 1 + flaw_random_below(&f.random, seed % 8 ? 20 : 120);
        assert_ok(flaw_compute_reserve(&f.c, flaw_block_scratch(&f.c, &s, f.s.kind[k].tokens), &err));
    }
    size_t d = (size_t)s.width;
    float *table = floats(&f, (size_t)f.s.table * d, 1), *out = floats(&f, (size_t)flaw_short_sequences(&f.s) * d, 1);
    float *work = floats(&f, flaw_short_workspace(&f.c, &s, &f.s), 1);
    flaw_short_forward(&f.c, f.block, layers, &f.s, table, out, work);
    check_alone(&f, layers, table, out);
    flaw_compute_close(&f.c);
    flaw_arena_release(&f.arena);
}

static void test_bits(void **state)
{
    static const flaw_precision precisions[] = {FLAW_F32, FLAW_BF16, FLAW_INT8};
    for (int level = FLAW_LEVEL_REF; level <= FLAW_LEVEL_AMX; level++) {
        if (!flaw_kernels_exact((flaw_level)level)) continue;
        for (uint64_t seed = 1; seed <= (level == FLAW_LEVEL_REF ? 3 : 18); seed++)
            check_shape((flaw_level)level, precisions[seed % 3], 1 + (int)(seed / 3 % 3), seed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_bits)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
