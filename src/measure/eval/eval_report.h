/* An evaluation as one page: eval_report.c puts it together of the parts below, each a file of its own. */
#ifndef FLAW_MEASURE_EVAL_REPORT_H
#define FLAW_MEASURE_EVAL_REPORT_H

#include "base/buffer.h"
#include "measure/eval/eval_inside.h"
#include "measure/eval/published.h"

/* A row of the evaluation and where its judgements lie. */
typedef struct flaw_report_row {
    const flaw_eval_row *row;
    flaw_cell cell;                        /* first draw */
    const flaw_judgement *const *judgement; /* [count] of all draws, by draw, then picture */
    size_t count;
    size_t first; /* of these, the first draw's: curves, histograms and pictures are its */
    bool whole;   /* has figures */
} flaw_report_row;

typedef struct flaw_report {
    const flaw_eval *eval;
    const flaw_plan *plan;
    flaw_buffer page;
    flaw_report_row *row; /* [sets * row_set] owned, data set by data set */
    size_t rows, row_set; /* rows in all; of each data set */
    size_t picture_most;  /* of each kind in each row */
    size_t picture_bytes; /* may still be spent */
} flaw_report;

/* "alfa, k 4" as text of a page. */
void flaw_report_name(flaw_buffer *out, const flaw_eval_row *row);
/* The category, else the folder. */
const char *flaw_report_set_name(const flaw_report *r, size_t set);

/* What was measured, by what and how to do it again; then the means over the data sets and a table of all classes. */
void flaw_report_head(flaw_report *r);
void flaw_report_overview(flaw_report *r);
/* The works that figures "as published" are of; nothing when there is no such figure. */
void flaw_report_sources(flaw_report *r);
/* The tables of a data set: figures, kinds of defects, paired tests. */
flaw_status flaw_report_tables(flaw_report *r, size_t set, flaw_error *err);
/* Its curves and histograms. */
flaw_status flaw_report_charts(flaw_report *r, size_t set, flaw_error *err);
/* Its worst false alarms and misses. */
flaw_status flaw_report_pictures(flaw_report *r, size_t set, flaw_error *err);

#endif
