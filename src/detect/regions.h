/* Station "verdict", places: where a map lies over its limit, as boxes with words of a 3x3 grid. */
#ifndef FLAW_DETECT_REGIONS_H
#define FLAW_DETECT_REGIONS_H

#include "flaw/inspect.h"

/* "top left", "top", "top right", "left", "center", "right", "bottom left", "bottom", "bottom right" for a point in
 * [0, 1) x [0, 1), x to the right and y down. */
const char *flaw_place_name(double x, double y);

/* Components (8 neighbours) of map [height, width] > limit, the highest value first. Components whose boxes are nearer
 * than 1/50 of the longer side are one region. At most `room` are written, the lowest are left out. A limit that is not
 * a number gives none. */
flaw_status flaw_regions_find(flaw_region *out, int room, int *count, const float *map, int width, int height,
                              double limit, flaw_error *err);

#endif
