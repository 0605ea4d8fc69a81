/* Pixel figures (AUROC, AP, F1-max, AUPRO and the dialects) of many maps that are made on the fly: time of counting and
 * measuring without the making, processor time, and the peak of memory. Beside it the exact figures by sorting, of the
 * first maps.
 *
 *     ninja -C build bench_metrics && build/bench/bench_metrics [MAPS [SIDE [THREADS [SORTED [FOLDER]]]]]
 *
 * Usual: 1725 maps of 900 x 900, 2 threads, 16 maps sorted. FOLDER: the sorted maps also go to FOLDER/maps.f32 and
 * FOLDER/masks.u8, for bench/peers/metrics.py. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "base/pool.h"
#include "base/random.h"
#include "flaw/metrics.h"

enum { BATCH = 8 };

typedef struct maker {
    int side, first;
    float *map[BATCH];
    uint8_t *mask[BATCH];
    flaw_pixels_picture picture[BATCH];
} maker;

static double now(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Smooth waves with noise; every second picture has one to four round defects, higher by a little. */
static void make_one(void *context, int piece, int worker)
{
    maker *m = context;
    const int side = m->side, id = m->first + piece;
    float *map = m->map[piece];
    uint8_t *mask = m->mask[piece];
    flaw_random r;
    flaw_random_init(&r, 77, (uint64_t)id);
    const float a = (float)flaw_random_range(&r, 5, 20) / (float)side,
                b = (float)flaw_random_range(&r, 5, 20) / (float)side;
    float *wave = malloc((size_t)side * sizeof *wave);
    if (!wave) exit(70);
    for (int x = 0; x < side; x++) wave[x] = 0.1f * sinf(a * (float)x);
    for (int y = 0; y < side; y++) {
        const float row = 0.3f + 0.1f * cosf(b * (float)y);
        for (int x = 0; x < side; x += 4) {
            uint64_t bits = flaw_random_u64(&r);
            for (int k = 0; k < 4 && x + k < side; k++, bits >>= 16)
                map[y * side + x + k] = row + wave[x + k] + (float)(bits & 0xffff) * (0.2f / 65536);
        }
    }
    free(wave);
    memset(mask, 0, (size_t)side * (size_t)side);
    for (int spots = id % 2 ? 1 + flaw_random_below(&r, 4) : 0; spots > 0; spots--) {
        const int radius = 2 + flaw_random_below(&r, side / 12), cx = flaw_random_below(&r, side),
                  cy = flaw_random_below(&r, side);
        for (int y = cy - radius < 0 ? 0 : cy - radius; y < side && y <= cy + radius; y++)
            for (int x = cx - radius < 0 ? 0 : cx - radius; x < side && x <= cx + radius; x++)
                if ((x - cx) * (x - cx) + (y - cy) * (y - cy) <= radius * radius) {
                    map[y * side + x] += mask[y * side + x] ? 0 : 0.15f;
                    mask[y * side + x] = 255;
                }
    }
    m->picture[piece] = (flaw_pixels_picture){.id = (uint64_t)id, .map = map, .mask = id % 2 ? mask : NULL,
                                              .width = side, .height = side};
}

static void must(flaw_status status, const flaw_error *err)
{
    if (status == FLAW_OK) return;
    fprintf(stderr, "%s\n", err->text);
    exit(flaw_status_exit(status));
}

static void print_figure(const char *name, const flaw_bounded *f)
{
    printf("  %-15s %.9f  within [%.9f, %.9f]\n", name, f->value, f->low, f->high);
}

static void print_figures(const flaw_pixel_figures *f)
{
    print_figure("AUROC", &f->auroc);
    print_figure("AP", &f->ap);
    print_figure("F1-max", &f->f1_max);
    print_figure("AUPRO", &f->aupro);
    print_figure("AUPR trapezoid", &f->aupr_trapezoid);
    print_figure("AUPRO cflow-200", &f->aupro_cflow200);
}

