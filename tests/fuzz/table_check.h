/* What holds for the rows of every table of pictures that is not refused. */
#ifndef FLAW_TESTS_FUZZ_TABLE_CHECK_H
#define FLAW_TESTS_FUZZ_TABLE_CHECK_H

#include <string.h>

#include "fuzz.h"
#include "measure/dataset/table.h"

static inline void check_path(const char *path)
{
    flaw_fuzz_require(path && *path && strlen(path) <= FLAW_TABLE_MAX_FIELD);
}

static inline void check_row(const flaw_row *row)
{
    check_path(row->image);
    flaw_fuzz_require(row->where && row->kind && *row->kind && row->line > 0);
    flaw_fuzz_require((row->label == FLAW_LABEL_GOOD) == (strcmp(row->kind, "good") == 0));
    flaw_fuzz_require((row->label == FLAW_LABEL_UNKNOWN) == (strcmp(row->kind, "unknown") == 0));
    flaw_fuzz_require(row->background <= 0xffffff);
    for (size_t i = 0; i < row->masks; i++) check_path(row->mask[i]);
}

static inline void check_rows(const flaw_rows *rows, flaw_status status, const flaw_error *err)
{
    flaw_fuzz_require(rows->count <= FLAW_DATASET_MAX_ITEMS);
    for (size_t i = 0; i < rows->count; i++) check_row(&rows->row[i]);
    if (status == FLAW_OK) return;
    flaw_fuzz_require(status == FLAW_BAD_DATA || status == FLAW_NO_MEMORY);
    flaw_fuzz_require(err->status == status && strstr(err->text, "input"));
}

#endif
