/* Intervals of the figures of pictures, and two methods compared on the same pictures. */
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/pool.h"
#include "measure/metrics/ranking.h"
#include "measure/metrics/resample.h"
#include "measure/metrics/sweep.h"

/* Scores in order, payload = number of the picture. */
typedef struct ranked {
    flaw_ranking ranking;
    const uint8_t *labels;
    flaw_totals totals;
} ranked;

static flaw_status rank(ranked *out, const float *scores, const uint8_t *labels, size_t n, flaw_error *err)
{
    ranked made = {.labels = labels};
    if (n >= UINT32_MAX) return flaw_fail(err, FLAW_USAGE, "%zu pictures are too many", n);
    flaw_status status = flaw_ranking_init(&made.ranking, n, err);
    for (size_t i = 0; i < n && status == FLAW_OK; i++) {
        if (!flaw_ranking_add(&made.ranking, scores[i], (uint32_t)i))
            status = flaw_fail(err, FLAW_BAD_DATA,
                               "score %zu of %zu is not a number; a metric needs ordered scores", i, n);
        made.totals.marked += labels[i] != 0;
        made.totals.background += labels[i] == 0;
    }
    if (status == FLAW_OK) {
        flaw_ranking_sort(&made.ranking);
        *out = made;
    } else {
        flaw_ranking_release(&made.ranking);
    }
    return status;
}

/* times NULL: each picture once. */
static void measure(double out[FLAW_FIGURES], const void *context, const uint32_t *times)
{
    const ranked *r = context;
    flaw_sweep sweep;
    flaw_pixel_figures f;
    flaw_sweep_begin(&sweep, &r->totals, 1);
    for (size_t i = 0; i < r->ranking.n;) {
        const uint32_t key = flaw_ranking_key(&r->ranking, i);
        flaw_step step = {.low_key = key, .high_key = key};
        for (; i < r->ranking.n && flaw_ranking_key(&r->ranking, i) == key; i++) {
            const uint32_t picture = flaw_ranking_payload(&r->ranking, i), count = times ? times[picture] : 1;
            if (r->labels[picture]) step.marked += count;
            else step.background += count;
        }
        if (step.marked || step.background) flaw_sweep_step(&sweep, &step);
    }
    flaw_sweep_end(&f, &sweep);
    out[FLAW_AUROC] = f.auroc.value;
    out[FLAW_AP] = f.ap.value;
    out[FLAW_F1_MAX] = f.f1_max.value;
    out[FLAW_AUPRO] = NAN;
}

flaw_status flaw_image_intervals(flaw_interval out[FLAW_FIGURES], const float *scores, const uint8_t *labels, size_t n,
                                 const flaw_resample *options, flaw_error *err)
{
    ranked r;
    flaw_draws draws;
    flaw_status status = rank(&r, scores, labels, n, err);
    if (status != FLAW_OK) return status;
    status = flaw_draws_make(&draws, measure, &r, labels, n, options, err);
    if (status == FLAW_OK) {
        double value[FLAW_FIGURES];
        measure(value, &r, NULL);
        for (int f = 0; f < FLAW_FIGURES; f++) {
            out[f].value = value[f];
            flaw_draws_interval(&out[f].low, &out[f].high, &draws, f, 0);
        }
        flaw_draws_release(&draws);
    }
    flaw_ranking_release(&r.ranking);
    return status;
}

/* ---- two methods ---- */

static void measure_difference(double out[FLAW_FIGURES], const void *context, const uint32_t *times)
{
    const ranked *r = context;
    double second[FLAW_FIGURES];
    measure(out, &r[0], times);
    measure(second, &r[1], times);
    for (int f = 0; f < FLAW_FIGURES; f++) out[f] -= second[f];
}

/* Twice the mean rank among all pictures, from the lowest up: the scores of two methods in one unit. */
static void ranks_of(float *out, const ranked *r)
{
    for (size_t i = 0, next; i < r->ranking.n; i = next) {
        next = flaw_ranking_next(&r->ranking, i);
        for (size_t j = i; j < next; j++)
            out[flaw_ranking_payload(&r->ranking, j)] = (float)(2 * r->ranking.n - (i + next - 1));
    }
}

typedef struct permuting {
    const ranked *pair;
    float *ranks;     /* [2, n] */
    float *exchanged; /* [threads, 2, n] */
    uint32_t *differ; /* [differing] pictures whose ranks differ */
    size_t differing, n;
    bool all_ways; /* permutation i exchanges those of its bits */
    flaw_resample options;
    double observed[FLAW_FIGURES];
    uint32_t *as_large; /* [pieces, FLAW_FIGURES] 1 when the difference was as large as the observed one */
    flaw_status *status; /* [pieces] */
} permuting;

/* Differences within this of the observed one count as equal to it: they come from sums in another order. */
static const double rounding = 1e-12;

