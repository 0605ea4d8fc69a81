/* Curves and histograms of a data set in a report, of the first draw of each row. */
#include <math.h>
#include <stdlib.h>

#include "measure/eval/chart.h"
#include "measure/eval/eval_report.h"
#include "measure/eval/page.h"

/* Up to so many rows share a chart; more are drawn apart, a chart for each number of good parts. */
enum { POINTS = 200, BINS = 24, TOGETHER = 7, CURVES = 5 };

static const struct {
    const char *title, *x, *y;
    flaw_curve_kind kind;
    bool pixels;
} CHARTS[CURVES] = {
    {"ROC, pictures", "false positive rate", "true positive rate", FLAW_CURVE_ROC, false},
    {"Precision and recall, pictures", "recall", "precision", FLAW_CURVE_PR, false},
    {"ROC, pixels", "false positive rate", "true positive rate", FLAW_CURVE_ROC, true},
    {"Precision and recall, pixels", "recall", "precision", FLAW_CURVE_PR, true},
    {"PRO, pixels", "false positive rate", "mean overlap of the regions", FLAW_CURVE_PRO, true},
};

typedef struct drawn {
    flaw_curve curve[CURVES]; /* empty without figures */
    double limit;             /* of the overlap */
    char name[96];
} drawn;

static flaw_status make_curves(drawn *out, const flaw_report *r, const flaw_report_row *row, flaw_error *err)
{
    flaw_tally t;
    flaw_status s = flaw_tally_make(&t, r->plan, row->judgement, row->first, err);
    if (s) return s;
    out->limit = t.limit;
    for (int i = 0; i < CURVES && !s; i++)
        s = CHARTS[i].pixels ? flaw_pixels_curve(&out->curve[i], t.pixels, CHARTS[i].kind, POINTS, err)
                             : flaw_image_curve(&out->curve[i], CHARTS[i].kind, t.score, t.bad, t.count, POINTS, err);
    flaw_tally_release(&t);
    return s;
}

static void release(drawn *d, size_t count)
{
    for (size_t i = 0; i < count; i++)
        for (int c = 0; c < CURVES; c++) flaw_curve_release(&d[i].curve[c]);
    free(d);
}

/* --- curves --- */

/* Rows of a chart: all, or those of one number of good parts. */
static bool is_of(const flaw_report *r, const flaw_report_row *row, int shots)
{
    return r->row_set <= TOGETHER || row->cell.shots == shots;
}

/* A colour keeps its row where all are together, else its method over all charts. */
static int style_of(const flaw_report *r, const flaw_report_row *row, size_t number)
{
    return r->row_set <= TOGETHER ? (int)number : row->cell.method;
}

static void put_legend(flaw_report *r, const flaw_report_row *rows, int shots)
{
    flaw_buffer_text(&r->page, "<ul class=\"legend\">");
    for (size_t i = 0; i < r->row_set; i++) {
        if (!rows[i].whole || !is_of(r, &rows[i], shots)) continue;
        flaw_buffer_text(&r->page, "<li>");
        flaw_chart_swatch(&r->page, style_of(r, &rows[i], i));
        flaw_report_name(&r->page, rows[i].row);
        flaw_buffer_text(&r->page, "</li>");
    }
    flaw_buffer_text(&r->page, "</ul>\n");
}

static void put_curves(flaw_report *r, const flaw_report_row *rows, const drawn *d, int shots, flaw_chart_line *line)
{
    flaw_buffer_text(&r->page, "<div class=\"charts curves\">\n");
    for (int c = 0; c < CURVES; c++) {
        flaw_chart chart = {.title = CHARTS[c].title, .x_title = CHARTS[c].x, .y_title = CHARTS[c].y, .x_high = 1, .line = line};
        for (size_t i = 0; i < r->row_set; i++) {
            const flaw_curve *curve = &d[i].curve[c];
            if (!curve->count || !is_of(r, &rows[i], shots)) continue;
            if (CHARTS[c].kind == FLAW_CURVE_PRO) chart.x_high = d[i].limit;
            line[chart.lines++] =
                (flaw_chart_line){d[i].name, curve->x, curve->y, curve->count, style_of(r, &rows[i], i)};
        }
        if (chart.lines) flaw_chart_lines(&r->page, &chart);
    }
    flaw_buffer_text(&r->page, "</div>\n");
}

/* --- histograms --- */

