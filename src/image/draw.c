/* Shapes are worked out in small tiles of coverage and then blended: a tile lies on the stack and in the first cache,
 * and a shape of many strokes is united in it before any colour is laid down. */
#include "image/draw.h"

#include <math.h>
#include <string.h>

enum { TILE = 64 };

typedef struct tile {
    int x, y, width, height;
    float cover[TILE * TILE]; /* [height, TILE], 0 .. 1 */
} tile;

typedef struct bounds {
    float x0, y0, x1, y1;
} bounds;

/* Unites one shape with the tile's coverage. */
typedef void (*painter)(tile *t, const void *shape);

static float unit(float v)
{
    return v > 0 ? (v < 1 ? v : 1) : 0; /* NaN gives 0 */
}

/* Round down and keep within [low, high]; NaN gives low. */
static int whole(float v, int low, int high)
{
    if (!(v > (float)low)) return low;
    if (v >= (float)high) return high;
    return (int)floorf(v);
}

void flaw_draw_pixel(flaw_picture *p, int x, int y, flaw_colour colour, float cover)
{
    if (x < 0 || y < 0 || x >= p->width || y >= p->height) return;
    uint8_t *pixel = p->rgb + 3 * ((size_t)y * (size_t)p->width + (size_t)x);
    float a = unit(cover) * colour.a / 255.0f;
    pixel[0] = (uint8_t)((float)pixel[0] + ((float)colour.r - (float)pixel[0]) * a + 0.5f);
    pixel[1] = (uint8_t)((float)pixel[1] + ((float)colour.g - (float)pixel[1]) * a + 0.5f);
    pixel[2] = (uint8_t)((float)pixel[2] + ((float)colour.b - (float)pixel[2]) * a + 0.5f);
}

static void blend_tile(flaw_picture *p, const tile *t, flaw_colour colour)
{
    for (int y = 0; y < t->height; y++) {
        for (int x = 0; x < t->width; x++) {
            float cover = t->cover[y * TILE + x];
            if (cover > 0) flaw_draw_pixel(p, t->x + x, t->y + y, colour, cover);
        }
    }
}

static void paint(flaw_picture *p, bounds b, flaw_colour colour, painter unite, const void *shape)
{
    int x0 = whole(b.x0 - 1, 0, p->width), x1 = whole(b.x1 + 2, 0, p->width);
    int y0 = whole(b.y0 - 1, 0, p->height), y1 = whole(b.y1 + 2, 0, p->height);
    tile t;
    for (t.y = y0; t.y < y1; t.y += TILE) {
        t.height = y1 - t.y < TILE ? y1 - t.y : TILE;
        for (t.x = x0; t.x < x1; t.x += TILE) {
            t.width = x1 - t.x < TILE ? x1 - t.x : TILE;
            memset(t.cover, 0, sizeof t.cover);
            unite(&t, shape);
            blend_tile(p, &t, colour);
        }
    }
}

/* [x0, x1) x [y0, y1) in 64 bits: the corners of a box from elsewhere may lie beyond what an int holds. */
static void fill(flaw_picture *p, int64_t x0, int64_t y0, int64_t x1, int64_t y1, flaw_colour colour)
{
    int left = x0 > 0 ? (int)(x0 < p->width ? x0 : p->width) : 0;
    int top = y0 > 0 ? (int)(y0 < p->height ? y0 : p->height) : 0;
    int64_t right = x1 < p->width ? x1 : p->width, bottom = y1 < p->height ? y1 : p->height;
    for (int y = top; y < bottom; y++) {
        if (colour.a == 255 && y > top && left < right) { /* opaque: as the row above */
            uint8_t *row = p->rgb + 3 * ((size_t)y * (size_t)p->width + (size_t)left);
            memcpy(row, row - 3 * (size_t)p->width, 3 * (size_t)(right - left));
            continue;
        }
        for (int x = left; x < right; x++) flaw_draw_pixel(p, x, y, colour, 1);
    }
}

void flaw_draw_rect(flaw_picture *p, flaw_box box, flaw_colour colour)
{
    fill(p, box.x, box.y, (int64_t)box.x + box.width, (int64_t)box.y + box.height, colour);
}

void flaw_draw_outline(flaw_picture *p, flaw_box box, int thickness, flaw_colour colour)
{
    int64_t t = thickness, x0 = box.x, y0 = box.y, x1 = x0 + box.width, y1 = y0 + box.height;
    if (2 * t >= box.width || 2 * t >= box.height) {
        fill(p, x0, y0, x1, y1, colour);
        return;
    }
    fill(p, x0, y0, x1, y0 + t, colour);
    fill(p, x0, y1 - t, x1, y1, colour);
    fill(p, x0, y0 + t, x0 + t, y1 - t, colour);
    fill(p, x1 - t, y0 + t, x1, y1 - t, colour);
}