static void permute(void *context, int piece, int worker)
{
    const permuting *p = context;
    float *first = p->exchanged + (size_t)worker * 2 * p->n, *second = first + p->n;
    memcpy(first, p->ranks, 2 * p->n * sizeof *first);
    flaw_random r;
    flaw_random_init(&r, p->options.seed, ((uint64_t)1 << 32) + (uint64_t)piece); /* streams that draws have not */
    for (size_t i = 0; i < p->differing; i++) {
        const bool exchange = p->all_ways ? (uint32_t)piece >> i & 1 : flaw_random_u64(&r) >> 63;
        const uint32_t at = p->differ[i];
        if (!exchange) continue;
        first[at] = p->ranks[p->n + at];
        second[at] = p->ranks[at];
    }
    ranked pair[2] = {0};
    double difference[FLAW_FIGURES];
    flaw_status status = rank(&pair[0], first, p->pair[0].labels, p->n, NULL);
    if (status == FLAW_OK) status = rank(&pair[1], second, p->pair[0].labels, p->n, NULL);
    if (status == FLAW_OK) measure_difference(difference, pair, NULL);
    for (int f = 0; f < FLAW_FIGURES && status == FLAW_OK; f++)
        p->as_large[(size_t)piece * FLAW_FIGURES + (size_t)f] =
            fabs(difference[f]) >= fabs(p->observed[f]) - rounding;
    p->status[piece] = status;
    flaw_ranking_release(&pair[0].ranking);
    flaw_ranking_release(&pair[1].ranking);
}

static void count_differing(permuting *p)
{
    for (uint32_t i = 0; i < p->n; i++)
        if (p->ranks[i] != p->ranks[p->n + i]) p->differ[p->differing++] = i;
}

/* All ways include the observed one; drawn ones do not, so it is counted with them. */
static void p_values(flaw_difference out[FLAW_FIGURES], const permuting *p, int pieces)
{
    for (int f = 0; f < FLAW_FIGURES; f++) {
        double count = 0;
        for (int i = 0; i < pieces; i++) count += p->as_large[(size_t)i * FLAW_FIGURES + (size_t)f];
        out[f].p = isnan(p->observed[f]) ? NAN : p->all_ways ? count / pieces : (count + 1) / (pieces + 1);
    }
}

static flaw_status permutations(flaw_difference out[FLAW_FIGURES], const ranked pair[2], size_t n,
                                const flaw_resample *options, flaw_error *err)
{
    permuting p = {.pair = pair, .n = n, .options = *options};
    const size_t threads = (size_t)options->threads, room = n ? n : 1;
    flaw_status status = FLAW_OK;
    flaw_pool *pool = NULL;
    p.ranks = malloc(room * 2 * sizeof *p.ranks);
    p.exchanged = malloc(threads * room * 2 * sizeof *p.exchanged);
    p.differ = malloc(room * sizeof *p.differ);
    p.as_large = calloc((size_t)options->replicates, FLAW_FIGURES * sizeof *p.as_large);
    p.status = calloc((size_t)options->replicates, sizeof *p.status);
    if (!p.ranks || !p.exchanged || !p.differ || !p.as_large || !p.status)
        status = flaw_fail(err, FLAW_NO_MEMORY, "comparing %zu pictures: no memory", n);
    else if (threads > 1) status = flaw_pool_new(&pool, options->threads, err);
    if (status == FLAW_OK) {
        ranks_of(p.ranks, &pair[0]);
        ranks_of(p.ranks + n, &pair[1]);
        count_differing(&p);
        measure_difference(p.observed, pair, NULL);
        p.all_ways = p.differing < 31 && (int64_t)1 << p.differing <= options->replicates;
        const int pieces = p.all_ways ? 1 << p.differing : options->replicates;
        flaw_pool_run(pool, permute, &p, pieces);
        for (int i = 0; i < pieces && status == FLAW_OK; i++)
            if (p.status[i] != FLAW_OK)
                status = flaw_fail(err, p.status[i], "comparing %zu pictures: no memory", n);
        p_values(out, &p, pieces);
    }
    flaw_pool_free(pool);
    free(p.ranks);
    free(p.exchanged);
    free(p.differ);
    free(p.as_large);
    free(p.status);
    return status;
}

flaw_status flaw_image_compare(flaw_difference out[FLAW_FIGURES], const float *first, const float *second,
                               const uint8_t *labels, size_t n, const flaw_resample *options, flaw_error *err)
{
    ranked pair[2] = {0};
    flaw_difference made[FLAW_FIGURES];
    flaw_draws draws = {0};
    /* ranks times two must be exact as floats */
    if (n > 1 << 22) return flaw_fail(err, FLAW_USAGE, "%zu pictures cannot be compared, allowed are %d", n, 1 << 22);
    flaw_status status = rank(&pair[0], first, labels, n, err);
    if (status == FLAW_OK) status = rank(&pair[1], second, labels, n, err);
    if (status == FLAW_OK) status = flaw_draws_make(&draws, measure_difference, pair, labels, n, options, err);
    if (status == FLAW_OK) status = permutations(made, pair, n, &draws.options, err);
    if (status == FLAW_OK) {
        double values[2][FLAW_FIGURES];
        for (int m = 0; m < 2; m++) measure(values[m], &pair[m], NULL);
        for (int f = 0; f < FLAW_FIGURES; f++) {
            made[f].first = values[0][f];
            made[f].second = values[1][f];
            flaw_draws_interval(&made[f].low, &made[f].high, &draws, f, 0);
            out[f] = made[f];
        }
    }
    flaw_draws_release(&draws);
    flaw_ranking_release(&pair[0].ranking);
    flaw_ranking_release(&pair[1].ranking);
    return status;
}
