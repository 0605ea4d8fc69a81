/* Poisson editing of a patch of 224 x 224 pixels, white noise into white noise: processor time, best and median of
 * ROUNDS. ninja -C build bench_poisson && build/bench/bench_poisson */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/random.h"
#include "simulate/poisson.h"

enum { SIDE = 226, PIXELS = SIDE * SIDE, ROUNDS = 101 }; /* the outermost pixels are rim */

static double picture[3 * PIXELS], before[3 * PIXELS], guide[3 * PIXELS];
static uint8_t mask[PIXELS];

static double now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return 1e3 * (double)t.tv_sec + 1e-6 * (double)t.tv_nsec;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static int measure(const char *name)
{
    double ms[ROUNDS];
    flaw_poisson_report report;
    flaw_error err;
    for (int i = 0; i < ROUNDS; i++) {
        memcpy(picture, before, sizeof picture);
        double begin = now_ms();
        if (flaw_poisson_edit(picture, guide, mask, SIDE, SIDE, &report, &err) != FLAW_OK) {
            fprintf(stderr, "%s\n", err.text);
            return 1;
        }
        ms[i] = now_ms() - begin;
    }
    qsort(ms, ROUNDS, sizeof *ms, ascending);
    printf("%-8s %6zu pixels  %2d steps  residual %.1e  best %.2f ms  median %.2f ms\n", name, report.cells,
           report.rounds, report.residual, ms[0], ms[ROUNDS / 2]);
    return 0;
}

int main(void)
{
    flaw_random r;
    flaw_random_init(&r, 1, 0);
    for (int i = 0; i < 3 * PIXELS; i++) {
        before[i] = flaw_random_below(&r, 256);
        guide[i] = flaw_random_below(&r, 256);
    }
    memset(mask, 1, sizeof mask);
    int failed = measure("square");
    for (int i = 0; i < PIXELS; i++) mask[i] = hypot(i % SIDE - SIDE / 2, i / SIDE - SIDE / 2) < 112;
    return failed | measure("disc");
}
