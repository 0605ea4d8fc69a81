#include "measure/eval/eval_report.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "measure/eval/page.h"

/* Pictures are what makes a page large: so many in all, and of each row at most eight false alarms and eight misses. */
enum { MOST_PICTURES = 240, MOST_OF_A_ROW = 8, PICTURE_BYTES = 40 << 20, PAGE_BYTES = 1 << 28 };

void flaw_report_name(flaw_buffer *out, const flaw_eval_row *row)
{
    flaw_page_text(out, row->method);
    if (row->shots < 0) flaw_buffer_text(out, ", k all");
    else flaw_buffer_printf(out, ", k %d", row->shots);
}

const char *flaw_report_set_name(const flaw_report *r, size_t set)
{
    const flaw_plan_set *s = &r->plan->set[set];
    return *s->category ? s->category : s->root;
}

static flaw_status changed(const char *folder, flaw_error *err)
{
    return flaw_fail(err, FLAW_BAD_DATA, "the run in '%s' is not the evaluation that is reported: it has changed since", folder);
}

/* Rows are the cells of the plan, draws put together; judgements are sorted alike. */
static flaw_status find_rows(flaw_report *r, const flaw_judgement *const *sorted, size_t count, const char *folder,
                             flaw_error *err)
{
    flaw_cell cell;
    size_t at = 0;
    r->row = calloc(flaw_eval_count(r->eval) + 1, sizeof *r->row);
    if (!r->row) return flaw_fail(err, FLAW_NO_MEMORY, "a report of %zu rows: memory was refused", flaw_eval_count(r->eval));
    for (bool more = flaw_plan_first(r->plan, &cell); more; more = flaw_plan_next(r->plan, &cell)) {
        if (cell.draw == 0) {
            if (r->rows == flaw_eval_count(r->eval)) return changed(folder, err);
            r->row[r->rows] = (flaw_report_row){
                .row = flaw_eval_at(r->eval, r->rows), .cell = cell, .judgement = sorted + at};
            r->rows++;
        }
        flaw_report_row *row = &r->row[r->rows - 1];
        for (; at < count; at++, row->count++) {
            const flaw_cell *c = &sorted[at]->cell;
            if (c->dataset != cell.dataset || c->method != cell.method || c->shots != cell.shots || c->draw != cell.draw) break;
            row->first += cell.draw == 0;
        }
    }
    for (size_t i = 0; i < r->rows; i++) {
        const flaw_report_row *row = &r->row[i];
        if (strcmp(row->row->method, r->plan->method[row->cell.method]) != 0 || row->count != row->row->judged)
            return changed(folder, err);
        r->row[i].whole = row->row->judged == row->row->expected && !row->row->failed;
    }
    if (at != count || r->rows != flaw_eval_count(r->eval) || r->rows % r->plan->sets) return changed(folder, err);
    r->row_set = r->rows / r->plan->sets;
    return FLAW_OK;
}

static flaw_status write_set(flaw_report *r, size_t set, flaw_error *err)
{
    char about[400];
    flaw_buffer_printf(&r->page, "<section id=\"set%zu\">\n<h2>", set + 1);
    flaw_page_text(&r->page, flaw_report_set_name(r, set));
    flaw_buffer_text(&r->page, "</h2>\n<p class=\"soft\">");
    flaw_dataset_about(about, sizeof about, &r->plan->set[set].set);
    flaw_page_text(&r->page, about);
    flaw_buffer_text(&r->page, "</p>\n");
    flaw_status s = flaw_report_tables(r, set, err);
    if (!s) s = flaw_report_charts(r, set, err);
    if (!s) s = flaw_report_pictures(r, set, err);
    flaw_buffer_text(&r->page, "</section>\n");
    return s;
}

static flaw_status write_all(flaw_report *r, flaw_progress progress, void *context, flaw_error *err)
{
    flaw_status s = FLAW_OK;
    size_t share = MOST_PICTURES / 2 / (r->rows ? r->rows : 1);
    r->picture_most = share < 1 ? 1 : share > MOST_OF_A_ROW ? MOST_OF_A_ROW : share;
    r->picture_bytes = PICTURE_BYTES;
    flaw_page_begin(&r->page, "flaw eval: report");
    flaw_report_head(r);
    flaw_report_overview(r);
    for (size_t i = 0; i < r->plan->sets && !s; i++) {
        if (progress && progress(context, i, r->plan->sets, "report"))
            return flaw_fail(err, FLAW_USAGE, "report: cancelled");
        s = write_set(r, i, err);
    }
    flaw_report_sources(r);
    flaw_page_end(&r->page);
    return s;
}

flaw_status flaw_eval_write_report(const flaw_eval *eval, const char *folder, const char *path, flaw_progress progress,
                                   void *context, flaw_error *err)
{
    flaw_plan plan;
    flaw_journal journal;
    const flaw_judgement **sorted = NULL;
    flaw_status s = flaw_journal_read(&journal, &plan, folder, err);
    if (s) return s;
    flaw_report r = {.eval = eval, .plan = &plan};
    flaw_buffer_init(&r.page, PAGE_BYTES);
    s = flaw_journal_sorted(&sorted, &journal, err);
    if (!s) s = find_rows(&r, sorted, journal.count, folder, err);
    if (!s) s = write_all(&r, progress, context, err);
    if (!s && r.page.failed) s = flaw_fail(err, FLAW_NO_MEMORY, "'%s': memory for the report was refused", path);
    if (!s) s = flaw_file_write(path, r.page.data, r.page.size, err);
    flaw_buffer_release(&r.page);
    free(r.row);
    free(sorted);
    flaw_journal_close(&journal, NULL);
    flaw_plan_close(&plan);
    return s;
}