/* A rectangle with half sides (half_x, half_y) whose corners are rounded; a disc has half sides 0. `hole` > 0 keeps
 * only the outermost `hole` pixels. */
typedef struct rounded {
    flaw_point centre;
    float half_x, half_y, radius, hole;
} rounded;

static void unite_rounded(tile *t, const void *shape)
{
    const rounded *r = shape;
    for (int y = 0; y < t->height; y++) {
        float dy = fmaxf(fabsf((float)(t->y + y) + 0.5f - r->centre.y) - r->half_y, 0);
        for (int x = 0; x < t->width; x++) {
            float dx = fmaxf(fabsf((float)(t->x + x) + 0.5f - r->centre.x) - r->half_x, 0);
            float inside = r->radius - sqrtf(dx * dx + dy * dy); /* distance to the edge */
            float cover = unit(inside + 0.5f);
            if (r->hole > 0) cover -= unit(inside - r->hole + 0.5f);
            t->cover[y * TILE + x] = cover;
        }
    }
}

static void paint_rounded(flaw_picture *p, const rounded *r, flaw_colour colour)
{
    float x = r->half_x + r->radius, y = r->half_y + r->radius;
    bounds b = {r->centre.x - x, r->centre.y - y, r->centre.x + x, r->centre.y + y};
    paint(p, b, colour, unite_rounded, r);
}

void flaw_draw_round_rect(flaw_picture *p, flaw_box box, float radius, flaw_colour colour)
{
    float half_x = (float)box.width / 2, half_y = (float)box.height / 2;
    radius = fminf(radius, fminf(half_x, half_y));
    rounded r = {{(float)box.x + half_x, (float)box.y + half_y}, half_x - radius, half_y - radius, radius, 0};
    paint_rounded(p, &r, colour);
}

void flaw_draw_disc(flaw_picture *p, flaw_point centre, float radius, flaw_colour colour)
{
    paint_rounded(p, &(rounded){centre, 0, 0, radius, 0}, colour);
}

void flaw_draw_ring(flaw_picture *p, flaw_point centre, float radius, float width, flaw_colour colour)
{
    paint_rounded(p, &(rounded){centre, 0, 0, radius + width / 2, width}, colour);
}

/* Segment i goes from points[i * step] to points[(i * step + 1) % count]. */
typedef struct strokes {
    const flaw_point *points;
    int count, segments, step;
    float half; /* half the width */
} strokes;

static void unite_segment(tile *t, flaw_point a, flaw_point b, float half)
{
    float reach = half + 1;
    int x0 = whole(fminf(a.x, b.x) - reach - (float)t->x, 0, t->width);
    int x1 = whole(fmaxf(a.x, b.x) + reach + 1 - (float)t->x, 0, t->width);
    int y0 = whole(fminf(a.y, b.y) - reach - (float)t->y, 0, t->height);
    int y1 = whole(fmaxf(a.y, b.y) + reach + 1 - (float)t->y, 0, t->height);
    float dx = b.x - a.x, dy = b.y - a.y, square = dx * dx + dy * dy;
    float scale = square > 0 ? 1 / square : 0;
    for (int y = y0; y < y1; y++) {
        float py = (float)(t->y + y) + 0.5f - a.y;
        for (int x = x0; x < x1; x++) {
            float px = (float)(t->x + x) + 0.5f - a.x;
            float along = unit((px * dx + py * dy) * scale);
            float ex = px - along * dx, ey = py - along * dy;
            float cover = unit(half + 0.5f - sqrtf(ex * ex + ey * ey));
            float *old = &t->cover[y * TILE + x];
            if (cover > *old) *old = cover;
        }
    }
}

static void unite_strokes(tile *t, const void *shape)
{
    const strokes *s = shape;
    for (int i = 0; i < s->segments; i++) {
        int from = i * s->step, to = from + 1 < s->count ? from + 1 : 0;
        unite_segment(t, s->points[from], s->points[to], s->half);
    }
}

static bounds bounds_of(const flaw_point *points, int count, float more)
{
    bounds b = {points[0].x, points[0].y, points[0].x, points[0].y};
    for (int i = 1; i < count; i++) {
        b.x0 = fminf(b.x0, points[i].x);
        b.y0 = fminf(b.y0, points[i].y);
        b.x1 = fmaxf(b.x1, points[i].x);
        b.y1 = fmaxf(b.y1, points[i].y);
    }
    return (bounds){b.x0 - more, b.y0 - more, b.x1 + more, b.y1 + more};
}

