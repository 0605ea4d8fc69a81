/* What an evaluation measures: data sets x methods x numbers of good parts x draws of these. The plan is the first line
 * of results.jsonl, so that a folder says what it holds and shards can be told apart from strangers. */
#ifndef FLAW_MEASURE_EVAL_PLAN_H
#define FLAW_MEASURE_EVAL_PLAN_H

#include "flaw/dataset.h"
#include "flaw/eval.h"
#include "measure/eval/judgement.h"

#define FLAW_EVAL_SIDE 256 /* pixel figures are taken at this side unless the options say otherwise */

typedef struct flaw_plan_set {
    const char *root, *category, *layout, *object; /* as the plan's line keeps them */
    flaw_dataset set;
} flaw_plan_set;

typedef struct flaw_plan {
    flaw_arena arena; /* texts and lists */
    flaw_plan_set *set;
    size_t sets;
    const char **method;
    size_t methods;
    int *shots;
    size_t shot_counts;
    int seeds, map_side, shard, shards;
    uint64_t seed;
    const char *model, *model_hash; /* NULL without an engine (tests) */
    bool promised;                  /* a false-alarm rate is asked for: methods by words are calibrated from good parts */
    const char *settings;           /* the inspectors' other options, as text: they have to be the same in every shard */
} flaw_plan;

/* Opens the data sets. */
flaw_status flaw_plan_make(flaw_plan *out, const flaw_engine *engine, const flaw_eval_options *options,
                           flaw_error *err);
/* The first line, malloc'ed; without the shard when `whole`, for comparing. NULL when memory is refused. */
char *flaw_plan_line(const flaw_plan *plan, bool whole);
/* From a first line; opens the data sets again. `name` is the file in messages. */
flaw_status flaw_plan_read(flaw_plan *out, const char *line, size_t length, const char *name, flaw_error *err);
void flaw_plan_close(flaw_plan *plan);

/* Whether a method is measured with `shots` good parts at all. */
bool flaw_plan_measures(const flaw_plan *plan, int method, int shots);
/* Whether its inspectors are given good parts. */
bool flaw_plan_uses_good(const flaw_plan *plan, int method);
/* How many good parts `shots` means on a data set, and how many draws there are (one where all are the same).
 * FLAW_USAGE when there are not so many. */
flaw_status flaw_plan_parts(size_t *parts, int *draws, const flaw_plan *plan, int set, int shots, flaw_error *err);

/* Pictures of a data set go by their number in flaw_dataset.item. */
static inline const flaw_dataset_item *flaw_plan_item(const flaw_plan *plan, int set, size_t item)
{
    return &plan->set[set].set.item[item];
}

/* What a cell needs: the good parts drawn, and the pictures to judge in order. */
typedef struct flaw_draw {
    size_t *good; /* [goods] items */
    size_t *item; /* [items] */
    size_t goods, items;
} flaw_draw;

flaw_status flaw_draw_make(flaw_draw *out, const flaw_plan *plan, const flaw_cell *cell, flaw_error *err);
void flaw_draw_release(flaw_draw *draw);

/* The first cell, and the one after it; false at the end. Cells that are not measured are stepped over. A plan whose
 * shots a data set cannot give was refused by flaw_plan_make. */
bool flaw_plan_first(const flaw_plan *plan, flaw_cell *cell);
bool flaw_plan_next(const flaw_plan *plan, flaw_cell *cell);

#endif
