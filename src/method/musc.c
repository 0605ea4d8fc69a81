/* MuSc (Li et al. 2024, arXiv 2401.16753): the pictures of an unlabelled batch judge each other, on any image tower.
 *
 * LNAMD: patches of the four stages, and their means over neighbourhoods of r x r for r = 1, 3, 5, at unit length (the
 * paper pools the flattened neighbourhood to a fixed width; here it is the plain mean of those inside the picture).
 * MSM: the distance of a patch to each other picture is that to its nearest patch (Euclid); its score is the mean of
 * the lowest 30 % of these: a normal patch is found in most pictures, a defect in few. Mean over stages and r gives the
 * map. RsCIN: a picture's score, its map's largest value, becomes the mean over its 1, 2 ... k nearest pictures, itself
 * first, weighted by the cosine of the embeddings, and the mean of these over 1 ... k.
 *
 * A picture is never compared with itself: one whose features equal one of the batch bit by bit is that one. Copies
 * within the batch count once. Another picture (a recipe's) is compared with the whole batch. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "detect/compare.h"
#include "method/gridmap.h"
#include "method/method.h"
#include "method/patchrows.h"

enum { SHARE, K, DEVIATIONS, OPTIONS };
enum { RADII = 3, LEAST = 3 };

static const flaw_method_option options[OPTIONS + 1] = {
    [SHARE] = {.name = "share",
               .kind = FLAW_OPTION_SHARE,
               .low = 0.001,
               .high = 1,
               .standard = 0.3,
               .about = "share of the other pictures, the nearest, that a patch is compared with"},
    [K] = {.name = "k",
           .kind = FLAW_OPTION_WHOLE,
           .low = 1,
           .high = 1000,
           .standard = 3,
           .about = "pictures, itself among them, that make a picture's score; 1 = its own map alone"},
    [DEVIATIONS] = {.name = "deviations",
                    .kind = FLAW_OPTION_NUMBER,
                    .low = 0,
                    .high = 100,
                    .standard = 3,
                    .about = "median deviations over the median score of the batch at which the limit lies"},
};

typedef struct musc {
    flaw_compute *compute;
    int grid, cells, width, embedding;
    double share, deviations;
    size_t k, n;
    float *stage[FLAW_STAGES]; /* [n, P, D] */
    float *whole;              /* [n, E] */
    float *map;                /* [n, P] */
    double *peak;              /* [n] largest of each map */
    flaw_bank *bank;           /* [n] of one stage and radius at a time; closed in between */
    float *near;               /* [P] */
    void *work;                /* of a search */
    float *lowest;             /* [P, most] smallest distances so far, ascending */
    double *sum;               /* [P] */
    float *rows;               /* [P, D] of a picture's neighbourhoods */
    double *close;             /* [n, 2] cosine and number of each picture */
} musc;

static int wants(const flaw_method_setup *setup)
{
    (void)setup;
    return FLAW_WANT_CLS | FLAW_WANT_STAGES | FLAW_WANT_LAST;
}

static void forget(musc *m)
{
    for (int s = 0; s < FLAW_STAGES; s++) {
        free(m->stage[s]);
        m->stage[s] = NULL;
    }
    free(m->whole);
    free(m->map);
    free(m->peak);
    free(m->bank);
    free(m->lowest);
    free(m->close);
    m->whole = m->map = m->lowest = NULL;
    m->peak = m->close = NULL;
    m->bank = NULL;
    m->n = 0;
}

static void close_state(void *state)
{
    musc *m = state;
    if (!m) return;
    forget(m);
    free(m->near);
    free(m->work);
    free(m->sum);
    free(m->rows);
    free(m);
}

static flaw_status open_state(void **state, const flaw_method_setup *setup, flaw_error *err)
{
    const flaw_clip_shape *shape = &setup->model->shape;
    size_t cells = (size_t)shape->grid * (size_t)shape->grid;
    musc *m = calloc(1, sizeof *m);
    if (m) m->near = calloc(cells, sizeof(float));
    if (m) m->work = malloc(flaw_bank_workspace(setup->compute, (int)cells, shape->image.width));
    if (m) m->sum = calloc(cells, sizeof(double));
    if (m) m->rows = calloc(cells * (size_t)shape->image.width, sizeof(float));
    if (!m || !m->near || !m->work || !m->sum || !m->rows) {
        close_state(m);
        return flaw_fail(err, FLAW_NO_MEMORY, "musc: memory was refused");
    }
    m->compute = setup->compute;
    m->grid = shape->grid;
    m->cells = (int)cells;
    m->width = shape->image.width;
    m->embedding = flaw_clip_width(shape);
    m->share = setup->value[SHARE];
    m->k = (size_t)setup->value[K];
    m->deviations = setup->value[DEVIATIONS];
    *state = m;
    return FLAW_OK;
}

