#include "detect/spread.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "image/resize.h"

#define HOTTEST 0.95 /* of the way from surely normal to the peak */

static flaw_status refused(int width, int height, flaw_error *err)
{
    return flaw_fail(err, FLAW_NO_MEMORY, "a map of %d x %d was refused", width, height);
}

flaw_status flaw_map_spread(float **out, int width, int height, const flaw_seen *seen, const float *map, int cells,
                            float low, flaw_error *err)
{
    size_t across = (size_t)width, pixels = across * (size_t)height, seen_across = (size_t)seen->width;
    bool whole = seen->width == width && seen->height == height;
    float *all = malloc(pixels * sizeof *all);
    float *part = whole ? all : malloc(seen_across * (size_t)seen->height * sizeof *part);
    if (!all || !part) {
        free(all);
        if (!whole) free(part);
        return refused(width, height, err);
    }
    flaw_map_upsample(part, seen->width, seen->height, map, cells, cells);
    for (size_t i = 0; !whole && i < pixels; i++) all[i] = low;
    for (int y = 0; !whole && y < seen->height; y++)
        memcpy(all + (size_t)(seen->y + y) * across + seen->x, part + (size_t)y * seen_across,
               seen_across * sizeof *all);
    if (!whole) free(part);
    *out = all;
    return FLAW_OK;
}

double flaw_map_region_limit(const float *map, size_t count, double limit, double low)
{
    double peak = map[0];
    for (size_t i = 1; i < count; i++) peak = fmax(peak, map[i]);
    return fmin(limit, low + HOTTEST * (peak - low));
}
