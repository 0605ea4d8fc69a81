/* The figures of an evaluation, made of what its journal holds. */
#ifndef FLAW_MEASURE_EVAL_INSIDE_H
#define FLAW_MEASURE_EVAL_INSIDE_H

#include "flaw/eval.h"
#include "measure/eval/journal.h"

struct flaw_eval {
    flaw_arena arena;   /* texts */
    flaw_eval_row *row; /* [count], owned */
    size_t count;
    flaw_eval_comparison *comparison; /* [comparisons], owned */
    size_t comparisons;
    const char *model;
    flaw_prompts_about prompts;
};

/* What a cell says, picture by picture: what figures, intervals and comparisons are made of. */
typedef struct flaw_tally {
    size_t count;
    size_t *item;        /* [count] numbers in the data set, rising; as the others owned */
    float *score;        /* [count] */
    uint8_t *bad;        /* [count] */
    flaw_pixels *pixels; /* with a sketch of each picture whose map is known */
    double limit;        /* of the overlap */
} flaw_tally;

/* eval_tally.c. A tally of n judgements, each with a number. */
flaw_status flaw_tally_make(flaw_tally *out, const flaw_plan *plan, const flaw_judgement *const *j, size_t n,
                            flaw_error *err);
void flaw_tally_release(flaw_tally *tally);

/* eval_compare.c. Tallies [count] are of the rows' first draws; count 0 where a row has no figures. */
flaw_status flaw_eval_compare(flaw_eval *eval, const flaw_tally *tally, flaw_error *err);

/* *out keeps nothing of plan and journal. */
flaw_status flaw_eval_make(flaw_eval **out, const flaw_plan *plan, const flaw_journal *journal, flaw_progress progress,
                           void *context, flaw_error *err);

#endif