static float *table_of(size_t a, size_t b, size_t c)
{
    size_t floats;
    bool ok = flaw_mul_ok(&floats, a, b) && flaw_mul_ok(&floats, floats, c) && floats < SIZE_MAX / sizeof(float);
    return ok ? malloc((floats + 1) * sizeof(float)) : NULL;
}

/* How many of `others` pictures the interval average takes. */
static size_t lowest_of(const musc *m, size_t others)
{
    size_t most = (size_t)floor(m->share * (double)others + 1e-9);
    return most ? most : 1;
}

static flaw_status make_room(musc *m, size_t n, flaw_error *err)
{
    size_t cells = (size_t)m->cells;
    bool ok = true;
    forget(m);
    for (int s = 0; s < FLAW_STAGES; s++) ok = (m->stage[s] = table_of(n, cells, (size_t)m->width)) && ok;
    m->whole = table_of(n, 1, (size_t)m->embedding);
    m->map = table_of(n, cells, 1);
    m->peak = calloc(n, sizeof *m->peak);
    m->bank = calloc(n, sizeof *m->bank);
    m->lowest = table_of(lowest_of(m, n), cells, 1);
    m->close = calloc(n, 2 * sizeof *m->close);
    ok = ok && m->whole && m->map && m->peak && m->bank && m->lowest && m->close;
    return ok ? FLAW_OK : flaw_fail(err, FLAW_NO_MEMORY, "musc: memory for %zu pictures was refused", n);
}

/* Number of the picture of the batch that has these features, n where there is none. */
static size_t find(const musc *m, const flaw_features *f)
{
    size_t stage = (size_t)m->cells * (size_t)m->width, e = (size_t)m->embedding, i = 0;
    for (; i < m->n; i++)
        if (!memcmp(m->whole + i * e, f->cls, e * sizeof(float)) &&
            !memcmp(m->stage[0] + i * stage, f->stage[0], stage * sizeof(float)))
            break;
    return i;
}

static void take(musc *m, const flaw_features *f)
{
    size_t stage = (size_t)m->cells * (size_t)m->width, e = (size_t)m->embedding;
    for (int s = 0; s < FLAW_STAGES; s++) memcpy(m->stage[s] + m->n * stage, f->stage[s], stage * sizeof(float));
    memcpy(m->whole + m->n * e, f->cls, e * sizeof(float));
    m->n++;
}

static void close_banks(musc *m)
{
    for (size_t i = 0; i < m->n; i++)
        if (m->bank[i].row) flaw_bank_close(&m->bank[i]);
}

/* The neighbourhoods of all pictures at one stage. */
static flaw_status open_banks(musc *m, int stage, int radius, flaw_error *err)
{
    size_t size = (size_t)m->cells * (size_t)m->width;
    flaw_status s = FLAW_OK;
    for (size_t i = 0; !s && i < m->n; i++) {
        flaw_patchrows_average(m->rows, m->stage[stage] + i * size, m->grid, m->width, radius, m->compute->kernels);
        s = flaw_bank_open(&m->bank[i], m->compute, m->rows, (size_t)m->cells, m->width, err);
    }
    if (s) close_banks(m);
    return s;
}

/* Keeps x in the ascending list of the `most` smallest, `used` of which are there. */
static void keep_low(float *low, size_t used, size_t most, float x)
{
    size_t at = used < most ? used : most - 1;
    if (used == most && x >= low[at]) return;
    for (; at > 0 && low[at - 1] > x; at--) low[at] = low[at - 1];
    low[at] = x;
}

