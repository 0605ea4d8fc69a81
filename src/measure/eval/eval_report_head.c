/* The beginning of a report: what was measured, how to do it again, and all data sets at a glance. */
#include <math.h>
#include <string.h>

#include "measure/eval/eval_report.h"
#include "measure/eval/page.h"

static void put_term(flaw_buffer *out, const char *name)
{
    flaw_buffer_text(out, "<dt>");
    flaw_buffer_text(out, name);
    flaw_buffer_text(out, "</dt><dd>");
}

static void put_shots(flaw_buffer *out, const flaw_plan *plan)
{
    for (size_t i = 0; i < plan->shot_counts; i++) {
        if (i) flaw_buffer_text(out, ",");
        if (plan->shots[i] < 0) flaw_buffer_text(out, "all");
        else flaw_buffer_printf(out, "%d", plan->shots[i]);
    }
}

/* A word of a command line, as sh reads it back. */
static void put_word(flaw_buffer *out, const char *word)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./,+-";
    if (*word && strspn(word, plain) == strlen(word)) {
        flaw_buffer_text(out, word);
        return;
    }
    flaw_buffer_text(out, "&#39;");
    for (const char *rest = word; *rest;) {
        char part[256];
        size_t n = strcspn(rest, "'");
        bool quote = n == 0;
        if (quote) {
            flaw_buffer_text(out, "&#39;\\&#39;&#39;");
            rest++;
            continue;
        }
        if (n >= sizeof part) n = sizeof part - 1;
        while (n > 1 && n == sizeof part - 1 && ((unsigned char)rest[n] & 0xc0) == 0x80) n--; /* no character is cut */
        memcpy(part, rest, n);
        part[n] = 0;
        flaw_page_text(out, part);
        rest += n;
    }
    flaw_buffer_text(out, "&#39;");
}

static void put_command(flaw_buffer *out, const flaw_plan *plan)
{
    flaw_buffer_text(out, "<pre>flaw eval");
    for (size_t i = 0; i < plan->sets; i++) {
        if (i && !strcmp(plan->set[i].root, plan->set[i - 1].root)) continue; /* categories of one table */
        flaw_buffer_text(out, " ");
        put_word(out, plan->set[i].root);
    }
    flaw_buffer_text(out, " --method ");
    for (size_t i = 0; i < plan->methods; i++) {
        if (i) flaw_buffer_text(out, ",");
        put_word(out, plan->method[i]);
    }
    flaw_buffer_text(out, " --shots ");
    put_shots(out, plan);
    flaw_buffer_printf(out, " --seeds %d --seed %llu --map-side %d", plan->seeds, (unsigned long long)plan->seed, plan->map_side);
    if (plan->model) {
        flaw_buffer_text(out, " --model ");
        put_word(out, plan->model);
    }
    flaw_buffer_text(out, " --out DIR</pre>\n");
}

/* Figures of a picture and of a pixel as they are meant here. */
static void put_conventions(flaw_buffer *out, const flaw_plan *plan)
{
    bool loco = false, others = false;
    for (size_t i = 0; i < plan->sets; i++) {
        bool is = !strcmp(plan->set[i].layout, "loco");
        loco |= is;
        others |= !is;
    }
    put_term(out, "metrics");
    flaw_buffer_printf(out, "percent; pixel figures at %d × %d, maps bilinear, masks nearest", plan->map_side, plan->map_side);
    if (others) flaw_buffer_text(out, "; PRO over pixel false-positive rates up to 30 %, regions 8-connected");
    if (loco) flaw_buffer_text(out, "; MVTec LOCO: saturated PRO up to 5 %");
    flaw_buffer_text(out, "; AP is the step sum (no interpolation); equal scores are one step. False alarms: good pictures judged "
                          "anomalous or unknown; misses: bad pictures judged normal. ± is the sample deviation over the "
                          "draws of good parts, [ ] the 95 % bootstrap interval over pictures</dd>\n");
}

