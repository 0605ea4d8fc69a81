/* PaDiM (Defard et al. 2021, arXiv 2011.08785) on any image tower.
 *
 * At each place of the grid a Gaussian over d channels drawn by the seed from the stages below the last, side by side:
 * mean and covariance of the good parts at that place, + 0.01 I. A patch's distance is Mahalanobis', by Cholesky; the
 * picture's score is the largest. So parts must lie alike under the camera.
 *
 * The 0.01 was chosen for the features of a ResNet. Rows here have unit length, so they are multiplied by sqrt(D): a
 * channel's mean square is 1. Distances are given times sqrt(0.01 / d): where the parts show no spread at all that is
 * the root mean square difference of the channels. From n parts the covariance has rank n - 1 at most: in all other of
 * the d directions the 0.01 alone holds it, and from one part in all. The paper smooths maps of 224 pixels by a
 * Gaussian of 4 pixels: less than a third of a patch of 16, so left out. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/random.h"
#include "method/gridmap.h"
#include "method/method.h"

#define REGULAR 0.01

enum { CHANNELS, OPTIONS };

static const flaw_method_option options[OPTIONS + 1] = {
    [CHANNELS] = {.name = "channels",
                  .kind = FLAW_OPTION_WHOLE,
                  .low = 1,
                  .high = 2048,
                  .standard = 100,
                  .about = "channels drawn from all stages together, at most as many as there are"},
};

typedef struct padim {
    flaw_compute *compute;
    int cells, width, d;
    double unit;  /* sqrt(D) */
    int *channel; /* [d] of FLAW_BANK_STAGES * D, ascending */
    float *mean;  /* [P, d] */
    float *root;  /* [P, d (d + 1) / 2] rows of the lower Cholesky factor */
    double *map;  /* [P] */
    bool learnt;
} padim;

static size_t root_size(const padim *p)
{
    return (size_t)p->d * ((size_t)p->d + 1) / 2;
}

static int wants(const flaw_method_setup *setup)
{
    (void)setup;
    return FLAW_WANT_STAGES;
}

static void close_state(void *state)
{
    padim *p = state;
    if (!p) return;
    free(p->channel);
    free(p->mean);
    free(p->root);
    free(p->map);
    free(p);
}

/* d of `all` channels, each set of d as likely as any other (selection sampling, Knuth's algorithm S), ascending. */
static void draw_channels(int *channel, int d, int all, uint64_t seed)
{
    flaw_random random;
    flaw_random_init(&random, seed, 0x7061646d);
    for (int i = 0, taken = 0; taken < d; i++)
        if (flaw_random_below(&random, all - i) < d - taken) channel[taken++] = i;
}

static flaw_status open_state(void **state, const flaw_method_setup *setup, flaw_error *err)
{
    const flaw_clip_shape *shape = &setup->model->shape;
    int all = FLAW_BANK_STAGES * shape->image.width;
    padim *p = calloc(1, sizeof *p);
    if (!p) return flaw_fail(err, FLAW_NO_MEMORY, "padim: memory was refused");
    p->compute = setup->compute;
    p->cells = shape->grid * shape->grid;
    p->width = shape->image.width;
    p->unit = sqrt((double)p->width);
    p->d = setup->value[CHANNELS] < all ? (int)setup->value[CHANNELS] : all;
    size_t d = (size_t)p->d, cells = (size_t)p->cells, floats;
    p->channel = malloc(d * sizeof *p->channel);
    p->mean = malloc(cells * d * sizeof *p->mean);
    p->root = flaw_mul_ok(&floats, cells, root_size(p) * sizeof *p->root) ? malloc(floats) : NULL;
    p->map = malloc(cells * sizeof *p->map);
    flaw_status s =
        p->channel && p->mean && p->root && p->map
            ? flaw_compute_reserve(p->compute, (d + 1) * d * sizeof(double), err)
            : flaw_fail(err, FLAW_NO_MEMORY, "padim: %d Gaussians of %d channels were refused", p->cells, p->d);
    if (s) {
        close_state(p);
        return s;
    }
    draw_channels(p->channel, p->d, all, setup->options->seed);
    *state = p;
    return FLAW_OK;
}

