/* Speed of the kernels on one thread, as a share of what the machine does in registers in the same run.
 *   bench_kernels [LEVEL...]     names as for flaw --level; without, all but ref
 * Each figure is the best of several rounds: other work on the machine only ever makes a round slower. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/random.h"
#include "kernel/kernel.h"
#include "limit.h"

enum { ROUNDS = 9, LEVELS = FLAW_LEVEL_AUTO };

/* Of this thread: what other programs on the machine take does not count. */
static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Everything a piece of work may need; one large set of buffers for all of them. */
typedef struct bench {
    const flaw_kernels *k;
    flaw_precision prec;
    flaw_product p;
    flaw_attention_grad g;
    flaw_activation act;
    int rows, d;
    bool b_transposed;
    float *x, *y, *z, *u, *v;
    void *packed, *scratch;
} bench;

static const char *const precision_names[FLAW_PRECISIONS] = {"f32", "bf16", "int8"};

enum { BUFFER = 48 << 20 }; /* bytes of each */

typedef void (*work)(bench *b);

/* Seconds of one call: the best round. */
static double time_of(work run, bench *b)
{
    run(b);
    double start = seconds(), best;
    run(b);
    best = seconds() - start;
    int calls = best > 5e-3 ? 1 : (int)(5e-3 / (best > 1e-8 ? best : 1e-8)) + 1;
    for (int r = 0; r < ROUNDS; r++) {
        start = seconds();
        for (int i = 0; i < calls; i++) run(b);
        double each = (seconds() - start) / calls;
        best = each < best ? each : best;
    }
    return best;
}

static void run_product(bench *b)
{
    b->k->product(b->prec, &b->p, 0, b->p.m, 0, b->p.n, b->scratch);
}

static void run_pack(bench *b)
{
    int k = b->p.k, n = b->p.n;
    b->k->pack(b->prec, k, n, b->y, b->b_transposed ? 1 : n, b->b_transposed ? k : 1, b->packed);
}

static void run_attention(bench *b)
{
    b->k->attention(&b->g.forward, b->scratch);
}

static void run_attention_backward(bench *b)
{
    b->k->attention_backward(&b->g, b->scratch);
}

static void run_norm(bench *b)
{
    b->k->layer_norm(b->rows, b->d, 1e-6f, b->x, b->u, b->v, b->y, NULL, NULL);
}

static void run_norm_backward(bench *b)
{
    float *stats = b->scratch;
    b->k->layer_norm_backward(b->rows, b->d, b->x, b->u, stats, stats + b->rows, b->y, b->z, b->v, b->v + b->d);
}

static void run_activate(bench *b)
{
    b->k->activate(b->act, (size_t)b->rows * (size_t)b->d, b->x, b->y);
}

static void run_activate_backward(bench *b)
{
    b->k->activate_backward(b->act, (size_t)b->rows * (size_t)b->d, b->x, b->y, b->z);
}

static void run_softmax(bench *b)
{
    b->k->softmax(b->rows, b->d, b->z);
}

static void run_column_sum(bench *b)
{
    b->k->column_sum(b->rows, b->d, b->x, b->d, b->v);
}

static void run_adamw(bench *b)
{
    flaw_adamw o = {.rate = 1e-4f,
                    .beta1 = 0.9f,
                    .beta2 = 0.999f,
                    .eps = 1e-8f,
                    .correct1 = 1.0f,
                    .correct2 = 1.0f,
                    .grad_scale = 1.0f};
    b->k->adamw(&o, (size_t)b->rows * (size_t)b->d, b->x, b->y, b->z, b->u);
}

static void run_dot(bench *b)
{
    volatile float keep = b->k->dot((size_t)b->rows * (size_t)b->d, b->x, b->y);
    (void)keep;
}

/* GFLOP/s in registers for the instructions that a table's products use; 0 where not known. */
static double limit_of(const flaw_kernels *k, flaw_precision prec)
{
    limit_loop *loop = limit_loop_for(k->name, precision_names[prec]);
    double best = 0.0;
    for (int r = 0; r < 40 && loop; r++) {
        double start = seconds(), done = loop(), rate = done / (seconds() - start);
        best = rate > best ? rate : best;
    }
    return best * 1e-9;
}

