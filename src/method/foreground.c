#include "method/foreground.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"

#define ROUNDS 60        /* of the power iteration */
#define APART 0.75       /* least share of the variance that lies between the two sides; a ramp has 0.75 */
#define BORDER 0.7       /* least share of background on the border */
#define FILLS_LEAST 0.05 /* shares of the picture that a part may fill */
#define FILLS_MOST 0.9
#define DOUBT 0.5 /* a picture with less than this of the least foreground is looked at as a whole */

flaw_status flaw_foreground_open(flaw_foreground *f, int grid, int width, flaw_error *err)
{
    size_t cells = (size_t)grid * (size_t)grid;
    *f = (flaw_foreground){.grid = grid, .width = width};
    f->component = calloc((size_t)width, sizeof *f->component);
    f->along = calloc(cells, sizeof *f->along);
    f->queue = calloc(cells, sizeof *f->queue);
    if (f->component && f->along && f->queue) return FLAW_OK;
    flaw_foreground_close(f);
    return flaw_fail(err, FLAW_NO_MEMORY, "foreground mask: memory was refused");
}

void flaw_foreground_close(flaw_foreground *f)
{
    free(f->component);
    free(f->along);
    free(f->queue);
    *f = (flaw_foreground){0};
}

/* All rows as one table. */
typedef struct table {
    const float *const *rows;
    size_t count, cells, width;
    const flaw_kernels *kernels;
} table;

static const float *row_of(const table *t, size_t i)
{
    return t->rows[i / t->cells] + i % t->cells * t->width;
}

/* v = unit vector of the largest variance about the mean, by power iteration from `v`: v <- sum of (x.v - mean.v) x.
 * Returns false when the rows do not differ. */