/* x [d] = the drawn channels of patch `cell`. */
static void gather(const padim *p, const flaw_features *f, int cell, double *x)
{
    for (int i = 0; i < p->d; i++) {
        int stage = p->channel[i] / p->width, at = p->channel[i] % p->width;
        x[i] = p->unit * (double)f->stage[stage][(size_t)cell * (size_t)p->width + (size_t)at];
    }
}

/* a [d, d], symmetric and positive definite, becomes its lower Cholesky factor (the upper triangle is left as it is).
 */
static bool cholesky(double *a, size_t d)
{
    for (size_t j = 0; j < d; j++) {
        double *row = a + j * d;
        for (size_t i = 0; i < j; i++) {
            const double *other = a + i * d;
            double sum = row[i];
            for (size_t k = 0; k < i; k++) sum -= row[k] * other[k];
            row[i] = sum / other[i];
        }
        double rest = row[j];
        for (size_t k = 0; k < j; k++) rest -= row[k] * row[k];
        if (!(rest > 0)) return false;
        row[j] = sqrt(rest);
    }
    return true;
}

typedef struct fitting {
    padim *p;
    const flaw_lesson *lesson;
    bool *failed; /* [P] */
} fitting;

/* Mean, covariance and its factor at one place. */
static void fit_piece(void *context, int cell, int worker)
{
    const fitting *f = context;
    padim *p = f->p;
    size_t d = (size_t)p->d, n = f->lesson->count;
    double *a = p->compute->scratch[worker], *x = a + d * d;
    float *mean = p->mean + (size_t)cell * d, *root = p->root + (size_t)cell * root_size(p);
    memset(a, 0, d * d * sizeof *a);
    for (size_t i = 0; i < n; i++) { /* the first row of `a` collects the sum */
        gather(p, f->lesson->good[i], cell, x);
        for (size_t j = 0; j < d; j++) a[j] += x[j];
    }
    for (size_t j = 0; j < d; j++) mean[j] = (float)(a[j] / (double)n);
    memset(a, 0, d * sizeof *a);
    for (size_t i = 0; i < n; i++) {
        gather(p, f->lesson->good[i], cell, x);
        for (size_t j = 0; j < d; j++) x[j] -= (double)mean[j];
        for (size_t j = 0; j < d; j++)
            for (size_t k = 0; k <= j; k++) a[j * d + k] += x[j] * x[k];
    }
    double over = n > 1 ? 1.0 / (double)(n - 1) : 0;
    for (size_t j = 0; j < d; j++) {
        for (size_t k = 0; k <= j; k++) a[j * d + k] *= over;
        a[j * d + j] += REGULAR;
    }
    f->failed[cell] = !cholesky(a, d);
    for (size_t j = 0; j < d; j++)
        for (size_t k = 0; k <= j; k++) *root++ = (float)a[j * d + k];
}

static flaw_status learn(void *state, const flaw_lesson *lesson, flaw_error *err)
{
    padim *p = state;
    bool *failed = calloc((size_t)p->cells, sizeof *failed);
    if (!failed) return flaw_fail(err, FLAW_NO_MEMORY, "padim: memory was refused");
    fitting f = {p, lesson, failed};
    flaw_pool_run(p->compute->pool, fit_piece, &f, p->cells);
    flaw_status s = FLAW_OK;
    for (int i = 0; !s && i < p->cells; i++)
        if (failed[i])
            s = flaw_fail(err, FLAW_BAD_DATA, "padim: the covariance of the good parts at patch %d is not definite", i);
    free(failed);
    p->learnt = !s;
    return s;
}

typedef struct measuring {
    const padim *p;
    const flaw_features *picture;
} measuring;

