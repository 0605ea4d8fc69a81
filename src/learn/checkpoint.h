/* Checkpoints of any trainer: one safetensors file with the flat arrays of a run, what the run is (which must be the same
 * when it goes on), the step, and the history its curve is drawn from. Written under a temporary name and renamed, so a
 * killed run finds the last one whole. Data follow from the seed and the step: no random state is kept. */
#ifndef FLAW_LEARN_CHECKPOINT_H
#define FLAW_LEARN_CHECKPOINT_H

#include "format/tensors.h"

/* Rows of numbers over the course of a run, the step first; NaN where a row has nothing to say. */
typedef struct flaw_history {
    int columns;
    float *value; /* [rows, columns], owned */
    size_t rows, room;
} flaw_history;

flaw_status flaw_history_add(flaw_history *h, const float *row, flaw_error *err);
void flaw_history_release(flaw_history *h);
/* The rows of column c that are numbers, with their step: x, y [rows]. Returns how many. */
size_t flaw_history_column(const flaw_history *h, int c, double *x, double *y);

typedef struct flaw_checkpoint_array {
    const char *name;
    float *data; /* [count] */
    size_t count;
} flaw_checkpoint_array;

typedef struct flaw_checkpoint_fact {
    const char *key, *value;
    const char *what; /* for people: "shape of the model" */
} flaw_checkpoint_fact;

typedef struct flaw_checkpoint {
    const flaw_checkpoint_array *array;
    int arrays;
    const flaw_checkpoint_fact *fact;
    int facts;
    int64_t *step;
    flaw_history *history; /* NULL: none is kept */
} flaw_checkpoint;

#define FLAW_CHECKPOINT_ITEMS 16 /* most arrays, and most facts */

flaw_status flaw_checkpoint_save(const flaw_checkpoint *c, const char *path, flaw_error *err);
/* Fills the arrays, the step and the history. FLAW_USAGE, naming it, when a fact is another; FLAW_BAD_DATA for a file that
 * is no checkpoint of these arrays. */
flaw_status flaw_checkpoint_load(const flaw_checkpoint *c, const char *path, flaw_error *err);

/* An array of a checkpoint on its own. */
flaw_status flaw_checkpoint_read_array(float *out, const flaw_tensors *file, const char *name, size_t count, flaw_error *err);

#endif
