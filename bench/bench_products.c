/* The products of the image towers on one thread, as a share of what the level's instruction does in registers in the same
 * run: ViT-B/16 at 240 (226 tokens) and ViT-L/14 at 336 (577), one picture and eight.
 *   bench_products [LEVEL [PRECISION [BATCH]]]     without: every level of this machine, f32 bf16 int8, batch 1 and 8
 * Packing (and quantising) of A, bias, GELU and residual are inside. Rounds of the product and of the limit's loop take
 * turns; each figure is the best round's, because other work on the machine only makes a round slower. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/random.h"
#include "kernel/kernel.h"
#include "limit.h"

enum { ROUNDS = 7, PIECE = 288, MOST = 8 * 577 * 4096, WEIGHTS = 4096 * 1024 };

typedef struct shape {
    const char *what;
    int m, n, k;
    flaw_activation act;
    bool residual;
} shape;

static const shape shapes[] = {
    {"B qkv", 226, 2304, 768, FLAW_ACT_NONE, false},  {"B out", 226, 768, 768, FLAW_ACT_NONE, true},
    {"B fc1", 226, 3072, 768, FLAW_ACT_GELU, false},  {"B fc2", 226, 768, 3072, FLAW_ACT_NONE, true},
    {"L qkv", 577, 3072, 1024, FLAW_ACT_NONE, false}, {"L out", 577, 1024, 1024, FLAW_ACT_NONE, true},
    {"L fc1", 577, 4096, 1024, FLAW_ACT_GELU, false}, {"L fc2", 577, 1024, 4096, FLAW_ACT_NONE, true},
};
enum { SHAPES = sizeof shapes / sizeof *shapes };
static const char *const precisions[FLAW_PRECISIONS] = {"f32", "bf16", "int8"};

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void *room(size_t size)
{
    void *p = aligned_alloc(64, (size + 63) / 64 * 64);
    if (!p) exit(70);
    memset(p, 0, size);
    return p;
}

static float *numbers(size_t n, uint64_t seed)
{
    float *x = room(n * sizeof *x);
    flaw_random r;
    flaw_random_init(&r, seed, 0);
    for (size_t i = 0; i < n; i++) x[i] = (float)flaw_random_range(&r, -1.0, 1.0);
    return x;
}

/* As a layer does it: some rows of A are packed once and meet all columns. */
static double time_product(const flaw_kernels *k, flaw_precision prec, flaw_product p, void *rows, void *scratch)
{
    double start = seconds();
    for (int left = p.m; left > 0; left -= PIECE, p.a += PIECE * p.a_row, p.c += PIECE * p.c_row) {
        p.m = left < PIECE ? left : PIECE;
        if (p.residual) p.residual = p.c;
        k->pack_rows(prec, p.m, p.k, p.a, p.a_row, rows);
        p.a_packed = rows;
        for (int n0 = 0; n0 < p.n; n0 += FLAW_TILE_COLS)
            k->product(prec, &p, 0, p.m, n0, n0 + FLAW_TILE_COLS < p.n ? n0 + FLAW_TILE_COLS : p.n, scratch);
    }
    return seconds() - start;
}

/* Share of the limit, the highest seen since *top was 0; prints a line. */
static double measure(const flaw_kernels *k, flaw_precision prec, const shape *s, int batch, float *const x[4], double *top)
{
    flaw_product p = {.m = s->m * batch, .n = s->n, .k = s->k, .a = x[0], .a_row = s->k, .a_col = 1, .c = x[1], .c_row = s->n,
                      .bias = x[3], .act = s->act, .residual = s->residual ? x[1] : NULL};
    void *packed = room(k->pack_size(prec, s->k, s->n)), *scratch = room(k->product_scratch(prec, s->k));
    void *rows = room(k->rows_size(prec, p.m, p.k));
    limit_loop *limit = limit_loop_for(k->name, precisions[prec]);
    double best = INFINITY, work = 2.0 * p.m * s->n * s->k;
    k->pack(prec, s->k, s->n, x[2], 1, s->k, packed);
    p.b = packed;
    for (int r = 0; r < ROUNDS; r++) {
        double time = time_product(k, prec, p, rows, scratch), start = seconds(), done = limit ? limit() : 0.0;
        *top = fmax(*top, done / (seconds() - start));
        best = fmin(best, time);
    }
    free(packed);
    free(scratch);
    free(rows);
    printf("  %s x %d %5d x %4d x %4d %8.2f ms %6.0f of %6.0f Gop/s %5.1f %%\n", s->what, batch, p.m, s->n, s->k, 1e3 * best,
           1e-9 * work / best, 1e-9 * *top, 100.0 * work / best / *top);
    return work / best / *top;
}

int main(int argc, char **argv)
{
    float *x[4] = {numbers(MOST, 1), numbers(MOST, 2), numbers(WEIGHTS, 3), numbers(4096, 4)};
    for (int level = FLAW_LEVEL_NEON; level < FLAW_LEVEL_AUTO; level++) {
        const flaw_kernels *k = flaw_kernels_exact((flaw_level)level);
        if (!k || (argc > 1 && strcmp(argv[1], k->name))) continue;
        for (int prec = 0; prec < FLAW_PRECISIONS; prec++) {
            double sum = 0.0, top = 0.0;
            if (argc > 2 && strcmp(argv[2], precisions[prec])) continue;
            for (int batch = 1; batch <= 8; batch += 7, sum = 0.0) {
                if (argc > 3 && batch != argv[3][0] - '0') continue;
                for (int i = 0; i < SHAPES; i++) sum += log(measure(k, (flaw_precision)prec, &shapes[i], batch, x, &top));
                printf("%s %s, batch %d: geometric mean %.1f %% of the limit\n", k->name, precisions[prec], batch,
                       100.0 * exp(sum / SHAPES));
                fflush(stdout);
            }
        }
    }
    for (int i = 0; i < 4; i++) free(x[i]);
    return 0;
}
