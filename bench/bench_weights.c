/* How fast compact weights are read while words are made one by one, next to plain reading of the same memory, and how
 * fast a prompt meets them, next to the limit of the instruction.
 *   bench_weights [LEVEL...]     ref avx2 avx512 ...; without names, the best
 * For each type: GB of weights a second with 1 and 2 threads, one vector and four, from memory and from the second
 * cache. Each figure is the best of several rounds: other work on the machine only ever makes a round slower. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/random.h"
#include "limit.h"
#include "nn/matrix.h"
#include "plain_read.h"

enum { ROUNDS = 4, COLS = 4096, LARGE = 256 << 20, SMALL = 1 << 20, VECTORS = 4, MANY = 100 };

/* One thread: of this thread alone, what other programs take does not count. */
static double seconds(bool alone)
{
    struct timespec t;
    clock_gettime(alone ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

typedef struct bench {
    flaw_compute c;
    uint8_t *data; /* LARGE bytes */
    float *x, *y;
    size_t size; /* of data in use */
} bench;

static double best_of(bench *b, const flaw_matrix *m, int vectors)
{
    double best = 1e9;
    int calls = b->size <= SMALL ? 20 : 1;
    for (int r = 0; r < ROUNDS * (calls > 1 ? 5 : 1); r++) {
        double start = seconds(b->c.workers == 1);
        for (int i = 0; i < calls; i++) {
            if (m) flaw_matrix_forward(&b->c, m, vectors, b->x, COLS, b->y, m->rows, NULL, NULL);
            else plain_read(b->c.pool, b->data, b->size);
        }
        double each = (seconds(b->c.workers == 1) - start) / calls;
        best = each < best ? each : best;
    }
    return best;
}

static double rate(bench *b, const flaw_matrix *m, int vectors)
{
    return (double)b->size / best_of(b, m, vectors) * 1e-9;
}

static flaw_matrix matrix_of(bench *b, flaw_weight_type type, size_t size)
{
    size_t bytes = flaw_weight_row_bytes(type, COLS);
    flaw_matrix m = {.type = type, .rows = (int)(size / bytes), .cols = COLS, .data = b->data};
    b->size = (size_t)m.rows * bytes;
    return m;
}

/* Real blocks: one packed row, again and again. */
static void fill(bench *b, flaw_weight_type type)
{
    size_t bytes = flaw_weight_row_bytes(type, COLS), at = 0;
    if (type <= FLAW_WEIGHT_Q4_1) flaw_weight_pack(type, COLS, b->x, b->data);
    else
        for (size_t i = 0; i < bytes; i++) b->data[i] = (uint8_t)(i % 61); /* scales of about 1e-3 */
    for (at = bytes; at + bytes <= LARGE; at += bytes) memcpy(b->data + at, b->data, bytes);
}

static void open_compute(bench *b, flaw_level level, int threads, flaw_precision precision)
{
    flaw_error err;
    if (flaw_compute_open(&b->c, threads, level, precision, &err) == FLAW_OK &&
        flaw_compute_reserve(&b->c, flaw_matrix_scratch(&b->c, COLS), &err) == FLAW_OK)
        return;
    fprintf(stderr, "%s\n", err.text);
    exit(70);
}

static void bench_reading(bench *b, flaw_level level, int threads)
{
    open_compute(b, level, threads, FLAW_F32);
    fill(b, FLAW_WEIGHT_F32);
    b->size = LARGE;
    double plain = rate(b, NULL, 0);
    printf("level %s, %d threads; plain reading %.1f GB/s from memory", b->c.kernels->name, threads, plain);
    b->size = SMALL;
    printf(", %.1f from the second cache\n", rate(b, NULL, 0));
    printf("  %-6s %16s %18s %12s %12s\n", "type", "memory", "4 vectors", "cache", "4 vectors");
    for (int t = 0; t < FLAW_WEIGHT_TYPES; t++) {
        flaw_weight_type type = (flaw_weight_type)t;
        fill(b, type);
        printf("  %-6s", flaw_weight_name(type));
        for (int place = 0; place < 2; place++) {
            flaw_matrix m = matrix_of(b, type, place ? SMALL : LARGE);
            double one = rate(b, &m, 1), four = rate(b, &m, VECTORS);
            printf(" %7.1f GB/s", one);
            if (place == 0) printf(" %3.0f %%", 100 * one / plain);
            printf(" %7.1f GB/s", four);
        }
        printf("\n");
    }
    flaw_compute_close(&b->c);
}

/* Operations a second of one thread. */
static double limit_now(limit_loop *loop)
{
    enum { LOOPS = 20 };
    double work = 0, start = seconds(true);
    for (int i = 0; loop && i < LOOPS; i++) work += loop();
    return work / (seconds(true) - start);
}

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

/* Product and limit in turn, since the clock changes with the load: medians of operations a second and of their ratio. */
static void rate_of_many(bench *b, const flaw_matrix *m, limit_loop *loop, double *rate, double *share)
{
    enum { TURNS = 15 };
    double rates[TURNS], shares[TURNS];
    const double work = 2.0 * MANY * (double)m->rows * COLS;
    for (int i = 0; i < TURNS; i++) {
        const double before = limit_now(loop), start = seconds(b->c.workers == 1);
        flaw_matrix_forward(&b->c, m, MANY, b->x, COLS, b->y, m->rows, NULL, NULL);
        rates[i] = work / (seconds(b->c.workers == 1) - start);
        shares[i] = rates[i] / ((before + limit_now(loop)) / 2 * b->c.workers);
    }
    qsort(rates, TURNS, sizeof rates[0], compare);
    qsort(shares, TURNS, sizeof shares[0], compare);
    *rate = rates[TURNS / 2];
    *share = shares[TURNS / 2];
}

/* A prompt: many rows at once. Types that meet vectors of 16 bits take two of the instructions that are enough for 8 bits:
 * vpdpbusd, or tiles of bf16. */
static void bench_many(bench *b, flaw_level level, int threads, flaw_precision precision)
{
    static const char *const names[] = {"f32", "bf16", "int8"};
    open_compute(b, level, threads, precision);
    const flaw_weight_many *many = precision == FLAW_BF16 ? NULL : b->c.kernels->weight_many;
    printf("level %s, %d threads, %d rows, %s\n ", b->c.kernels->name, threads, MANY, names[precision]);
    for (int t = 0; t < FLAW_WEIGHT_TYPES; t++) {
        flaw_weight_type type = (flaw_weight_type)t;
        const bool fixed = many && many->reads[t], tiles = b->c.kernels->level == FLAW_LEVEL_AMX;
        const flaw_precision other = precision == FLAW_INT8 ? FLAW_BF16 : precision;
        const char *const unit = names[fixed ? tiles ? FLAW_BF16 : FLAW_INT8 : other];
        limit_loop *loop = limit_loop_for(b->c.kernels->name, unit);
        double rate, share;
        fill(b, type);
        flaw_matrix m = matrix_of(b, type, 4096 * flaw_weight_row_bytes(type, COLS));
        rate_of_many(b, &m, loop, &rate, &share);
        printf(" %s %.0f", flaw_weight_name(type), rate * 1e-9);
        if (loop) printf(" (%.0f %%)", 100 * share * (fixed ? 2 : 1));
    }
    printf("\n");
    flaw_compute_close(&b->c);
}

static void bench_level(bench *b, flaw_level level)
{
    for (int threads = 1; threads <= 2; threads++) bench_reading(b, level, threads);
    for (int precision = 0; precision < FLAW_PRECISIONS; precision++)
        for (int threads = 1; threads <= 2; threads++) bench_many(b, level, threads, (flaw_precision)precision);
}

int main(int argc, char **argv)
{
    bench b = {.data = aligned_alloc(64, LARGE), .x = malloc(MANY * COLS * sizeof(float))};
    b.y = malloc((size_t)MANY * (LARGE / COLS * 2) * sizeof(float));
    if (!b.data || !b.x || !b.y) return 70;
    flaw_random r;
    flaw_random_init(&r, 1, 0);
    for (size_t i = 0; i < (size_t)MANY * COLS; i++) b.x[i] = (float)flaw_random_normal(&r);
    int rc = 0;
    for (int i = 1; i < argc || i == 1; i++) {
        flaw_level level;
        flaw_error err;
        if (flaw_level_parse(&level, i < argc ? argv[i] : NULL, &err) == FLAW_OK) {
            bench_level(&b, level);
            continue;
        }
        fprintf(stderr, "bench_weights: %s\n", err.text);
        rc = 64;
    }
    free(b.data);
    free(b.x);
    free(b.y);
    return rc;
}
