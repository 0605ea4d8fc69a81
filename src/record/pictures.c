/* Results as pictures and arrays. */
#include <stdlib.h>

#include "flaw/inspect.h"
#include "format/npy.h"
#include "image/overlay.h"

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
    flaw_picture mask = {0};
    flaw_status s = flaw_picture_new(&mask, r->width, r->height, err);
    if (s) return s;
    size_t pixels = (size_t)r->width * (size_t)r->height;
    /* As with regions: a normal picture shows none. */
    for (size_t i = 0; r->map && r->verdict == FLAW_ANOMALOUS && i < pixels; i++)
        if (r->map[i] > r->map_threshold) mask.rgb[3 * i] = mask.rgb[3 * i + 1] = mask.rgb[3 * i + 2] = 255;
    s = flaw_picture_write_png(&mask, path, err);
    flaw_picture_release(&mask);
    return s;
}

flaw_status flaw_result_write_map(const flaw_result *r, const char *path, flaw_error *err)
{
    if (!r->map) return flaw_fail(err, FLAW_USAGE, "%s: there is no map of this picture", path);
    size_t shape[2] = {(size_t)r->height, (size_t)r->width};
    return flaw_npy_write(path, r->map, shape, 2, err);
}
