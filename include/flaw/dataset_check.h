/* What is wrong with a data set before anything is measured on it: every picture and every mask is read once. */
#ifndef FLAW_DATASET_CHECK_H
#define FLAW_DATASET_CHECK_H

#include "flaw/dataset.h"
#include "flaw/inspect.h"

typedef struct flaw_dataset_problem {
    const char *kind; /* "line" of a table, "unreadable", "mask unreadable", "mask size", "mask value", "mask empty" of a
                         bad picture, "mask marked" of a good one, "duplicate" within a part, "leak" from one part into
                         another, "case" of names */
    char *path;       /* of the picture; of the table with "line" */
    char *text;       /* what is wrong, one line, with the path where it helps */
} flaw_dataset_problem;

typedef struct flaw_dataset_report {
    char about[256];        /* flaw_dataset_about(); empty when no picture could be listed */
    size_t pictures, masks; /* read */
    flaw_dataset_problem *problem;
    size_t count;
} flaw_dataset_report;

/* FLAW_OK whatever is wrong with the pictures: the report says it. Pictures are the same when their decoded pixels are,
 * however they were saved. threads 0: all processors; the report is the same for any number. */
flaw_status flaw_dataset_check(flaw_dataset_report *out, const flaw_dataset_entry *entry, int threads,
                               flaw_progress progress, void *context, flaw_error *err);
void flaw_dataset_report_release(flaw_dataset_report *report);

#endif
