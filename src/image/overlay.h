/* The picture that people look at: the photograph with the heat map on the absolute scale of colour_map.h, boxes round
 * the regions, the verdict above it and the legend below it (nothing but heat and boxes covers the photograph). */
#ifndef FLAW_IMAGE_OVERLAY_H
#define FLAW_IMAGE_OVERLAY_H

#include "flaw/inspect.h"
#include "image/draw.h"

/* Long side of the photograph as shown: larger ones are shrunk, smaller ones enlarged so that the text has room. */
#define FLAW_OVERLAY_MIN_SIDE 640
#define FLAW_OVERLAY_MAX_SIDE 1600

typedef struct flaw_overlay {
    const flaw_picture *picture;
    const float *map; /* [map_height, map_width] over the whole picture, of any size; NULL = no heat map */
    int map_width, map_height;
    float map_low, map_threshold; /* map values of "surely normal" and of the decision; 0 and 0.5 for a map that is
                                     on the scale of colour_map.h already */
    const flaw_region *regions;   /* boxes in pixels of `picture` */
    int region_count;
    flaw_verdict verdict;
    double score, threshold; /* written as numbers; non-finite ones as "?" */
    const char *object;      /* NULL or "" = left out; the same for the two below */
    const char *method;
    const char *words; /* a sentence, at most two lines of it are shown */
    bool side_by_side; /* the untouched photograph beside (or above) the one with heat */
} flaw_overlay;

/* FLAW_USAGE for a picture or map without size, FLAW_NO_MEMORY. */
flaw_status flaw_overlay_draw(flaw_picture *out, const flaw_overlay *in, flaw_error *err);

#endif
