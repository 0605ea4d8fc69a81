/* The same figures exactly, from all scores sorted. The payload of a score is the number of its share: 0 for background,
 * 1 for a marked pixel without one, then one for each size of region. */
#include <stdlib.h>

#include "base/checked.h"
#include "measure/pixels_count.h"
#include "measure/ranking.h"

typedef struct sorting {
    flaw_ranking ranking;
    uint64_t *share; /* [shares] owned; share[0] = share[1] = 0 */
    size_t shares, room;
    flaw_totals totals;
    flaw_counting work;
} sorting;

static flaw_status share_number(uint32_t *out, sorting *s, uint64_t share, flaw_error *err)
{
    if (s->shares == s->room) {
        const size_t room = s->room ? 2 * s->room : 256;
        uint64_t *grown = room < UINT32_MAX ? realloc(s->share, room * sizeof *grown) : NULL;
        if (!grown) return flaw_fail(err, FLAW_NO_MEMORY, "pixel figures: no memory for %zu regions", room);
        s->share = grown;
        s->room = room;
    }
    s->share[s->shares] = share;
    *out = (uint32_t)s->shares++;
    return FLAW_OK;
}

static bool add_share(void *context, uint32_t pixel, uint64_t share)
{
    ((uint64_t *)context)[pixel] += share;
    return true;
}

static flaw_status add_regions(sorting *s, const flaw_pixels_picture *picture, flaw_error *err)
{
    const size_t n = (size_t)picture->width * (size_t)picture->height;
    uint64_t *of_pixel = calloc(n, sizeof *of_pixel), regions = 0;
    if (!of_pixel) return flaw_fail(err, FLAW_NO_MEMORY, "pixel figures: no memory for %zu pixels", n);
    flaw_status status = flaw_regions_share(&regions, &s->work, picture, add_share, of_pixel, err);
    uint32_t number = 1;
    uint64_t last = 0;
    for (size_t i = 0; i < n && status == FLAW_OK; i++) {
        const bool marked = s->work.any[i] != 0;
        if (marked && of_pixel[i] && of_pixel[i] != last) {
            status = share_number(&number, s, of_pixel[i], err);
            last = of_pixel[i];
        }
        flaw_ranking_add(&s->ranking, picture->map[i], !marked ? 0 : of_pixel[i] ? number : 1);
        s->totals.marked += marked;
        s->totals.background += !marked;
    }
    s->totals.regions += regions;
    free(of_pixel);
    return status;
}

static flaw_status add_components(sorting *s, const flaw_pixels_picture *picture, flaw_error *err)
{
    const size_t n = (size_t)picture->width * (size_t)picture->height;
    flaw_runs *runs = &s->work.runs;
    runs->count = runs->regions = 0;
    flaw_status status =
        picture->mask ? flaw_runs_find(runs, picture->mask, picture->width, picture->height, err) : FLAW_OK;
    uint32_t first = (uint32_t)s->shares, number;
    for (uint32_t r = 0; r < runs->regions && status == FLAW_OK; r++)
        status = share_number(&number, s, flaw_share_of(runs->size[r]), err);
    if (status != FLAW_OK) return status;
    size_t at = 0;
    uint64_t marked = 0;
    for (size_t i = 0; i < runs->count; i++) {
        const flaw_run *run = &runs->run[i];
        for (; at < run->begin; at++) flaw_ranking_add(&s->ranking, picture->map[at], 0);
        for (; at < run->end; at++) flaw_ranking_add(&s->ranking, picture->map[at], first + run->region);
        marked += run->end - run->begin;
    }
    for (; at < n; at++) flaw_ranking_add(&s->ranking, picture->map[at], 0);
    s->totals.marked += marked;
    s->totals.background += n - marked;
    s->totals.regions += runs->regions;
    return FLAW_OK;
}

static void sweep_sorted(flaw_pixel_figures *out, sorting *s, double limit)
{
    flaw_sweep sweep;
    const flaw_ranking *r = &s->ranking;
    flaw_sweep_begin(&sweep, &s->totals, limit);
    for (size_t i = 0; i < r->n;) {
        const uint32_t key = flaw_ranking_key(r, i);
        flaw_step step = {.low_key = key, .high_key = key};
        for (; i < r->n && flaw_ranking_key(r, i) == key; i++) {
            const uint32_t number = flaw_ranking_payload(r, i);
            step.marked += number != 0;
            step.background += number == 0;
            step.share += s->share[number];
        }
        flaw_sweep_step(&sweep, &step);
    }
    flaw_sweep_end(out, &sweep);
}

flaw_status flaw_pixels_exact(flaw_pixel_figures *out, const flaw_pixels_picture *pictures, size_t n, double limit,
                              flaw_error *err)
{
    size_t total = 0;
    sorting s = {.totals = {.low_key = UINT32_MAX}};
    flaw_status status = flaw_sweep_check_limit(limit, err);
    for (size_t i = 0; i < n && status == FLAW_OK; i++) {
        uint32_t low, high, none;
        status = flaw_counts_check(&low, &high, &pictures[i], err);
        if (status != FLAW_OK) break;
        s.totals.low_key = low < s.totals.low_key ? low : s.totals.low_key;
        s.totals.high_key = high > s.totals.high_key ? high : s.totals.high_key;
        if (!flaw_add_ok(&total, total, (size_t)pictures[i].width * (size_t)pictures[i].height))
            status = flaw_fail(err, FLAW_NO_MEMORY, "pixel figures of %zu pictures: too many pixels", n);
        while (status == FLAW_OK && s.shares < 2) status = share_number(&none, &s, 0, err);
    }
    if (status == FLAW_OK) status = flaw_ranking_init(&s.ranking, total, err);
    for (size_t i = 0; i < n && status == FLAW_OK; i++)
        status = pictures[i].region_count ? add_regions(&s, &pictures[i], err) : add_components(&s, &pictures[i], err);
    if (status == FLAW_OK) {
        flaw_ranking_sort(&s.ranking);
        sweep_sorted(out, &s, limit);
        flaw_sweep_describe(out, &s.totals, n);
    }
    flaw_ranking_release(&s.ranking);
    flaw_counting_release(&s.work);
    free(s.share);
    return status;
}