void flaw_report_head(flaw_report *r)
{
    flaw_buffer *out = &r->page;
    const flaw_plan *plan = r->plan;
    flaw_buffer_text(out, "<h1>flaw eval: report</h1>\n<dl>\n");
    put_term(out, "model");
    flaw_page_text(out, plan->model ? plan->model : "not known");
    if (plan->model_hash) {
        flaw_buffer_text(out, " <code>");
        flaw_page_text(out, plan->model_hash);
        flaw_buffer_text(out, "</code>");
    }
    flaw_buffer_text(out, "</dd>\n");
    put_term(out, "data sets");
    for (size_t i = 0; i < plan->sets; i++) {
        flaw_buffer_printf(out, "%s<a href=\"#set%zu\">", i ? " · " : "", i + 1);
        flaw_page_text(out, flaw_report_set_name(r, i));
        flaw_buffer_text(out, "</a>");
    }
    flaw_buffer_text(out, "</dd>\n");
    put_term(out, "methods");
    for (size_t i = 0; i < plan->methods; i++) {
        if (i) flaw_buffer_text(out, ", ");
        flaw_page_text(out, plan->method[i]);
    }
    flaw_buffer_text(out, "</dd>\n");
    put_term(out, "good parts (k)");
    put_shots(out, plan);
    flaw_buffer_printf(out, "; up to %d draws of them, seed %llu</dd>\n", plan->seeds, (unsigned long long)plan->seed);
    put_conventions(out, plan);
    put_term(out, "settings");
    flaw_buffer_text(out, "<code>");
    flaw_page_text(out, plan->settings ? plan->settings : "");
    flaw_buffer_text(out, "</code></dd>\n</dl>\n<p>Done again with flaw " FLAW_VERSION ", and the settings above where they "
                          "are not the usual ones:</p>\n");
    put_command(out, plan);
}

/* --- all data sets --- */

/* The row of a data set with the method and shots of column c. */
static const flaw_report_row *row_of(const flaw_report *r, size_t set, size_t c)
{
    return &r->row[set * r->row_set + c];
}

/* NaN unless every data set has figures. */
static double mean_of(const flaw_report *r, size_t c, int figure)
{
    double sum = 0;
    for (size_t i = 0; i < r->plan->sets; i++)
        sum += row_of(r, i, c)->whole ? flaw_eval_figure(&row_of(r, i, c)->row->mean, figure) : NAN;
    return sum / (double)r->plan->sets;
}

static void put_share(flaw_buffer *out, double value)
{
    flaw_buffer_text(out, "<td>");
    if (isfinite(value)) flaw_buffer_printf(out, "<data value=\"%.9g\">%.1f</data>", value, 100 * value);
    else flaw_buffer_text(out, "–");
    flaw_buffer_text(out, "</td>");
}

static const flaw_benchmark_class *class_of(const flaw_report *r, size_t set)
{
    const flaw_benchmark_class *other;
    return flaw_benchmark_class_of(&other, &r->plan->set[set].set);
}

/* A published figure in percent of a class; NaN where there is none. */
static double published(const flaw_benchmark_class *of, int source, int figure)
{
    for (int i = 0; of && i < flaw_published_count(); i++) {
        const flaw_published_row *p = flaw_published_at(i);
        if (p->benchmark == of->benchmark && !strcmp(p->category, of->category) && p->source == source) return p->percent[figure];
    }
    return NAN;
}

/* Whether any class of the run has that figure from that source. */
static bool is_published(const flaw_report *r, int source, int figure)
{
    for (size_t i = 0; i < r->plan->sets; i++)
        if (isfinite(published(class_of(r, i), source, figure))) return true;
    return false;
}

static void put_matrix_head(flaw_report *r, int figure)
{
    flaw_buffer *out = &r->page;
    flaw_buffer_printf(out, "<h3>%s of each data set</h3>\n<div class=\"wide\"><table><thead><tr><th>data set</th>",
                       flaw_eval_figure_title(figure));
    for (size_t c = 0; c < r->row_set; c++) {
        flaw_buffer_text(out, "<th>");
        flaw_report_name(out, row_of(r, 0, c)->row);
        flaw_buffer_text(out, "</th>");
    }
    for (int s = 0; s < flaw_published_sources(); s++)
        if (is_published(r, s, figure))
            flaw_buffer_printf(out, "<th class=\"soft\"><i>WinCLIP, k 0<br/>%s,<br/>as published</i></th>",
                               flaw_published_source_at(s)->name);
    flaw_buffer_text(out, "</tr></thead><tbody>\n");
}

/* A data set a line, a method a column, what papers say beside. */
static void put_matrix(flaw_report *r, int figure)
{
    flaw_buffer *out = &r->page;
    put_matrix_head(r, figure);
    for (size_t i = 0; i < r->plan->sets; i++) {
        flaw_buffer_printf(out, "<tr><th scope=\"row\"><a href=\"#set%zu\">", i + 1);
        flaw_page_text(out, flaw_report_set_name(r, i));
        flaw_buffer_text(out, "</a></th>");
        for (size_t c = 0; c < r->row_set; c++)
            put_share(out, row_of(r, i, c)->whole ? flaw_eval_figure(&row_of(r, i, c)->row->mean, figure) : NAN);
        for (int s = 0; s < flaw_published_sources(); s++) {
            if (!is_published(r, s, figure)) continue;
            double percent = published(class_of(r, i), s, figure);
            if (isfinite(percent)) flaw_buffer_printf(out, "<td class=\"soft\"><i>%.1f</i></td>", percent);
            else flaw_buffer_text(out, "<td class=\"soft\">–</td>");
        }
        flaw_buffer_text(out, "</tr>\n");
    }
    flaw_buffer_text(out, "</tbody></table></div>\n");
}

