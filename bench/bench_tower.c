/* The image tower from prepared pixels to embeddings.
 *   bench_tower MODEL [--precision f32|bf16|int8] [--threads N] [--level LEVEL] [--batch N [--rounds N]] [--windows]
 * MODEL: b, l or tiny (tower_model.h: random weights made in memory), or a model to open. With --batch, prints the time
 * of a pass, the share of what the machine does in registers in the same rounds (the fastest of some; on one thread also
 * what comes at once behind the pass: in loops without loads the clock climbs within milliseconds), and where the time
 * goes; with --windows beside it the same of all windows of one picture, and their speed over that of the batch, per token.
 * Without, it answers the requests of README.md. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/large.h"
#include "base/random.h"
#include "limit.h"
#include "nn/watch.h"
#include "tower_alfa.h"
#include "tower_model.h"
#include "tower_windows.h"

enum { ROUNDS = 15, MOST_ROUNDS = 1000, MOST_BATCH = 64, LIMIT_PIECES = 8 };

typedef struct bench {
    const char *name, *precision;
    flaw_compute c;
    flaw_clip *m;
    limit_loop *limit; /* what a thread does at most with the instruction of this level and precision; or NULL */
    int batch;         /* that the buffers are for */
    float *pixels, *cls, *patches, *work;
    bool with_patches; /* patch tokens are asked for as well */
    flaw_engine_options engine; /* the same model for whole pictures, opened when first asked for one */
    tower_alfa *alfa;
    tower_windows windows; /* `work` NULL: not asked for yet */
} bench;

typedef struct options {
    const char *model, *precision, *level;
    int threads, batch, rounds;
    bool windows;
} options;

static const char *const stations[FLAW_STATIONS] = {"patch", "norm", "qkv", "attention", "out", "fc1", "fc2"};

static void give_up(const char *text)
{
    fprintf(stderr, "bench_tower: %s\n", text);
    exit(70);
}

static float *make_floats(size_t count)
{
    float *x = flaw_large_alloc(count * sizeof *x);
    if (!x) give_up("no memory");
    memset(x, 0, count * sizeof *x);
    return x;
}

static void drop_buffers(bench *b)
{
    free(b->pixels);
    free(b->cls);
    free(b->patches);
    free(b->work);
}

/* Pictures of random pixels and room for `batch` of them. */
static void make_buffers(bench *b, int batch)
{
    if (b->batch == batch) return;
    drop_buffers(b);
    const flaw_clip_shape *s = &b->m->shape;
    size_t n = (size_t)batch, pixels = n * 3 * (size_t)s->side * (size_t)s->side, width = (size_t)flaw_clip_width(s);
    b->batch = batch;
    b->pixels = make_floats(pixels);
    b->cls = make_floats(n * width);
    b->patches = make_floats(n * (size_t)flaw_clip_patches(s) * width);
    b->work = make_floats(flaw_clip_image_workspace(b->m, batch));
    flaw_random r;
    flaw_random_init(&r, 2, 0);
    for (size_t i = 0; i < pixels; i++) b->pixels[i] = (float)flaw_random_range(&r, -2.0, 2.0);
}

/* Milliseconds of one pass. */
static double pass(bench *b)
{
    flaw_image_output out = {.cls = b->cls, .patches = b->with_patches ? b->patches : NULL};
    double start = flaw_watch_now();
    flaw_clip_encode_images(&b->c, b->m, b->batch, b->pixels, &out, b->work);
    return 1e3 * (flaw_watch_now() - start);
}

static void limit_piece(void *context, int piece, int worker)
{
    const bench *b = context;
    (void)piece;
    (void)worker;
    b->limit();
}

/* GFLOP/s of all threads together in registers: the fastest of some short rounds. */
static double measure_limit(bench *b, int rounds)
{
    double best = 0.0;
    int pieces = b->c.workers * LIMIT_PIECES;
    for (int r = 0; b->limit && r < rounds; r++) {
        double work = b->limit() * pieces, start = flaw_watch_now();
        flaw_pool_run(b->c.pool, limit_piece, b, pieces);
        double rate = 1e-9 * work / (flaw_watch_now() - start);
        best = rate > best ? rate : best;
    }
    return best;
}

