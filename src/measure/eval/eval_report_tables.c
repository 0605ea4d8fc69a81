/* The tables of a data set in a report. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "measure/eval/eval_report.h"
#include "measure/eval/page.h"

enum { MOST_KINDS = 60 };

/* --- figures --- */

/* Figures but the last are shares, shown in percent; the last is a time. */
static void put_figure(flaw_buffer *out, const flaw_eval_row *row, int f)
{
    double mean = flaw_eval_figure(&row->mean, f), sd = flaw_eval_figure(&row->sd, f);
    double low = flaw_eval_figure(&row->low, f), high = flaw_eval_figure(&row->high, f);
    double unit = f == FLAW_EVAL_FIGURES - 1 ? 1 : 100;
    if (!isfinite(mean)) {
        flaw_buffer_text(out, "<td>–</td>");
        return;
    }
    flaw_buffer_printf(out, "<td><data class=\"%s\" value=\"%.9g\">%.1f</data>", flaw_eval_figure_key(f), mean, unit * mean);
    if (isfinite(sd)) flaw_buffer_printf(out, " ± %.1f", unit * sd);
    if (isfinite(low) && isfinite(high)) flaw_buffer_printf(out, "<small>[%.1f, %.1f]</small>", unit * low, unit * high);
    flaw_buffer_text(out, "</td>");
}

static void put_row(flaw_buffer *out, const flaw_report_row *row)
{
    flaw_buffer_text(out, "<tr class=\"measured\"><th scope=\"row\">");
    flaw_report_name(out, row->row);
    flaw_buffer_printf(out, "<small> (%d %s)</small></th>", row->row->draws, row->row->draws == 1 ? "draw" : "draws");
    for (int f = 0; f < FLAW_EVAL_FIGURES; f++) put_figure(out, row->row, f);
    flaw_buffer_text(out, "</tr>\n");
}

static void put_published(flaw_buffer *out, const flaw_benchmark_class *of)
{
    for (int i = 0; i < flaw_published_count(); i++) {
        const flaw_published_row *p = flaw_published_at(i);
        if (p->benchmark != of->benchmark || strcmp(p->category, of->category) != 0) continue;
        flaw_buffer_printf(out, "<tr class=\"published\"><th scope=\"row\">%s, k %d (%s), as published, another backbone</th>",
                           p->method, p->shots, flaw_published_source_at(p->source)->name);
        for (int f = 0; f < FLAW_PUBLISHED_FIGURES; f++) {
            if (isfinite(p->percent[f])) flaw_buffer_printf(out, "<td>%.1f</td>", p->percent[f]);
            else flaw_buffer_text(out, "<td>–</td>");
        }
        for (int f = FLAW_PUBLISHED_FIGURES; f < FLAW_EVAL_FIGURES; f++) flaw_buffer_text(out, "<td>–</td>");
        flaw_buffer_text(out, "</tr>\n");
    }
}

/* Rows that have no figures say why. */
static void put_gaps(flaw_buffer *out, const flaw_report_row *row)
{
    if (row->whole) return;
    flaw_buffer_text(out, "<p>");
    flaw_report_name(out, row->row);
    flaw_buffer_printf(out, ": no figures, %zu of %zu pictures are judged", row->row->judged, row->row->expected);
    if (row->row->failed) {
        flaw_buffer_printf(out, ", %zu of them without a number; first: ", row->row->failed);
        flaw_page_text(out, row->row->failure ? row->row->failure : "");
    }
    flaw_buffer_text(out, ".</p>\n");
}

static void put_figures(flaw_report *r, const flaw_report_row *rows, size_t set)
{
    flaw_buffer *out = &r->page;
    const flaw_benchmark_class *same_name, *of = flaw_benchmark_class_of(&same_name, &r->plan->set[set].set);
    flaw_buffer_text(out, "<div class=\"wide\"><table class=\"figures\"><thead><tr><th>method</th>");
    for (int f = 0; f < FLAW_EVAL_FIGURES; f++) flaw_buffer_printf(out, "<th>%s</th>", flaw_eval_figure_title(f));
    flaw_buffer_text(out, "</tr></thead><tbody>\n");
    for (size_t i = 0; i < r->row_set; i++) put_row(out, &rows[i]);
    if (of) put_published(out, of);
    flaw_buffer_text(out, "</tbody></table></div>\n");
    for (size_t i = 0; i < r->row_set; i++) put_gaps(out, &rows[i]);
    if (!of && same_name)
        flaw_buffer_printf(out, "<p class=\"soft\">Named like a class of %s, but not that class (which has %d good and %d bad "
                                "pictures): nothing published is beside it.</p>\n",
                           flaw_benchmark_name(same_name->benchmark), same_name->good, same_name->bad);
}

