/* Names of the figures, and an evaluation as CSV. */
#include <math.h>
#include <string.h>

#include "base/buffer.h"
#include "base/file.h"
#include "flaw/eval.h"

static const struct {
    const char *key, *title;
    size_t offset;
} table[FLAW_EVAL_FIGURES] = {
    {"image_auroc", "image AUROC", offsetof(flaw_eval_figures, image_auroc)},
    {"image_ap", "image AP", offsetof(flaw_eval_figures, image_ap)},
    {"image_f1", "image F1-max", offsetof(flaw_eval_figures, image_f1)},
    {"pixel_auroc", "pixel AUROC", offsetof(flaw_eval_figures, pixel_auroc)},
    {"pixel_ap", "pixel AP", offsetof(flaw_eval_figures, pixel_ap)},
    {"pixel_pro", "pixel PRO", offsetof(flaw_eval_figures, pixel_pro)},
    {"pixel_f1", "pixel F1-max", offsetof(flaw_eval_figures, pixel_f1)},
    {"false_alarms", "false alarms", offsetof(flaw_eval_figures, false_alarms)},
    {"misses", "misses", offsetof(flaw_eval_figures, misses)},
    {"image_aupr_trapezoid", "image AUPR, trapezoid", offsetof(flaw_eval_figures, image_aupr_trapezoid)},
    {"pixel_aupr_trapezoid", "pixel AUPR, trapezoid", offsetof(flaw_eval_figures, pixel_aupr_trapezoid)},
    {"pixel_pro_cflow200", "pixel PRO, cflow-200", offsetof(flaw_eval_figures, pixel_pro_cflow200)},
    {"ms", "ms a picture", offsetof(flaw_eval_figures, ms)},
};

const char *flaw_eval_figure_key(int figure)
{
    return figure >= 0 && figure < FLAW_EVAL_FIGURES ? table[figure].key : NULL;
}

const char *flaw_eval_figure_title(int figure)
{
    return figure >= 0 && figure < FLAW_EVAL_FIGURES ? table[figure].title : NULL;
}

double flaw_eval_figure(const flaw_eval_figures *figures, int figure)
{
    return *(const double *)((const char *)figures + table[figure].offset);
}

/* Quoted where it must be (RFC 4180). */
static void put_text(flaw_buffer *b, const char *text)
{
    bool quoted = strpbrk(text, ",\"\r\n") != NULL;
    if (!quoted) {
        flaw_buffer_text(b, text);
        return;
    }
    flaw_buffer_text(b, "\"");
    for (const char *c = text; *c; c++) {
        if (*c == '"') flaw_buffer_text(b, "\"");
        flaw_buffer_append(b, c, 1);
    }
    flaw_buffer_text(b, "\"");
}

/* Nothing between the commas where there is no number. */
static void put_number(flaw_buffer *b, double value)
{
    flaw_buffer_text(b, ",");
    if (isfinite(value)) flaw_buffer_printf(b, "%.17g", value);
}

static void put_row(flaw_buffer *b, const flaw_eval *eval, const flaw_eval_row *row)
{
    const char *const texts[] = {row->dataset, row->category,         row->object,
                                 row->layout,  flaw_eval_model(eval), row->method};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        put_text(b, texts[i]);
        flaw_buffer_text(b, ",");
    }
    if (row->shots < 0) flaw_buffer_text(b, "all");
    else flaw_buffer_printf(b, "%d", row->shots);
    flaw_buffer_printf(b, ",%d,%d,%d,%d,%zu,%zu,%zu", row->draws, row->good, row->bad, row->masks, row->judged,
                       row->expected, row->failed);
    for (int f = 0; f < FLAW_EVAL_FIGURES; f++) {
        put_number(b, flaw_eval_figure(&row->mean, f));
        put_number(b, flaw_eval_figure(&row->sd, f));
        put_number(b, flaw_eval_figure(&row->low, f));
        put_number(b, flaw_eval_figure(&row->high, f));
    }
    flaw_buffer_text(b, "\n");
}

flaw_status flaw_eval_write_csv(const flaw_eval *eval, const char *path, flaw_error *err)
{
    flaw_buffer b;
    flaw_buffer_init(&b, (size_t)1 << 30);
    flaw_buffer_text(&b,
                     "dataset,category,object,layout,model,method,shots,draws,good,bad,masks,judged,expected,failed");
    for (int f = 0; f < FLAW_EVAL_FIGURES; f++)
        flaw_buffer_printf(&b, ",%s,%s_sd,%s_low,%s_high", table[f].key, table[f].key, table[f].key, table[f].key);
    flaw_buffer_text(&b, "\n");
    for (size_t i = 0; i < flaw_eval_count(eval); i++) put_row(&b, eval, flaw_eval_at(eval, i));
    flaw_status s = b.failed ? flaw_fail(err, FLAW_NO_MEMORY, "'%s': memory was refused", path)
                             : flaw_file_write(path, b.data, b.size, err);
    flaw_buffer_release(&b);
    return s;
}
