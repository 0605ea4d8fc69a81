/* From the map of the model's grid to a map of the picture, and where its places begin. */
#ifndef FLAW_DETECT_SPREAD_H
#define FLAW_DETECT_SPREAD_H

#include "detect/prepare.h"

/* *out: malloc'ed map [height, width] of the picture from map [cells, cells] over what was seen of it; `low` elsewhere. */
flaw_status flaw_map_spread(float **out, int width, int height, const flaw_seen *seen, const float *map, int cells,
                            float low, flaw_error *err);

/* Map value over which a picture that is anomalous has regions: `limit`, or where no place of it passes the limit, nearly
 * its peak: the hottest place is shown. `low`: value that is surely normal. */
double flaw_map_region_limit(const float *map, size_t count, double limit, double low);

#endif