/* --- kinds of defects --- */

typedef struct kinds {
    const char *name[MOST_KINDS]; /* of the bad test pictures, as they come */
    int pictures[MOST_KINDS];
    int count;
} kinds;

static int kind_of(const kinds *k, const char *name)
{
    for (int i = 0; i < k->count; i++)
        if (!strcmp(k->name[i], name)) return i;
    return -1;
}

static void find_kinds(kinds *k, const flaw_dataset *set)
{
    k->count = 0;
    for (size_t i = 0; i < set->tests; i++) {
        if (set->test[i].label != FLAW_LABEL_BAD) continue;
        int at = kind_of(k, set->test[i].kind);
        if (at < 0 && k->count < MOST_KINDS) {
            at = k->count++;
            k->name[at] = set->test[i].kind;
            k->pictures[at] = 0;
        }
        if (at >= 0) k->pictures[at]++;
    }
}

/* Each kind against all good pictures, in every draw. */
typedef struct kind_figures {
    double auroc[MOST_KINDS], ap[MOST_KINDS], f1[MOST_KINDS]; /* mean over the draws */
} kind_figures;

/* What a draw says, 1/draws of it added. */
static flaw_status add_draw(kind_figures *sum, const flaw_report *r, const kinds *k, const flaw_judgement *const *j, size_t n,
                            int draws, flaw_error *err)
{
    float *score = malloc((n + 1) * sizeof *score);
    int *kind = malloc((n + 1) * sizeof *kind);
    flaw_status s = FLAW_OK;
    if (!score || !kind) s = flaw_fail(err, FLAW_NO_MEMORY, "kinds of %zu judgements: memory was refused", n);
    for (size_t i = 0; !s && i < n; i++) {
        const flaw_dataset_item *item = flaw_plan_item(r->plan, j[i]->cell.dataset, j[i]->item);
        score[i] = (float)j[i]->score;
        kind[i] = item->label == FLAW_LABEL_BAD ? 1 + kind_of(k, item->kind) : 0;
        if (item->label == FLAW_LABEL_BAD && kind[i] == 0) kind[i] = MOST_KINDS + 1; /* of a kind that is not shown */
    }
    for (int i = 0; !s && i < k->count; i++) {
        flaw_image_figures f;
        s = flaw_image_measure_kind(&f, score, kind, n, i + 1, err);
        if (s) break;
        sum->auroc[i] += f.auroc / draws;
        sum->ap[i] += f.ap / draws;
        sum->f1[i] += f.f1_max / draws;
    }
    free(score);
    free(kind);
    return s;
}

static flaw_status measure_kinds(kind_figures *out, const flaw_report *r, const kinds *k, const flaw_report_row *row,
                                 flaw_error *err)
{
    flaw_status s = FLAW_OK;
    *out = (kind_figures){{0}, {0}, {0}};
    for (size_t from = 0, to; from < row->count && !s; from = to) {
        for (to = from + 1; to < row->count && row->judgement[to]->cell.draw == row->judgement[from]->cell.draw;) to++;
        s = add_draw(out, r, k, row->judgement + from, to - from, row->row->draws, err);
    }
    return s;
}

static void put_kind(flaw_buffer *out, const kind_figures *f, int i)
{
    if (!isfinite(f->auroc[i])) {
        flaw_buffer_text(out, "<td>–</td>");
        return;
    }
    flaw_buffer_printf(out, "<td><data value=\"%.9g\">%.1f</data><small>AP %.1f, F1 %.1f</small></td>", f->auroc[i],
                       100 * f->auroc[i], 100 * f->ap[i], 100 * f->f1[i]);
}

