/* A picture in memory: 8-bit RGB rows, top to bottom, no padding. */
#ifndef FLAW_PICTURE_H
#define FLAW_PICTURE_H

#include <stddef.h>
#include <stdint.h>

#include "flaw/status.h"

typedef struct flaw_picture {
    int width;    /* pixels, 1 .. FLAW_PICTURE_MAX_SIDE */
    int height;   /* pixels, 1 .. FLAW_PICTURE_MAX_SIDE */
    uint8_t *rgb; /* [height, width, 3], owned (malloc) */
} flaw_picture;

#define FLAW_PICTURE_MAX_SIDE 65500
#define FLAW_PICTURE_MAX_PIXELS (100u * 1000u * 1000u)

/* Read a JPEG, PNG or uncompressed BMP file, told apart by content; EXIF orientation applied; grey, palette, 16-bit and alpha
 * reduced to 8-bit RGB as Pillow's `Image.open(f).convert("RGB")` does after `ImageOps.exif_transpose`.
 * FLAW_MISSING (no such file), FLAW_BAD_DATA (not a picture, truncated, over the limits), FLAW_IO, FLAW_NO_MEMORY. */
flaw_status flaw_picture_read(flaw_picture *out, const char *path, flaw_error *err);

/* The same from memory; `name` is only for messages. */
flaw_status flaw_picture_decode(flaw_picture *out, const uint8_t *bytes, size_t size, const char *name, flaw_error *err);

/* Write a PNG (temporary name, synced, renamed). */
flaw_status flaw_picture_write_png(const flaw_picture *picture, const char *path, flaw_error *err);

/* Allocate a black picture. FLAW_USAGE outside the limits above. */
flaw_status flaw_picture_new(flaw_picture *out, int width, int height, flaw_error *err);

/* Free the pixels and zero the struct; safe on a zeroed struct. */
void flaw_picture_release(flaw_picture *picture);

#endif
