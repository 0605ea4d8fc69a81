/* What the painters of one defect share. Planes are [h, w] of a box on the picture; pixel units. */
#ifndef FLAW_LEARN_DEFECT_JOB_H
#define FLAW_LEARN_DEFECT_JOB_H

#include "learn/paint/defect.h"
#include "learn/paint/paint_noise.h"

typedef struct flaw_defect_job {
    flaw_picture *picture;
    const uint8_t *foreground; /* [height, width] or NULL */
    const flaw_picture *other; /* or NULL */
    flaw_random *r;
    float unit;             /* side of a square with the foreground's area */
    float size;             /* half extent of the defect */
    float strength;         /* 0.2 subtle .. 1 strong; more on later tries */
    float cx, cy;           /* where, picture coordinates */
    float out_x, out_y;     /* for a point at the border: unit vector away from the object, else 0 */
    float light_x, light_y; /* where light seems to come from, unit vector */
    int x0, y0, w, h, n;
    float *shape;    /* 0 .. 1: share of the pixel that the defect covers */
    float *field;    /* height, noise or other helper */
    float *u, *v;    /* picture coordinates of the pixels */
    uint8_t *before; /* [h, w, 3] the box as it was */
    bool outside;    /* the defect may cover the background too */
} flaw_defect_job;

typedef struct flaw_tone {
    float r, g, b; /* 0 .. 255 as stored */
} flaw_tone;

/* Shapes: joined to `shape` by maximum. Coordinates of the picture. */
void flaw_defect_stroke(flaw_defect_job *j, float x0, float y0, float x1, float y1, float w0, float w1);
void flaw_defect_blob(flaw_defect_job *j, float x, float y, float a, float b, float angle, float rough, float soft);
/* A line that wanders from (x, y); bend = how fast it turns, jag = how much each step is off. */
void flaw_defect_walk(flaw_defect_job *j, float x, float y, float angle, float length, float width, float bend,
                      float jag, bool taper);
void flaw_defect_crack(flaw_defect_job *j, float x, float y, float angle, float length, float width, int branches);
void flaw_defect_noise(flaw_defect_job *j, float cell, int octaves); /* fills `field`, cells of `cell` pixels */
void flaw_defect_keep_inside(flaw_defect_job *j);                    /* shape = 0 off the foreground */

/* Effects: change the box of the picture by `shape`. */
void flaw_defect_blend(flaw_defect_job *j, flaw_tone colour, float strength);
void flaw_defect_multiply(flaw_defect_job *j, flaw_tone factor);
void flaw_defect_edge_light(flaw_defect_job *j,
                            float strength); /* shape as a groove (> 0) or ridge (< 0) in the light */
void flaw_defect_grain(flaw_defect_job *j, float cell, float strength); /* uneven brightness inside the shape */
/* Show what lies behind: copies of the background, or darkness where there is none. */
void flaw_defect_reveal(flaw_defect_job *j);
/* Move pixels by (dx, dy) times the shape. */
void flaw_defect_shift(flaw_defect_job *j, float dx, float dy);
flaw_tone flaw_defect_mean(const flaw_defect_job *j); /* of the box, inside the foreground */
flaw_tone flaw_defect_colour(flaw_random *r);         /* any strong colour */

static inline float flaw_defect_pick(flaw_defect_job *j, double lo, double hi)
{
    return (float)flaw_random_range(j->r, lo, hi);
}

/* One row per kind. */
typedef struct flaw_defect_kind {
    const char *name, *phrase;
    void (*paint)(flaw_defect_job *j);
    float lo, hi; /* half extent, as a share of the unit */
    int where;    /* 0 anywhere on the foreground, 1 at its border */
    float weight; /* how often when any kind will do */
} flaw_defect_kind;

extern const flaw_defect_kind flaw_defect_kinds[];

void flaw_paint_scratch(flaw_defect_job *j);
void flaw_paint_scratches(flaw_defect_job *j);
void flaw_paint_crack(flaw_defect_job *j);
void flaw_paint_cut(flaw_defect_job *j);
void flaw_paint_hole(flaw_defect_job *j);
void flaw_paint_puncture(flaw_defect_job *j);
void flaw_paint_dent(flaw_defect_job *j);
void flaw_paint_chip(flaw_defect_job *j);
void flaw_paint_break(flaw_defect_job *j);
void flaw_paint_fold(flaw_defect_job *j);
void flaw_paint_bend(flaw_defect_job *j);
void flaw_paint_stain(flaw_defect_job *j);
void flaw_paint_discolour(flaw_defect_job *j);
void flaw_paint_burn(flaw_defect_job *j);
void flaw_paint_splash(flaw_defect_job *j);
void flaw_paint_drop(flaw_defect_job *j);
void flaw_paint_rust(flaw_defect_job *j);
void flaw_paint_hair(flaw_defect_job *j);
void flaw_paint_thread(flaw_defect_job *j);
void flaw_paint_dust(flaw_defect_job *j);
void flaw_paint_mark(flaw_defect_job *j);
void flaw_paint_glue(flaw_defect_job *j);
void flaw_paint_smear(flaw_defect_job *j);
void flaw_paint_wear(flaw_defect_job *j);
void flaw_paint_gap(flaw_defect_job *j);
void flaw_paint_object(flaw_defect_job *j);
void flaw_paint_patch(flaw_defect_job *j);
void flaw_paint_swap(flaw_defect_job *j);
void flaw_paint_mould(flaw_defect_job *j);

#endif
