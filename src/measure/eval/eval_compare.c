/* Rows of a data set against its first method's. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "measure/eval/eval_inside.h"

enum { REPLICATES = 1000 };

static bool same_dataset(const flaw_eval_row *a, const flaw_eval_row *b)
{
    return !strcmp(a->dataset, b->dataset) && !strcmp(a->category, b->category);
}

/* What row r is compared with: the row of the first method with as many good parts, else the data set's first row. */
static size_t base_of(const flaw_eval *e, size_t r)
{
    size_t first = r, base;
    while (first > 0 && same_dataset(&e->row[first - 1], &e->row[r])) first--;
    base = first;
    for (size_t i = first; i < r && !strcmp(e->row[i].method, e->row[first].method); i++)
        if (e->row[i].shots == e->row[r].shots) base = i;
    return base;
}

static bool same_pictures(const flaw_tally *a, const flaw_tally *b)
{
    return a->count == b->count && !memcmp(a->item, b->item, a->count * sizeof *a->item);
}

/* Scores of the pictures that both have (parts that one has learned from it does not judge). */
typedef struct pairs {
    float *first, *second; /* [count], as the next one */
    uint8_t *bad;
    size_t count;
} pairs;

static flaw_status pair_up(pairs *p, const flaw_tally *a, const flaw_tally *b, flaw_error *err)
{
    size_t most = (a->count < b->count ? a->count : b->count) + 1;
    *p = (pairs){malloc(most * sizeof(float)), malloc(most * sizeof(float)), malloc(most), 0};
    if (!p->first || !p->second || !p->bad) return flaw_fail(err, FLAW_NO_MEMORY, "comparing %zu pictures", most);
    for (size_t i = 0, j = 0; i < a->count && j < b->count;) {
        if (a->item[i] == b->item[j]) {
            p->first[p->count] = a->score[i];
            p->second[p->count] = b->score[j];
            p->bad[p->count++] = a->bad[i];
        }
        bool next = a->item[i] <= b->item[j];
        j += b->item[j] <= a->item[i];
        i += next;
    }
    return FLAW_OK;
}

static flaw_status compare(flaw_eval_comparison *out, const flaw_tally *a, const flaw_tally *b, flaw_error *err)
{
    const flaw_resample resample = {.replicates = REPLICATES};
    pairs p;
    flaw_status s = pair_up(&p, a, b, err);
    if (!s) s = flaw_image_compare(out->image, p.first, p.second, p.bad, p.count, &resample, err);
    free(p.first);
    free(p.second);
    free(p.bad);
    if (s) return s;
    if (same_pictures(a, b))
        return flaw_pixels_compare(out->pixel, a->pixels, b->pixels, a->limit, &resample, err);
    for (int f = 0; f < FLAW_FIGURES; f++) out->pixel[f] = (flaw_difference){NAN, NAN, NAN, NAN, NAN};
    return FLAW_OK;
}

flaw_status flaw_eval_compare(flaw_eval *e, const flaw_tally *tally, flaw_error *err)
{
    flaw_status s = FLAW_OK;
    e->comparison = calloc(e->count + 1, sizeof *e->comparison);
    if (!e->comparison) return flaw_fail(err, FLAW_NO_MEMORY, "comparisons of %zu rows", e->count);
    for (size_t r = 0; r < e->count && !s; r++) {
        flaw_eval_comparison *c = &e->comparison[e->comparisons];
        *c = (flaw_eval_comparison){.first = base_of(e, r), .second = r};
        if (c->first == r || !tally[c->first].count || !tally[r].count) continue;
        s = compare(c, &tally[c->first], &tally[r], err);
        e->comparisons++;
    }
    return s;
}
