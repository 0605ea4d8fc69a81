/* Resampling exactly as Pillow does it (ImagingResample: separable, antialiased by widening the filter when shrinking,
 * horizontal pass then vertical pass, each rounded to 8 bits from fixed-point coefficients of 22-bit precision). */
#ifndef FLAW_IMAGE_RESIZE_H
#define FLAW_IMAGE_RESIZE_H

#include "flaw/picture.h"
#include "image/box.h"

typedef enum flaw_filter { FLAW_FILTER_BILINEAR, FLAW_FILTER_BICUBIC } flaw_filter;

/* A new picture of width x height. Equal to PIL.Image.resize((width, height), filter) byte for byte. FLAW_USAGE when
 * the result, or width x the rows it needs of `in`, passes the limits of flaw/picture.h. */
flaw_status flaw_picture_resize(flaw_picture *out, const flaw_picture *in, int width, int height, flaw_filter filter,
                                flaw_error *err);

/* Resize to full_width x full_height, but make only `part` of the result: the same bytes as resize then crop, without
 * ever holding the whole. (A picture of 20000 x 3 scaled to a shortest edge of 224 would be 1.5 million wide.) */
flaw_status flaw_picture_resize_part(flaw_picture *out, const flaw_picture *in, int full_width, int full_height,
                                     flaw_box part, flaw_filter filter, flaw_error *err);

/* Part of a picture: [x, x+width) x [y, y+height), all inside. */
flaw_status flaw_picture_crop(flaw_picture *out, const flaw_picture *in, int x, int y, int width, int height,
                              flaw_error *err);

/* float map [h, w] -> [H, W], bilinear, half-pixel centres (PyTorch align_corners=False), edges clamped. */
void flaw_map_upsample(float *out, int out_w, int out_h, const float *in, int in_w, int in_h);

#endif