/* m->sum [P] += interval average of the distances of `rows` [P, D] to the pictures of the banks but number `itself`. */
static void add_distances(musc *m, const float *rows, size_t itself)
{
    size_t most = lowest_of(m, m->n - (itself < m->n)), used = 0;
    for (size_t j = 0; j < m->n; j++) {
        if (j == itself) continue;
        flaw_bank_nearest(&m->bank[j], m->compute, rows, m->cells, m->near, NULL, m->work);
        for (int i = 0; i < m->cells; i++) {
            float apart = (float)flaw_patchrows_distance((double)m->near[i]);
            keep_low(m->lowest + (size_t)i * most, used, most, apart);
        }
        if (used < most) used++;
    }
    for (int i = 0; i < m->cells; i++) {
        double mean = 0;
        for (size_t j = 0; j < most; j++) mean += (double)m->lowest[(size_t)i * most + j] / (double)most;
        m->sum[i] += mean / (FLAW_STAGES * RADII);
    }
}

static int closer(const void *a, const void *b)
{
    const double *x = a, *y = b;
    if (x[0] != y[0]) return (x[0] < y[0]) - (x[0] > y[0]);
    return (x[1] > y[1]) - (x[1] < y[1]);
}

/* RsCIN for a picture of this embedding and map peak; `itself` is its number, n for a stranger. */
static double rescore(musc *m, const float *embedding, double peak, size_t itself)
{
    size_t e = (size_t)m->embedding, others = 0;
    for (size_t i = 0; i < m->n; i++) {
        if (i == itself) continue;
        double cosine = (double)m->compute->kernels->dot(e, embedding, m->whole + i * e);
        m->close[2 * others] = cosine > 0 ? cosine : 0;
        m->close[2 * others++ + 1] = (double)i;
    }
    qsort(m->close, others, 2 * sizeof *m->close, closer);
    size_t k = m->k < others + 1 ? m->k : others + 1;
    double weights = 1, sum = peak, score = peak / (double)k;
    for (size_t i = 0; i + 1 < k; i++) {
        weights += m->close[2 * i];
        sum += m->close[2 * i] * m->peak[(size_t)m->close[2 * i + 1]];
        score += sum / weights / (double)k;
    }
    return score;
}

static flaw_status learn_space(musc *m, int stage, int radius, const flaw_lesson *lesson, double *sums, flaw_error *err)
{
    size_t cells = (size_t)m->cells;
    flaw_status s = open_banks(m, stage, radius, err);
    for (size_t i = 0; !s && i < m->n; i++) {
        size_t done = (size_t)(stage * RADII + radius) * m->n + i + 1, total = FLAW_STAGES * RADII * m->n;
        memcpy(m->sum, sums + i * cells, cells * sizeof *sums);
        add_distances(m, m->bank[i].row, i);
        memcpy(sums + i * cells, m->sum, cells * sizeof *sums);
        if (lesson->progress &&
            lesson->progress(lesson->context, done, total, "comparing the pictures with each other"))
            s = flaw_fail(err, FLAW_USAGE, "cancelled after %zu of %zu steps", done, total);
    }
    close_banks(m);
    return s;
}

static void find_peaks(musc *m)
{
    size_t cells = (size_t)m->cells;
    for (size_t i = 0; i < m->n; i++) {
        m->peak[i] = (double)m->map[i * cells];
        for (size_t c = 1; c < cells; c++) m->peak[i] = fmax(m->peak[i], (double)m->map[i * cells + c]);
    }
}

static flaw_status learn(void *state, const flaw_lesson *lesson, flaw_error *err)
{
    musc *m = state;
    size_t cells = (size_t)m->cells;
    flaw_status s = make_room(m, lesson->count + 1, err);
    for (size_t i = 0; !s && i < lesson->count; i++)
        if (find(m, lesson->good[i]) == m->n) take(m, lesson->good[i]);
    if (!s && m->n < LEAST)
        s = flaw_fail(err, FLAW_USAGE,
                      "method musc compares pictures with each other: it needs at least %d different ones, "
                      "given are %zu",
                      LEAST, m->n);
    double *sums = s ? NULL : calloc(m->n * cells, sizeof *sums);
    if (!s && !sums) s = flaw_fail(err, FLAW_NO_MEMORY, "musc: memory for %zu pictures was refused", m->n);
    for (int space = 0; !s && space < FLAW_STAGES * RADII; space++)
        s = learn_space(m, space / RADII, space % RADII, lesson, sums, err);
    for (size_t i = 0; !s && i < m->n * cells; i++) m->map[i] = (float)sums[i];
    free(sums);
    if (s) forget(m);
    else find_peaks(m);
    return s;
}

