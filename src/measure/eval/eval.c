/* An evaluation as papers do it: k good parts drawn by seed, every test picture judged, repeated. What is judged is kept
 * at once (journal.h); the figures are made of what is kept (eval_figures.c). */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "flaw/method.h"
#include "measure/eval/eval_inside.h"
#include "measure/eval/journal.h"

typedef struct bench {
    const flaw_eval_options *options;
    const flaw_engine *engine;
    flaw_plan plan;
    flaw_journal journal;
    flaw_progress progress;
    void *context;
    flaw_prompts_about prompts; /* of the first inspector whose sentences were written; else count 0 */
    size_t done, total; /* pictures of this run */
} bench;

/* Whether this run judges the picture: it is of its shard and not there yet. */
static bool pending(const bench *b, const flaw_cell *cell, size_t item, size_t number)
{
    return (int)(number % (size_t)b->plan.shards) == b->plan.shard - 1 && !flaw_journal_has(&b->journal, cell, item);
}

static size_t count_pending(const bench *b, const flaw_cell *cell, const flaw_draw *draw)
{
    size_t count = 0;
    for (size_t i = 0; i < draw->items; i++) count += pending(b, cell, draw->item[i], i);
    return count;
}

static flaw_status count_all(bench *b, flaw_error *err)
{
    flaw_cell cell;
    flaw_status s = FLAW_OK;
    for (bool more = flaw_plan_first(&b->plan, &cell); more && !s; more = flaw_plan_next(&b->plan, &cell)) {
        flaw_draw draw;
        s = flaw_draw_make(&draw, &b->plan, &cell, err);
        if (s) break;
        b->total += count_pending(b, &cell, &draw);
        flaw_draw_release(&draw);
    }
    return s;
}

static flaw_status step(bench *b, const char *what, flaw_error *err)
{
    if (b->progress && b->progress(b->context, b->done, b->total, what))
        return flaw_fail(err, FLAW_USAGE, "evaluation: cancelled after %zu of %zu pictures", b->done, b->total);
    return FLAW_OK;
}

/* One picture; where it cannot be judged the reason is what is kept. */
static flaw_status judge_one(bench *b, flaw_inspector *inspector, const flaw_cell *cell, size_t item, flaw_error *err)
{
    flaw_result r = {0};
    flaw_error why = {0};
    const char *path = flaw_plan_item(&b->plan, cell->dataset, item)->path;
    flaw_status s = flaw_inspector_judge_file(inspector, path, &r, &why);
    flaw_judgement one = {.cell = *cell,
                          .item = item,
                          .image = path,
                          .verdict = s ? FLAW_UNKNOWN : r.verdict,
                          .score = r.score,
                          .threshold = r.threshold,
                          .p_value = s ? NAN : r.p_value,
                          .ms = r.ms};
    if (s == FLAW_NO_MEMORY || s == FLAW_INTERNAL) {
        if (err) *err = why;
    } else if (s || !r.cells || !isfinite(r.score)) {
        one.score = NAN;
        one.failure = s ? why.text : r.doubt;
        s = flaw_journal_add(&b->journal, &b->plan, &one, err);
    } else {
        one.width = r.width;
        one.height = r.height;
        one.seen = (flaw_seen){r.seen[0], r.seen[1], r.seen[2], r.seen[3]};
        one.grid = r.grid;
        one.map = r.cells;
        one.map_low = r.map_low;
        one.map_threshold = r.map_threshold;
        s = flaw_journal_add(&b->journal, &b->plan, &one, err);
    }
    flaw_result_release(&r);
    b->done++;
    return s;
}

/* An inspector for the cell: method, object and the good parts drawn. */
static flaw_status teach(flaw_inspector **out, bench *b, const flaw_cell *cell, const flaw_draw *draw, flaw_error *err)
{
    const char **good = calloc(draw->goods + 1, sizeof *good);
    if (!good) return flaw_fail(err, FLAW_NO_MEMORY, "drawing %zu good parts", draw->goods);
    flaw_inspect_options inspect = b->options->inspect;
    for (size_t i = 0; i < draw->goods; i++) good[i] = flaw_plan_item(&b->plan, cell->dataset, draw->good[i])->path;
    inspect.method = b->plan.method[cell->method];
    inspect.object = b->plan.set[cell->dataset].object;
    inspect.good = good;
    inspect.good_count = draw->goods;
    flaw_status s = flaw_inspector_new(out, b->engine, &inspect, NULL, NULL, err);
    if (!s && inspect.writer && !b->prompts.count) b->prompts = *flaw_inspector_prompts(*out);
    free(good);
    return s;
}

static flaw_status run_cell(bench *b, const flaw_cell *cell, flaw_error *err)
{
    flaw_draw draw;
    flaw_inspector *inspector = NULL;
    flaw_status s = flaw_draw_make(&draw, &b->plan, cell, err);
    if (s) return s;
    if (count_pending(b, cell, &draw)) {
        s = step(b, "learning", err);
        if (!s) s = teach(&inspector, b, cell, &draw, err);
    }
    for (size_t i = 0; i < draw.items && !s && inspector; i++) {
        if (!pending(b, cell, draw.item[i], i)) continue;
        s = judge_one(b, inspector, cell, draw.item[i], err);
        if (!s) s = step(b, b->plan.method[cell->method], err);
    }
    flaw_inspector_free(inspector);
    flaw_draw_release(&draw);
    return s;
}

static flaw_status run(bench *b, flaw_error *err)
{
    flaw_cell cell;
    flaw_status s = flaw_journal_begin(&b->journal, &b->plan, b->options->out, b->options->resume, err);
    if (s) return s;
    s = count_all(b, err);
    for (bool more = flaw_plan_first(&b->plan, &cell); more && !s; more = flaw_plan_next(&b->plan, &cell))
        s = run_cell(b, &cell, err);
    return s;
}

flaw_status flaw_eval_run(flaw_eval **out, const flaw_engine *engine, const flaw_eval_options *options,
                          flaw_progress progress, void *context, flaw_error *err)
{
    bench b = {.options = options, .engine = engine, .progress = progress, .context = context};
    flaw_status s = flaw_plan_make(&b.plan, engine, options, err);
    if (s) return s;
    s = run(&b, err);
    if (!s) s = flaw_eval_make(out, &b.plan, &b.journal, progress, context, err);
    if (!s) (*out)->prompts = b.prompts;
    flaw_error late;
    flaw_status closed = flaw_journal_close(&b.journal, &late);
    if (closed && !s) {
        flaw_eval_free(*out);
        if (err) *err = late;
        s = closed;
    }
    flaw_plan_close(&b.plan);
    return s;
}

flaw_status flaw_eval_read(flaw_eval **out, const char *folder, flaw_progress progress, void *context, flaw_error *err)
{
    flaw_plan plan;
    flaw_journal journal;
    flaw_status s = flaw_journal_read(&journal, &plan, folder, err);
    if (s) return s;
    s = flaw_eval_make(out, &plan, &journal, progress, context, err);
    flaw_journal_close(&journal, NULL);
    flaw_plan_close(&plan);
    return s;
}
