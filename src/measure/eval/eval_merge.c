/* Shards of one evaluation put together. */
#include <stdlib.h>
#include <string.h>

#include "measure/eval/eval_inside.h"

static flaw_status refused(flaw_error *err)
{
    return flaw_fail(err, FLAW_NO_MEMORY, "merging shards: memory was refused");
}

/* The plan without its shard; every shard has the same. */
static flaw_status same_plan(char **whole, const flaw_plan *plan, const char *folder, const char *first,
                             flaw_error *err)
{
    char *line = flaw_plan_line(plan, true);
    if (!line) return refused(err);
    if (!*whole) {
        *whole = line;
        return FLAW_OK;
    }
    bool same = !strcmp(*whole, line);
    free(line);
    return same ? FLAW_OK
                : flaw_fail(err, FLAW_BAD_DATA,
                            "'%s' is of another evaluation than '%s': data sets, methods, shots, seeds, "
                            "options or model differ",
                            folder, first);
}

static flaw_status add_shard(flaw_journal *to, const flaw_plan *plan, const flaw_journal *shard, const char *folder,
                             flaw_error *err)
{
    flaw_status s = FLAW_OK;
    for (size_t i = 0; i < shard->count && !s; i++) {
        const flaw_judgement *one = &shard->judgement[i];
        if (flaw_journal_has(to, &one->cell, one->item))
            s = flaw_fail(err, FLAW_BAD_DATA, "'%s': picture '%s' was judged by another shard too", folder, one->image);
        else s = flaw_journal_add(to, plan, one, err);
    }
    return s;
}

/* Every picture of the plan that belongs to the shard is there. */
static flaw_status check_whole(const flaw_plan *plan, const flaw_journal *j, const char *folder, flaw_error *err)
{
    flaw_cell cell;
    for (bool more = flaw_plan_first(plan, &cell); more; more = flaw_plan_next(plan, &cell)) {
        flaw_draw draw;
        flaw_status s = flaw_draw_make(&draw, plan, &cell, err);
        for (size_t i = 0; !s && i < draw.items; i++)
            if ((int)(i % (size_t)plan->shards) == plan->shard - 1 && !flaw_journal_has(j, &cell, draw.item[i]))
                s = flaw_fail(err, FLAW_BAD_DATA,
                              "'%s': shard %d of %d is not finished: picture '%s' is not judged; go on with "
                              "--resume", folder,
                              plan->shard, plan->shards,
                              flaw_plan_item(plan, cell.dataset, draw.item[i])->path);
        flaw_draw_release(&draw);
        if (s) return s;
    }
    return FLAW_OK;
}

typedef struct merge {
    flaw_plan plan; /* of the whole */
    flaw_journal journal;
    char *line;         /* the whole plan */
    const char **where; /* [shards] folder of each shard, NULL = not seen yet */
    int shards;
    bool begun;
} merge;

/* The first shard's plan becomes the whole's. Judgements are gathered in memory: nothing is written before all is well. */
static flaw_status begin(merge *m, flaw_plan *plan, flaw_error *err)
{
    m->shards = plan->shards;
    m->plan = *plan;
    *plan = (flaw_plan){0};
    m->plan.shard = m->plan.shards = 1;
    m->where = calloc((size_t)m->shards, sizeof *m->where);
    if (!m->where) return refused(err);
    flaw_status s = flaw_journal_begin(&m->journal, &m->plan, NULL, false, err);
    m->begun = !s;
    return s;
}

static flaw_status take_shard(merge *m, const char *shard, const char *first, flaw_error *err)
{
    flaw_plan plan;
    flaw_journal journal;
    flaw_status s = flaw_journal_read(&journal, &plan, shard, err);
    if (s) return s;
    int number = plan.shard, shards = plan.shards;
    s = same_plan(&m->line, &plan, shard, first, err);
    if (!s) s = check_whole(&plan, &journal, shard, err);
    if (!s && !m->begun) s = begin(m, &plan, err);
    if (!s && shards != m->shards)
        s = flaw_fail(err, FLAW_BAD_DATA, "'%s' is shard %d of %d, '%s' one of %d", shard, number, shards, first,
                      m->shards);
    if (!s && m->where[number - 1])
        s = flaw_fail(err, FLAW_BAD_DATA, "'%s' is shard %d of %d, as '%s' is", shard, number, shards,
                      m->where[number - 1]);
    if (!s) {
        m->where[number - 1] = shard;
        s = add_shard(&m->journal, &m->plan, &journal, shard, err);
    }
    flaw_journal_close(&journal, NULL);
    flaw_plan_close(&plan);
    return s;
}

static flaw_status all_there(const merge *m, flaw_error *err)
{
    for (int i = 0; i < m->shards; i++)
        if (!m->where[i]) return flaw_fail(err, FLAW_BAD_DATA, "shard %d of %d is missing", i + 1, m->shards);
    return FLAW_OK;
}

flaw_status flaw_eval_merge(flaw_eval **out, const char *folder, const char *const *shard, size_t count,
                            flaw_progress progress, void *context, flaw_error *err)
{
    merge m = {0};
    flaw_status s = count ? FLAW_OK : flaw_fail(err, FLAW_USAGE, "no shard to merge was given");
    for (size_t i = 0; i < count && !s; i++) s = take_shard(&m, shard[i], shard[0], err);
    if (!s) s = all_there(&m, err);
    if (!s) s = flaw_eval_make(out, &m.plan, &m.journal, progress, context, err);
    if (!s && (s = flaw_journal_write(&m.journal, &m.plan, folder, err))) flaw_eval_free(*out);
    if (m.begun) flaw_journal_close(&m.journal, NULL);
    flaw_plan_close(&m.plan);
    free(m.line);
    free(m.where);
    return s;
}
