/* The decoders behind flaw_picture_decode, one file each. All take foreign bytes: limits are decided from the header,
 * before anything of the picture's size is allocated, and damaged data is refused, never half shown. */
#ifndef FLAW_IMAGE_DECODE_H
#define FLAW_IMAGE_DECODE_H

#include "flaw/picture.h"

/* Scans a progressive JPEG may have; each one costs a pass over all blocks, so thousands of them are an attack. */
#define FLAW_JPEG_MAX_SCANS 100

/* Bytes a picture file may have: the largest allowed picture as uncompressed 16-bit RGBA, and some. */
#define FLAW_PICTURE_MAX_FILE ((size_t)1 << 30)

/* `orientation` is the EXIF one, 1 .. 8, not yet applied. `name` is for messages only. */
flaw_status flaw_jpeg_decode(flaw_picture *out, int *orientation, const uint8_t *bytes, size_t size, const char *name,
                             flaw_error *err);
flaw_status flaw_png_decode(flaw_picture *out, int *orientation, const uint8_t *bytes, size_t size, const char *name,
                            flaw_error *err);
flaw_status flaw_bmp_decode(flaw_picture *out, const uint8_t *bytes, size_t size, const char *name, flaw_error *err);

/* FLAW_BAD_DATA when width x height is empty or over the limits of flaw/picture.h. */
flaw_status flaw_picture_check_size(uint64_t width, uint64_t height, const char *name, flaw_error *err);

#endif