static void print_rate(const char *what, double work_done, double time, double limit)
{
    double rate = work_done / time * 1e-9;
    printf("  %-46s %9.1f us %8.0f GFLOP/s", what, time * 1e6, rate);
    if (limit > 0.0) printf("  %3.0f %%", 100.0 * rate / limit);
    printf("\n");
}

static void print_time(const char *what, double time, size_t elements)
{
    printf("  %-46s %9.1f us %8.2f ns an element\n", what, time * 1e6, time * 1e9 / (double)elements);
}

typedef struct shape {
    int m, n, k;
    const char *what;
} shape;

/* A forward product: C = act(A B + bias); or, transposed, the gradient C += A^T B. */
static void bench_product(bench *b, const shape *s, bool gradient, flaw_activation act, double limit)
{
    char what[64];
    b->p = (flaw_product){.m = s->m,
                          .n = s->n,
                          .k = s->k,
                          .a = b->x,
                          .a_row = gradient ? 1 : s->k,
                          .a_col = gradient ? s->m : 1,
                          .b = b->packed,
                          .c = b->z,
                          .c_row = s->n,
                          .accumulate = gradient,
                          .bias = b->v,
                          .act = act};
    b->b_transposed = !gradient;
    run_pack(b);
    snprintf(what, sizeof what, "%s %d x %d x %d%s", s->what, s->m, s->n, s->k, act ? " gelu" : "");
    print_rate(what, 2.0 * s->m * s->n * s->k, time_of(run_product, b), limit);
}

static void bench_products(bench *b)
{
    static const shape forward[] = {{96, 576, 192, "qkv"},      {96, 192, 192, "out"},      {96, 768, 192, "fc1"},
                                    {96, 192, 768, "fc2"},      {197, 768, 192, "fc1"},     {6304, 768, 192, "fc1"},
                                    {6304, 192, 768, "fc2"},    {226, 3072, 768, "B fc1"},  {226, 768, 3072, "B fc2"},
                                    {577, 4096, 1024, "L fc1"}, {577, 1024, 4096, "L fc2"}, {1, 1024, 1024, "row"}};
    static const shape gradient[] = {
        {96, 192, 1024, "d"}, {576, 192, 1024, "d"}, {768, 192, 6304, "d"}, {192, 768, 6304, "d"}};
    for (int prec = 0; prec < FLAW_PRECISIONS; prec++) {
        b->prec = (flaw_precision)prec;
        double limit = limit_of(b->k, b->prec);
        printf(" products %s; limit in registers %.0f GFLOP/s\n", precision_names[prec], limit);
        for (size_t i = 0; i < sizeof forward / sizeof forward[0]; i++)
            bench_product(b, &forward[i], false, FLAW_ACT_NONE, limit);
        bench_product(b, &forward[2], false, FLAW_ACT_GELU, limit);
        for (size_t i = 0; prec != FLAW_INT8 && i < sizeof gradient / sizeof gradient[0]; i++)
            bench_product(b, &gradient[i], true, FLAW_ACT_NONE, limit);
        for (int transposed = 0; transposed < 2; transposed++) {
            b->p.k = transposed ? 192 : 1024;
            b->p.n = transposed ? 768 : 192;
            b->b_transposed = transposed;
            print_time(transposed ? "pack 192 x 768 transposed" : "pack 1024 x 192", time_of(run_pack, b),
                       (size_t)(b->p.k * b->p.n));
        }
    }
}

static void bench_attention(bench *b, int tokens, int width)
{
    char what[64];
    double each = 2.0 * tokens * (double)tokens * width; /* of one product */
    for (int prec = 0; prec < 2; prec++) {
        flaw_attention a = {.tokens = tokens,
                            .width = width,
                            .scale = 0.125f,
                            .q = b->x,
                            .k = b->x + width,
                            .v = b->x + 2 * width,
                            .row = 9 * width,
                            .out = b->y,
                            .out_row = 3 * width,
                            .precision = (flaw_precision)prec};
        b->g = (flaw_attention_grad){
            .forward = a, .d_out = b->y, .d_q = b->z, .d_k = b->z + width, .d_v = b->z + 2 * width, .d_row = 9 * width};
        snprintf(what, sizeof what, "attention %d x %d %s", tokens, width, prec ? "bf16" : "f32");
        print_rate(what, 2.0 * each, time_of(run_attention, b), 0.0);
        b->g.forward.stats = b->u; /* what the backward pass reads */
        run_attention(b);
        snprintf(what, sizeof what, "attention %d x %d %s, backward", tokens, width, prec ? "bf16" : "f32");
        print_rate(what, 5.0 * each, time_of(run_attention_backward, b), 0.0);
    }
}