/* Whether all classes of a benchmark are in the run: its published means say something then. */
static bool has_all(const flaw_report *r, flaw_benchmark benchmark)
{
    int found = 0;
    for (size_t i = 0; i < r->plan->sets; i++) {
        const flaw_benchmark_class *c = class_of(r, i);
        found += c && c->benchmark == benchmark;
    }
    return found == flaw_benchmark_classes(benchmark) && (size_t)found == r->plan->sets;
}

static void put_published_means(flaw_report *r, flaw_benchmark benchmark)
{
    flaw_buffer *out = &r->page;
    for (int i = 0; i < flaw_published_count(); i++) {
        const flaw_published_row *p = flaw_published_at(i);
        if (p->benchmark != benchmark || *p->category) continue;
        flaw_buffer_printf(out, "<tr class=\"published\"><th scope=\"row\">%s, k %d (%s), as published, another backbone</th>",
                           p->method, p->shots, flaw_published_source_at(p->source)->name);
        for (int f = 0; f < FLAW_PUBLISHED_FIGURES; f++) {
            if (isfinite(p->percent[f])) flaw_buffer_printf(out, "<td>%.1f</td>", p->percent[f]);
            else flaw_buffer_text(out, "<td>–</td>");
        }
        for (int f = FLAW_PUBLISHED_FIGURES; f < FLAW_EVAL_FIGURES - 1; f++) flaw_buffer_text(out, "<td>–</td>");
        flaw_buffer_text(out, "</tr>\n");
    }
}

void flaw_report_overview(flaw_report *r)
{
    static const int shown[] = {0, 3, 5}; /* image AUROC, pixel AUROC, PRO */
    flaw_buffer *out = &r->page;
    if (r->plan->sets < 2) return;
    flaw_buffer_printf(out, "<section id=\"all\">\n<h2>Mean over %zu data sets</h2>\n<div class=\"wide\"><table><thead><tr>"
                            "<th>method</th>", r->plan->sets);
    for (int f = 0; f < FLAW_EVAL_FIGURES - 1; f++) flaw_buffer_printf(out, "<th>%s</th>", flaw_eval_figure_title(f));
    flaw_buffer_text(out, "</tr></thead><tbody>\n");
    for (size_t c = 0; c < r->row_set; c++) {
        flaw_buffer_text(out, "<tr><th scope=\"row\">");
        flaw_report_name(out, row_of(r, 0, c)->row);
        flaw_buffer_text(out, "</th>");
        for (int f = 0; f < FLAW_EVAL_FIGURES - 1; f++) put_share(out, mean_of(r, c, f));
        flaw_buffer_text(out, "</tr>\n");
    }
    for (int b = 0; b < FLAW_BENCHMARKS; b++)
        if (has_all(r, (flaw_benchmark)b)) put_published_means(r, (flaw_benchmark)b);
    flaw_buffer_text(out, "</tbody></table></div>\n");
    for (size_t i = 0; i < sizeof shown / sizeof *shown; i++) put_matrix(r, shown[i]);
    flaw_buffer_text(out, "</section>\n");
}

void flaw_report_sources(flaw_report *r)
{
    flaw_buffer *out = &r->page;
    bool any = false;
    for (size_t i = 0; i < r->plan->sets; i++) any |= class_of(r, i) != NULL;
    if (!any) return;
    flaw_buffer_text(out, "<section id=\"sources\">\n<h2>Figures as published</h2>\n<p>Rows in italics are quoted: other "
                          "backbones, other builds, in part other dialects of the metrics. They were not measured here. Of "
                          "ALFA (Zhu et al. 2024) only its abstract&#39;s claims are confirmed, PRO 12.1 % (MVTec AD) and 8.9 % "
                          "(VisA) over earlier methods without training; no figure of a class.</p>\n<dl>\n");
    for (int i = 0; i < flaw_published_sources(); i++) {
        const flaw_published_source *s = flaw_published_source_at(i);
        flaw_buffer_text(out, "<dt>");
        flaw_page_text(out, s->name);
        flaw_buffer_text(out, "</dt><dd>");
        flaw_page_text(out, s->about);
        flaw_buffer_text(out, "</dd>\n");
    }
    flaw_buffer_text(out, "</dl>\n</section>\n");
}