/* The same of all windows of one picture. */
static double windows_pass(bench *b)
{
    flaw_error err = {0};
    if (!b->windows.work && tower_windows_open(&b->windows, b->m, &b->c, &err)) give_up(err.text);
    return tower_windows_pass(&b->windows, b->m, &b->c);
}

/* Milliseconds that a thread spends on average in each kind of operation of a pass; the last one is hand-over. */
static void measure_stations(bench *b, double (*one)(bench *b), double ms[FLAW_STATIONS + 1])
{
    struct flaw_watch *watch = calloc((size_t)b->c.workers, sizeof *watch);
    if (!watch) give_up("no memory");
    b->c.watch = watch;
    double left = one(b);
    b->c.watch = NULL;
    for (int s = 0; s < FLAW_STATIONS; s++) {
        ms[s] = 0.0;
        for (int w = 0; w < b->c.workers; w++) ms[s] += 1e3 * watch[w].seconds[s] / b->c.workers;
        left -= ms[s];
    }
    ms[FLAW_STATIONS] = left;
    free(watch);
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static double median(double *x, int n)
{
    qsort(x, (size_t)n, sizeof *x, by_size);
    return n % 2 ? x[n / 2] : 0.5 * (x[n / 2 - 1] + x[n / 2]);
}

static double picture_flops(const bench *b)
{
    const flaw_clip_shape *s = &b->m->shape;
    double project = b->with_patches ? 2.0 * flaw_clip_patches(s) * s->image.width * s->joint : 0.0;
    return tower_flops(&b->m->shape) + project;
}

static void print_station(const char *name, double ms, double total, double gflop, double limit)
{
    printf("  %-10s %9.2f ms %5.1f %%", name, ms, 100.0 * ms / total);
    if (gflop > 0.0) printf(" %9.0f GFLOP/s", gflop / ms * 1e3);
    if (gflop > 0.0 && limit > 0.0) printf(" %5.1f %% of the limit", 100.0 * gflop / ms * 1e3 / limit);
    printf("\n");
}

/* Rounds of a pass, the limit, and a pass with the watch, in turns. */
static void table(bench *b, int rounds)
{
    static double ms[MOST_ROUNDS], limits[MOST_ROUNDS], near[MOST_ROUNDS], each[FLAW_STATIONS + 1][MOST_ROUNDS];
    pass(b);
    for (int r = 0; r < rounds; r++) {
        double parts[FLAW_STATIONS + 1];
        ms[r] = pass(b);
        near[r] = measure_limit(b, 1);
        limits[r] = fmax(near[r], measure_limit(b, 3));
        measure_stations(b, pass, parts);
        for (int s = 0; s <= FLAW_STATIONS; s++) each[s][r] = parts[s];
    }
    double work = 1e-9 * picture_flops(b) * b->batch, middle = median(ms, rounds), limit = median(limits, rounds);
    printf("%s %s level %s, %d threads, batch %d: median %.2f ms, best %.2f; %.2f GFLOP, %.0f GFLOP/s", b->name,
           b->precision, b->c.kernels->name, b->c.workers, b->batch, middle, ms[0], work, work / middle * 1e3);
    double share = 100.0 * work / middle * 1e3, at_once = median(near, rounds);
    if (limit > 0.0) printf("; limit %.0f, share %.1f %%", limit, share / limit);
    if (limit > 0.0 && b->c.workers == 1) printf("; at the clock of the pass %.0f, %.1f %%", at_once, share / at_once);
    printf("\n");
    double total = 0.0, parts[FLAW_STATIONS + 1];
    for (int s = 0; s <= FLAW_STATIONS; s++) total += parts[s] = median(each[s], rounds);
    for (int s = 0; s < FLAW_STATIONS; s++)
        print_station(stations[s], parts[s], total, 1e-9 * tower_station_flops(&b->m->shape, s) * b->batch, limit);
    print_station("rest", parts[FLAW_STATIONS], total, 0.0, 0.0);
}

/* Windows and one batch in turns: time, speed per token, and where the time of the windows goes. */
static void windows_table(bench *b, int rounds)
{
    static double ms[MOST_ROUNDS], whole[MOST_ROUNDS], ratio[MOST_ROUNDS], each[FLAW_STATIONS + 1][MOST_ROUNDS];
    pass(b);
    windows_pass(b);
    int tokens = flaw_clip_tokens(&b->m->shape) * b->batch;
    for (int r = 0; r < rounds; r++) {
        double parts[FLAW_STATIONS + 1];
        ms[r] = windows_pass(b);
        whole[r] = pass(b);
        ratio[r] = b->windows.tokens / ms[r] / (tokens / whole[r]);
        measure_stations(b, windows_pass, parts);
        for (int s = 0; s <= FLAW_STATIONS; s++) each[s][r] = parts[s];
    }
    double middle = median(ms, rounds), of_whole = median(whole, rounds), of_ratio = median(ratio, rounds);
    printf("%s %s level %s, %d threads: %d tokens of windows %.2f ms, %.0f a second; %d tokens of %d pictures %.2f ms, %.0f a "
           "second; ratio %.3f, quartiles %.3f to %.3f\n", b->name, b->precision, b->c.kernels->name, b->c.workers,
           b->windows.tokens, middle, b->windows.tokens / middle * 1e3, tokens, b->batch, of_whole, tokens / of_whole * 1e3,
           of_ratio, ratio[rounds / 4], ratio[rounds - 1 - rounds / 4]);
    double total = 0.0, parts[FLAW_STATIONS + 1];
    for (int s = 0; s <= FLAW_STATIONS; s++) total += parts[s] = median(each[s], rounds);
    for (int s = 0; s <= FLAW_STATIONS; s++) print_station(s < FLAW_STATIONS ? stations[s] : "rest", parts[s], total, 0.0, 0.0);
}

static void answer_run(bench *b, const char *arguments)
{
    int batch = 0, count = 1;
    int read = sscanf(arguments, "%d %d", &batch, &count);
    if (read < 1 || batch < 1 || batch > MOST_BATCH || count < 1) {
        printf("error run BATCH [COUNT], BATCH at most %d\n", MOST_BATCH);
        return;
    }
    make_buffers(b, batch);
    printf("ms");
    for (int i = 0; i < count; i++) printf(" %.4f", pass(b));
    printf("\n");
}

static void answer_ops(bench *b, const char *arguments)
{
    int batch = 0;
    if (sscanf(arguments, "%d", &batch) != 1 || batch < 1 || batch > MOST_BATCH) {
        printf("error ops BATCH, at most %d\n", MOST_BATCH);
        return;
    }
    make_buffers(b, batch);
    double limit = measure_limit(b, 5), ms[FLAW_STATIONS + 1];
    measure_stations(b, pass, ms);
    for (int s = 0; s < FLAW_STATIONS; s++) {
        double gflop = 1e-9 * tower_station_flops(&b->m->shape, s) * batch;
        printf("op %s %.4f %.4f ", stations[s], ms[s], gflop);
        if (gflop > 0.0 && limit > 0.0) printf("%.4f\n", gflop / ms[s] * 1e3 / limit);
        else printf("-\n");
    }
    printf("op rest %.4f 0 -\nend\n", ms[FLAW_STATIONS]);
}

static void answer_alfa(bench *b)
{
    flaw_error err = {0};
    double ms = 0.0;
    flaw_status status = b->alfa ? FLAW_OK : tower_alfa_open(&b->alfa, &b->engine, b->m->shape.side, &err);
    if (!status) status = tower_alfa_judge(&ms, b->alfa, &err);
    if (status) printf("error %s\n", err.text);
    else printf("ms %.4f\n", ms);
}

/* One line asked, one answered (ops: several). False to stop. */
static bool answer(bench *b, const char *line)
{
    if (!strncmp(line, "stop", 4)) return false;
    if (!strncmp(line, "run ", 4)) answer_run(b, line + 4);
    else if (!strncmp(line, "ops ", 4)) answer_ops(b, line + 4);
    else if (!strncmp(line, "alfa", 4)) answer_alfa(b);
    else if (!strncmp(line, "windows", 7)) printf("ms %.4f\n", windows_pass(b));
    else if (!strncmp(line, "limit", 5) && b->limit) printf("gflops %.1f\n", measure_limit(b, 10));
    else printf("error no such request here: %.*s\n", (int)strcspn(line, "\n"), line);
    fflush(stdout);
    return true;
}

static void serve(bench *b)
{
    char line[256];
    printf("ready name=%s precision=%s threads=%d level=%s flops=%.0f\n", b->name, b->precision, b->c.workers,
           b->c.kernels->name, picture_flops(b));
    fflush(stdout);
    while (fgets(line, sizeof line, stdin) && answer(b, line)) {
    }
}

static bool read_options(options *o, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : NULL;
        if (!strcmp(argv[i], "--windows")) {
            o->windows = true;
            continue;
        }
        if (argv[i][0] != '-') {
            if (o->model) return false;
            o->model = argv[i];
            continue;
        }
        if (!value) return false;
        if (!strcmp(argv[i], "--precision")) o->precision = value;
        else if (!strcmp(argv[i], "--level")) o->level = value;
        else if (!strcmp(argv[i], "--threads")) o->threads = (int)strtol(value, NULL, 10);
        else if (!strcmp(argv[i], "--batch")) o->batch = (int)strtol(value, NULL, 10);
        else if (!strcmp(argv[i], "--rounds")) o->rounds = (int)strtol(value, NULL, 10);
        else return false;
        i++;
    }
    return o->model && o->threads >= 0 && o->batch >= 0 && o->batch <= MOST_BATCH && o->rounds > 0 && o->rounds <= MOST_ROUNDS;
}

