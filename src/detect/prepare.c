#include "detect/prepare.h"

#include <math.h>
#include <string.h>

#include "image/resize.h"

flaw_status flaw_fit_named(flaw_fit *out, const char *name, flaw_error *err)
{
    if (!name || !*name || !strcmp(name, "squash")) {
        *out = FLAW_FIT_SQUASH;
        return FLAW_OK;
    }
    if (!strcmp(name, "crop")) {
        *out = FLAW_FIT_CROP;
        return FLAW_OK;
    }
    return flaw_fail(err, FLAW_USAGE, "fit \"%s\" is unknown, allowed are squash and crop", name);
}

/* Python's round(): half to even, as torchvision's CenterCrop places the crop. */
static int half_of(int length)
{
    return (int)nearbyint(length / 2.0);
}

/* Shorter side to resize_to (the longer one cut down to an integer, as torchvision does), centre crop S. */
static flaw_status crop_square(flaw_picture *square, flaw_seen *seen, const flaw_clip_shape *shape,
                               const flaw_picture *picture, flaw_error *err)
{
    int side = shape->side, to = shape->prepare.resize_to;
    bool upright = picture->height > picture->width;
    long long shorter = upright ? picture->width : picture->height;
    long long longer = upright ? picture->height : picture->width;
    long long stretched = to * longer / shorter;
    if (to < side || stretched > FLAW_PICTURE_MAX_SIDE)
        return flaw_fail(err, FLAW_BAD_DATA, "a picture of %d x %d cannot be cropped to a square of %d; squash it instead",
                         picture->width, picture->height, side);
    int width = upright ? to : (int)stretched, height = upright ? (int)stretched : to;
    flaw_picture resized = {0};
    flaw_status s = flaw_picture_resize(&resized, picture, width, height, FLAW_FILTER_BICUBIC, err);
    if (s) return s;
    int x = half_of(width - side), y = half_of(height - side);
    s = flaw_picture_crop(square, &resized, x, y, side, side, err);
    flaw_picture_release(&resized);
    if (s) return s;
    double across = (double)picture->width / width, down = (double)picture->height / height;
    seen->x = (int)lround(x * across);
    seen->y = (int)lround(y * down);
    seen->width = (int)lround((x + side) * across) - seen->x;
    seen->height = (int)lround((y + side) * down) - seen->y;
    if (seen->width < 1) seen->width = 1;
    if (seen->height < 1) seen->height = 1;
    if (seen->x + seen->width > picture->width) seen->x = picture->width - seen->width;
    if (seen->y + seen->height > picture->height) seen->y = picture->height - seen->height;
    return FLAW_OK;
}

flaw_status flaw_prepare_square(flaw_picture *square, flaw_seen *seen, const flaw_clip_shape *shape, flaw_fit fit,
                                const flaw_picture *picture, flaw_error *err)
{
    if (picture->width < 1 || picture->height < 1 || !picture->rgb)
        return flaw_fail(err, FLAW_USAGE, "an empty picture (%d x %d) cannot be inspected", picture->width,
                         picture->height);
    if (fit == FLAW_FIT_CROP) return crop_square(square, seen, shape, picture, err);
    *seen = (flaw_seen){0, 0, picture->width, picture->height};
    return flaw_picture_resize(square, picture, shape->side, shape->side, FLAW_FILTER_BICUBIC, err);
}