/* Map of a picture that is not of the batch. */
static flaw_status map_stranger(musc *m, const flaw_features *f, float *map, flaw_error *err)
{
    float *rows = table_of((size_t)m->cells, (size_t)m->width, 1);
    flaw_status s = rows ? FLAW_OK : flaw_fail(err, FLAW_NO_MEMORY, "musc: memory was refused");
    memset(m->sum, 0, (size_t)m->cells * sizeof *m->sum);
    for (int space = 0; !s && space < FLAW_STAGES * RADII; space++) {
        s = open_banks(m, space / RADII, space % RADII, err);
        if (s) break;
        flaw_patchrows_average(rows, f->stage[space / RADII], m->grid, m->width, space % RADII, m->compute->kernels);
        add_distances(m, rows, m->n);
        close_banks(m);
    }
    free(rows);
    if (!s) flaw_gridmap_store(map, m->sum, m->cells);
    return s;
}

static flaw_status score(void *state, const flaw_features *picture, flaw_score *out, flaw_error *err)
{
    musc *m = state;
    if (!m->n) return flaw_fail(err, FLAW_USAGE, "no batch of pictures has been learnt yet");
    size_t itself = find(m, picture), cells = (size_t)m->cells;
    if (itself < m->n) {
        memcpy(out->map, m->map + itself * cells, cells * sizeof(float));
    } else {
        flaw_status s = map_stranger(m, picture, out->map, err);
        if (s) return s;
    }
    double peak = (double)out->map[0];
    for (size_t i = 1; i < cells; i++) peak = fmax(peak, (double)out->map[i]);
    out->image = rescore(m, picture->cls, peak, itself);
    out->closest = NULL;
    return FLAW_OK;
}

static double deviations(const void *state)
{
    return ((const musc *)state)->deviations;
}

static flaw_status save(const void *state, flaw_record *record, flaw_error *err)
{
    const musc *m = state;
    size_t cells = (size_t)m->cells;
    flaw_status s = flaw_record_put_table(record, "musc.whole", m->whole, m->n, (size_t)m->embedding, err);
    if (!s) s = flaw_record_put_table(record, "musc.map", m->map, m->n, cells, err);
    for (int i = 0; !s && i < FLAW_STAGES; i++) {
        char name[32];
        snprintf(name, sizeof name, "musc.stage.%d", i);
        s = flaw_record_put_table(record, name, m->stage[i], m->n * cells, (size_t)m->width, err);
    }
    return s;
}

static flaw_status load_table(float *to, const flaw_record *record, const char *name, size_t rows, size_t columns,
                              flaw_error *err)
{
    const float *table;
    size_t found;
    flaw_status s = flaw_record_table(record, name, columns, &table, &found, err);
    if (s) return s;
    if (found != rows)
        return flaw_fail(err, FLAW_BAD_DATA, "\"%s\" of the recipe has %zu rows, expected are %zu", name, found, rows);
    memcpy(to, table, rows * columns * sizeof *to);
    return FLAW_OK;
}

static flaw_status load(void *state, const flaw_record *record, flaw_error *err)
{
    musc *m = state;
    const float *whole;
    size_t n, cells = (size_t)m->cells;
    flaw_status s = flaw_record_table(record, "musc.whole", (size_t)m->embedding, &whole, &n, err);
    if (!s && n < LEAST)
        s = flaw_fail(err, FLAW_BAD_DATA, "the recipe's batch has %zu pictures, expected are %d or more", n, LEAST);
    if (!s) s = make_room(m, n, err);
    if (!s) s = load_table(m->whole, record, "musc.whole", n, (size_t)m->embedding, err);
    if (!s) s = load_table(m->map, record, "musc.map", n, cells, err);
    for (int i = 0; !s && i < FLAW_STAGES; i++) {
        char name[32];
        snprintf(name, sizeof name, "musc.stage.%d", i);
        s = load_table(m->stage[i], record, name, n * cells, (size_t)m->width, err);
    }
    if (s) return s;
    m->n = n;
    find_peaks(m);
    return FLAW_OK;
}

const flaw_method flaw_method_musc = {
    .name = "musc",
    .about = "the pictures of an unlabelled batch judge each other; needs them all at once, no good parts, no text",
    .paper = "Li et al. 2024, arXiv 2401.16753",
    .option = options,
    .needs_batch = true,
    .scores = {.spread = 0.1},
    .wants = wants,
    .open = open_state,
    .deviations = deviations,
    .learn = learn,
    .score = score,
    .save = save,
    .load = load,
    .close = close_state,
};