static flaw_status read_precision(flaw_precision *out, const char *name, flaw_error *err)
{
    static const char *const names[] = {"f32", "bf16", "int8"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(name, names[i])) continue;
        *out = (flaw_precision)i;
        return FLAW_OK;
    }
    return flaw_fail(err, FLAW_USAGE, "precision \"%.20s\" is unknown, allowed are f32, bf16 and int8", name);
}

static flaw_status open_bench(bench *b, const options *o, flaw_error *err)
{
    flaw_level level;
    flaw_precision precision = FLAW_F32;
    flaw_status status = read_precision(&precision, o->precision, err);
    if (!status) status = flaw_level_parse(&level, o->level, err);
    if (!status) status = flaw_compute_open(&b->c, o->threads, level, precision, err);
    if (status) return status;
    b->engine = (flaw_engine_options){
        .model = o->model, .threads = o->threads, .precision = o->precision, .level = o->level};
    b->limit = limit_loop_for(b->c.kernels->name, o->precision);
    return tower_open(&b->m, o->model, &b->c, err);
}

int main(int argc, char **argv)
{
    options o = {.precision = "f32", .rounds = ROUNDS};
    flaw_error err = {0};
    if (!read_options(&o, argc, argv)) {
        fprintf(stderr, "bench_tower MODEL [--precision f32|bf16|int8] [--threads N] [--level LEVEL] "
                        "[--batch N [--rounds N] [--windows]]\n");
        return 2;
    }
    bench b = {.name = o.model, .precision = o.precision, .with_patches = o.batch > 0 && !o.windows};
    if (open_bench(&b, &o, &err) != FLAW_OK) give_up(err.text);
    if (o.batch) {
        make_buffers(&b, o.batch);
        if (o.windows) windows_table(&b, o.rounds);
        else table(&b, o.rounds);
    } else {
        serve(&b);
    }
    drop_buffers(&b);
    tower_windows_close(&b.windows);
    tower_alfa_close(b.alfa);
    flaw_clip_close(b.m);
    flaw_compute_close(&b.c);
    return 0;
}
