/* results.jsonl of an evaluation: the plan, then a line a judgement. Lines are appended as they come and a crash may
 * cut the last one; what is cut is judged again. */
#ifndef FLAW_MEASURE_JOURNAL_H
#define FLAW_MEASURE_JOURNAL_H

#include "base/file.h"
#include "measure/eval/eval_plan.h"

typedef struct flaw_journal {
    flaw_arena arena;          /* texts and maps of the judgements */
    flaw_judgement *judgement; /* [count], owned */
    size_t count, room;
    uint64_t *key; /* [buckets] set of what is there, 0 = free; owned */
    size_t buckets;
    flaw_file_log *log; /* NULL: kept in memory alone */
} flaw_journal;

/* "FOLDER/results.jsonl" in the arena; NULL when memory is refused. */
const char *flaw_journal_path(flaw_arena *arena, const char *folder);

/* Without a folder judgements are kept in memory alone. A new file for the plan in `folder` (made where it is not
 * there); one that is there is FLAW_USAGE, or with `resume` gone on with: FLAW_BAD_DATA when it is of another plan. */
flaw_status flaw_journal_begin(flaw_journal *j, const flaw_plan *plan, const char *folder, bool resume,
                               flaw_error *err);
/* Adds one, to the file too. Texts and map are copied. */
flaw_status flaw_journal_add(flaw_journal *j, const flaw_plan *plan, const flaw_judgement *one, flaw_error *err);
bool flaw_journal_has(const flaw_journal *j, const flaw_cell *cell, size_t item);
/* The plan and all judgements into `folder` at once (temporary name, rename), in the order of the plan. FLAW_USAGE when
 * the folder holds results already. */
flaw_status flaw_journal_write(const flaw_journal *j, const flaw_plan *plan, const char *folder, flaw_error *err);
/* Pointers to the judgements in the order of the plan, malloc'ed. */
flaw_status flaw_journal_sorted(const flaw_judgement ***out, const flaw_journal *j, flaw_error *err);
/* Everything of a folder: its plan and its judgements. On failure neither needs closing. */
flaw_status flaw_journal_read(flaw_journal *j, flaw_plan *plan, const char *folder, flaw_error *err);
/* FLAW_IO when what was added did not reach the disk. */
flaw_status flaw_journal_close(flaw_journal *j, flaw_error *err);

#endif
