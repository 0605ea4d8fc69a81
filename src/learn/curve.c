#include "learn/curve.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "image/font.h"

enum { WIDTH = 1200, HEIGHT = 675, LEFT = 96, RIGHT = 40, TOP = 100, BOTTOM = 76, UNIT = 15, COLUMNS = 600 };
enum { NAMES = 76, LINE = 24 }; /* baseline of the first line of names, and from one to the next */

#define MOST 1e100 /* what is larger, or no number, is left out */

static const flaw_colour PAPER = {255, 255, 255, 255}, INK = {32, 38, 46, 255}, SOFT = {96, 105, 118, 255},
                         GRID = {226, 230, 236, 255}, AXIS = {120, 128, 140, 255};
/* Told apart by eyes of every kind (Okabe and Ito 2008). */
static const flaw_colour COLOUR[FLAW_CURVE_SERIES] = {{0, 114, 178, 255}, {213, 94, 0, 255},    {0, 158, 115, 255},
                                                      {204, 121, 167, 255}, {230, 159, 0, 255}, {86, 180, 233, 255}};

typedef struct axis {
    double low, high, step; /* logarithmic: of the decimal logarithm, step unused */
    bool logarithmic;
} axis;

typedef struct plot {
    flaw_picture picture;
    const flaw_curve *curve;
    axis x, y;
    int top; /* of what is drawn in: TOP, lower where the names need more lines */
} plot;

static bool usable(const plot *p, const flaw_curve_series *s, size_t i)
{
    return fabs(s->x[i]) < MOST && fabs(s->y[i]) < MOST && (!p->curve->logarithmic || s->y[i] > 0);
}

static double scaled(const axis *a, double value)
{
    return a->logarithmic ? log10(value) : value;
}

static flaw_point place(const plot *p, double x, double y)
{
    double across = (x - p->x.low) / (p->x.high - p->x.low), up = (scaled(&p->y, y) - p->y.low) / (p->y.high - p->y.low);
    double right = LEFT + across * (WIDTH - LEFT - RIGHT), down = HEIGHT - BOTTOM - up * (HEIGHT - p->top - BOTTOM);
    return (flaw_point){(float)right, (float)down};
}

/* 1, 2 or 5 times a power of ten, so that about `parts` steps make `span`. */
static double round_step(double span, int parts)
{
    double rough = span / parts, power = pow(10, floor(log10(rough))), part = rough / power;
    return power * (part <= 1 ? 1 : part <= 2 ? 2 : part <= 5 ? 5 : 10);
}

/* From the ends of the values to round numbers around them. */
static void round_axis(axis *a, int parts)
{
    if (!(a->high > a->low)) {
        double middle = isfinite(a->low) ? a->low : 0, room = middle != 0 ? fabs(middle) * 0.5 : 1;
        a->low = middle - (isfinite(a->low) ? room : 0);
        a->high = middle + room;
    }
    if (a->logarithmic) return;
    a->step = round_step(a->high - a->low, parts);
    a->low = floor(a->low / a->step + 1e-9) * a->step;
    a->high = ceil(a->high / a->step - 1e-9) * a->step;
}

static void stretch(axis *a, double value)
{
    a->low = fmin(a->low, value);
    a->high = fmax(a->high, value);
}

static void find_ranges(plot *p)
{
    p->x = p->y = (axis){INFINITY, -INFINITY, 0, false};
    p->y.logarithmic = p->curve->logarithmic;
    for (int k = 0; k < p->curve->count; k++) {
        const flaw_curve_series *s = &p->curve->series[k];
        for (size_t i = 0; i < s->count; i++) {
            if (!usable(p, s, i)) continue;
            stretch(&p->x, s->x[i]);
            stretch(&p->y, scaled(&p->y, s->y[i]));
        }
    }
    if (p->x.low > 0 && p->x.low < p->x.high * 0.2) p->x.low = 0;
    if (p->y.logarithmic && p->y.high > p->y.low) {
        double room = fmax((p->y.high - p->y.low) * 0.05, 0.02);
        p->y.low -= room;
        p->y.high += room;
    }
    round_axis(&p->x, 8);
    round_axis(&p->y, 6);
}

static void number_text(char out[32], double value, double step)
{
    int decimals = step > 0 && step < 1 ? (int)ceil(-log10(step) - 1e-9) : 0;
    if (step >= 1000 && fmod(step, 1000) == 0 && value != 0) snprintf(out, 32, "%gk", value / 1000);
    else if (decimals > 6 || fabs(value) >= 1e7) snprintf(out, 32, "%g", value);
    else snprintf(out, 32, "%.*f", decimals, fabs(value) < step * 1e-6 ? 0 : value);
}

