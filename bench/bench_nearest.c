/* Comparison with good parts, as methods run it (detect/compare.h, detect/coreset.h), on rows made up here.
 *   bench_nearest compare LEVEL PRECISION THREADS [ROWS [WIDTH [STAGES [ROUNDS]]]]
 *     the 576 patches of a picture against ROWS (100000) stored patches of WIDTH (1024) in each of STAGES (4): time of each
 *     round, share of what the threads reach together with loops in registers, measured in the same round; then the
 *     answers against a plain loop in double.
 *   bench_nearest coreset LEVEL THREADS [ROWS [WIDTH [SPACES]]]
 *     1 % of ROWS (200000) patches of WIDTH (1024).
 *   bench_nearest recipe FILE PATCHES LEVEL PRECISION THREADS
 *     the banks of a recipe made of PATCHES rows a good part (learnt with --bank-limit above all of them): every seventh part
 *     against the others, as methods do it and by a plain loop in float32; how often the answers differ, and by how much.
 * Rows are points around centres around a common mean, so that near ones exist, as they do among patches of good parts. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/random.h"
#include "detect/compare.h"
#include "detect/coreset.h"
#include "record/recipe.h"
#include "limit.h"

enum { QUERIES = 576, STAGES_MOST = 4, CENTERS = 500, CHECKED = 24, LIMIT_CALLS = 40 };

static void fail(const char *text)
{
    fprintf(stderr, "bench_nearest: %s\n", text);
    exit(70);
}

/* With one thread its own processor time: what other programs on the machine take does not count. */
static clockid_t clock_used = CLOCK_MONOTONIC;

