/* Station "prepare": a picture of any size -> the square the model reads.
 *
 * Squash is the default of inspection: nothing of the picture is lost, and one cell of the map always means the same
 * share of the picture. Crop is what CLIP and timm were trained with: the borders outside the square are not seen. */
#ifndef FLAW_DETECT_PREPARE_H
#define FLAW_DETECT_PREPARE_H

#include "flaw/picture.h"
#include "model/tower/clip.h"

typedef enum flaw_fit { FLAW_FIT_SQUASH, FLAW_FIT_CROP } flaw_fit;

/* The part of the picture that the square shows, in pixels of the picture. */
typedef struct flaw_seen {
    int x, y, width, height;
} flaw_seen;

/* NULL or "squash", "crop"; anything else is FLAW_USAGE. */
flaw_status flaw_fit_named(flaw_fit *out, const char *name, flaw_error *err);

/* `square` becomes a new S x S picture (bicubic, antialiased, 8 bit as Pillow does it). */
flaw_status flaw_prepare_square(flaw_picture *square, flaw_seen *seen, const flaw_clip_shape *shape, flaw_fit fit,
                                const flaw_picture *picture, flaw_error *err);

#endif