static flaw_font font(float size, bool bold)
{
    return (flaw_font){size, bold ? FLAW_FONT_BOLD : FLAW_FONT_REGULAR};
}

static void draw_y_mark(plot *p, double value, double step)
{
    char text[32];
    flaw_point at = place(p, p->x.low, value);
    flaw_font small = font(UNIT * 0.85f, false);
    number_text(text, value, step);
    flaw_draw_rect(&p->picture, (flaw_box){LEFT, (int)at.y, WIDTH - LEFT - RIGHT, 1}, GRID);
    flaw_text_draw(&p->picture, small, (float)LEFT - 14 - flaw_text_width(small, text), at.y + small.size / 2, text,
                   SOFT);
}

/* Logarithmic: a few round parts of each power of ten, the fewer the more powers there are; or even steps of the value
 * where less than one is spanned. */
static void draw_y_axis(plot *p)
{
    if (!p->y.logarithmic) {
        for (int i = 0; p->y.low + i * p->y.step <= p->y.high + p->y.step * 1e-6; i++)
            draw_y_mark(p, p->y.low + i * p->y.step, p->y.step);
        return;
    }
    double span = p->y.high - p->y.low;
    if (span < 0.7) { /* round steps of the value itself */
        double low = pow(10, p->y.low), high = pow(10, p->y.high), step = round_step(high - low, 6);
        for (double v = ceil(low / step) * step; v <= high; v += step) draw_y_mark(p, v, step);
        return;
    }
    for (int power = (int)floor(p->y.low); power <= (int)ceil(p->y.high); power++) {
        for (int i = 0; i < (span > 4 ? 1 : span > 1.5 ? 3 : 7); i++) {
            double value = pow(10, power) * (const double[]){1, 2, 5, 3, 4, 7, 1.5}[i];
            if (log10(value) < p->y.low || log10(value) > p->y.high) continue;
            draw_y_mark(p, value, pow(10, i == 6 ? power - 1 : power));
        }
    }
}

static void draw_x_axis(plot *p)
{
    char text[32];
    flaw_font small = font(UNIT * 0.85f, false);
    int bottom = HEIGHT - BOTTOM;
    for (int i = 0; p->x.low + i * p->x.step <= p->x.high + p->x.step * 1e-6; i++) {
        double value = p->x.low + i * p->x.step;
        int x = LEFT + (int)((value - p->x.low) / (p->x.high - p->x.low) * (WIDTH - LEFT - RIGHT));
        number_text(text, value, p->x.step);
        flaw_draw_rect(&p->picture, (flaw_box){x, bottom, 1, 6}, AXIS);
        flaw_text_draw(&p->picture, small, (float)x - flaw_text_width(small, text) / 2, (float)bottom + 24, text, SOFT);
    }
    flaw_draw_rect(&p->picture, (flaw_box){LEFT, bottom, WIDTH - LEFT - RIGHT + 1, 1}, AXIS);
    if (!p->curve->x_name) return;
    float width = flaw_text_width(small, p->curve->x_name);
    flaw_text_draw(&p->picture, small, (float)(WIDTH - RIGHT) - width, (float)bottom + 52, p->curve->x_name, SOFT);
}

/* Where the stroke and the name of each series begin, from left to right, a line further down where one would not fit.
 * Returns the lines. */
static int place_names(const flaw_curve *curve, flaw_point at[FLAW_CURVE_SERIES])
{
    float x = LEFT;
    int lines = 1;
    for (int k = 0; k < curve->count; k++) {
        float width = 38 + flaw_text_width(font(UNIT * 0.95f, false), curve->series[k].name);
        if (k > 0 && x + width > WIDTH - RIGHT) {
            x = LEFT;
            lines++;
        }
        at[k] = (flaw_point){x, (float)(NAMES + (lines - 1) * LINE)};
        x += width + 30;
    }
    return lines;
}

/* Title, and below it a stroke and a name for every series. */
static void draw_head(plot *p)
{
    flaw_point at[FLAW_CURVE_SERIES];
    place_names(p->curve, at);
    if (p->curve->title) flaw_text_draw(&p->picture, font(UNIT * 1.3f, true), LEFT, 42, p->curve->title, INK);
    for (int k = 0; k < p->curve->count; k++) {
        flaw_point middle = {at[k].x + 14, at[k].y - UNIT * 0.45f};
        flaw_draw_line(&p->picture, (flaw_point){at[k].x, middle.y}, (flaw_point){at[k].x + 28, middle.y}, 3,
                       COLOUR[k]);
        if (p->curve->series[k].marks) flaw_draw_disc(&p->picture, middle, 5, COLOUR[k]);
        flaw_text_draw(&p->picture, font(UNIT * 0.95f, false), at[k].x + 38, at[k].y, p->curve->series[k].name, INK);
    }
}

