/* Pixels to PNG, in memory and as a file. */
#ifndef FLAW_IMAGE_WRITE_PNG_H
#define FLAW_IMAGE_WRITE_PNG_H

#include "base/buffer.h"
#include "flaw/picture.h"

/* Append a PNG to `out` (initialised by the caller). pixels [height, width, channels], channels 1 (grey) or 3 (RGB).
 * `name` is for messages only. FLAW_USAGE for other sizes, FLAW_NO_MEMORY. */
flaw_status flaw_png_encode(flaw_buffer *out, const uint8_t *pixels, int width, int height, int channels,
                            const char *name, flaw_error *err);

/* 8-bit grey PNG of a mask [height, width]: 255 where the byte is not 0, else 0. Written as flaw_picture_write_png. */
flaw_status flaw_mask_write_png(const uint8_t *mask, int width, int height, const char *path, flaw_error *err);

#endif