static void bench_rows(bench *b)
{
    static const struct {
        const char *what;
        work run;
        int rows, d;
        flaw_activation act;
    } jobs[] = {{"layer norm 96 x 192", run_norm, 96, 192, FLAW_ACT_NONE},
                {"layer norm 96 x 192, backward", run_norm_backward, 96, 192, FLAW_ACT_NONE},
                {"gelu 96 x 768", run_activate, 96, 768, FLAW_ACT_GELU},
                {"gelu 96 x 768, backward", run_activate_backward, 96, 768, FLAW_ACT_GELU},
                {"quick gelu 96 x 768", run_activate, 96, 768, FLAW_ACT_QUICK_GELU},
                {"quick gelu 96 x 768, backward", run_activate_backward, 96, 768, FLAW_ACT_QUICK_GELU},
                {"softmax 96 x 197", run_softmax, 96, 197, FLAW_ACT_NONE},
                {"column sum 1024 x 192", run_column_sum, 1024, 192, FLAW_ACT_NONE},
                {"adamw 3,000,000", run_adamw, 3000, 1000, FLAW_ACT_NONE},
                {"dot 3,000,000", run_dot, 3000, 1000, FLAW_ACT_NONE}};
    printf(" rows and arrays\n");
    bench_attention(b, 197, 64);
    bench_attention(b, 577, 64);
    bench_attention(b, 5, 64);
    bench_attention(b, 10, 64);
    bench_attention(b, 16, 64);
    bench_attention(b, 24, 64);
    bench_attention(b, 32, 64);
    bench_attention(b, 48, 64);
    bench_attention(b, 64, 64);
    for (size_t i = 0; i < sizeof jobs / sizeof jobs[0]; i++) {
        b->rows = jobs[i].rows;
        b->d = jobs[i].d;
        b->act = jobs[i].act;
        for (size_t j = 0; j < BUFFER / sizeof(float) / 8; j++) b->z[j] = 0.0f; /* earlier sums would grow */
        memset(b->scratch, 0, (size_t)b->rows * 2 * sizeof(float));
        print_time(jobs[i].what, time_of(jobs[i].run, b), (size_t)b->rows * (size_t)b->d);
    }
}

static float *buffer_new(uint64_t seed)
{
    float *x = aligned_alloc(64, BUFFER);
    if (!x) {
        fprintf(stderr, "no memory for %d bytes\n", BUFFER);
        exit(70);
    }
    flaw_random r;
    flaw_random_init(&r, seed, 0);
    for (size_t i = 0; i < BUFFER / sizeof(float); i++) x[i] = (float)flaw_random_range(&r, -1.0, 1.0);
    return x;
}

static int tables(const flaw_kernels *all[LEVELS])
{
    int count = 0;
    for (int level = FLAW_LEVEL_REF; level < FLAW_LEVEL_AUTO; level++)
        if (flaw_kernels_exact((flaw_level)level)) all[count++] = flaw_kernels_exact((flaw_level)level);
    return count;
}

static bool wanted(const flaw_kernels *k, int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], k->name) == 0) return true;
    return argc < 2 && k->level > FLAW_LEVEL_REF;
}

int main(int argc, char **argv)
{
    const flaw_kernels *all[LEVELS];
    int count = tables(all);
    bench b = {.x = buffer_new(1), .y = buffer_new(2), .z = buffer_new(3), .u = buffer_new(4), .v = buffer_new(5)};
    b.packed = buffer_new(6);
    b.scratch = buffer_new(7);
    for (size_t i = 0; i < BUFFER / sizeof(float); i++) b.u[i] = b.u[i] < 0.0f ? -b.u[i] : b.u[i]; /* variances */
    for (int i = 0; i < count; i++) {
        if (!wanted(all[i], argc, argv)) continue;
        b.k = all[i];
        printf("level %s\n", b.k->name);
        bench_products(&b);
        bench_rows(&b);
    }
    float *buffers[] = {b.x, b.y, b.z, b.u, b.v, b.packed, b.scratch};
    for (size_t i = 0; i < sizeof buffers / sizeof buffers[0]; i++) free(buffers[i]);
    return 0;
}