static double now_ms(void)
{
    struct timespec t;
    clock_gettime(clock_used, &t);
    return 1e3 * (double)t.tv_sec + 1e-6 * (double)t.tv_nsec;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static float *floats_new(size_t n)
{
    float *x = aligned_alloc(64, (n * sizeof *x + 63) / 64 * 64);
    if (!x) fail("memory was refused");
    return x;
}

/* ---- rows ---- */

typedef struct cloud {
    const flaw_kernels *k;
    int width;
    const float *center; /* [CENTERS, width] */
    uint64_t seed;
    float *rows;
    size_t count;
} cloud;

enum { CLOUD_ROWS = 256 };

static void add_noise(flaw_random *r, float *row, int width, float size)
{
    for (int d = 0; d < width; d += 4) {
        uint64_t bits = flaw_random_u64(r);
        for (int q = d; q < d + 4 && q < width; q++, bits >>= 16)
            row[q] += size * ((float)(bits & 0xffff) * 0x1p-15f - 1);
    }
}

static void make_unit(const flaw_kernels *k, float *row, int width)
{
    k->scale((size_t)width, 1 / sqrtf(k->dot((size_t)width, row, row)), row);
}

static void cloud_piece(void *context, int piece, int worker)
{
    const cloud *c = context;
    (void)worker;
    flaw_random r;
    flaw_random_init(&r, c->seed, (uint64_t)piece);
    size_t to = (size_t)(piece + 1) * CLOUD_ROWS < c->count ? (size_t)(piece + 1) * CLOUD_ROWS : c->count;
    for (size_t i = (size_t)piece * CLOUD_ROWS; i < to; i++) {
        float *row = c->rows + i * (size_t)c->width;
        const float *center = c->center + (size_t)flaw_random_below(&r, CENTERS) * (size_t)c->width;
        memcpy(row, center, (size_t)c->width * sizeof *row);
        add_noise(&r, row, c->width, 0.2f + 0.6f * (float)flaw_random_uniform(&r));
        make_unit(c->k, row, c->width);
    }
}

/* The same centres for the same `stage`: the bank's rows and the picture's are alike. */
static float *cloud_new(const flaw_compute *compute, size_t count, int width, uint64_t stage, uint64_t seed)
{
    float *center = floats_new((size_t)CENTERS * (size_t)width);
    flaw_random r;
    flaw_random_init(&r, stage, 99);
    for (int c = 0; c < CENTERS; c++) {
        float *row = center + (size_t)c * (size_t)width;
        for (int d = 0; d < width; d++) row[d] = d % 7 == 0 ? 1 : 0;
        add_noise(&r, row, width, 1);
    }
    cloud c = {.k = compute->kernels, .width = width, .center = center, .seed = stage * 1000 + seed, .count = count};
    c.rows = floats_new(count * (size_t)width);
    flaw_pool_run(compute->pool, cloud_piece, &c, (int)((count + CLOUD_ROWS - 1) / CLOUD_ROWS));
    free(center);
    return c.rows;
}

/* ---- limit ---- */

static const char *const precision_names[] = {[FLAW_F32] = "f32", [FLAW_BF16] = "bf16", [FLAW_INT8] = "int8"};

typedef struct limit_run {
    limit_loop *loop;
    double *done; /* [workers] */
} limit_run;

static void limit_piece(void *context, int piece, int worker)
{
    limit_run *l = context;
    (void)worker;
    for (int i = 0; i < LIMIT_CALLS; i++) l->done[piece] += l->loop();
}

/* GFLOP/s of all threads together in registers, the best of some short runs; 0 where no loop is known. */
static double limit_now(const flaw_compute *c, flaw_precision prec)
{
    double best = 0, done[1024] = {0};
    limit_run l = {limit_loop_for(c->kernels->name, precision_names[prec]), done};
    for (int r = 0; l.loop && r < 7; r++) {
        double begin = now_ms(), sum = 0;
        memset(done, 0, sizeof done);
        flaw_pool_run(c->pool, limit_piece, &l, c->workers);
        for (int w = 0; w < c->workers; w++) sum += done[w];
        double rate = sum / (now_ms() - begin) * 1e-6;
        best = rate > best ? rate : best;
    }
    return best;
}

/* ---- comparison ---- */

typedef struct comparison {
    flaw_compute compute;
    size_t rows;
    int width, stages;
    flaw_bank bank[STAGES_MOST];
    float *query[STAGES_MOST], near[QUERIES];
    int at[QUERIES];
    void *work;
} comparison;

static double run_round(comparison *c)
{
    double begin = now_ms();
    for (int s = 0; s < c->stages; s++)
        flaw_bank_nearest(&c->bank[s], &c->compute, c->query[s], QUERIES, c->near, c->at, c->work);
    return now_ms() - begin;
}

/* Some answers of the last stage against all cosines in double. */
static void check_answers(const comparison *c)
{
    const flaw_bank *bank = &c->bank[c->stages - 1];
    size_t width = (size_t)c->width;
    int wrong = 0;
    double most = 0;
    for (int i = 0; i < CHECKED; i++) {
        int q = i * QUERIES / CHECKED;
        const float *row = c->query[c->stages - 1] + (size_t)q * width;
        double best = -2;
        for (size_t b = 0; b < c->rows; b++) {
            double sum = 0;
            for (size_t d = 0; d < width; d++) sum += (double)row[d] * (double)bank->row[b * width + d];
            best = sum > best ? sum : best;
        }
        double apart = fabs(best - (double)c->near[q]);
        most = apart > most ? apart : most;
        wrong += apart > 1e-6;
    }
    printf("against a plain loop in double: %d of %d answers differ by more than 1e-6, the most is %.2g\n", wrong, CHECKED,
           most);
}

static void compare(comparison *c, int rounds)
{
    flaw_error err = {0};
    double *ms = calloc(2 * (size_t)rounds, sizeof *ms), *share = ms + rounds, open_ms = 0;
    if (!ms) fail("memory was refused");
    for (int s = 0; s < c->stages; s++) {
        float *rows = cloud_new(&c->compute, c->rows, c->width, (uint64_t)s + 1, 1);
        c->query[s] = cloud_new(&c->compute, QUERIES, c->width, (uint64_t)s + 1, 2);
        double begin = now_ms();
        if (flaw_bank_open(&c->bank[s], &c->compute, rows, c->rows, c->width, &err)) fail(err.text);
        open_ms += now_ms() - begin;
        free(rows);
    }
    c->work = malloc(flaw_bank_workspace(&c->compute, QUERIES, c->width));
    if (!c->work) fail("memory was refused");
    double gflop = 2e-9 * QUERIES * (double)c->rows * c->width * c->stages;
    run_round(c);
    for (int r = 0; r < rounds; r++) {
        double limit = limit_now(&c->compute, c->bank[0].precision);
        ms[r] = run_round(c);
        share[r] = limit > 0 ? gflop / ms[r] * 1e3 / limit : 0;
        printf("round %d: %.0f ms, %.0f GFLOP/s of %.0f: %.1f %%\n", r, ms[r], gflop / ms[r] * 1e3, limit, 100 * share[r]);
    }
    qsort(ms, (size_t)rounds, sizeof *ms, ascending);
    qsort(share, (size_t)rounds, sizeof *share, ascending);
    printf("compare %s %s, %d threads, %d x %zu x %d, %d stages: median %.0f ms a picture, achieved / limit %.1f %%; "
           "opened in %.0f ms, %.0f MB\n",
           c->compute.kernels->name, precision_names[c->bank[0].precision], c->compute.workers, QUERIES, c->rows, c->width,
           c->stages, ms[rounds / 2], 100 * share[rounds / 2], open_ms,
           1e-6 * (double)(c->bank[0].arena.used * (size_t)c->stages));
    check_answers(c);
    free(ms);
}

/* ---- coreset ---- */

static void coreset(flaw_compute *compute, size_t rows, int width, int spaces)
{
    size_t keep = rows / 100;
    const float *table[STAGES_MOST];
    size_t *chosen = malloc((keep + 1) * sizeof *chosen);
    flaw_error err = {0};
    if (!chosen) fail("memory was refused");
    for (int s = 0; s < spaces; s++) table[s] = cloud_new(compute, rows, width, (uint64_t)s + 1, 1);
    double begin = now_ms();
    if (flaw_coreset_choose(chosen, keep, table, spaces, rows, width, 1, compute, &err)) fail(err.text);
    printf("coreset %s, %d threads, %zu of %zu x %d, %d spaces: %.1f s\n", compute->kernels->name, compute->workers, keep,
           rows, width, spaces, 1e-3 * (now_ms() - begin));
    for (int s = 0; s < spaces; s++) free((float *)table[s]);
    free(chosen);
}

/* ---- recipe ---- */

typedef struct plain {
    const flaw_kernels *k;
    const flaw_bank *bank;
    const float *query;
    float *best; /* [PATCHES] */
} plain;

static void plain_piece(void *context, int q, int worker)
{
    const plain *p = context;
    size_t width = (size_t)p->bank->width;
    (void)worker;
    p->best[q] = -INFINITY;
    for (int b = 0; b < p->bank->rows; b++)
        p->best[q] = fmaxf(p->best[q], p->k->dot(width, p->query + (size_t)q * width, p->bank->row + (size_t)b * width));
}

/* One part against the others: differences of its answers. */
static void leave_out(flaw_compute *c, const float *table, size_t rows, size_t width, size_t part, size_t patches,
                      size_t *differ, double *most)
{
    flaw_bank bank;
    flaw_error err = {0};
    size_t from = part * patches, before = from * width, floats = rows * width, own = patches * width;
    float *others = floats_new(floats), *near = floats_new(2 * patches);
    void *work = malloc(flaw_bank_workspace(c, (int)patches, (int)width));
    if (!work) fail("memory was refused");
    memcpy(others, table, before * sizeof *others);
    memcpy(others + before, table + before + own, (floats - before - own) * sizeof *others);
    if (flaw_bank_open(&bank, c, others, rows - patches, (int)width, &err)) fail(err.text);
    flaw_bank_nearest(&bank, c, table + before, (int)patches, near, NULL, work);
    plain p = {c->kernels, &bank, table + before, near + patches};
    flaw_pool_run(c->pool, plain_piece, &p, (int)patches);
    for (size_t q = 0; q < patches; q++) {
        double apart = fabs((double)near[q] - (double)near[patches + q]);
        *differ += apart > 1e-6;
        *most = apart > *most ? apart : *most;
    }
    flaw_bank_close(&bank);
    free(others);
    free(near);
    free(work);
}

static void check_recipe(flaw_compute *c, const char *path, size_t patches)
{
    flaw_record record;
    flaw_error err = {0};
    if (flaw_recipe_read(&record, path, &err)) fail(err.text);
    size_t answers = 0, differ = 0;
    double most = 0;
    for (size_t i = 0; i < record.count; i++) {
        const flaw_record_item *item = &record.item[i];
        if (item->kind != FLAW_RECORD_TABLE || strncmp(item->name, "bank.", 5)) continue;
        if (item->rows % patches || item->rows < 2 * patches) fail("a bank is not of so many patches a part");
        for (size_t part = 0; part < item->rows / patches; part += 7, answers += patches)
            leave_out(c, item->table, item->rows, item->columns, part, patches, &differ, &most);
    }
    printf("recipe %s, %s %s: %zu of %zu answers differ from float32 by more than 1e-6, the most is %.2g\n", path,
           c->kernels->name, precision_names[c->precision], differ, answers, most);
    flaw_record_release(&record);
}

static int number(int argc, char **argv, int at, int standard)
{
    if (argc <= at) return standard;
    char *end;
    long n = strtol(argv[at], &end, 10);
    if (*end || n < 1 || n > 100000000) fail("numbers go from 1 to 100000000");
    return (int)n;
}

static flaw_compute open_compute(const char *level, const char *precision, int threads)
{
    flaw_compute c;
    flaw_level max;
    flaw_error err = {0};
    flaw_precision prec = !strcmp(precision, "int8")   ? FLAW_INT8
                          : !strcmp(precision, "bf16") ? FLAW_BF16
                                                       : FLAW_F32;
    if (flaw_level_parse(&max, level, &err) || flaw_compute_open(&c, threads, max, prec, &err)) fail(err.text);
    if (c.workers == 1) clock_used = CLOCK_THREAD_CPUTIME_ID;
    return c;
}

int main(int argc, char **argv)
{
    if (argc > 4 && !strcmp(argv[1], "compare")) {
        comparison c = {.compute = open_compute(argv[2], argv[3], number(argc, argv, 4, 0))};
        c.rows = (size_t)number(argc, argv, 5, 100000);
        c.width = number(argc, argv, 6, 1024);
        c.stages = number(argc, argv, 7, STAGES_MOST);
        if (c.stages > STAGES_MOST) fail("at most 4 stages");
        compare(&c, number(argc, argv, 8, 3));
        return 0;
    }
    if (argc > 3 && !strcmp(argv[1], "coreset")) {
        flaw_compute c = open_compute(argv[2], "f32", number(argc, argv, 3, 0));
        int spaces = number(argc, argv, 6, 1);
        if (spaces > STAGES_MOST) fail("at most 4 spaces");
        coreset(&c, (size_t)number(argc, argv, 4, 200000), number(argc, argv, 5, 1024), spaces);
        flaw_compute_close(&c);
        return 0;
    }
    if (argc > 6 && !strcmp(argv[1], "recipe")) {
        flaw_compute c = open_compute(argv[4], argv[5], number(argc, argv, 6, 0));
        check_recipe(&c, argv[2], (size_t)number(argc, argv, 3, 0));
        flaw_compute_close(&c);
        return 0;
    }
    fail("usage: bench_nearest compare LEVEL PRECISION THREADS [ROWS [WIDTH [STAGES [ROUNDS]]]] | "
         "coreset LEVEL THREADS [ROWS [WIDTH [SPACES]]] | recipe FILE PATCHES LEVEL PRECISION THREADS");
}
