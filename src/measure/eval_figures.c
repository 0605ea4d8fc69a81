/* Figures out of judgements. The judgements are brought into the order of the plan first: a run that was stopped, or put
 * together from shards, counts in the same order as one that was not. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "detect/spread.h"
#include "flaw/metrics.h"
#include "image/resize.h"
#include "measure/eval_inside.h"

#define PRO_LIMIT 0.3 /* MVTec's and every paper's */

typedef struct desk {
    const flaw_plan *plan;
    const flaw_judgement **sorted; /* [count] by cell, then picture; owned */
    size_t count;
    float *map;         /* [side, side] */
    uint8_t *mask;      /* [side, side] */
    float *score;       /* [most pictures of a cell], as the next ones */
    uint8_t *bad;
    double *ms;
    flaw_progress progress;
    void *context;
} desk;

static void close_desk(desk *d)
{
    free(d->sorted);
    free(d->map);
    free(d->mask);
    free(d->score);
    free(d->bad);
    free(d->ms);
}

static flaw_status open_desk(desk *d, const flaw_journal *journal, flaw_error *err)
{
    size_t most = 1, pixels = (size_t)d->plan->map_side * (size_t)d->plan->map_side;
    for (size_t i = 0; i < d->plan->sets; i++)
        if (d->plan->set[i].set.items > most) most = d->plan->set[i].set.items;
    d->count = journal->count;
    d->map = malloc(pixels * sizeof *d->map);
    d->mask = malloc(pixels);
    d->score = malloc(most * sizeof *d->score);
    d->bad = malloc(most);
    d->ms = malloc(most * sizeof *d->ms);
    if (!d->map || !d->mask || !d->score || !d->bad || !d->ms)
        return flaw_fail(err, FLAW_NO_MEMORY, "figures of %zu judgements: memory was refused", d->count);
    return flaw_journal_sorted(&d->sorted, journal, err);
}

static bool same_cell(const flaw_cell *a, const flaw_cell *b)
{
    return a->dataset == b->dataset && a->method == b->method && a->shots == b->shots && a->draw == b->draw;
}

/* --- pixels --- */

/* The map as the picture has it, then at the side of the figures: as flaw inspect shows it. */
static flaw_status spread(desk *d, const flaw_judgement *j, flaw_error *err)
{
    float *whole = NULL;
    flaw_status s =
        flaw_map_spread(&whole, j->width, j->height, &j->seen, j->map, j->grid, (float)j->map_low, err);
    if (s) return s;
    flaw_map_upsample(d->map, d->plan->map_side, d->plan->map_side, whole, j->width, j->height);
    free(whole);
    return FLAW_OK;
}

static flaw_status add_pixels(desk *d, flaw_pixels *pixels, const flaw_judgement *j, flaw_error *err)
{
    int side = d->plan->map_side;
    const flaw_dataset_item *item = flaw_plan_item(d->plan, j->cell.dataset, j->item);
    if (!flaw_dataset_has_map(item)) return FLAW_OK;
    flaw_status s = spread(d, j, err);
    if (!s) s = flaw_dataset_mask(d->mask, &d->plan->set[j->cell.dataset].set, item, side, side, err);
    flaw_pixels_picture picture = {
        .name = j->image, .id = j->item, .map = d->map, .mask = d->mask, .width = side, .height = side};
    return s ? s : flaw_pixels_add(pixels, &picture, err);
}

static flaw_status pixel_figures(desk *d, flaw_eval_figures *out, double *error, const flaw_judgement *const *j, size_t n,
                                 flaw_error *err)
{
    flaw_pixels *pixels;
    flaw_pixel_figures f;
    flaw_status s = flaw_pixels_open(&pixels, NULL, err);
    if (s) return s;
    for (size_t i = 0; i < n && !s; i++) s = add_pixels(d, pixels, j[i], err);
    if (!s) s = flaw_pixels_measure(&f, pixels, PRO_LIMIT, err);
    flaw_pixels_close(pixels);
    if (s) return s;
    const flaw_bounded *kept[] = {&f.auroc, &f.ap, &f.aupro, &f.f1_max};
    out->pixel_auroc = f.auroc.value;
    out->pixel_ap = f.ap.value;
    out->pixel_pro = f.aupro.value;
    out->pixel_f1 = f.f1_max.value;
    for (int i = 0; i < 4; i++) *error = fmax(*error, fmax(kept[i]->high - kept[i]->value, kept[i]->value - kept[i]->low));
    return FLAW_OK;
}

/* --- a cell --- */

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void verdict_figures(desk *d, flaw_eval_figures *out, const flaw_judgement *const *j, size_t n)
{
    size_t bad = 0, false_alarms = 0, misses = 0;
    for (size_t i = 0; i < n; i++) {
        bool is_bad = flaw_plan_item(d->plan, j[i]->cell.dataset, j[i]->item)->label == FLAW_LABEL_BAD;
        bad += is_bad;
        false_alarms += !is_bad && j[i]->verdict != FLAW_NORMAL;
        misses += is_bad && j[i]->verdict == FLAW_NORMAL;
        d->score[i] = (float)j[i]->score;
        d->bad[i] = is_bad;
        d->ms[i] = j[i]->ms;
    }
    qsort(d->ms, n, sizeof *d->ms, ascending);
    out->ms = n ? d->ms[n / 2] : NAN;
    out->false_alarms = n > bad ? (double)false_alarms / (double)(n - bad) : NAN;
    out->misses = bad ? (double)misses / (double)bad : NAN;
}

