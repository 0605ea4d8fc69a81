#include "detect/prepare.h"

#include <math.h>
#include <string.h>

#include "model/tower/prepare.h"

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

/* What the centre crop shows: a square in the middle, as far of the shorter side as S is of resize_to. */
static flaw_seen middle_of(const flaw_clip_shape *shape, const flaw_picture *picture)
{
    int shorter = picture->width < picture->height ? picture->width : picture->height;
    int side = (int)lround((double)shorter * shape->side / shape->prepare.resize_to);
    if (side < 1) side = 1;
    return (flaw_seen){(picture->width - side) / 2, (picture->height - side) / 2, side, side};
}

flaw_status flaw_prepare_square(flaw_picture *square, flaw_seen *seen, const flaw_clip_shape *shape, flaw_fit fit,
                                const flaw_picture *picture, flaw_error *err)
{
    if (picture->width < 1 || picture->height < 1 || !picture->rgb)
        return flaw_fail(err, FLAW_USAGE, "an empty picture (%d x %d) cannot be inspected", picture->width,
                         picture->height);
    *seen = fit == FLAW_FIT_CROP ? middle_of(shape, picture) : (flaw_seen){0, 0, picture->width, picture->height};
    return flaw_prepare_fit(square, picture, shape, fit == FLAW_FIT_CROP ? FLAW_RESIZE_SHORTEST : FLAW_RESIZE_SQUASH,
                            err);
}
