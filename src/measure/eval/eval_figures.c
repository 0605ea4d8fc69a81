/* Figures out of judgements. The judgements are brought into the order of the plan first: a run that was stopped, or
 * put together from shards, counts in the same order as one that was not. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "measure/eval/eval_inside.h"

enum { REPLICATES = 1000 }; /* of the bootstrap */

typedef struct desk {
    const flaw_plan *plan;
    const flaw_judgement **sorted; /* [count] by cell, then picture; owned */
    size_t count;
    flaw_progress progress;
    void *context;
} desk;

static bool same_cell(const flaw_cell *a, const flaw_cell *b)
{
    return a->dataset == b->dataset && a->method == b->method && a->shots == b->shots && a->draw == b->draw;
}

/* --- a cell --- */

static void clear(flaw_eval_figures *f)
{
    double nothing[FLAW_EVAL_FIGURES];
    for (int i = 0; i < FLAW_EVAL_FIGURES; i++) nothing[i] = NAN;
    memcpy(f, nothing, sizeof nothing);
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static flaw_status median_ms(double *out, const flaw_judgement *const *j, size_t n, flaw_error *err)
{
    double *ms = malloc((n + 1) * sizeof *ms);
    if (!ms) return flaw_fail(err, FLAW_NO_MEMORY, "figures of %zu judgements: memory was refused", n);
    for (size_t i = 0; i < n; i++) ms[i] = j[i]->ms;
    qsort(ms, n, sizeof *ms, ascending);
    *out = n ? ms[n / 2] : NAN;
    free(ms);
    return FLAW_OK;
}

static void verdict_figures(flaw_eval_figures *out, const flaw_tally *t, const flaw_judgement *const *j)
{
    size_t bad = 0, false_alarms = 0, misses = 0;
    for (size_t i = 0; i < t->count; i++) {
        bad += t->bad[i];
        false_alarms += !t->bad[i] && j[i]->verdict != FLAW_NORMAL;
        misses += t->bad[i] && j[i]->verdict == FLAW_NORMAL;
    }
    out->false_alarms = t->count > bad ? (double)false_alarms / (double)(t->count - bad) : NAN;
    out->misses = bad ? (double)misses / (double)bad : NAN;
}

static flaw_status pixel_figures(flaw_eval_figures *out, double *error, const flaw_tally *t, flaw_error *err)
{
    flaw_pixel_figures f;
    flaw_status s = flaw_pixels_measure(&f, t->pixels, t->limit, err);
    if (s) return s;
    const flaw_bounded *kept[] = {&f.auroc, &f.ap, &f.aupro, &f.f1_max};
    out->pixel_auroc = f.auroc.value;
    out->pixel_ap = f.ap.value;
    out->pixel_pro = f.aupro.value;
    out->pixel_f1 = f.f1_max.value;
    out->pixel_aupr_trapezoid = f.aupr_trapezoid.value;
    out->pixel_pro_cflow200 = f.aupro_cflow200.value;
    for (int i = 0; i < 4; i++)
        *error = fmax(*error, fmax(kept[i]->high - kept[i]->value, kept[i]->value - kept[i]->low));
    return FLAW_OK;
}

static void put_interval(flaw_eval_figures *low, flaw_eval_figures *high, size_t offset, const flaw_interval *interval)
{
    *(double *)((char *)low + offset) = interval->low;
    *(double *)((char *)high + offset) = interval->high;
}

static flaw_status intervals(flaw_eval_figures *low, flaw_eval_figures *high, const flaw_tally *t, flaw_error *err)
{
    static const size_t image_at[] = {offsetof(flaw_eval_figures, image_auroc), offsetof(flaw_eval_figures, image_ap),
                                      offsetof(flaw_eval_figures, image_f1)};
    static const size_t pixel_at[FLAW_FIGURES] = {
        offsetof(flaw_eval_figures, pixel_auroc), offsetof(flaw_eval_figures, pixel_ap),
        offsetof(flaw_eval_figures, pixel_f1), offsetof(flaw_eval_figures, pixel_pro)};
    flaw_interval image[FLAW_FIGURES], pixel[FLAW_FIGURES];
    const flaw_resample resample = {.replicates = REPLICATES};
    flaw_status s = flaw_image_intervals(image, t->score, t->bad, t->count, &resample, err);
    if (!s) s = flaw_pixels_intervals(pixel, t->pixels, t->limit, &resample, err);
    for (int i = 0; !s && i < 3; i++) put_interval(low, high, image_at[i], &image[i]);
    for (int i = 0; !s && i < FLAW_FIGURES; i++) put_interval(low, high, pixel_at[i], &pixel[i]);
    return s;
}

/* What a draw says: figures and their intervals. */
typedef struct drawn {
    flaw_eval_figures value, low, high;
} drawn;

static flaw_status cell_figures(drawn *out, double *error, const flaw_tally *t, const flaw_judgement *const *j,
                                flaw_error *err)
{
    clear(&out->low);
    clear(&out->high);
    verdict_figures(&out->value, t, j);
    flaw_status s = median_ms(&out->value.ms, j, t->count, err);
    flaw_image_figures image;
    if (!s) s = flaw_image_measure(&image, t->score, t->bad, t->count, err);
    if (s) return s;
    out->value.image_auroc = image.auroc;
    out->value.image_ap = image.ap;
    out->value.image_f1 = image.f1_max;
    out->value.image_aupr_trapezoid = image.aupr_trapezoid;
    s = pixel_figures(&out->value, error, t, err);
    return s ? s : intervals(&out->low, &out->high, t, err);
}

/* --- rows --- */

/* The mean over draws of each figure of value, low or high (at `offset` of a drawn). */
static void mean_of(flaw_eval_figures *out, const drawn *draw, int draws, size_t offset)
{
    double value[FLAW_EVAL_FIGURES], mean[FLAW_EVAL_FIGURES] = {0};
    _Static_assert(sizeof value == sizeof *out, "figures are doubles only");
    for (int d = 0; d < draws; d++) {
        memcpy(value, (const char *)&draw[d] + offset, sizeof value);
        for (int f = 0; f < FLAW_EVAL_FIGURES; f++) mean[f] += value[f] / draws;
    }
    memcpy(out, mean, sizeof mean);
}

/* Mean and sample deviation (n - 1) of each figure; the deviation of one draw is NaN. */
static void summarise(flaw_eval_row *row, const drawn *draw)
{
    double value[FLAW_EVAL_FIGURES], mean[FLAW_EVAL_FIGURES], sd[FLAW_EVAL_FIGURES] = {0};
    mean_of(&row->mean, draw, row->draws, offsetof(drawn, value));
    mean_of(&row->low, draw, row->draws, offsetof(drawn, low));
    mean_of(&row->high, draw, row->draws, offsetof(drawn, high));
    memcpy(mean, &row->mean, sizeof mean);
    for (int d = 0; d < row->draws; d++) {
        memcpy(value, &draw[d].value, sizeof value);
        for (int f = 0; f < FLAW_EVAL_FIGURES; f++) sd[f] += (value[f] - mean[f]) * (value[f] - mean[f]);
    }
    for (int f = 0; f < FLAW_EVAL_FIGURES; f++) sd[f] = row->draws > 1 ? sqrt(sd[f] / (row->draws - 1)) : NAN;
    memcpy(&row->sd, sd, sizeof sd);
}

static const char *own(flaw_eval *e, const char *text)
{
    const char *copy = flaw_arena_copy_string(&e->arena, text, strlen(text));
    return copy ? copy : "";
}

static void start_row(flaw_eval *e, flaw_eval_row *row, const flaw_plan *plan, const flaw_cell *cell)
{
    const flaw_plan_set *set = &plan->set[cell->dataset];
    *row = (flaw_eval_row){.dataset = own(e, set->root),
                           .category = own(e, set->category),
                           .object = own(e, set->object),
                           .layout = own(e, set->layout),
                           .method = own(e, plan->method[cell->method]),
                           .shots = flaw_plan_uses_good(plan, cell->method) ? plan->shots[cell->shots] : 0};
    clear(&row->mean);
    clear(&row->sd);
    clear(&row->low);
    clear(&row->high);
}

/* Counts of what a cell tests; the last draw's stand for all. */
static void count_items(flaw_eval_row *row, const flaw_plan *plan, const flaw_cell *cell, const flaw_draw *draw)
{
    row->good = row->bad = row->masks = 0;
    for (size_t i = 0; i < draw->items; i++) {
        const flaw_dataset_item *item = flaw_plan_item(plan, cell->dataset, draw->item[i]);
        row->bad += item->label == FLAW_LABEL_BAD;
        row->good += item->label == FLAW_LABEL_GOOD;
        row->masks += item->label == FLAW_LABEL_BAD && item->masks > 0;
    }
    row->expected += draw->items;
}

/* The judgements of a cell begin at *at; counted into the row. */
static size_t take_cell(flaw_eval *e, flaw_eval_row *row, const desk *d, const flaw_cell *cell, size_t at)
{
    size_t n = 0;
    for (; at + n < d->count && same_cell(&d->sorted[at + n]->cell, cell); n++) {
        const char *failure = d->sorted[at + n]->failure;
        row->failed += failure != NULL;
        if (failure && !row->failure) row->failure = own(e, failure);
    }
    row->judged += n;
    return n;
}

static int by_number(const void *a, const void *b)
{
    size_t x = *(const size_t *)a, y = *(const size_t *)b;
    return (x > y) - (x < y);
}

/* Whether the n judgements are those of the draw's pictures, each once. Brings the draw's pictures into order. */
static bool is_whole(const flaw_draw *draw, const flaw_judgement *const *j, size_t n)
{
    qsort(draw->item, draw->items, sizeof *draw->item, by_number);
    for (size_t i = 0; i < n && n == draw->items; i++)
        if (j[i]->item != draw->item[i]) return false;
    return n == draw->items;
}

/* The n judgements from `at` on; the tally of the row's first draw is kept for the comparisons. */
static flaw_status draw_figures(drawn *out, flaw_eval_row *row, flaw_tally *kept, const desk *d, size_t at, size_t n,
                                flaw_error *err)
{
    flaw_tally tally;
    flaw_status s = flaw_tally_make(&tally, d->plan, d->sorted + at, n, err);
    if (s) return s;
    s = cell_figures(out, &row->pixel_error, &tally, d->sorted + at, err);
    if (!s && row->draws == 0) *kept = tally;
    else flaw_tally_release(&tally);
    return s;
}

/* All draws of a row: *at goes on to the first judgement behind them, *cell to the last draw. */
static flaw_status make_row(flaw_eval *e, flaw_eval_row *row, flaw_tally *kept, desk *d, flaw_cell *cell, size_t *at,
                            flaw_error *err)
{
    int most = d->plan->seeds;
    drawn *draw = calloc((size_t)most, sizeof *draw);
    if (!draw) return flaw_fail(err, FLAW_NO_MEMORY, "figures of %d draws", most);
    start_row(e, row, d->plan, cell);
    flaw_status s = FLAW_OK;
    bool whole = true;
    for (flaw_cell next = *cell; !s;) {
        flaw_draw items;
        *cell = next;
        s = flaw_draw_make(&items, d->plan, cell, err);
        if (s) break;
        count_items(row, d->plan, cell, &items);
        size_t n = take_cell(e, row, d, cell, *at);
        whole = whole && is_whole(&items, d->sorted + *at, n);
        if (whole && !row->failed) s = draw_figures(&draw[row->draws], row, kept, d, *at, n, err);
        flaw_draw_release(&items);
        *at += n;
        row->draws++;
        if (!flaw_plan_next(d->plan, &next) || next.draw == 0) break;
    }
    if (!s && whole && !row->failed) summarise(row, draw);
    free(draw);
    return s;
}

static flaw_status make_rows(flaw_eval *e, flaw_tally *tally, size_t rows, desk *d, flaw_error *err)
{
    size_t at = 0;
    flaw_cell cell;
    flaw_status s = FLAW_OK;
    for (bool more = flaw_plan_first(d->plan, &cell); more && !s; more = flaw_plan_next(d->plan, &cell)) {
        s = make_row(e, &e->row[e->count], &tally[e->count], d, &cell, &at, err);
        e->count++;
        if (!s && d->progress && d->progress(d->context, e->count, rows, "figures"))
            s = flaw_fail(err, FLAW_USAGE, "figures: cancelled");
    }
    if (!s && at != d->count)
        s = flaw_fail(err, FLAW_BAD_DATA, "the judgements hold cells that the plan does not measure");
    return s;
}

static flaw_status make_all(flaw_eval *e, desk *d, const flaw_journal *journal, flaw_error *err)
{
    size_t rows = d->plan->sets * d->plan->methods * d->plan->shot_counts;
    flaw_tally *tally = calloc(rows + 1, sizeof *tally);
    e->row = calloc(rows + 1, sizeof *e->row);
    flaw_status s = FLAW_OK;
    if (!e->row || !tally) s = flaw_fail(err, FLAW_NO_MEMORY, "figures of %zu rows", rows);
    d->count = journal->count;
    if (!s) s = flaw_journal_sorted(&d->sorted, journal, err);
    if (!s) s = make_rows(e, tally, rows, d, err);
    if (!s) s = flaw_eval_compare(e, tally, err);
    for (size_t i = 0; tally && i < rows; i++) flaw_tally_release(&tally[i]);
    free(tally);
    free(d->sorted);
    return s;
}

flaw_status flaw_eval_make(flaw_eval **out, const flaw_plan *plan, const flaw_journal *journal, flaw_progress progress,
                           void *context, flaw_error *err)
{
    desk d = {.plan = plan, .progress = progress, .context = context};
    flaw_eval *e = calloc(1, sizeof *e);
    if (!e) return flaw_fail(err, FLAW_NO_MEMORY, "an evaluation was refused");
    flaw_arena_init(&e->arena, 0);
    e->model = own(e, plan->model ? plan->model : "");
    flaw_status s = make_all(e, &d, journal, err);
    if (s) flaw_eval_free(e);
    else *out = e;
    return s;
}

void flaw_eval_free(flaw_eval *e)
{
    if (!e) return;
    free(e->row);
    free(e->comparison);
    flaw_arena_release(&e->arena);
    free(e);
}

const flaw_prompts_about *flaw_eval_prompts(const flaw_eval *e)
{
    return &e->prompts;
}

const char *flaw_eval_model(const flaw_eval *e)
{
    return e->model;
}

size_t flaw_eval_count(const flaw_eval *e)
{
    return e->count;
}

const flaw_eval_row *flaw_eval_at(const flaw_eval *e, size_t index)
{
    return index < e->count ? &e->row[index] : NULL;
}

size_t flaw_eval_comparisons(const flaw_eval *e)
{
    return e->comparisons;
}

const flaw_eval_comparison *flaw_eval_comparison_at(const flaw_eval *e, size_t index)
{
    return index < e->comparisons ? &e->comparison[index] : NULL;
}