static flaw_status cell_figures(desk *d, flaw_eval_figures *out, double *error, const flaw_judgement *const *j, size_t n,
                                flaw_error *err)
{
    verdict_figures(d, out, j, n);
    flaw_status s = flaw_auroc(&out->image_auroc, d->score, d->bad, n, err);
    if (!s) s = flaw_average_precision(&out->image_ap, d->score, d->bad, n, err);
    if (!s) s = flaw_f1_max(&out->image_f1, d->score, d->bad, n, err);
    return s ? s : pixel_figures(d, out, error, j, n, err);
}

/* --- rows --- */

/* Mean and sample deviation (n - 1) of each figure; the deviation of one draw is NaN. */
static void summarise(flaw_eval_row *row, const flaw_eval_figures *draw)
{
    double value[FLAW_EVAL_FIGURES], mean[FLAW_EVAL_FIGURES] = {0}, sd[FLAW_EVAL_FIGURES] = {0};
    _Static_assert(sizeof value == sizeof *draw, "figures are doubles only");
    for (int d = 0; d < row->draws; d++) {
        memcpy(value, &draw[d], sizeof value);
        for (int f = 0; f < FLAW_EVAL_FIGURES; f++) mean[f] += value[f] / row->draws;
    }
    for (int d = 0; d < row->draws; d++) {
        memcpy(value, &draw[d], sizeof value);
        for (int f = 0; f < FLAW_EVAL_FIGURES; f++) sd[f] += (value[f] - mean[f]) * (value[f] - mean[f]);
    }
    for (int f = 0; f < FLAW_EVAL_FIGURES; f++) sd[f] = row->draws > 1 ? sqrt(sd[f] / (row->draws - 1)) : NAN;
    memcpy(&row->mean, mean, sizeof mean);
    memcpy(&row->sd, sd, sizeof sd);
}

static const char *own(flaw_eval *e, const char *text)
{
    const char *copy = flaw_arena_copy_string(&e->arena, text, strlen(text));
    return copy ? copy : "";
}

static void clear(flaw_eval_figures *f)
{
    double nothing[FLAW_EVAL_FIGURES];
    for (int i = 0; i < FLAW_EVAL_FIGURES; i++) nothing[i] = NAN;
    memcpy(f, nothing, sizeof nothing);
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

/* All draws of a row: *at goes on to the first judgement behind them, *cell to the last draw. */
static flaw_status make_row(flaw_eval *e, flaw_eval_row *row, desk *d, flaw_cell *cell, size_t *at, flaw_error *err)
{
    int most = d->plan->seeds;
    flaw_eval_figures *draw = calloc((size_t)most, sizeof *draw);
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
        if (whole && !row->failed)
            s = cell_figures(d, &draw[row->draws], &row->pixel_error, d->sorted + *at, n, err);
        flaw_draw_release(&items);
        *at += n;
        row->draws++;
        if (!flaw_plan_next(d->plan, &next) || next.draw == 0) break;
    }
    if (!s && whole && !row->failed) summarise(row, draw);
    free(draw);
    return s;
}

static flaw_status make_rows(flaw_eval *e, desk *d, flaw_error *err)
{
    size_t at = 0, rows = d->plan->sets * d->plan->methods * d->plan->shot_counts;
    flaw_cell cell;
    flaw_status s = FLAW_OK;
    e->row = calloc(rows + 1, sizeof *e->row);
    if (!e->row) return flaw_fail(err, FLAW_NO_MEMORY, "figures of %zu rows", rows);
    for (bool more = flaw_plan_first(d->plan, &cell); more && !s; more = flaw_plan_next(d->plan, &cell)) {
        s = make_row(e, &e->row[e->count++], d, &cell, &at, err);
        if (!s && d->progress && d->progress(d->context, e->count, rows, "figures"))
            s = flaw_fail(err, FLAW_USAGE, "figures: cancelled");
    }
    if (!s && at != d->count) s = flaw_fail(err, FLAW_BAD_DATA, "the judgements hold cells that the plan does not measure");
    return s;
}

flaw_status flaw_eval_make(flaw_eval **out, const flaw_plan *plan, const flaw_journal *journal, flaw_progress progress,
                           void *context, flaw_error *err)
{
    desk d = {.plan = plan, .progress = progress, .context = context};
    flaw_eval *e = calloc(1, sizeof *e);
    flaw_status s = e ? open_desk(&d, journal, err) : flaw_fail(err, FLAW_NO_MEMORY, "an evaluation was refused");
    if (e) flaw_arena_init(&e->arena, 0);
    if (!s) e->model = own(e, plan->model ? plan->model : "");
    if (!s) s = make_rows(e, &d, err);
    close_desk(&d);
    if (s) flaw_eval_free(e);
    else *out = e;
    return s;
}

void flaw_eval_free(flaw_eval *e)
{
    if (!e) return;
    free(e->row);
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