static flaw_status put_kinds(flaw_report *r, const flaw_report_row *rows, size_t set, flaw_error *err)
{
    flaw_buffer *out = &r->page;
    kinds k;
    find_kinds(&k, &r->plan->set[set].set);
    if (k.count < 2) return FLAW_OK;
    kind_figures *f = calloc(r->row_set + 1, sizeof *f);
    if (!f) return flaw_fail(err, FLAW_NO_MEMORY, "kinds of %zu rows: memory was refused", r->row_set);
    flaw_status s = FLAW_OK;
    for (size_t i = 0; i < r->row_set && !s; i++)
        if (rows[i].whole) s = measure_kinds(&f[i], r, &k, &rows[i], err);
    flaw_buffer_text(out, "<h3>Image AUROC of each kind of defect against all good pictures</h3>\n<div class=\"wide\">"
                          "<table class=\"kinds\"><thead><tr><th>kind</th><th>pictures</th>");
    for (size_t i = 0; i < r->row_set; i++) {
        flaw_buffer_text(out, "<th>");
        flaw_report_name(out, rows[i].row);
        flaw_buffer_text(out, "</th>");
    }
    flaw_buffer_text(out, "</tr></thead><tbody>\n");
    for (int i = 0; i < k.count && !s; i++) {
        flaw_buffer_text(out, "<tr><th scope=\"row\">");
        flaw_page_text(out, k.name[i]);
        flaw_buffer_printf(out, "</th><td>%d</td>", k.pictures[i]);
        for (size_t c = 0; c < r->row_set; c++) {
            if (rows[c].whole) put_kind(out, &f[c], i);
            else flaw_buffer_text(out, "<td>–</td>");
        }
        flaw_buffer_text(out, "</tr>\n");
    }
    flaw_buffer_text(out, "</tbody></table></div>\n");
    if (k.count == MOST_KINDS) flaw_buffer_printf(out, "<p class=\"soft\">At most %d kinds are shown.</p>\n", MOST_KINDS);
    free(f);
    return s;
}

/* --- paired tests --- */

/* Second less first; the interval turns with the sign. */
static void put_difference(flaw_buffer *out, const flaw_difference *d)
{
    double value = d->second - d->first;
    if (!isfinite(value)) {
        flaw_buffer_text(out, "<td>–</td>");
        return;
    }
    /* + 0.0: no minus before a difference of nothing */
    flaw_buffer_printf(out, "<td><data value=\"%.9g\">%+.1f</data>", value, 100 * value + 0.0);
    if (isfinite(d->low) && isfinite(d->high))
        flaw_buffer_printf(out, "<small>[%+.1f, %+.1f]</small>", 0.0 - 100 * d->high, 0.0 - 100 * d->low);
    if (isfinite(d->p)) flaw_buffer_printf(out, "<small>p %.2g</small>", d->p);
    flaw_buffer_text(out, "</td>");
}

static void put_comparisons(flaw_report *r, size_t set)
{
    static const flaw_figure order[] = {FLAW_AUROC, FLAW_AP, FLAW_F1_MAX, FLAW_AUPRO};
    flaw_buffer *out = &r->page;
    bool any = false;
    for (size_t i = 0; i < flaw_eval_comparisons(r->eval); i++) {
        const flaw_eval_comparison *c = flaw_eval_comparison_at(r->eval, i);
        if (c->second / r->row_set != set) continue;
        if (!any)
            flaw_buffer_text(out, "<h3>Differences on the same pictures, with paired tests</h3>\n<div class=\"wide\"><table "
                                  "class=\"paired\"><thead><tr><th>second less first</th><th>image AUROC</th><th>image AP</th>"
                                  "<th>image F1-max</th><th>pixel AUROC</th><th>pixel AP</th><th>pixel F1-max</th>"
                                  "<th>pixel PRO</th></tr></thead><tbody>\n");
        any = true;
        flaw_buffer_text(out, "<tr><th scope=\"row\">");
        flaw_report_name(out, r->row[c->second].row);
        flaw_buffer_text(out, " less ");
        flaw_report_name(out, r->row[c->first].row);
        flaw_buffer_text(out, "</th>");
        for (int f = 0; f < 3; f++) put_difference(out, &c->image[order[f]]);
        for (int f = 0; f < 4; f++) put_difference(out, &c->pixel[order[f]]);
        flaw_buffer_text(out, "</tr>\n");
    }
    if (any)
        flaw_buffer_text(out, "</tbody></table></div>\n<p class=\"soft\">First draw of each; points of percent, [ ] 95 % "
                              "intervals, p two-sided, not corrected for the number of tests.</p>\n");
}

flaw_status flaw_report_tables(flaw_report *r, size_t set, flaw_error *err)
{
    const flaw_report_row *rows = &r->row[set * r->row_set];
    put_figures(r, rows, set);
    put_comparisons(r, set);
    return put_kinds(r, rows, set, err);
}
