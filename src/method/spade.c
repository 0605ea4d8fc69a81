/* SPADE (Cohen and Hoshen 2020, arXiv 2005.02357) on any image tower.
 *
 * Image score: mean Euclidean distance of the picture's embedding to those of its K nearest good parts. Map: distance
 * of each patch to the nearest patch, at any place, of these K parts; a patch is its rows of the stages below the last,
 * side by side. With fewer than K parts all are used. The paper smooths maps of 224 pixels by a Gaussian of 4 pixels:
 * less than a third of a patch of 16, so left out. Score and map have scales of their own. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "detect/compare.h"
#include "method/method.h"
#include "method/patchrows.h"

enum { K, OPTIONS };

static const flaw_method_option options[OPTIONS + 1] = {
    [K] = {.name = "k",
           .kind = FLAW_OPTION_WHOLE,
           .low = 1,
           .high = 10000,
           .standard = 50,
           .about = "nearest good parts that a picture is compared with, at most all of them"},
};

typedef struct spade {
    flaw_compute *compute;
    int grid, cells, width, embedding; /* width: of a joined row; embedding: of the picture's */
    size_t k, parts;
    float *whole;      /* [parts, embedding] */
    flaw_bank *bank;   /* [parts] patches of each part */
    double *far;       /* [parts, 2] distance and number of each part, nearest first */
    float *rows;       /* [P, width] of a picture */
    float *near, *top; /* [P] of one part, best of all */
    void *work;        /* of a search */
} spade;

static int wants(const flaw_method_setup *setup)
{
    (void)setup;
    return FLAW_WANT_CLS | FLAW_WANT_STAGES;
}

static void forget(spade *s)
{
    for (size_t i = 0; s->bank && i < s->parts; i++)
        if (s->bank[i].row) flaw_bank_close(&s->bank[i]);
    free(s->bank);
    free(s->whole);
    free(s->far);
    s->bank = NULL;
    s->whole = NULL;
    s->far = NULL;
    s->parts = 0;
}

static void close_state(void *state)
{
    spade *s = state;
    if (!s) return;
    forget(s);
    free(s->rows);
    free(s->near);
    free(s->work);
    free(s);
}

static flaw_status open_state(void **state, const flaw_method_setup *setup, flaw_error *err)
{
    const flaw_clip_shape *shape = &setup->model->shape;
    size_t cells = (size_t)shape->grid * (size_t)shape->grid;
    spade *s = calloc(1, sizeof *s);
    if (s) s->rows = calloc(cells * FLAW_BANK_STAGES * (size_t)shape->image.width, sizeof(float));
    if (s) s->near = calloc(2 * cells, sizeof(float));
    if (s)
        s->work = malloc(flaw_bank_workspace(setup->compute, (int)cells, FLAW_BANK_STAGES * shape->image.width));
    if (!s || !s->rows || !s->near || !s->work) {
        close_state(s);
        return flaw_fail(err, FLAW_NO_MEMORY, "spade: memory was refused");
    }
    s->top = s->near + cells;
    s->compute = setup->compute;
    s->grid = shape->grid;
    s->cells = (int)cells;
    s->width = FLAW_BANK_STAGES * shape->image.width;
    s->embedding = flaw_clip_width(shape);
    s->k = (size_t)setup->value[K];
    *state = s;
    return FLAW_OK;
}

/* Room for `parts` parts, none of them filled. */
static flaw_status make_room(spade *s, size_t parts, flaw_error *err)
{
    size_t floats;
    forget(s);
    if (!flaw_mul_ok(&floats, parts, (size_t)s->embedding) || floats > SIZE_MAX / sizeof(float)) floats = 0;
    s->whole = floats ? malloc(floats * sizeof(float)) : NULL;
    s->bank = calloc(parts, sizeof *s->bank);
    s->far = calloc(parts, 2 * sizeof *s->far);
    s->parts = parts;
    if (s->whole && s->bank && s->far) return FLAW_OK;
    return flaw_fail(err, FLAW_NO_MEMORY, "spade: memory for %zu good parts was refused", parts);
}

static flaw_status learn(void *state, const flaw_lesson *lesson, flaw_error *err)
{
    spade *s = state;
    flaw_status status = make_room(s, lesson->count, err);
    for (size_t i = 0; !status && i < lesson->count; i++) {
        const flaw_features *good = lesson->good[i];
        memcpy(s->whole + i * (size_t)s->embedding, good->cls, (size_t)s->embedding * sizeof(float));
        flaw_patchrows_join(s->rows, (const float *const *)good->stage, FLAW_BANK_STAGES, s->cells, good->width);
        status = flaw_bank_open(&s->bank[i], s->compute, s->rows, (size_t)s->cells, s->width, err);
    }
    return status;
}

