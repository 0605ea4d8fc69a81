/* Results as pictures and arrays. */
#include <stdlib.h>

#include "flaw/inspect.h"
#include "format/npy.h"
#include "image/overlay.h"
#include "image/write_png.h"

flaw_status flaw_result_write_overlay(const flaw_result *r, const flaw_picture *picture, const char *path,
                                      flaw_error *err)
{
    flaw_picture drawn = {0};
    flaw_overlay overlay = {
        .picture = picture,
        .map = r->map,
        .map_width = r->map ? r->width : 0,
        .map_height = r->map ? r->height : 0,
        .map_low = (float)r->map_low,
        .map_threshold = (float)r->map_threshold,
        .regions = r->region,
        .region_count = r->regions,
        .verdict = r->verdict,
        .score = r->score,
        .threshold = r->threshold,
        .object = r->object,
        .method = r->method,
        .words = r->words,
    };
    flaw_status s = flaw_overlay_draw(&drawn, &overlay, err);
    if (!s) s = flaw_picture_write_png(&drawn, path, err);
    flaw_picture_release(&drawn);
    return s;
}

flaw_status flaw_result_write_mask(const flaw_result *r, const char *path, flaw_error *err)
{
    size_t pixels = (size_t)r->width * (size_t)r->height;
    uint8_t *mask = calloc(pixels ? pixels : 1, 1);
    if (!mask) return flaw_fail(err, FLAW_NO_MEMORY, "%s: a mask of %d x %d was refused", path, r->width, r->height);
    /* As with regions: a normal picture shows none. */
    for (size_t i = 0; r->map && r->verdict == FLAW_ANOMALOUS && i < pixels; i++)
        mask[i] = r->map[i] > r->map_threshold;
    flaw_status s = flaw_mask_write_png(mask, r->width, r->height, path, err);
    free(mask);
    return s;
}

flaw_status flaw_result_write_map(const flaw_result *r, const char *path, flaw_error *err)
{
    if (!r->map) return flaw_fail(err, FLAW_USAGE, "%s: there is no map of this picture", path);
    size_t shape[2] = {(size_t)r->height, (size_t)r->width};
    return flaw_npy_write(path, r->map, shape, 2, err);
}
