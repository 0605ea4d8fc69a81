/* Small charts as inline SVG. Colours and fonts come from the page's style (page.h); nothing is drawn outside the frame. */
#ifndef FLAW_MEASURE_CHART_H
#define FLAW_MEASURE_CHART_H

#include "base/buffer.h"

#define FLAW_CHART_COLOURS 7
#define FLAW_CHART_DASHES 4

typedef struct flaw_chart_line {
    const char *name;    /* shown when pointed at; text of others */
    const double *x, *y; /* [count], x never falls; straight lines join the points */
    size_t count;
    int style; /* from 0: colour style % FLAW_CHART_COLOURS, other dashes for each round of these */
} flaw_chart_line;

typedef struct flaw_chart {
    const char *title, *x_title, *y_title;
    double x_low, x_high; /* y goes from 0 to 1 */
    const flaw_chart_line *line;
    size_t lines;
} flaw_chart;

/* Two kinds of scores in the same bins, as shares of each kind. */
typedef struct flaw_chart_bins {
    const char *title, *x_title;
    double low, high;         /* of all bins */
    const double *good, *bad; /* [count] shares */
    size_t count;
    double limit; /* a dashed line; none when it is not in [low, high] */
} flaw_chart_bins;

void flaw_chart_lines(flaw_buffer *out, const flaw_chart *chart);
void flaw_chart_histogram(flaw_buffer *out, const flaw_chart_bins *bins);
/* A short stroke in the style, for legends. */
void flaw_chart_swatch(flaw_buffer *out, int style);
/* Distance of round ticks (1, 2 or 5 times a power of ten) so that at most `most` + 1 of them lie in [low, high]; 0 when
 * the span is not a positive number. */
double flaw_chart_step(double low, double high, int most);

#endif
