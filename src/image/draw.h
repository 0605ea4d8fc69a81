/* Drawing on a picture: anti-aliased shapes, clipped at its edges, never allocating, never failing.
 * Coordinates are in pixels from the upper left corner; pixel (0, 0) covers [0,1) x [0,1), its centre is (0.5, 0.5).
 * A shape is laid down once as a whole, so a translucent colour does not darken where its strokes cross. */
#ifndef FLAW_IMAGE_DRAW_H
#define FLAW_IMAGE_DRAW_H

#include <stdbool.h>

#include "flaw/picture.h"
#include "image/box.h"

typedef struct flaw_colour {
    uint8_t r, g, b, a; /* a: 0 clear .. 255 opaque */
} flaw_colour;

typedef struct flaw_point {
    float x, y;
} flaw_point;

/* One pixel covered to `cover` (0 .. 1) by a colour. Outside the picture: nothing. */
void flaw_draw_pixel(flaw_picture *p, int x, int y, flaw_colour colour, float cover);

void flaw_draw_rect(flaw_picture *p, flaw_box box, flaw_colour colour);
/* The border of `box`, `thickness` pixels inwards. */
void flaw_draw_outline(flaw_picture *p, flaw_box box, int thickness, flaw_colour colour);
void flaw_draw_round_rect(flaw_picture *p, flaw_box box, float radius, flaw_colour colour);
void flaw_draw_disc(flaw_picture *p, flaw_point centre, float radius, flaw_colour colour);
void flaw_draw_ring(flaw_picture *p, flaw_point centre, float radius, float width, flaw_colour colour);

/* Strokes with round ends and joints. One point alone is a dot. */
void flaw_draw_line(flaw_picture *p, flaw_point from, flaw_point to, float width, flaw_colour colour);
void flaw_draw_polyline(flaw_picture *p, const flaw_point *points, int count, bool closed, float width,
                        flaw_colour colour);

/* Separate strokes laid down as one shape: segment i goes from ends[2i] to ends[2i+1]. */
void flaw_draw_segments(flaw_picture *p, const flaw_point *ends, int count, float width, flaw_colour colour);

/* The inside of a closed polygon that does not cross itself; coverage of edge pixels is their exact area. */
void flaw_draw_polygon(flaw_picture *p, const flaw_point *points, int count, flaw_colour colour);

/* Copy `from` so that its corner lies at (x, y). */
void flaw_draw_picture(flaw_picture *p, int x, int y, const flaw_picture *from);

#endif
