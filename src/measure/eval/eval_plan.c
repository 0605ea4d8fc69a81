#include "measure/eval/eval_plan.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "base/sha256.h"
#include "flaw/method.h"

static bool own(flaw_plan *plan, const char **out, const char *text)
{
    *out = text ? flaw_arena_copy_string(&plan->arena, text, strlen(text)) : NULL;
    return !text || *out;
}

static flaw_status refused(flaw_error *err)
{
    return flaw_fail(err, FLAW_NO_MEMORY, "memory for the plan of an evaluation was refused");
}

/* The options of the inspectors that change what is measured, as one text. */
static bool own_settings(flaw_plan *plan, const flaw_inspect_options *o)
{
    char text[1024];
    int length = snprintf(text, sizeof text,
                          "rate=%.17g rule=%s lambda=%.17g tau=%.17g windows=%s score=%s bank=%d fit=%s seed=%llu "
                          "threshold=%.17g weights=%.200s prompts=%.200s %.200s",
                          o->false_alarm_rate, o->rule ? o->rule : "", o->lambda, o->tau, o->windows ? o->windows : "",
                          o->score ? o->score : "", o->bank_limit, o->fit ? o->fit : "", o->seed, o->threshold,
                          o->weights ? o->weights : "", o->prompts ? o->prompts : "",
                          o->method_options ? o->method_options : "");
    if (length > 0 && (size_t)length < sizeof text && o->writer) {
        const flaw_prompts_options *w = o->writer;
        char brief[65] = "";
        if (o->brief) flaw_sha256_hex(o->brief, strlen(o->brief), brief);
        snprintf(text + length, sizeof text - (size_t)length, " llm=%.200s,%.100s,%d,%.16s", w->llm ? w->llm : "",
                 w->llm_model ? w->llm_model : "", w->count, brief);
    }
    return length > 0 && own(plan, &plan->settings, text);
}

static flaw_status take_lists(flaw_plan *plan, const flaw_eval_options *o, flaw_error *err)
{
    static const int none = 0;
    const int *shots = o->shots && o->shot_counts ? o->shots : &none;
    plan->methods = o->method && o->methods ? o->methods : 1;
    plan->shot_counts = o->shots && o->shot_counts ? o->shot_counts : 1;
    plan->method = flaw_arena_alloc(&plan->arena, plan->methods, sizeof *plan->method);
    plan->shots = flaw_arena_alloc(&plan->arena, plan->shot_counts, sizeof *plan->shots);
    if (!plan->method || !plan->shots) return refused(err);
    for (size_t i = 0; i < plan->methods; i++)
        if (!own(plan, &plan->method[i], o->method && o->methods ? o->method[i] : "auto")) return refused(err);
    memcpy(plan->shots, shots, plan->shot_counts * sizeof *shots);
    plan->seeds = o->seeds > 0 ? o->seeds : 5;
    plan->seed = o->seed;
    plan->promised = o->inspect.false_alarm_rate > 0;
    plan->map_side = o->map_side > 0 ? o->map_side : FLAW_EVAL_SIDE;
    plan->shards = o->shards > 1 ? o->shards : 1;
    plan->shard = o->shards > 1 ? o->shard : 1;
    if (plan->shard < 1 || plan->shard > plan->shards)
        return flaw_fail(err, FLAW_USAGE, "shard %d of %d is not allowed, allowed are 1 to %d", plan->shard,
                         plan->shards, plan->shards);
    return own_settings(plan, &o->inspect) ? FLAW_OK : refused(err);
}

static flaw_status add_set(flaw_plan *plan, size_t *room, const flaw_dataset_entry *entry, const char *object,
                           flaw_error *err)
{
    if (plan->sets == *room) {
        size_t grown = *room ? 2 * *room : 16;
        flaw_plan_set *set = flaw_arena_alloc(&plan->arena, grown, sizeof *set);
        if (!set) return refused(err);
        if (plan->sets) memcpy(set, plan->set, plan->sets * sizeof *set);
        plan->set = set;
        *room = grown;
    }
    flaw_plan_set *to = &plan->set[plan->sets];
    flaw_status s = flaw_dataset_open(&to->set, entry, err);
    if (s) return s;
    plan->sets++; /* from here on it is closed with the plan */
    bool kept = own(plan, &to->root, entry->root) && own(plan, &to->category, entry->category) &&
                own(plan, &to->layout, entry->layout) && own(plan, &to->object, object ? object : to->set.object);
    return kept ? flaw_dataset_testable(&to->set, err) : refused(err);
}

