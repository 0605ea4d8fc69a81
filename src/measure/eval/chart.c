#include "measure/eval/chart.h"

#include <float.h>
#include <math.h>

#include "measure/eval/page.h"

/* The frame in a view of WIDTH x HEIGHT units. */
enum { WIDTH = 260, HEIGHT = 222, LEFT = 40, RIGHT = 250, TOP = 24, BOTTOM = 184, MOST_TICKS = 5 };

typedef struct axis {
    double low, high;
    double from, to; /* places of the two in the view */
} axis;

static double place(const axis *a, double value)
{
    return a->from + (value - a->low) / (a->high - a->low) * (a->to - a->from);
}

double flaw_chart_step(double low, double high, int most)
{
    double span = high - low;
    if (!(span > 0) || !isfinite(span) || most < 1) return 0;
    double power = pow(10, floor(log10(span / most)));
    if (!(power >= DBL_MIN)) return 0;
    static const double round[] = {1, 2, 5, 10};
    for (int i = 0; i < 4; i++)
        if (span / (round[i] * power) <= most * (1 + 1e-12)) return round[i] * power;
    return 10 * power;
}

/* Numbers of ticks with as many digits as the steps need. */
static void put_tick(flaw_buffer *out, double value, double step)
{
    int digits = step >= 1 ? 0 : (int)ceil(-log10(step) - 1e-9);
    if (fabs(value) < step / 1e6) value = 0;
    if (digits > 6 || fabs(value) >= 1e6) flaw_buffer_printf(out, "%.3g", value);
    else flaw_buffer_printf(out, "%.*f", digits, value);
}

static void put_x_ticks(flaw_buffer *out, const axis *x)
{
    double step = flaw_chart_step(x->low, x->high, MOST_TICKS);
    for (int i = 0; step > 0 && i <= MOST_TICKS + 1; i++) {
        double value = (ceil(x->low / step - 1e-9) + i) * step;
        if (value > x->high + step * 1e-9) break;
        double at = place(x, value);
        flaw_buffer_printf(out, "<path class=\"grid\" d=\"M%.2f %dV%d\"/><text class=\"tick\" x=\"%.2f\" y=\"%d\" "
                                "text-anchor=\"middle\">", at, TOP, BOTTOM, at, BOTTOM + 13);
        put_tick(out, value, step);
        flaw_buffer_text(out, "</text>");
    }
}

static void put_y_ticks(flaw_buffer *out, const axis *y)
{
    double step = flaw_chart_step(y->low, y->high, MOST_TICKS);
    for (int i = 0; step > 0 && i <= MOST_TICKS + 1; i++) {
        double value = (ceil(y->low / step - 1e-9) + i) * step;
        if (value > y->high + step * 1e-9) break;
        double at = place(y, value);
        flaw_buffer_printf(out, "<path class=\"grid\" d=\"M%d %.2fH%d\"/><text class=\"tick\" x=\"%d\" y=\"%.2f\" "
                                "text-anchor=\"end\">", LEFT, at, RIGHT, LEFT - 4, at + 3);
        put_tick(out, value, step);
        flaw_buffer_text(out, "</text>");
    }
}