static int nearer(const void *a, const void *b)
{
    const double *x = a, *y = b;
    if (x[0] != y[0]) return (x[0] > y[0]) - (x[0] < y[0]);
    return (x[1] > y[1]) - (x[1] < y[1]);
}

/* The K nearest parts come first in s->far; returns the mean of their distances. */
static double find_parts(spade *s, const float *embedding, size_t k)
{
    double sum = 0;
    for (size_t i = 0; i < s->parts; i++) {
        const float *other = s->whole + i * (size_t)s->embedding;
        double square = 0;
        for (int d = 0; d < s->embedding; d++) {
            double apart = (double)embedding[d] - (double)other[d];
            square += apart * apart;
        }
        s->far[2 * i] = sqrt(square);
        s->far[2 * i + 1] = (double)i;
    }
    qsort(s->far, s->parts, 2 * sizeof *s->far, nearer);
    for (size_t i = 0; i < k; i++) sum += s->far[2 * i];
    return sum / (double)k;
}

static flaw_status score(void *state, const flaw_features *picture, flaw_score *out, flaw_error *err)
{
    spade *s = state;
    if (!s->parts) return flaw_fail(err, FLAW_USAGE, "no good part has been learnt yet");
    size_t k = s->k < s->parts ? s->k : s->parts;
    out->image = find_parts(s, picture->cls, k);
    out->closest = NULL;
    flaw_patchrows_join(s->rows, (const float *const *)picture->stage, FLAW_BANK_STAGES, s->cells, picture->width);
    for (int i = 0; i < s->cells; i++) s->top[i] = -1;
    for (size_t j = 0; j < k; j++) {
        const flaw_bank *bank = &s->bank[(size_t)s->far[2 * j + 1]];
        flaw_bank_nearest(bank, s->compute, s->rows, s->cells, s->near, NULL, s->work);
        for (int i = 0; i < s->cells; i++) s->top[i] = fmaxf(s->top[i], s->near[i]);
    }
    for (int i = 0; i < s->cells; i++) out->map[i] = (float)flaw_patchrows_distance((double)s->top[i]);
    return FLAW_OK;
}

static void name_of(char name[32], size_t part)
{
    snprintf(name, 32, "spade.part.%zu", part);
}

static flaw_status save(const void *state, flaw_record *record, flaw_error *err)
{
    const spade *s = state;
    flaw_status status = flaw_record_put_table(record, "spade.whole", s->whole, s->parts, (size_t)s->embedding, err);
    for (size_t i = 0; !status && i < s->parts; i++) {
        char name[32];
        name_of(name, i);
        status = flaw_record_put_table(record, name, s->bank[i].row, (size_t)s->cells, (size_t)s->width, err);
    }
    return status;
}

static flaw_status load(void *state, const flaw_record *record, flaw_error *err)
{
    spade *s = state;
    const float *table;
    size_t parts, rows;
    flaw_status status = flaw_record_table(record, "spade.whole", (size_t)s->embedding, &table, &parts, err);
    if (!status && parts < 1) status = flaw_fail(err, FLAW_BAD_DATA, "\"spade.whole\" of the recipe is empty");
    if (!status) status = make_room(s, parts, err);
    if (!status) memcpy(s->whole, table, parts * (size_t)s->embedding * sizeof(float));
    for (size_t i = 0; !status && i < parts; i++) {
        char name[32];
        name_of(name, i);
        status = flaw_record_table(record, name, (size_t)s->width, &table, &rows, err);
        if (!status && rows != (size_t)s->cells)
            status = flaw_fail(err, FLAW_BAD_DATA, "\"%s\" of the recipe has %zu patches, expected are %d", name, rows,
                               s->cells);
        if (!status) status = flaw_bank_open(&s->bank[i], s->compute, table, rows, s->width, err);
    }
    return status;
}

const flaw_method flaw_method_spade = {
    .name = "spade",
    .about =
        "distance of the picture to its nearest good parts, patches compared with theirs; needs good parts, no text",
    .paper = "Cohen and Hoshen 2020, arXiv 2005.02357",
    .option = options,
    .needs_good = true,
    .scores = {.spread = 0.1},
    .wants = wants,
    .open = open_state,
    .learn = learn,
    .score = score,
    .save = save,
    .load = load,
    .close = close_state,
};
