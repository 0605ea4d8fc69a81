/* EXIF orientation: how the camera was held (EXIF 2.32, tag 0x0112 in the first directory of a TIFF structure). */
#ifndef FLAW_IMAGE_EXIF_H
#define FLAW_IMAGE_EXIF_H

#include "flaw/picture.h"

/* Orientation 1 .. 8 from a TIFF structure, with or without the "Exif\0\0" of a JPEG APP1 segment before it. Anything
 * missing, damaged or out of range is 1 (upright), as Pillow has it: a picture is not refused for its notes. */
int flaw_exif_orientation(const uint8_t *bytes, size_t size);

/* Turn the picture upright in place, as PIL.ImageOps.exif_transpose does. Orientation 1 does nothing. On failure
 * (memory) the picture is as it was. */
flaw_status flaw_picture_orient(flaw_picture *picture, int orientation, flaw_error *err);

#endif