/* The usable values of a series; `y` smoothed by a mean over a window that shrinks at the ends. Returns how many. */
static size_t gather(const plot *p, const flaw_curve_series *s, double *x, double *y, double *smooth, double *sum)
{
    size_t n = 0;
    for (size_t i = 0; i < s->count; i++) {
        if (!usable(p, s, i)) continue;
        x[n] = s->x[i];
        y[n++] = s->y[i];
    }
    for (size_t i = 0; i < n; i++) sum[i] = y[i] + (i ? sum[i - 1] : 0);
    for (size_t i = 0; i < n; i++) {
        size_t half = n / 50, edge = i < n - 1 - i ? i : n - 1 - i;
        if (half > edge) half = edge;
        smooth[i] = (sum[i + half] - sum[i - half] + y[i - half]) / (double)(2 * half + 1);
    }
    return n;
}

/* A point for each value; more than COLUMNS values are taken in runs, the lowest and the highest of each (`spread`) or
 * one from the middle. */
static int thin(const plot *p, const double *x, const double *y, size_t n, bool spread, flaw_point *out)
{
    int runs = n < COLUMNS ? (int)n : COLUMNS, count = 0;
    for (int i = 0; i < runs; i++) {
        size_t first = n * (size_t)i / (size_t)runs, end = n * ((size_t)i + 1) / (size_t)runs, low = first, high = first;
        size_t middle = (first + end) / 2;
        for (size_t k = first; k < end; k++) {
            low = y[k] < y[low] ? k : low;
            high = y[k] > y[high] ? k : high;
        }
        if (!spread) out[count++] = place(p, x[middle], y[middle]);
        else if (low != high) out[count++] = place(p, x[low < high ? low : high], y[low < high ? low : high]);
        if (spread) out[count++] = place(p, x[low < high ? high : low], y[low < high ? high : low]);
    }
    return count;
}

static void draw_series(plot *p, int k, double *room, flaw_point *points)
{
    const flaw_curve_series *s = &p->curve->series[k];
    double *x = room, *y = room + s->count, *smooth = room + 2 * s->count;
    size_t n = gather(p, s, x, y, smooth, smooth + s->count);
    flaw_colour faint = COLOUR[k];
    int count = thin(p, x, y, n, !s->marks, points);
    if (!count) return;
    faint.a = 70;
    if (!s->marks) flaw_draw_polyline(&p->picture, points, count, false, 1.5f, faint);
    if (!s->marks) count = thin(p, x, smooth, n, false, points);
    flaw_draw_polyline(&p->picture, points, count, false, s->marks ? 2 : 3, COLOUR[k]);
    for (int i = 0; s->marks && i < count; i++) {
        flaw_draw_disc(&p->picture, points[i], 6, PAPER);
        flaw_draw_disc(&p->picture, points[i], 4.5f, COLOUR[k]);
    }
}

static flaw_status draw(plot *p, flaw_error *err)
{
    size_t most = 1;
    for (int k = 0; k < p->curve->count; k++)
        most = p->curve->series[k].count > most ? p->curve->series[k].count : most;
    double *room = calloc(most, 4 * sizeof *room);
    flaw_point *points = calloc(2 * COLUMNS, sizeof *points);
    flaw_status status =
        room && points ? FLAW_OK : flaw_fail(err, FLAW_NO_MEMORY, "no memory to draw %zu values", most);
    if (!status) {
        flaw_draw_rect(&p->picture, (flaw_box){0, 0, WIDTH, HEIGHT}, PAPER);
        draw_y_axis(p);
        draw_x_axis(p);
        draw_head(p);
        for (int k = 0; k < p->curve->count; k++) draw_series(p, k, room, points);
    }
    free(room);
    free(points);
    return status;
}

flaw_status flaw_curve_write(const char *path, const flaw_curve *curve, flaw_error *err)
{
    plot p = {.curve = curve};
    if (curve->count < 0 || curve->count > FLAW_CURVE_SERIES)
        return flaw_fail(err, FLAW_USAGE, "%s: %d curves, allowed are up to %d", path, curve->count, FLAW_CURVE_SERIES);
    flaw_status status = flaw_picture_new(&p.picture, WIDTH, HEIGHT, err);
    if (status) return status;
    flaw_point names[FLAW_CURVE_SERIES];
    p.top = TOP + LINE * (place_names(curve, names) - 1);
    find_ranges(&p);
    status = draw(&p, err);
    if (!status) status = flaw_picture_write_png(&p.picture, path, err);
    flaw_picture_release(&p.picture);
    return status;
}