static flaw_status find_sets(flaw_plan *plan, const flaw_eval_options *o, flaw_error *err)
{
    flaw_dataset_list list = {0};
    flaw_status s = FLAW_OK;
    size_t room = 0;
    for (size_t i = 0; !s && i < o->datasets; i++) s = flaw_dataset_find(&list, o->dataset[i], o->layout, err);
    for (size_t i = 0; !s && i < list.count; i++) s = add_set(plan, &room, &list.entry[i], o->object, err);
    flaw_dataset_list_release(&list);
    if (!s && !plan->sets) s = flaw_fail(err, FLAW_USAGE, "no data set given");
    return s;
}

static bool is_method(const char *name)
{
    for (int i = 0; i < flaw_method_count(); i++)
        if (!strcmp(name, flaw_method_name(i))) return true;
    return false;
}

/* Every data set has as many good parts as are asked for, every method is known, and something is left to measure. */
static flaw_status check(const flaw_plan *plan, flaw_error *err)
{
    flaw_cell cell;
    for (size_t i = 0; i < plan->methods; i++) {
        if (strcmp(plan->method[i], "auto") != 0 && !is_method(plan->method[i]))
            return flaw_fail(err, FLAW_USAGE, "method \"%.80s\" is unknown; see flaw method list", plan->method[i]);
        bool any = false;
        for (size_t k = 0; k < plan->shot_counts; k++) any |= flaw_plan_measures(plan, (int)i, (int)k);
        if (!any)
            return flaw_fail(err, FLAW_USAGE, "method %s needs at least one good part, the shots asked for are 0",
                             plan->method[i]);
    }
    for (size_t d = 0; d < plan->sets; d++)
        for (size_t k = 0; k < plan->shot_counts; k++) {
            size_t parts;
            int draws;
            flaw_status s = flaw_plan_parts(&parts, &draws, plan, (int)d, (int)k, err);
            if (s) return s;
        }
    return flaw_plan_first(plan, &cell) ? FLAW_OK : flaw_fail(err, FLAW_USAGE, "nothing to measure");
}

flaw_status flaw_plan_make(flaw_plan *out, const flaw_engine *engine, const flaw_eval_options *options, flaw_error *err)
{
    flaw_plan plan = {0};
    flaw_arena_init(&plan.arena, 0);
    flaw_status s = take_lists(&plan, options, err);
    if (!s) s = find_sets(&plan, options, err);
    if (!s && engine && !(own(&plan, &plan.model, flaw_engine_model_name(engine)) &&
                          own(&plan, &plan.model_hash, flaw_engine_model_hash(engine))))
        s = refused(err);
    if (!s) s = check(&plan, err);
    if (s) flaw_plan_close(&plan);
    else *out = plan;
    return s;
}

void flaw_plan_close(flaw_plan *plan)
{
    for (size_t i = 0; i < plan->sets; i++) flaw_dataset_close(&plan->set[i].set);
    flaw_arena_release(&plan->arena);
    *plan = (flaw_plan){0};
}

/* --- cells --- */

bool flaw_plan_measures(const flaw_plan *plan, int method, int shots)
{
    if (!strcmp(plan->method[method], "auto")) return true;
    if (flaw_plan_uses_good(plan, method)) return plan->shots[shots] != 0;
    /* Good parts make no difference: measured once, at the first number of them asked for. */
    return shots == 0;
}

bool flaw_plan_uses_good(const flaw_plan *plan, int method)
{
    int needs = flaw_method_needs(plan->method[method]);
    return !strcmp(plan->method[method], "auto") || needs & FLAW_NEEDS_GOOD ||
           (plan->promised && !(needs & FLAW_NEEDS_BATCH));
}

