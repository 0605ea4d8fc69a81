/* The worst false alarms and misses of a data set in a report: photograph and heat map side by side. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "detect/spread.h"
#include "image/colour_map.h"
#include "image/resize.h"
#include "image/write_png.h"
#include "measure/eval/eval_report.h"
#include "measure/eval/page.h"

enum { SIDE = 256, PNG_BYTES = 1 << 20 };

static const flaw_colour MARK = {0, 200, 255, 255};

/* Wrong ones of the first draw, worst first; those without a score are no pictures to look at. */
typedef struct wrong {
    const flaw_judgement **judgement; /* [count] */
    size_t count;
} wrong;

static int highest_first(const void *a, const void *b)
{
    const flaw_judgement *x = *(const flaw_judgement *const *)a, *y = *(const flaw_judgement *const *)b;
    if (x->score != y->score) return x->score > y->score ? -1 : 1;
    return (x->item > y->item) - (x->item < y->item);
}

static int lowest_first(const void *a, const void *b)
{
    const flaw_judgement *x = *(const flaw_judgement *const *)a, *y = *(const flaw_judgement *const *)b;
    if (x->score != y->score) return x->score < y->score ? -1 : 1;
    return (x->item > y->item) - (x->item < y->item);
}

static void find_wrong(wrong *out, const flaw_report *r, const flaw_report_row *row, bool misses)
{
    out->count = 0;
    for (size_t i = 0; i < row->first; i++) {
        const flaw_judgement *j = row->judgement[i];
        bool bad = flaw_plan_item(r->plan, j->cell.dataset, j->item)->label == FLAW_LABEL_BAD;
        bool is_wrong = misses ? bad && j->verdict == FLAW_NORMAL : !bad && j->verdict != FLAW_NORMAL;
        if (is_wrong && j->map) out->judgement[out->count++] = j;
    }
    qsort(out->judgement, out->count, sizeof *out->judgement, misses ? lowest_first : highest_first);
}

/* --- one picture --- */

static flaw_status put_image(flaw_report *r, const flaw_picture *p, const char *what, const char *path, flaw_error *err)
{
    flaw_buffer png;
    flaw_buffer_init(&png, PNG_BYTES);
    flaw_status s = flaw_png_encode(&png, p->rgb, p->width, p->height, 3, path, err);
    char *text = s ? NULL : malloc(flaw_base64_length(png.size) + 1);
    if (!s && !text) s = flaw_fail(err, FLAW_NO_MEMORY, "a picture of the report: memory was refused");
    if (!s) {
        flaw_base64_encode(text, png.data, png.size);
        size_t size = strlen(text);
        r->picture_bytes -= size < r->picture_bytes ? size : r->picture_bytes;
        flaw_buffer_printf(&r->page, "<img width=\"%d\" height=\"%d\" alt=\"%s: ", p->width, p->height, what);
        flaw_page_text(&r->page, path);
        flaw_buffer_text(&r->page, "\" src=\"data:image/png;base64,");
        flaw_buffer_text(&r->page, text);
        flaw_buffer_text(&r->page, "\"/>");
    }
    free(text);
    flaw_buffer_release(&png);
    return s;
}

/* Border of what is marked as defect. */
static flaw_status draw_mask(flaw_picture *p, const flaw_report *r, const flaw_judgement *j, flaw_error *err)
{
    const flaw_dataset_item *item = flaw_plan_item(r->plan, j->cell.dataset, j->item);
    if (item->label != FLAW_LABEL_BAD || !flaw_dataset_has_map(item)) return FLAW_OK;
    int w = p->width, h = p->height;
    uint8_t *mask = malloc((size_t)w * (size_t)h);
    if (!mask) return flaw_fail(err, FLAW_NO_MEMORY, "a mask of %d x %d: memory was refused", w, h);
    flaw_status s = flaw_dataset_mask(mask, &r->plan->set[j->cell.dataset].set, item, w, h, err);
    for (int y = 0; y < h && !s; y++)
        for (int x = 0; x < w; x++) {
            const uint8_t *at = mask + (size_t)y * (size_t)w + x;
            bool inside = *at && x > 0 && y > 0 && x + 1 < w && y + 1 < h && at[-1] && at[1] && at[-w] && at[w];
            if (*at && !inside) flaw_draw_pixel(p, x, y, MARK, 1);
        }
    free(mask);
    return s;
}

/* The map over the photograph, on the absolute scale: as flaw inspect draws it. */
static flaw_status draw_heat(flaw_picture *p, const flaw_judgement *j, flaw_error *err)
{
    float *whole = NULL, *map = malloc((size_t)p->width * (size_t)p->height * sizeof *map);
    flaw_status s = map ? flaw_map_spread(&whole, j->width, j->height, &j->seen, j->map, j->grid, (float)j->map_low, err)
                        : flaw_fail(err, FLAW_NO_MEMORY, "a map of %d x %d: memory was refused", p->width, p->height);
    if (!s) flaw_map_upsample(map, p->width, p->height, whole, j->width, j->height);
    for (int y = 0; y < p->height && !s; y++)
        for (int x = 0; x < p->width; x++) {
            float v = flaw_heat_value(map[(size_t)y * (size_t)p->width + (size_t)x], (float)j->map_low, (float)j->map_threshold);
            if (!(v < FLAW_HEAT_CLEAR)) flaw_draw_pixel(p, x, y, flaw_heat_colour(v), 1);
        }
    free(whole);
    free(map);
    return s;
}

