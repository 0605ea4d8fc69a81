/* From a picture to what an image tower reads: resize, crop, normalise. */
#ifndef FLAW_MODEL_PREPARE_H
#define FLAW_MODEL_PREPARE_H

#include "flaw/picture.h"
#include "model/tower/clip.h"

/* pixels [3, S, S] = (value / 255 - mean) / std of the model's shape.
 * FLAW_RESIZE_SHORTEST equals torchvision's Resize (bicubic, Pillow) and CenterCrop; where the margin is odd, Hugging
 * Face's processor crops one pixel nearer to the start, which is not followed.
 * FLAW_RESIZE_SQUASH is one bicubic resize to S x S. Fails only for want of memory. */
flaw_status flaw_prepare_pixels(float *pixels, const flaw_picture *picture, const flaw_clip_shape *shape,
                                flaw_resize_mode mode, flaw_error *err);
/* The two steps of it: a new picture of S x S, ... */
flaw_status flaw_prepare_fit(flaw_picture *out, const flaw_picture *in, const flaw_clip_shape *s, flaw_resize_mode mode,
                             flaw_error *err);
/* ... and the values of the last step, for a picture of S x S. */
void flaw_prepare_normalise(float *pixels, const flaw_picture *square, const flaw_prepare_shape *prepare);

#endif