static size_t bin_of(const flaw_chart_bins *b, double value)
{
    double at = (value - b->low) / (b->high - b->low) * (double)b->count;
    return at >= (double)b->count ? b->count - 1 : at > 0 ? (size_t)at : 0;
}

/* Scores and, where it is near, the limit lie in [low, high], which is never empty. */
static void choose_range(flaw_chart_bins *b, const flaw_report_row *row)
{
    double low = INFINITY, high = -INFINITY;
    for (size_t i = 0; i < row->first; i++) {
        low = fmin(low, row->judgement[i]->score);
        high = fmax(high, row->judgement[i]->score);
    }
    double span = high - low;
    if (b->limit >= low - span && b->limit <= high + span) {
        low = fmin(low, b->limit);
        high = fmax(high, b->limit);
    }
    double edge = high > low ? (high - low) / 50 : fmax(fabs(high) / 50, 1e-6);
    b->low = low - edge;
    b->high = high + edge;
}

static void put_histogram(flaw_report *r, const flaw_report_row *row, const char *name)
{
    double good[BINS] = {0}, bad[BINS] = {0}, goods = 0, bads = 0;
    flaw_chart_bins b = {.title = name, .x_title = "score", .good = good, .bad = bad, .count = BINS,
                         .limit = row->judgement[0]->threshold};
    choose_range(&b, row);
    for (size_t i = 0; i < row->first; i++) {
        const flaw_judgement *j = row->judgement[i];
        bool is_bad = flaw_plan_item(r->plan, j->cell.dataset, j->item)->label == FLAW_LABEL_BAD;
        (is_bad ? bad : good)[bin_of(&b, j->score)]++;
        *(is_bad ? &bads : &goods) += 1;
    }
    for (int i = 0; i < BINS; i++) {
        good[i] /= goods > 0 ? goods : 1;
        bad[i] /= bads > 0 ? bads : 1;
    }
    flaw_chart_histogram(&r->page, &b);
}

static void put_histograms(flaw_report *r, const flaw_report_row *rows, const drawn *d)
{
    flaw_buffer_text(&r->page, "<h3>Scores</h3>\n<ul class=\"legend\"><li>");
    flaw_chart_swatch(&r->page, 0);
    flaw_buffer_text(&r->page, "good</li><li>");
    flaw_chart_swatch(&r->page, 1);
    flaw_buffer_text(&r->page, "bad</li></ul>\n<div class=\"charts histograms\">\n");
    for (size_t i = 0; i < r->row_set; i++)
        if (rows[i].whole && rows[i].first) put_histogram(r, &rows[i], d[i].name);
    flaw_buffer_text(&r->page, "</div>\n");
}

static flaw_status put_all(flaw_report *r, const flaw_report_row *rows, const drawn *d, flaw_error *err)
{
    flaw_chart_line *line = calloc(r->row_set + 1, sizeof *line);
    if (!line) return flaw_fail(err, FLAW_NO_MEMORY, "charts of %zu rows: memory was refused", r->row_set);
    flaw_buffer_text(&r->page, "<h3>Curves</h3>\n");
    for (int k = 0; k < (r->row_set <= TOGETHER ? 1 : (int)r->plan->shot_counts); k++) {
        bool any = false;
        for (size_t i = 0; i < r->row_set; i++) any |= rows[i].whole && is_of(r, &rows[i], k);
        if (!any) continue;
        put_legend(r, rows, k);
        put_curves(r, rows, d, k, line);
    }
    put_histograms(r, rows, d);
    free(line);
    return FLAW_OK;
}

flaw_status flaw_report_charts(flaw_report *r, size_t set, flaw_error *err)
{
    const flaw_report_row *rows = &r->row[set * r->row_set];
    flaw_status s = FLAW_OK;
    bool any = false;
    drawn *d = calloc(r->row_set + 1, sizeof *d);
    if (!d) return flaw_fail(err, FLAW_NO_MEMORY, "curves of %zu rows: memory was refused", r->row_set);
    for (size_t i = 0; i < r->row_set && !s; i++) {
        if (rows[i].row->shots < 0) snprintf(d[i].name, sizeof d[i].name, "%.80s, k all", rows[i].row->method);
        else snprintf(d[i].name, sizeof d[i].name, "%.80s, k %d", rows[i].row->method, rows[i].row->shots);
        if (!rows[i].whole) continue;
        any = true;
        s = make_curves(&d[i], r, &rows[i], err);
    }
    if (!s && any) s = put_all(r, rows, d, err);
    release(d, r->row_set);
    return s;
}
