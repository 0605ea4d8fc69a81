/* A small renderer for product pictures: layers of coloured relief (height field, albedo, gloss, outline) are laid on
 * a canvas one after another, each throwing its shadow on what lies below; one light pass turns the canvas into RGB.
 *
 * Units. A layer has coordinates (u, v) of its own: a full-frame layer spans -1 .. 1, an object about -1 .. 1 round its
 * centre. Heights and distances are in the same units, slopes have none. Colours are linear light, 0 .. 1. */
#ifndef FLAW_LEARN_PAINT_H
#define FLAW_LEARN_PAINT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/random.h"
#include "flaw/picture.h"
#include "learn/paint/paint_noise.h"

typedef struct flaw_rgb {
    float r, g, b;
} flaw_rgb;

typedef struct flaw_light {
    float x, y, z;            /* unit vector towards the lamp, z towards the camera */
    float ambient;            /* share of light that comes from everywhere */
    flaw_rgb tint;            /* colour of the lamp */
    float soft;               /* width of shadow edges, in heights of the thing that throws it */
    float depth;              /* how dark a full shadow is, 0 .. 1 */
    float fall_x, fall_y;     /* brightness gradient over the frame */
    float vignette, exposure; /* darkening of the corners; factor on all */
    float room[4];            /* what metal reflects: two waves, frequency and phase each */
} flaw_light;

/* The part being drawn. All planes are [h, w] of the box (x0, y0, w, h) on the canvas. */
typedef struct flaw_layer {
    int x0, y0, w, h, n; /* n = w * h; 0 when wholly outside the frame */
    float px;            /* size of a pixel in local units */
    float angle;         /* turn of the local axes on the canvas, radians */
    float *u, *v;        /* local coordinates */
    float *d;            /* signed distance to the outline, negative inside */
    float *z;            /* height */
    float *r, *g, *b;    /* albedo */
    float *t[5];         /* spare planes for whoever fills the layer; no content survives a call */
    float gloss, metal;  /* strength of highlights 0 .. 1; share that reflects like metal 0 .. 1 */
    float opacity;       /* 1 unless translucent */
    float thickness;     /* height over what lies below: length of the shadow */
    float slope_limit;   /* steepest slope that the light sees */
    bool decal;          /* print or relief on what lies below: keeps its slopes, cover and shadow */
    bool backdrop;       /* not part of the object: does not count as foreground */
} flaw_layer;

typedef struct flaw_canvas {
    int size;                     /* side, pixels */
    float *r, *g, *b;             /* albedo [size, size] */
    float *sx, *sy;               /* slopes of the surface along x and y */
    float *gloss, *metal, *shade; /* shade: 1 lit, 0 in full shadow */
    float *cover;                 /* share of the pixel that belongs to an object */
    float *block;                 /* all planes, owned */
    flaw_light light;
    flaw_layer layer;
} flaw_canvas;

flaw_status flaw_canvas_init(flaw_canvas *c, int size, flaw_error *err);
void flaw_canvas_release(flaw_canvas *c);
/* Black, flat, nothing covered. */
void flaw_canvas_clear(flaw_canvas *c);

/* Start a layer centred at (x, y) (frame units, -1 .. 1) with `scale` frame units per local unit, turned by `angle`,
 * that needs |u| <= reach_u and |v| <= reach_v. Distance starts at -1 (inside), height 0, albedo grey. */
flaw_layer *flaw_layer_begin(flaw_canvas *c, float x, float y, float scale, float angle, float reach_u, float reach_v);
/* The whole frame as one layer. */
flaw_layer *flaw_layer_frame(flaw_canvas *c, float scale, float angle);
/* Lay it on the canvas. */
void flaw_layer_end(flaw_canvas *c);
/* The first step of flaw_layer_end: darken what lies below in the layer's shadow. */
void flaw_layer_shadow(flaw_canvas *c);

