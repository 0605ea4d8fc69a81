/* Life of a picture: new, release, crop. */
#include "flaw/picture.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "image/decode.h"
#include "image/resize.h"

static bool size_allowed(uint64_t width, uint64_t height)
{
    return width >= 1 && height >= 1 && width <= FLAW_PICTURE_MAX_SIDE && height <= FLAW_PICTURE_MAX_SIDE &&
           width * height <= FLAW_PICTURE_MAX_PIXELS;
}

flaw_status flaw_picture_check_size(uint64_t width, uint64_t height, const char *name, flaw_error *err)
{
    if (size_allowed(width, height)) return FLAW_OK;
    return flaw_fail(err, FLAW_BAD_DATA,
                     "'%s' claims %llu x %llu pixels; allowed are 1 to %d a side and %u million in all", name,
                     (unsigned long long)width, (unsigned long long)height, FLAW_PICTURE_MAX_SIDE,
                     FLAW_PICTURE_MAX_PIXELS / 1000000u);
}

flaw_status flaw_picture_new(flaw_picture *out, int width, int height, flaw_error *err)
{
    if (width < 1 || height < 1 || !size_allowed((uint64_t)width, (uint64_t)height)) {
        return flaw_fail(err, FLAW_USAGE,
                         "a picture of %d x %d pixels was asked for; allowed are 1 to %d a side and %u million in all",
                         width, height, FLAW_PICTURE_MAX_SIDE, FLAW_PICTURE_MAX_PIXELS / 1000000u);
    }
    /* At most 300 MB: the limits above keep this product far from overflow. */
    uint8_t *rgb = calloc((size_t)width * (size_t)height, 3);
    if (!rgb) return flaw_fail(err, FLAW_NO_MEMORY, "no memory for a picture of %d x %d pixels", width, height);
    *out = (flaw_picture){.width = width, .height = height, .rgb = rgb};
    return FLAW_OK;
}

void flaw_picture_release(flaw_picture *picture)
{
    if (!picture) return;
    free(picture->rgb);
    *picture = (flaw_picture){0};
}

flaw_status flaw_picture_crop(flaw_picture *out, const flaw_picture *in, int x, int y, int width, int height,
                              flaw_error *err)
{
    if (x < 0 || y < 0 || width < 1 || height < 1 || x > in->width - width || y > in->height - height) {
        return flaw_fail(err, FLAW_USAGE, "crop of %d x %d pixels at (%d, %d) does not lie inside a picture of %d x %d",
                         width, height, x, y, in->width, in->height);
    }
    flaw_picture part;
    flaw_status status = flaw_picture_new(&part, width, height, err);
    if (status != FLAW_OK) return status;
    for (int row = 0; row < height; row++) {
        const uint8_t *from = in->rgb + ((size_t)(y + row) * (size_t)in->width + (size_t)x) * 3;
        memcpy(part.rgb + (size_t)row * (size_t)width * 3, from, (size_t)width * 3);
    }
    *out = part;
    return FLAW_OK;
}
