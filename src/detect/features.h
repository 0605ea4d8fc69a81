/* Station "encode": what the image tower says about one picture, computed once whatever the method.
 * All rows have unit length, so a cosine is a dot product.
 * Letters: G grid side, P = G * G patches, E joint width, D width of the tower. */
#ifndef FLAW_DETECT_FEATURES_H
#define FLAW_DETECT_FEATURES_H

#include <stdbool.h>

#include "detect/prepare.h"
#include "model/tower/clip.h"

/* What a method needs; the rest is not computed and its pointers are NULL. */
enum {
    FLAW_WANT_CLS = 1,     /* picture embedding */
    FLAW_WANT_PATCHES = 2, /* patch embeddings in the joint space */
    FLAW_WANT_STAGES = 4,  /* tokens of the stages below the last: what memory banks keep (docs/methods.md) */
    FLAW_WANT_LAST = 8,    /* tokens of the last stage, before the final norm (WinCLIP+) */
    FLAW_WANT_VIEWS = 32,  /* `patches` joined of several views, on a finer grid (detect/views.h fills them) */
    FLAW_WANT_WINDOWS = 16 /* class embeddings of 2x2 and 3x3 windows: 12 times the work of the picture itself */
};

#define FLAW_VIEWS_FINE 4 /* with FLAW_WANT_VIEWS: rows of `patches` per patch of the tower, along a side */

/* Memory banks compare the stages below the last: it is tuned to its training task and tells parts apart worse. */
#define FLAW_BANK_STAGES (FLAW_STAGES - 1)

typedef struct flaw_features {
    int grid, joint, width;    /* G, E (D for an image-only tower), D */
    int cells;                 /* side of the grid of `patches`, and of maps: G, with FLAW_WANT_VIEWS finer */
    float *cls;                /* [E] */
    float *patches;            /* [cells, cells, E]; of joined views not of unit length */
    float *stage[FLAW_STAGES]; /* [P, D] */
    float *length[FLAW_STAGES]; /* [P] what the rows of a stage were divided by: raw tokens are length x row */
    float *window[2]; /* windows of 2 and 3 patches: [(G-1)^2, E], [(G-2)^2, E]; NULL where the grid is smaller */
    bool sound;       /* every row is finite and has a direction */
    float *memory;    /* owned: all of the above */
} flaw_features;

flaw_status flaw_features_new(flaw_features *out, const flaw_clip *model, int want, flaw_error *err);
void flaw_features_release(flaw_features *features);

/* An encoder holds the buffers for up to `batch` pictures; model and compute must outlive it. */
typedef struct flaw_encoder {
    const flaw_clip *model;
    flaw_compute *compute;
    int want, batch;
    float *pixels;         /* [batch, 3, S, S] */
    flaw_image_output raw; /* of the batch */
    float *window[2];      /* [(G-1)^2, E], [(G-2)^2, E] of one picture */
    float *work;
    flaw_arena arena;
} flaw_encoder;

flaw_status flaw_encoder_open(flaw_encoder *out, const flaw_clip *model, flaw_compute *compute, int want, int batch,
                              flaw_error *err);
/* squares: n prepared pictures of S x S, n <= batch; out: n features made with the same `want`. */
flaw_status flaw_encoder_run(flaw_encoder *e, const flaw_picture *squares, int n, flaw_features *out, flaw_error *err);
void flaw_encoder_close(flaw_encoder *e);

#endif