static void begin(flaw_buffer *out, const char *title, const char *x_title, const char *y_title, const axis *x,
                  const axis *y)
{
    flaw_buffer_printf(out, "<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"", WIDTH, HEIGHT);
    flaw_page_text(out, title);
    flaw_buffer_printf(out, "\"><text class=\"name\" x=\"%d\" y=\"15\">", LEFT);
    flaw_page_text(out, title);
    flaw_buffer_text(out, "</text>");
    put_x_ticks(out, x);
    put_y_ticks(out, y);
    flaw_buffer_printf(out, "<path class=\"grid\" d=\"M%d %dV%dH%d\"/>", LEFT, TOP, BOTTOM, RIGHT);
    flaw_buffer_printf(out, "<text class=\"tick\" x=\"%d\" y=\"%d\" text-anchor=\"middle\">", (LEFT + RIGHT) / 2,
                       HEIGHT - 8);
    flaw_page_text(out, x_title);
    int middle = (TOP + BOTTOM) / 2;
    flaw_buffer_printf(out, "</text><text class=\"tick\" x=\"10\" y=\"%d\" text-anchor=\"middle\" "
                            "transform=\"rotate(-90 10 %d)\">", middle, middle);
    flaw_page_text(out, y_title);
    flaw_buffer_text(out, "</text>\n");
}

static void put_style(flaw_buffer *out, int style)
{
    static const char *const dash[FLAW_CHART_DASHES] = {"", "6 2", "2 2", "8 2 2 2"};
    int round = style / FLAW_CHART_COLOURS % FLAW_CHART_DASHES;
    flaw_buffer_printf(out, "class=\"line c%d\"", style % FLAW_CHART_COLOURS);
    if (round) flaw_buffer_printf(out, " stroke-dasharray=\"%s\"", dash[round]);
}

static double within(double value, double low, double high)
{
    return value > low ? (value < high ? value : high) : low;
}

/* A line from left to right, cut off where it leaves the frame at the right. */
static void put_line(flaw_buffer *out, const flaw_chart_line *l, const axis *x, const axis *y)
{
    if (!l->count) return;
    flaw_buffer_text(out, "<polyline ");
    put_style(out, l->style);
    flaw_buffer_text(out, " points=\"");
    for (size_t i = 0; i < l->count; i++) {
        double at = l->x[i], height = l->y[i];
        bool last = at > x->high;
        if (last && i > 0 && l->x[i - 1] < x->high) { /* where the line crosses the border */
            double share = (x->high - l->x[i - 1]) / (at - l->x[i - 1]);
            height = l->y[i - 1] + share * (height - l->y[i - 1]);
        }
        if (last && i > 0 && l->x[i - 1] >= x->high) break;
        flaw_buffer_printf(out, "%s%.2f,%.2f", i ? " " : "", place(x, within(at, x->low, x->high)),
                           place(y, within(height, y->low, y->high)));
        if (last) break;
    }
    flaw_buffer_text(out, "\"><title>");
    flaw_page_text(out, l->name);
    flaw_buffer_text(out, "</title></polyline>\n");
}

void flaw_chart_lines(flaw_buffer *out, const flaw_chart *c)
{
    const axis x = {c->x_low, c->x_high, LEFT, RIGHT}, y = {0, 1, BOTTOM, TOP};
    begin(out, c->title, c->x_title, c->y_title, &x, &y);
    for (size_t i = 0; i < c->lines; i++) put_line(out, &c->line[i], &x, &y);
    flaw_buffer_text(out, "</svg>\n");
}

/* The outline of the bars of one kind, filled. */
static void put_bars(flaw_buffer *out, const double *share, const flaw_chart_bins *b, int colour, const axis *x,
                     const axis *y)
{
    flaw_buffer_printf(out, "<path class=\"bar c%d\" d=\"M%d %d", colour, LEFT, BOTTOM);
    for (size_t i = 0; i < b->count; i++) {
        double right = b->low + (b->high - b->low) * (double)(i + 1) / (double)b->count;
        flaw_buffer_printf(out, "V%.2fH%.2f", place(y, share[i]), place(x, right));
    }
    flaw_buffer_printf(out, "V%dZ\"/>", BOTTOM);
}

void flaw_chart_histogram(flaw_buffer *out, const flaw_chart_bins *b)
{
    double most = 0;
    for (size_t i = 0; i < b->count; i++) most = fmax(most, fmax(b->good[i], b->bad[i]));
    const axis x = {b->low, b->high, LEFT, RIGHT}, y = {0, most > 0 ? most * 1.05 : 1, BOTTOM, TOP};
    begin(out, b->title, b->x_title, "share of the pictures", &x, &y);
    put_bars(out, b->good, b, 0, &x, &y);
    put_bars(out, b->bad, b, 1, &x, &y);
    if (b->limit >= b->low && b->limit <= b->high) {
        double at = place(&x, b->limit);
        bool right = at < (LEFT + RIGHT) / 2;
        flaw_buffer_printf(out, "<path class=\"limit\" d=\"M%.2f %dV%d\"/>", at, TOP, BOTTOM);
        flaw_buffer_printf(out, "<text x=\"%.2f\" y=\"%d\" text-anchor=\"%s\">limit</text>", right ? at + 3 : at - 3,
                           TOP + 9, right ? "start" : "end");
    }
    flaw_buffer_text(out, "</svg>\n");
}

void flaw_chart_swatch(flaw_buffer *out, int style)
{
    flaw_buffer_text(out, "<svg viewBox=\"0 0 30 10\" aria-hidden=\"true\"><path ");
    put_style(out, style);
    flaw_buffer_text(out, " d=\"M0 5H30\"/></svg>");
}