static void paint_strokes(flaw_picture *p, const strokes *s, flaw_colour colour)
{
    paint(p, bounds_of(s->points, s->count, s->half), colour, unite_strokes, s);
}

void flaw_draw_polyline(flaw_picture *p, const flaw_point *points, int count, bool closed, float width,
                        flaw_colour colour)
{
    if (count < 1) return;
    int segments = closed || count == 1 ? count : count - 1;
    paint_strokes(p, &(strokes){points, count, segments, 1, width / 2}, colour);
}

void flaw_draw_line(flaw_picture *p, flaw_point from, flaw_point to, float width, flaw_colour colour)
{
    flaw_draw_polyline(p, (flaw_point[]){from, to}, 2, false, width, colour);
}

void flaw_draw_segments(flaw_picture *p, const flaw_point *ends, int count, float width, flaw_colour colour)
{
    if (count < 1) return;
    paint_strokes(p, &(strokes){ends, 2 * count, count, 2, width / 2}, colour);
}

typedef struct polygon {
    const flaw_point *points;
    int count;
} polygon;

/* Add to one row of the tile the signed area that lies right of an edge piece from (x0, y0) to (x1, y1), which stays in
 * that row; x in tile columns. `rise` is y1 - y0. A piece that spans several columns is cut at each. */
static void add_edge(float *row, int width, float x0, float x1, float rise)
{
    float low = fminf(x0, x1), high = fmaxf(x0, x1);
    for (int x = whole(low, 0, width); x < width; x++) {
        if (low >= (float)x + 1) continue;
        if (high <= (float)x) { /* wholly left of this column and of all after it */
            row[x] += rise;
            continue;
        }
        /* Share of the piece left of column x counts fully, that inside by its mean distance to the right side. */
        float span = high - low, l = fmaxf(low, (float)x), h = fminf(high, (float)x + 1);
        float inside = span > 0 ? (h - l) / span : 1;
        float before = span > 0 ? fmaxf((float)x - low, 0) / span : 0;
        row[x] += rise * (before + inside * ((float)x + 1 - (l + h) / 2));
    }
}

static void add_polygon_edge(tile *t, flaw_point a, flaw_point b)
{
    if (a.y == b.y) return;
    float sign = 1;
    if (a.y > b.y) {
        flaw_point swap = a;
        a = b;
        b = swap;
        sign = -1;
    }
    float slope = (b.x - a.x) / (b.y - a.y);
    int first = whole(a.y - (float)t->y, 0, t->height), end = whole(b.y - (float)t->y + 1, 0, t->height);
    for (int y = first; y < end; y++) {
        float top = fmaxf(a.y, (float)(t->y + y)), bottom = fminf(b.y, (float)(t->y + y + 1));
        if (bottom <= top) continue;
        float x0 = a.x + (top - a.y) * slope - (float)t->x, x1 = a.x + (bottom - a.y) * slope - (float)t->x;
        add_edge(t->cover + y * TILE, t->width, x0, x1, sign * (bottom - top));
    }
}

static void unite_polygon(tile *t, const void *shape)
{
    const polygon *g = shape;
    for (int i = 0; i < g->count; i++) add_polygon_edge(t, g->points[i], g->points[i + 1 < g->count ? i + 1 : 0]);
    for (int i = 0; i < TILE * TILE; i++) t->cover[i] = unit(fabsf(t->cover[i]));
}

void flaw_draw_polygon(flaw_picture *p, const flaw_point *points, int count, flaw_colour colour)
{
    if (count < 3) return;
    paint(p, bounds_of(points, count, 0), colour, unite_polygon, &(polygon){points, count});
}

void flaw_draw_picture(flaw_picture *p, int x, int y, const flaw_picture *from)
{
    int x0 = x > 0 ? x : 0, y0 = y > 0 ? y : 0;
    int64_t right = (int64_t)x + from->width, bottom = (int64_t)y + from->height;
    if (right > p->width) right = p->width;
    if (bottom > p->height) bottom = p->height;
    if (right <= x0) return;
    for (int row = y0; row < bottom; row++) {
        memcpy(p->rgb + 3 * ((size_t)row * (size_t)p->width + (size_t)x0),
               from->rgb + 3 * ((size_t)(row - y) * (size_t)from->width + (size_t)(x0 - x)), 3 * (size_t)(right - x0));
    }
}