static flaw_status shrink(flaw_picture *out, const char *path, flaw_error *err)
{
    flaw_picture whole = {0};
    flaw_status s = flaw_picture_read(&whole, path, err);
    if (s) return s;
    double longest = whole.width > whole.height ? whole.width : whole.height, scale = longest > SIDE ? SIDE / longest : 1;
    int width = (int)lround(whole.width * scale), height = (int)lround(whole.height * scale);
    s = flaw_picture_resize(out, &whole, width > 1 ? width : 1, height > 1 ? height : 1, FLAW_FILTER_BICUBIC, err);
    flaw_picture_release(&whole);
    return s;
}

/* Photograph, then heat and mask on it. A map whose scale was not kept stays without heat. */
static flaw_status put_pair(flaw_report *r, const flaw_judgement *j, flaw_error *err)
{
    flaw_picture p = {0};
    flaw_status s = shrink(&p, j->image, err);
    if (!s) s = put_image(r, &p, "photograph", j->image, err);
    if (!s && isfinite(j->map_threshold)) s = draw_heat(&p, j, err);
    if (!s) s = draw_mask(&p, r, j, err);
    if (!s) s = put_image(r, &p, "heat map", j->image, err);
    flaw_picture_release(&p);
    return s;
}

/* A picture that is not there any more, or damaged, says so in its place. */
static flaw_status put_figure(flaw_report *r, const flaw_judgement *j, flaw_error *err)
{
    flaw_buffer *out = &r->page;
    flaw_error why;
    flaw_buffer_text(out, "<figure><div>");
    flaw_status s = put_pair(r, j, &why);
    flaw_buffer_text(out, "</div><figcaption>");
    flaw_page_text(out, j->image);
    flaw_buffer_printf(out, " (%s)<br/>score %.4g, limit %.4g, ", flaw_verdict_name(j->verdict), j->score, j->threshold);
    flaw_page_text(out, flaw_plan_item(r->plan, j->cell.dataset, j->item)->kind);
    if (s) {
        flaw_buffer_text(out, "<br/>not shown: ");
        flaw_page_text(out, why.text);
    }
    flaw_buffer_text(out, "</figcaption></figure>\n");
    if (s != FLAW_NO_MEMORY && s != FLAW_INTERNAL) return FLAW_OK;
    if (err) *err = why;
    return s;
}

/* --- all of a row --- */

static flaw_status put_wrong(flaw_report *r, const flaw_report_row *row, bool misses, wrong *list, flaw_error *err)
{
    flaw_buffer *out = &r->page;
    const char *what = misses ? "misses" : "false alarms";
    size_t shown = 0;
    flaw_status s = FLAW_OK;
    find_wrong(list, r, row, misses);
    if (!list->count) {
        flaw_buffer_text(out, "<p>");
        flaw_report_name(out, row->row);
        flaw_buffer_printf(out, ": no %s.</p>\n", what);
        return FLAW_OK;
    }
    flaw_buffer_text(out, "<h4>");
    flaw_report_name(out, row->row);
    size_t most = list->count < r->picture_most ? list->count : r->picture_most;
    flaw_buffer_printf(out, ": %s, the worst %zu of %zu</h4>\n<div class=\"pictures\">\n", what, most, list->count);
    for (; shown < most && !s && r->picture_bytes && !out->failed; shown++) s = put_figure(r, list->judgement[shown], err);
    flaw_buffer_text(out, "</div>\n");
    if (!s && shown < most) flaw_buffer_text(out, "<p class=\"soft\">No more pictures: the report would be too large.</p>\n");
    return s;
}

flaw_status flaw_report_pictures(flaw_report *r, size_t set, flaw_error *err)
{
    const flaw_report_row *rows = &r->row[set * r->row_set];
    size_t most = 0;
    for (size_t i = 0; i < r->row_set; i++) most = rows[i].first > most ? rows[i].first : most;
    wrong list = {malloc((most + 1) * sizeof *list.judgement), 0};
    if (!list.judgement) return flaw_fail(err, FLAW_NO_MEMORY, "pictures of a report: memory was refused");
    flaw_status s = FLAW_OK;
    if (most)
        flaw_buffer_text(&r->page, "<h3>Worst false alarms and misses</h3>\n<p class=\"soft\">First draw of each; photograph, "
                                   "then heat on it: clear below the limit of places, yellow at it, red far above. The line in "
                                   "light blue is the marked defect.</p>\n");
    for (size_t i = 0; i < r->row_set && !s; i++) {
        if (!rows[i].first) continue;
        s = put_wrong(r, &rows[i], false, &list, err);
        if (!s) s = put_wrong(r, &rows[i], true, &list, err);
    }
    free(list.judgement);
    return s;
}
