#include "detect/augment.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define DEGREE (3.14159265358979323846 / 180.0)
#define TURN (2.0 * DEGREE)
#define MOVE 0.015
#define ZOOM 0.02
#define LIGHT 0.08
#define NOISE 1.0 /* standard deviation in 8-bit steps */

static uint8_t byte_of(double v)
{
    return (uint8_t)(v < 0 ? 0 : v > 255 ? 255 : v + 0.5);
}

/* A coordinate mirrored at the edges: streaks of a repeated edge would look like defects. */
static double mirrored(double x, int size)
{
    if (x < 0) x = -x;
    if (x > size - 1) x = 2 * (size - 1) - x;
    return fmin(fmax(x, 0), size - 1);
}

/* Bilinear value of channel c at (x, y). */
static double value_at(const flaw_picture *p, double x, double y, int c)
{
    x = mirrored(x, p->width);
    y = mirrored(y, p->height);
    int x0 = (int)x, y0 = (int)y, x1 = x0 + 1 < p->width ? x0 + 1 : x0, y1 = y0 + 1 < p->height ? y0 + 1 : y0;
    double fx = x - x0, fy = y - y0;
    const uint8_t *top = p->rgb + (size_t)y0 * (size_t)p->width * 3, *low = p->rgb + (size_t)y1 * (size_t)p->width * 3;
    return (1 - fy) * ((1 - fx) * top[3 * x0 + c] + fx * top[3 * x1 + c]) +
           fy * ((1 - fx) * low[3 * x0 + c] + fx * low[3 * x1 + c]);
}

/* [1 2 1] in both directions over 16. */
static flaw_status soften(flaw_picture *p, flaw_error *err)
{
    flaw_picture out = {0};
    flaw_status s = flaw_picture_new(&out, p->width, p->height, err);
    if (s) return s;
    for (int y = 0; y < p->height; y++)
        for (int x = 0; x < p->width; x++)
            for (int c = 0; c < 3; c++) {
                double sum = 0;
                for (int dy = -1; dy <= 1; dy++)
                    for (int dx = -1; dx <= 1; dx++)
                        sum += (2 - abs(dx)) * (2 - abs(dy)) * value_at(p, x + dx, y + dy, c);
                out.rgb[3 * ((size_t)y * (size_t)p->width + (size_t)x) + (size_t)c] = byte_of(sum / 16);
            }
    flaw_picture_release(p);
    *p = out;
    return FLAW_OK;
}

flaw_status flaw_augment_mildly(flaw_picture *out, const flaw_picture *in, flaw_random *random, flaw_error *err)
{
    double angle = flaw_random_range(random, -TURN, TURN), zoom = 1 + flaw_random_range(random, -ZOOM, ZOOM);
    double move_x = flaw_random_range(random, -MOVE, MOVE) * in->width;
    double move_y = flaw_random_range(random, -MOVE, MOVE) * in->height;
    double contrast = 1 + flaw_random_range(random, -LIGHT, LIGHT);
    double light = 255 * flaw_random_range(random, -LIGHT / 2, LIGHT / 2);
    bool soft = flaw_random_below(random, 3) == 0;
    double cos_a = cos(angle) / zoom, sin_a = sin(angle) / zoom, mid_x = (in->width - 1) / 2.0,
           mid_y = (in->height - 1) / 2.0;
    flaw_picture made = {0};
    flaw_status s = flaw_picture_new(&made, in->width, in->height, err);
    if (s) return s;
    for (int y = 0; y < in->height; y++)
        for (int x = 0; x < in->width; x++) {
            double from_x = cos_a * (x - mid_x) - sin_a * (y - mid_y) + mid_x + move_x;
            double from_y = sin_a * (x - mid_x) + cos_a * (y - mid_y) + mid_y + move_y;
            uint8_t *to = made.rgb + 3 * ((size_t)y * (size_t)in->width + (size_t)x);
            for (int c = 0; c < 3; c++)
                to[c] = byte_of((value_at(in, from_x, from_y, c) - 128) * contrast + 128 + light +
                                NOISE * flaw_random_normal(random));
        }
    if (soft) s = soften(&made, err);
    if (s) {
        flaw_picture_release(&made);
        return s;
    }
    *out = made;
    return FLAW_OK;
}

flaw_status flaw_augment_quarter(flaw_picture *out, const flaw_picture *in, flaw_error *err)
{
    flaw_status s = flaw_picture_new(out, in->height, in->width, err);
    for (int y = 0; !s && y < out->height; y++)
        for (int x = 0; x < out->width; x++)
            memcpy(out->rgb + 3 * ((size_t)y * (size_t)out->width + (size_t)x),
                   in->rgb + 3 * ((size_t)x * (size_t)in->width + (size_t)(in->width - 1 - y)), 3);
    return s;
}

flaw_status flaw_augment_turn(flaw_picture *out, const flaw_picture *in, double degrees, flaw_error *err)
{
    double angle = degrees * DEGREE, cos_a = cos(angle), sin_a = sin(angle);
    double mid_x = (in->width - 1) / 2.0, mid_y = (in->height - 1) / 2.0;
    flaw_picture made = {0};
    flaw_status s = flaw_picture_new(&made, in->width, in->height, err);
    for (int y = 0; !s && y < in->height; y++)
        for (int x = 0; x < in->width; x++) {
            double from_x = cos_a * (x - mid_x) - sin_a * (y - mid_y) + mid_x;
            double from_y = sin_a * (x - mid_x) + cos_a * (y - mid_y) + mid_y;
            uint8_t *to = made.rgb + 3 * ((size_t)y * (size_t)in->width + (size_t)x);
            for (int c = 0; c < 3; c++) to[c] = byte_of(value_at(in, from_x, from_y, c));
        }
    if (!s) *out = made;
    return s;
}
