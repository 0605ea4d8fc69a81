/* What the methods that train a network of their own (UniAD, JNLD) share: the rows they look at, layers on a tape, and
 * examples made of good parts. Letters: P patches, D width of the tower, C width of the joined rows. */
#ifndef FLAW_METHOD_NETWORK_H
#define FLAW_METHOD_NETWORK_H

#include "method/method.h"
#include "nn/tape.h"

#define FLAW_JOINED_WANTS FLAW_WANT_STAGES

/* C: the stages below the last, side by side. */
int flaw_joined_width(const flaw_clip_shape *shape);
/* out [P, C]: unit rows times the root of D, so that numbers are about 1 whatever the tower. */
void flaw_joined_rows(float *out, const flaw_features *f);

/* hidden [P, P]: a query does not see keys up to `radius` rows and columns away, itself among them; radius < grid / 2.
 */
void flaw_neighbours_hide(uint8_t *hidden, int grid, int radius);

/* Post-norm transformer layers (as UniAD has them, GELU for ReLU); the position is added to queries and keys. */
typedef struct flaw_layer_plan {
    int heads, inner;      /* inner: hidden width of the two-layer network */
    const uint8_t *hidden; /* NULL: nothing is */
} flaw_layer_plan;
/* x + attention of x to x. */
int flaw_layer_encode(flaw_tape *t, const flaw_layer_plan *p, int x, int position);
/* A learnt query first looks at the memory, then at what came out of the layer before (UniAD's layer-wise query). */
int flaw_layer_query(flaw_tape *t, const flaw_layer_plan *p, int memory, int before, int position);

/* Rows [count, P, C] of the good parts and of mild changes of them: as many as make about `wanted`, every part as
 * often. */
typedef struct flaw_examples {
    float *rows;
    size_t count, floats; /* floats of one: P * C */
} flaw_examples;
flaw_status flaw_examples_make(flaw_examples *out, const flaw_lesson *lesson, size_t wanted, flaw_error *err);
void flaw_examples_release(flaw_examples *e);

/* Tells the lesson's progress of step `done` of `total`; FLAW_USAGE when it says enough. */
flaw_status flaw_lesson_step(const flaw_lesson *lesson, int done, int total, const char *what, flaw_error *err);

/* "NAME.weights", and back: FLAW_BAD_DATA unless there are as many. */
flaw_status flaw_network_save(const flaw_tape *t, const char *name, flaw_record *record, flaw_error *err);
flaw_status flaw_network_load(flaw_tape *t, const char *name, const flaw_record *record, flaw_error *err);

/* map [G, G] averaged over squares as large as a patch that are centred on patches, of what lies between them
 * bilinearly: weights 1 6 1 each way. */
void flaw_patch_average(double *map, double *room, int grid);

#endif
