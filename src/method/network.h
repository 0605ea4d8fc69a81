/* What the methods that train a network of their own (UniAD, JNLD) share: the rows they look at, layers on a tape, and
 * examples made of good parts. Letters: P patches, D width of the tower, C width of the joined rows. */
#ifndef FLAW_METHOD_NETWORK_H
#define FLAW_METHOD_NETWORK_H

#include "base/random.h"
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

/* What a method's state begins with: the network that judges, and room for the map it ends in. */
typedef struct flaw_network {
    const char *name; /* of the method */
    flaw_compute *compute;
    int grid, joined, steps; /* G, C, steps of training */
    flaw_tape tape;          /* one picture at a time; the method writes it down and builds it */
    bool learnt;
    double *map, *room; /* [G, G]; map owns both */
} flaw_network;

flaw_status flaw_network_open(flaw_network *n, const char *name, const flaw_method_setup *setup, int steps, flaw_error *err);
void flaw_network_close(flaw_network *n);

typedef struct flaw_training {
    const char *what; /* "training UniAD" */
    int batch;        /* pictures of a step */
    uint64_t stream;  /* of the lesson's seed */
    /* Puts a batch in, runs the tape forward and leaves the gradient of the loss in dy; returns the loss. */
    double (*look)(void *context, flaw_tape *t, flaw_random *random);
    void *context;
} flaw_training;

/* AdamW on `t`, which is built for training as n->tape is written down; its weights go there at the end. FLAW_USAGE when
 * the lesson's progress says enough, FLAW_BAD_DATA when a loss is not finite. */
flaw_status flaw_network_train(flaw_network *n, flaw_tape *t, const flaw_training *plan, const flaw_lesson *lesson,
                               flaw_error *err);
/* Averages n->map over patches and makes score and map of it. */
void flaw_network_score(flaw_network *n, flaw_score *out);

/* save and load of a method whose state begins with its network: "NAME.weights", and back: FLAW_BAD_DATA unless there are
 * as many. */
flaw_status flaw_network_save(const void *state, flaw_record *record, flaw_error *err);
flaw_status flaw_network_load(void *state, const flaw_record *record, flaw_error *err);

/* map [G, G] averaged over squares as large as a patch that are centred on patches, of what lies between them
 * bilinearly: weights 1 6 1 each way. */
void flaw_patch_average(double *map, double *room, int grid);

#endif
