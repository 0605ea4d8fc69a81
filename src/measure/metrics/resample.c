#include "measure/metrics/resample.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/pool.h"

enum { USUAL = 2000, FEWEST = 100, MOST = 1 << 20, MOST_THREADS = 1024 };

flaw_status flaw_resample_fill(flaw_resample *out, const flaw_resample *options, flaw_error *err)
{
    flaw_resample o = options ? *options : (flaw_resample){0};
    if (!o.replicates) o.replicates = USUAL;
    if (!(o.level < 0 || o.level > 0)) o.level = isnan(o.level) ? NAN : 0.95;
    if (!o.threads) o.threads = 1;
    if (o.replicates < FEWEST || o.replicates > MOST)
        return flaw_fail(err, FLAW_USAGE, "%d replicates are not allowed, allowed are %d .. %d", o.replicates, FEWEST,
                         MOST);
    if (!(o.level > 0 && o.level < 1))
        return flaw_fail(err, FLAW_USAGE, "level %g of an interval is not allowed, allowed is 0 < level < 1", o.level);
    if (o.threads < 1 || o.threads > MOST_THREADS)
        return flaw_fail(err, FLAW_USAGE, "%d threads are not allowed, allowed are 1 .. %d", o.threads, MOST_THREADS);
    *out = o;
    return FLAW_OK;
}

typedef struct work {
    flaw_draws *draws;
    flaw_replicate measure;
    const void *context;
    const uint32_t *good, *bad; /* numbers of pictures */
    size_t goods, bads;
    uint32_t *times; /* [threads, n] */
} work;

static void draw(uint32_t *times, flaw_random *r, const uint32_t *from, size_t n)
{
    for (size_t i = 0; i < n; i++) times[from[flaw_random_below(r, (int)n)]]++;
}

static void one_replicate(void *context, int piece, int worker)
{
    const work *w = context;
    const size_t n = w->goods + w->bads;
    uint32_t *times = w->times + (size_t)worker * n;
    flaw_random r;
    flaw_random_init(&r, w->draws->options.seed, (uint64_t)piece);
    memset(times, 0, n * sizeof *times);
    draw(times, &r, w->good, w->goods);
    draw(times, &r, w->bad, w->bads);
    double figures[FLAW_FIGURES];
    w->measure(figures, w->context, times);
    for (int f = 0; f < FLAW_FIGURES; f++)
        w->draws->value[(size_t)f * (size_t)w->draws->options.replicates + (size_t)piece] = figures[f];
}

flaw_status flaw_draws_make(flaw_draws *out, flaw_replicate measure, const void *context, const uint8_t *labels,
                            size_t n, const flaw_resample *options, flaw_error *err)
{
    flaw_draws made = {0};
    flaw_status status = flaw_resample_fill(&made.options, options, err);
    if (status != FLAW_OK) return status;
    size_t bytes;
    if (n > INT32_MAX || !flaw_mul_ok(&bytes, n ? n : 1, (size_t)made.options.threads * sizeof(uint32_t)))
        return flaw_fail(err, FLAW_NO_MEMORY, "drawing from %zu pictures: too many", n);
    uint32_t *numbers = malloc((n ? n : 1) * sizeof *numbers), *times = malloc(bytes);
    flaw_pool *pool = NULL;
    made.value = calloc((size_t)made.options.replicates, FLAW_FIGURES * sizeof *made.value);
    if (!numbers || !times || !made.value)
        status = flaw_fail(err, FLAW_NO_MEMORY, "drawing from %zu pictures: no memory", n);
    else if (made.options.threads > 1) status = flaw_pool_new(&pool, made.options.threads, err);
    if (status == FLAW_OK) {
        size_t goods = 0, bads = 0;
        for (size_t i = 0; i < n; i++) goods += !labels[i];
        for (size_t i = 0, good = 0; i < n; i++) {
            if (labels[i]) numbers[goods + bads++] = (uint32_t)i;
            else numbers[good++] = (uint32_t)i;
        }
        work w = {&made, measure, context, numbers, numbers + goods, goods, bads, times};
        flaw_pool_run(pool, one_replicate, &w, made.options.replicates);
        *out = made;
    } else {
        flaw_draws_release(&made);
    }
    flaw_pool_free(pool);
    free(numbers);
    free(times);
    return status;
}

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Between the two nearest of the sorted values, as most packages do (Hyndman and Fan's type 7). */
static double quantile(const double *sorted, int n, double at)
{
    const double place = at * (n - 1);
    const int below = (int)place, above = below + 1 < n ? below + 1 : below;
    return sorted[below] + (place - below) * (sorted[above] - sorted[below]);
}

static double *values_of(const flaw_draws *draws, flaw_figure figure)
{
    return draws->value + (size_t)figure * (size_t)draws->options.replicates;
}

void flaw_draws_interval(double *low, double *high, flaw_draws *draws, flaw_figure figure, double off)
{
    const int n = draws->options.replicates;
    double *value = values_of(draws, figure);
    *low = *high = NAN;
    for (int i = 0; i < n; i++)
        if (isnan(value[i])) return;
    qsort(value, (size_t)n, sizeof *value, ascending);
    *low = quantile(value, n, (1 - draws->options.level) / 2) + off;
    *high = quantile(value, n, (1 + draws->options.level) / 2) + off;
}

double flaw_draws_p(const flaw_draws *draws, flaw_figure figure, double off)
{
    const int n = draws->options.replicates;
    const double *value = values_of(draws, figure);
    int below = 1, above = 1;
    for (int i = 0; i < n; i++) {
        if (isnan(value[i])) return NAN;
        below += value[i] + off <= 0;
        above += value[i] + off >= 0;
    }
    return fmin(1, 2.0 * (below < above ? below : above) / (n + 1));
}

void flaw_draws_release(flaw_draws *draws)
{
    free(draws->value);
    *draws = (flaw_draws){0};
}