/* Outline: distance of a primitive joined to what is in `d`. */
typedef enum flaw_join { FLAW_SET, FLAW_UNION, FLAW_CUT, FLAW_KEEP } flaw_join;
void flaw_shape_circle(flaw_layer *l, flaw_join how, float x, float y, float radius);
void flaw_shape_ellipse(flaw_layer *l, flaw_join how, float x, float y, float a, float b);
void flaw_shape_box(flaw_layer *l, flaw_join how, float x, float y, float a, float b, float corner);
void flaw_shape_polygon(flaw_layer *l, flaw_join how, float x, float y, float radius, int sides, float turn,
                        float corner);
void flaw_shape_line(flaw_layer *l, flaw_join how, float x0, float y0, float x1, float y1, float radius);
void flaw_shape_ring(flaw_layer *l, flaw_join how, float x, float y, float radius, float half_width);
void flaw_shape_teeth(flaw_layer *l, flaw_join how, float radius, float depth, int teeth, float sharp);
/* Part of a ring: centre, radius, half width, middle angle, half opening. */
void flaw_shape_arc(flaw_layer *l, flaw_join how, float x, float y, float radius, float half_width, float middle,
                    float half_opening);
/* A spiral-free trapezium: half widths at the top (v = -half) and at the bottom. */
void flaw_shape_taper(flaw_layer *l, flaw_join how, float x, float y, float top, float bottom, float half,
                      float corner);
/* Push the outline in and out by noise. */
void flaw_shape_rough(flaw_layer *l, float cells, float amount, int octaves, uint32_t seed);
/* Bend the local coordinates before shapes are drawn, so that lines lose their straightness. */
void flaw_layer_warp(flaw_layer *l, float cells, float amount, uint32_t seed);

/* Height from the outline: rounded edge of width `round`, then flat (a capsule or sausage when round = half width). */
void flaw_relief_bevel(flaw_layer *l, float round, float height);
/* Ellipsoid cap of half axes a, b and height h round (x, y). */
void flaw_relief_dome(flaw_layer *l, float x, float y, float a, float b, float h);
/* Cushion over the rectangle of half sides a, b round (x, y): no crease along the middle. */
void flaw_relief_pillow(flaw_layer *l, float x, float y, float a, float b, float h);
/* Add noise to the height. */
void flaw_relief_noise(flaw_layer *l, flaw_noise_map map, int octaves, float gain, float amount);
/* Add a groove (amount < 0) or a ridge round the level `at` of the distance plane. */
void flaw_relief_rim(flaw_layer *l, float at, float width, float amount);

/* Colour */
flaw_rgb flaw_rgb_hex(uint32_t srgb); /* 0xRRGGBB to linear light */
flaw_rgb flaw_rgb_mix(flaw_rgb a, flaw_rgb b, float t);
flaw_rgb flaw_rgb_scale(flaw_rgb a, float s);
flaw_rgb flaw_rgb_hsv(float hue, float saturation, float value); /* hue in turns */
void flaw_tint_flat(flaw_layer *l, flaw_rgb colour);
void flaw_tint_rim(flaw_layer *l, float width, flaw_rgb colour, float strength); /* towards the outline */
void flaw_tint_by(flaw_layer *l, const float *mask, flaw_rgb colour);            /* mask 0 .. 1 */
void flaw_tint_noise(flaw_layer *l, flaw_noise_map map, int octaves, flaw_rgb colour, float lo, float hi,
                     float strength); /* where the noise lies above lo .. hi */

/* Letters, digits and marks as strokes, centred at (x, y), `height` tall; a decal is the usual layer for it.
 * Joins the strokes' distance to `d`. Unknown letters leave a gap. */
void flaw_shape_text(flaw_layer *l, flaw_join how, const char *text, float x, float y, float height, float radius);

/* Light the canvas and write 8-bit pixels; cover above one half becomes 255 in `foreground` ([size, size], or NULL). */
void flaw_canvas_light(flaw_canvas *c, flaw_picture *out, uint8_t *foreground);

#endif