flaw_status flaw_plan_parts(size_t *parts, int *draws, const flaw_plan *plan, int set, int shots, flaw_error *err)
{
    size_t there = plan->set[set].set.references;
    int asked = plan->shots[shots];
    if (asked > 0 && (size_t)asked > there)
        return flaw_fail(err, FLAW_USAGE, "data set '%s': %d good parts asked for, it has %zu to draw from",
                         plan->set[set].root, asked, there);
    if (asked < 0 && !there)
        return flaw_fail(err, FLAW_USAGE, "data set '%s': all good parts asked for, it has none", plan->set[set].root);
    *parts = asked < 0 ? there : (size_t)asked;
    *draws = *parts == 0 || *parts == there ? 1 : plan->seeds;
    return FLAW_OK;
}

static int draws_of(const flaw_plan *plan, const flaw_cell *c)
{
    size_t parts;
    int draws = 1;
    if (!flaw_plan_uses_good(plan, c->method) || flaw_plan_parts(&parts, &draws, plan, c->dataset, c->shots, NULL))
        return 1;
    return draws;
}

bool flaw_plan_first(const flaw_plan *plan, flaw_cell *cell)
{
    *cell = (flaw_cell){0, 0, 0, -1};
    return flaw_plan_next(plan, cell);
}

bool flaw_plan_next(const flaw_plan *plan, flaw_cell *c)
{
    flaw_cell next = *c;
    next.draw++;
    for (; next.dataset < (int)plan->sets; next.dataset++, next.method = 0)
        for (; next.method < (int)plan->methods; next.method++, next.shots = 0)
            for (; next.shots < (int)plan->shot_counts; next.shots++, next.draw = 0)
                if (flaw_plan_measures(plan, next.method, next.shots) && next.draw < draws_of(plan, &next)) {
                    *c = next;
                    return true;
                }
    return false;
}

/* --- draws --- */

/* The first `goods` of a shuffle (Fisher and Yates) are the good parts; the rest may join the test. */
static void shuffle(size_t *order, size_t n, size_t goods, uint64_t seed, int draw)
{
    flaw_random random;
    flaw_random_init(&random, seed, (uint64_t)draw);
    for (size_t i = 0; i < n; i++) order[i] = i;
    for (size_t i = 0; i < goods; i++) {
        size_t j = i + (size_t)flaw_random_below(&random, (int)(n - i)), held = order[i];
        order[i] = order[j];
        order[j] = held;
    }
}

flaw_status flaw_draw_make(flaw_draw *out, const flaw_plan *plan, const flaw_cell *cell, flaw_error *err)
{
    const flaw_dataset *set = &plan->set[cell->dataset].set;
    flaw_draw d = {0};
    int draws;
    flaw_status s = FLAW_OK;
    if (flaw_plan_uses_good(plan, cell->method))
        s = flaw_plan_parts(&d.goods, &draws, plan, cell->dataset, cell->shots, err);
    if (s) return s;
    size_t n = set->references;
    size_t *order = malloc((n + 1) * sizeof *order);
    d.item = malloc((set->items + 1) * sizeof *d.item);
    d.good = malloc((set->items + 1) * sizeof *d.good);
    if (!order || !d.item || !d.good) {
        free(order);
        flaw_draw_release(&d);
        return refused(err);
    }
    shuffle(order, n, d.goods, plan->seed, cell->draw);
    size_t first_test = (size_t)(set->test - set->item), first = n ? (size_t)(set->reference - set->item) : 0;
    for (size_t i = 0; i < d.goods; i++) d.good[i] = first + order[i];
    for (size_t i = 0; i < set->tests; i++) d.item[d.items++] = first_test + i;
    for (size_t i = d.goods; i < n && set->references_tested; i++) d.item[d.items++] = first + order[i];
    if (flaw_method_needs(plan->method[cell->method]) & FLAW_NEEDS_BATCH) { /* learns from what is judged */
        memcpy(d.good, d.item, d.items * sizeof *d.good);
        d.goods = d.items;
    }
    free(order);
    *out = d;
    return FLAW_OK;
}

void flaw_draw_release(flaw_draw *draw)
{
    free(draw->good);
    free(draw->item);
    *draw = (flaw_draw){0};
}