static bool find_component(const table *t, float *v, float *mean, float *next)
{
    const flaw_kernels *k = t->kernels;
    size_t n = t->count * t->cells, w = t->width;
    memset(mean, 0, w * sizeof *mean);
    for (size_t i = 0; i < n; i++) k->axpy(w, 1.0f / (float)n, row_of(t, i), mean);
    /* Start: the first row's way from the mean, which is not at right angles to the component but by bad luck. */
    for (size_t d = 0; d < w; d++) v[d] = row_of(t, 0)[d] - mean[d];
    for (int round = 0; round <= ROUNDS; round++) {
        double length = sqrt((double)k->dot(w, v, v));
        if (!(length > 1e-12)) return false;
        k->scale(w, (float)(1 / length), v);
        if (round == ROUNDS) break;
        float middle = k->dot(w, mean, v), sum = 0;
        memset(next, 0, w * sizeof *next);
        for (size_t i = 0; i < n; i++) {
            float along = k->dot(w, row_of(t, i), v) - middle;
            k->axpy(w, along, row_of(t, i), next);
            sum += along;
        }
        k->axpy(w, -sum, mean, next);
        memcpy(v, next, w * sizeof *v);
    }
    return true;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Otsu's limit between two sides of sorted values; *apart = variance between the sides over all variance. */
static double otsu(const double *x, size_t n, double *apart)
{
    double sum = 0, square = 0, below = 0, best = -1, limit = x[0];
    for (size_t i = 0; i < n; i++) sum += x[i];
    for (size_t i = 0; i < n; i++) square += (x[i] - sum / (double)n) * (x[i] - sum / (double)n);
    for (size_t i = 1; i < n; i++) {
        below += x[i - 1];
        double low = (double)i, high = (double)(n - i), gap = below / low - (sum - below) / high;
        double between = low * high / (double)n * gap * gap;
        if (between <= best || x[i] == x[i - 1]) continue;
        best = between;
        limit = (x[i] + x[i - 1]) / 2;
    }
    *apart = square > 0 ? fmax(best, 0) / square : 0;
    return limit;
}

static bool on_border(const flaw_foreground *f, int cell)
{
    int y = cell / f->grid, x = cell % f->grid, last = f->grid - 1;
    return y == 0 || x == 0 || y == last || x == last;
}

static void project(flaw_foreground *f, const float *rows, const flaw_kernels *k)
{
    size_t w = (size_t)f->width;
    for (int i = 0; i < f->grid * f->grid; i++)
        f->along[i] = (double)k->dot(w, rows + (size_t)i * w, f->component) - f->limit;
}

/* part = 1 but for background that hangs together with the border; returns the share of 1. f->along: over 0 foreground.
 */
static double flood(flaw_foreground *f, uint8_t *part)
{
    int cells = f->grid * f->grid, first = 0, end = 0;
    for (int i = 0; i < cells; i++) {
        part[i] = !(on_border(f, i) && f->along[i] <= 0);
        if (!part[i]) f->queue[end++] = i;
    }
    while (first < end) {
        int at = f->queue[first++], y = at / f->grid, x = at % f->grid;
        const int next[4] = {y > 0 ? at - f->grid : -1, y + 1 < f->grid ? at + f->grid : -1, x > 0 ? at - 1 : -1,
                             x + 1 < f->grid ? at + 1 : -1};
        for (int i = 0; i < 4; i++) {
            if (next[i] < 0 || !part[next[i]] || f->along[next[i]] > 0) continue;
            part[next[i]] = 0;
            f->queue[end++] = next[i];
        }
    }
    return 1 - (double)end / cells;
}

/* Foreground is the side that has less of the border. Returns the border's share of background. */
static double turn_inwards(flaw_foreground *f, const table *t)
{
    size_t border = 0, over = 0;
    for (size_t p = 0; p < t->count; p++) {
        project(f, t->rows[p], t->kernels);
        for (int i = 0; i < f->grid * f->grid; i++) {
            border += on_border(f, i);
            over += on_border(f, i) && f->along[i] > 0;
        }
    }
    if (2 * over > border) {
        t->kernels->scale((size_t)f->width, -1, f->component);
        f->limit = -f->limit;
        over = border - over;
    }
    return 1 - (double)over / (double)border;
}

/* The test of every good part; f->least becomes the smallest share of foreground. */
static bool passes(flaw_foreground *f, const table *t, uint8_t *part)
{
    double most = 0;
    f->least = 1;
    for (size_t p = 0; p < t->count; p++) {
        project(f, t->rows[p], t->kernels);
        double share = flood(f, part);
        f->least = fmin(f->least, share);
        most = fmax(most, share);
    }
    return f->least >= FILLS_LEAST && most <= FILLS_MOST;
}

flaw_status flaw_foreground_learn(flaw_foreground *f, const float *const *rows, size_t count, flaw_foreground_use use,
                                  const flaw_kernels *kernels, flaw_error *err)
{
    table t = {rows, count, (size_t)f->grid * (size_t)f->grid, (size_t)f->width, kernels};
    f->used = false;
    f->limit = f->least = 0;
    if (use == FLAW_FOREGROUND_OFF) return FLAW_OK;
    size_t n = 0;
    double *all = flaw_mul_ok(&n, count, t.cells) && n < SIZE_MAX / sizeof *all ? malloc(n * sizeof *all) : NULL;
    float *spare = malloc(2 * t.width * sizeof *spare);
    uint8_t *part = malloc(t.cells);
    flaw_status s = FLAW_OK;
    if (!all || !spare || !part) s = flaw_fail(err, FLAW_NO_MEMORY, "foreground mask of %zu parts was refused", count);
    if (!s && find_component(&t, f->component, spare, spare + t.width)) {
        double apart;
        for (size_t i = 0; i < n; i++) all[i] = (double)kernels->dot(t.width, row_of(&t, i), f->component);
        qsort(all, n, sizeof *all, ascending);
        f->limit = otsu(all, n, &apart);
        double border = turn_inwards(f, &t);
        bool passed = passes(f, &t, part);
        f->used = use == FLAW_FOREGROUND_ON || (passed && apart >= APART && border >= BORDER);
    }
    free(all);
    free(spare);
    free(part);
    return s;
}

/* Patches beside the part belong to it: a patch on its rim shows both. */
static void widen(const flaw_foreground *f, uint8_t *part)
{
    int cells = f->grid * f->grid;
    for (int i = 0; i < cells; i++) { /* 2: was background and lies beside the part */
        int y = i / f->grid, x = i % f->grid;
        for (int dy = -1; dy <= 1 && !part[i]; dy++)
            for (int dx = -1; dx <= 1 && !part[i]; dx++) {
                int v = y + dy, u = x + dx;
                if (v >= 0 && v < f->grid && u >= 0 && u < f->grid && part[v * f->grid + u] == 1) part[i] = 2;
            }
    }
    for (int i = 0; i < cells; i++) part[i] = part[i] != 0;
}

void flaw_foreground_mark(flaw_foreground *f, const float *rows, uint8_t *part, const flaw_kernels *kernels)
{
    double share = 1;
    if (f->used) {
        project(f, rows, kernels);
        share = flood(f, part);
    }
    if (!f->used || share < DOUBT * f->least) memset(part, 1, (size_t)f->grid * (size_t)f->grid);
    else widen(f, part);
}

flaw_status flaw_foreground_save(const flaw_foreground *f, flaw_record *record, flaw_error *err)
{
    flaw_status s = flaw_record_put_number(record, "foreground.used", f->used, err);
    if (!s) s = flaw_record_put_number(record, "foreground.limit", f->limit, err);
    if (!s) s = flaw_record_put_number(record, "foreground.least", f->least, err);
    return s ? s : flaw_record_put_table(record, "foreground.component", f->component, 1, (size_t)f->width, err);
}

flaw_status flaw_foreground_load(flaw_foreground *f, const flaw_record *record, flaw_error *err)
{
    int used;
    double limit, least;
    const float *component;
    size_t rows;
    flaw_status s = flaw_record_integer(record, "foreground.used", 0, 1, &used, err);
    if (!s) s = flaw_record_number(record, "foreground.limit", &limit, err);
    if (!s) s = flaw_record_number(record, "foreground.least", &least, err);
    if (!s) s = flaw_record_table(record, "foreground.component", (size_t)f->width, &component, &rows, err);
    if (!s && (rows != 1 || !isfinite(limit) || !(least >= 0 && least <= 1)))
        s = flaw_fail(err, FLAW_BAD_DATA, "the foreground of the recipe is out of range");
    if (s) return s;
    f->used = used;
    f->limit = limit;
    f->least = least;
    memcpy(f->component, component, (size_t)f->width * sizeof *component);
    return FLAW_OK;
}
