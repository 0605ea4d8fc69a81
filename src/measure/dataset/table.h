/* Tables of pictures that others write: CSV, JSON lines, meta.json, Lookout's manifest. Each parser takes the bytes of
 * a file and adds rows; nothing here looks at the disk but flaw_rows_list. Every error names the file and the line. */
#ifndef FLAW_MEASURE_TABLE_H
#define FLAW_MEASURE_TABLE_H

#include <jansson.h>

#include "measure/dataset/layout.h"

enum { FLAW_TABLE_MAX_FIELD = 4096, FLAW_TABLE_MAX_FILE = 1 << 28 };

typedef struct flaw_row {
    const char *image;        /* as written */
    const char *const *mask;  /* [masks] */
    const char *category;     /* NULL: the table names none */
    const char *kind;         /* as in flaw_dataset_item */
    const char *where;        /* name of the table; of meta.json with the list in it */
    size_t masks, line;       /* of meta.json: number within its list, from 1 */
    uint32_t background;
    flaw_dataset_label label;
    flaw_dataset_split split;
    bool has_split;
} flaw_row;

typedef struct flaw_rows { /* grows inside the arena, strings too */
    flaw_arena *arena;
    flaw_row *row;
    size_t count, room;
} flaw_rows;

/* What a column (or key) says; its name is looked up without case, "-" and " " are "_". */
typedef enum flaw_column {
    FLAW_COLUMN_OTHER,
    FLAW_COLUMN_IMAGE,
    FLAW_COLUMN_LABEL,
    FLAW_COLUMN_INDEX, /* 0 good, 1 bad: decides over a label in words */
    FLAW_COLUMN_KIND,
    FLAW_COLUMN_SPLIT,
    FLAW_COLUMN_MASK,
    FLAW_COLUMN_CATEGORY,
    FLAW_COLUMNS
} flaw_column;
flaw_column flaw_column_named(const char *name);

/* A row from the texts of its columns, NULL or "" where there is none. */
flaw_status flaw_rows_add(flaw_rows *rows, const char *const text[FLAW_COLUMNS], size_t line, const char *name,
                          flaw_error *err);
flaw_status flaw_rows_append(flaw_rows *rows, flaw_row row, const char *name, flaw_error *err);
char *flaw_rows_copy(flaw_rows *rows, const char *text); /* NULL without memory */

/* "good", "normal", "ok" ... */
bool flaw_word_is_good(const char *text);
bool flaw_word_is_bad(const char *text);
/* Label and kind of a text: a word for good or bad, 0 or 1, nothing ("unknown"), else the name of a defect. */
void flaw_row_label(flaw_row *row, const char *text);
/* train, validation, test and their like. */
bool flaw_row_split(flaw_row *row, const char *text);

flaw_status flaw_rows_csv(flaw_rows *rows, const void *bytes, size_t size, const char *name, flaw_error *err);
/* One object a line; `manifest`: as Lookout for Vision and SageMaker write them. */
flaw_status flaw_rows_jsonl(flaw_rows *rows, const void *bytes, size_t size, bool manifest, const char *name,
                            flaw_error *err);
flaw_status flaw_rows_meta(flaw_rows *rows, const void *bytes, size_t size, const char *name, flaw_error *err);
flaw_status flaw_row_from_manifest(flaw_rows *rows, const json_t *line, size_t number, const char *name,
                                   flaw_error *err);

/* Whether the beginning of a file (some kilobytes of it) is that of such a table. */
bool flaw_table_is_csv(const void *bytes, size_t size);
bool flaw_table_is_jsonl(const void *bytes, size_t size, bool manifest);

/* The rows of one category (NULL: all) as items: paths are taken from `folder`, must be there, and may be absolute;
 * URIs (s3://...) stand for the file of that name below the folder. */
flaw_status flaw_rows_list(flaw_listing *l, const flaw_rows *rows, const char *category, const char *folder,
                           flaw_error *err);

typedef struct flaw_name_index flaw_name_index;
/* name_index.c: files below a folder by their names. Links to folders are not followed. */
flaw_status flaw_name_index_new(flaw_name_index **out, const char *folder, flaw_error *err);
void flaw_name_index_free(flaw_name_index *index);
/* The file whose path agrees longest with the end of `path`, at least in its name. FLAW_MISSING when there is none,
 * FLAW_BAD_DATA when several agree as long. */
flaw_status flaw_name_index_find(const char **out, const flaw_name_index *index, const char *path, flaw_error *err);

#endif
