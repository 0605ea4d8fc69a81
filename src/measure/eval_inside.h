/* The figures of an evaluation, made of what its journal holds. */
#ifndef FLAW_MEASURE_EVAL_INSIDE_H
#define FLAW_MEASURE_EVAL_INSIDE_H

#include "flaw/eval.h"
#include "measure/journal.h"

struct flaw_eval {
    flaw_arena arena;   /* texts */
    flaw_eval_row *row; /* [count], owned */
    size_t count;
    const char *model;
    flaw_prompts_about prompts;
};

/* *out keeps nothing of plan and journal. */
flaw_status flaw_eval_make(flaw_eval **out, const flaw_plan *plan, const flaw_journal *journal, flaw_progress progress,
                           void *context, flaw_error *err);

#endif
