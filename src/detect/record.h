/* Named numbers, texts and tables of floats: what a method, its prompts and its calibration hand to a recipe file and
 * get back from it. Names are dotted ("bank.0.rows"). Everything is copied into the record. */
#ifndef FLAW_DETECT_RECORD_H
#define FLAW_DETECT_RECORD_H

#include <stddef.h>

#include "base/arena.h"
#include "flaw/status.h"

typedef enum flaw_record_kind { FLAW_RECORD_NUMBER, FLAW_RECORD_TEXT, FLAW_RECORD_TABLE } flaw_record_kind;

typedef struct flaw_record_item {
    const char *name;
    flaw_record_kind kind;
    double number;
    const char *text;
    size_t rows, columns;
    const float *table; /* [rows, columns] */
} flaw_record_item;

typedef struct flaw_record {
    flaw_record_item *item; /* in the order of putting */
    size_t count, room;
    flaw_arena arena;
} flaw_record;

void flaw_record_init(flaw_record *r);
void flaw_record_release(flaw_record *r);

/* A name already there is FLAW_INTERNAL. */
flaw_status flaw_record_put_number(flaw_record *r, const char *name, double value, flaw_error *err);
flaw_status flaw_record_put_text(flaw_record *r, const char *name, const char *text, flaw_error *err);
flaw_status flaw_record_put_table(flaw_record *r, const char *name, const float *table, size_t rows, size_t columns,
                                  flaw_error *err);

/* FLAW_BAD_DATA when the name is absent or of another kind. */
flaw_status flaw_record_number(const flaw_record *r, const char *name, double *out, flaw_error *err);
/* An integer in [low, high], else FLAW_BAD_DATA. */
flaw_status flaw_record_integer(const flaw_record *r, const char *name, int low, int high, int *out, flaw_error *err);
flaw_status flaw_record_text(const flaw_record *r, const char *name, const char **out, flaw_error *err);
/* columns 0: any. Every value is finite, else FLAW_BAD_DATA. */
flaw_status flaw_record_table(const flaw_record *r, const char *name, size_t columns, const float **out, size_t *rows,
                              flaw_error *err);
const flaw_record_item *flaw_record_find(const flaw_record *r, const char *name); /* NULL when absent */

#endif