static void stream(int maps, int side, int threads, flaw_pool *pool, maker *m)
{
    flaw_error err;
    flaw_pixels *p;
    flaw_pixel_figures f;
    double wall = 0, work = 0, start;
    must(flaw_pixels_open(&p, &(flaw_pixels_options){.threads = threads}, &err), &err);
    for (m->first = 0; m->first < maps; m->first += BATCH) {
        const int n = maps - m->first < BATCH ? maps - m->first : BATCH;
        flaw_pool_run(pool, make_one, m, n);
        const double wall_start = now(CLOCK_MONOTONIC), work_start = now(CLOCK_PROCESS_CPUTIME_ID);
        must(flaw_pixels_add_batch(p, m->picture, (size_t)n, &err), &err);
        wall += now(CLOCK_MONOTONIC) - wall_start;
        work += now(CLOCK_PROCESS_CPUTIME_ID) - work_start;
    }
    start = now(CLOCK_MONOTONIC);
    must(flaw_pixels_measure(&f, p, 0.3, &err), &err);
    const double measuring = now(CLOCK_MONOTONIC) - start;
    flaw_pixels_close(p);
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    printf("streamed: %d maps of %d x %d, %d threads: counting %.2f s (processor %.2f s), measuring %.4f s, "
           "peak memory %.0f MB with the maps of a batch\n",
           maps, side, side, threads, wall, work, measuring, (double)usage.ru_maxrss / 1024);
    print_figures(&f);
}

static void dump(const char *folder, const char *name, const void *data, size_t size, size_t count)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "wb");
    if (!f || fwrite(data, size, count, f) != count || fclose(f)) {
        perror(path);
        exit(74);
    }
}

/* The same maps at once, sorted. */
static void sort(int maps, int side, maker *m, const char *folder)
{
    const size_t pixels = (size_t)side * (size_t)side;
    float *map = malloc((size_t)maps * pixels * sizeof *map);
    uint8_t *mask = malloc((size_t)maps * pixels);
    flaw_pixels_picture *picture = calloc((size_t)maps, sizeof *picture);
    const float **of_map = calloc((size_t)maps, sizeof *of_map);
    const uint8_t **of_mask = calloc((size_t)maps, sizeof *of_mask);
    int *sides = calloc((size_t)maps, sizeof *sides);
    if (!map || !mask || !picture || !of_map || !of_mask || !sides) exit(70);
    for (int i = 0; i < maps; i++) {
        m->first = i;
        m->map[0] = map + (size_t)i * pixels;
        m->mask[0] = mask + (size_t)i * pixels;
        make_one(m, 0, 0);
        picture[i] = m->picture[0];
        of_map[i] = m->map[0];
        of_mask[i] = m->mask[0];
        sides[i] = side;
    }
    flaw_error err;
    flaw_pixel_figures f;
    double pro, start = now(CLOCK_PROCESS_CPUTIME_ID);
    must(flaw_pixels_exact(&f, picture, (size_t)maps, 0.3, &err), &err);
    const double all = now(CLOCK_PROCESS_CPUTIME_ID) - start;
    start = now(CLOCK_PROCESS_CPUTIME_ID);
    must(flaw_pro(&pro, of_map, of_mask, sides, sides, (size_t)maps, 0.3, &err), &err);
    const double only = now(CLOCK_PROCESS_CPUTIME_ID) - start;
    printf("sorted: %d maps of %d x %d, 1 thread, processor time: all figures %.3f s, AUPRO only %.3f s (%.9f)\n",
           maps, side, side, all, only, pro);
    print_figures(&f);
    if (folder) {
        dump(folder, "maps.f32", map, sizeof *map, (size_t)maps * pixels);
        dump(folder, "masks.u8", mask, 1, (size_t)maps * pixels);
    }
}

int main(int argc, char **argv)
{
    const int maps = argc > 1 ? (int)strtol(argv[1], NULL, 10) : 1725;
    const int side = argc > 2 ? (int)strtol(argv[2], NULL, 10) : 900;
    const int threads = argc > 3 ? (int)strtol(argv[3], NULL, 10) : 2;
    const int sorted = argc > 4 ? (int)strtol(argv[4], NULL, 10) : 16;
    if (maps < 0 || side < 24 || side > 20000 || threads < 1 || sorted < 0) return 2;
    maker m = {.side = side};
    flaw_error err;
    flaw_pool *pool;
    must(flaw_pool_new(&pool, threads, &err), &err);
    for (int i = 0; i < BATCH; i++) {
        m.map[i] = malloc((size_t)side * (size_t)side * sizeof **m.map);
        m.mask[i] = malloc((size_t)side * (size_t)side);
        if (!m.map[i] || !m.mask[i]) return 70;
    }
    if (maps) stream(maps, side, threads, pool, &m);
    if (sorted) sort(sorted, side, &m, argc > 5 ? argv[5] : NULL);
    flaw_pool_free(pool);
    return 0;
}