/* Mahalanobis distance of one patch: the length of the solution of L z = x - mean. */
static void measure_piece(void *context, int cell, int worker)
{
    const measuring *m = context;
    const padim *p = m->p;
    size_t d = (size_t)p->d;
    double *x = p->compute->scratch[worker], square = 0;
    const float *mean = p->mean + (size_t)cell * d, *row = p->root + (size_t)cell * root_size(p);
    gather(p, m->picture, cell, x);
    for (size_t j = 0; j < d; row += j + 1, j++) {
        double sum = x[j] - (double)mean[j];
        for (size_t k = 0; k < j; k++) sum -= (double)row[k] * x[k];
        x[j] = sum / (double)row[j];
        square += x[j] * x[j];
    }
    p->map[cell] = sqrt(square * REGULAR / (double)d);
}

static flaw_status score(void *state, const flaw_features *picture, flaw_score *out, flaw_error *err)
{
    padim *p = state;
    if (!p->learnt) return flaw_fail(err, FLAW_USAGE, "no good part has been learnt yet");
    measuring m = {p, picture};
    flaw_pool_run(p->compute->pool, measure_piece, &m, p->cells);
    out->image = flaw_gridmap_peak(p->map, p->cells);
    out->closest = NULL;
    flaw_gridmap_store(out->map, p->map, p->cells);
    return FLAW_OK;
}

static flaw_status save(const void *state, flaw_record *record, flaw_error *err)
{
    const padim *p = state;
    size_t cells = (size_t)p->cells, d = (size_t)p->d;
    float *channel = malloc(d * sizeof *channel);
    if (!channel) return flaw_fail(err, FLAW_NO_MEMORY, "padim: memory was refused");
    for (size_t i = 0; i < d; i++) channel[i] = (float)p->channel[i];
    flaw_status s = flaw_record_put_table(record, "padim.channels", channel, 1, d, err);
    if (!s) s = flaw_record_put_table(record, "padim.mean", p->mean, cells, d, err);
    if (!s) s = flaw_record_put_table(record, "padim.root", p->root, cells, root_size(p), err);
    free(channel);
    return s;
}

/* A table of `rows` rows, no more and no less. */
static flaw_status get_table(const flaw_record *record, const char *name, size_t rows, size_t columns,
                             const float **out, flaw_error *err)
{
    size_t found;
    flaw_status s = flaw_record_table(record, name, columns, out, &found, err);
    if (s || found == rows) return s;
    return flaw_fail(err, FLAW_BAD_DATA, "\"%s\" of the recipe has %zu rows, expected are %zu", name, found, rows);
}

static flaw_status load(void *state, const flaw_record *record, flaw_error *err)
{
    padim *p = state;
    const float *channel, *mean, *root;
    size_t cells = (size_t)p->cells, d = (size_t)p->d;
    flaw_status s = get_table(record, "padim.channels", 1, d, &channel, err);
    if (!s) s = get_table(record, "padim.mean", cells, d, &mean, err);
    if (!s) s = get_table(record, "padim.root", cells, root_size(p), &root, err);
    if (s) return s;
    for (size_t i = 0; i < d; i++) {
        float c = channel[i];
        if (!(c >= 0 && c < (float)(FLAW_BANK_STAGES * p->width) && c == floorf(c)))
            return flaw_fail(err, FLAW_BAD_DATA, "channel %g of the recipe is not one of 0 to %d", (double)c,
                             FLAW_BANK_STAGES * p->width - 1);
        p->channel[i] = (int)c;
    }
    for (size_t i = 0; i < cells; i++)
        for (size_t j = 0; j < d; j++)
            if (!(root[i * root_size(p) + j * (j + 3) / 2] > 0))
                return flaw_fail(err, FLAW_BAD_DATA, "a covariance of the recipe is not definite");
    memcpy(p->mean, mean, cells * d * sizeof *mean);
    memcpy(p->root, root, cells * root_size(p) * sizeof *root);
    p->learnt = true;
    return FLAW_OK;
}

const flaw_method flaw_method_padim = {
    .name = "padim",
    .about = "a Gaussian at each place, Mahalanobis distance; needs good parts that lie alike, no text",
    .paper = "Defard et al. 2021, arXiv 2011.08785",
    .option = options,
    .needs_good = true,
    .scores = {.distance = true, .spread = 0.1},
    .wants = wants,
    .open = open_state,
    .learn = learn,
    .score = score,
    .save = save,
    .load = load,
    .close = close_state,
};
