/* A curve built point by point in bounded memory: where there are too many points, those go whose leaving moves the
 * least area (Visvalingam and Whyatt, 1993). */
#ifndef FLAW_MEASURE_CURVE_H
#define FLAW_MEASURE_CURVE_H

#include "flaw/metrics.h"

typedef struct flaw_curve_builder {
    double *x, *y, *score;  /* [room] owned */
    double *moved;          /* [room] area of the triangle with both neighbours; work */
    uint32_t *before, *after, *heap, *place; /* [room] work */
    size_t count, room, points;
    double area, area_left_out;
} flaw_curve_builder;

/* At most `points` points remain; 0 = 1000. FLAW_USAGE for fewer than 3. */
flaw_status flaw_curve_begin(flaw_curve_builder *b, size_t points, flaw_error *err);
void flaw_curve_add(flaw_curve_builder *b, double x, double y, double score);
/* Moves the points to *out and releases b. */
void flaw_curve_end(flaw_curve *out, flaw_curve_builder *b);
void flaw_curve_abandon(flaw_curve_builder *b);
/* The curve of a data set with one class only. */
void flaw_curve_none(flaw_curve *out);

#endif
