/* The same figures exactly, from all scores sorted: the keys of background pixels alone, marked ones with a number of
 * their share (0: none). Background scores between two marked ones count as one step, for no figure can tell. */
#include "measure/pixels_exact.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "measure/pixels_count.h"
#include "measure/ranking.h"

typedef struct sorting {
    uint32_t *background, *spare; /* [backgrounds] keys; owned */
    size_t backgrounds;
    flaw_ranking marked;
    uint64_t *share; /* [shares] owned; share[0] = 0 */
    size_t shares, room;
    flaw_totals totals;
    flaw_counting work;
} sorting;

static void release(sorting *s)
{
    free(s->background);
    free(s->spare);
    free(s->share);
    flaw_ranking_release(&s->marked);
    flaw_counting_release(&s->work);
}

/* ---- collecting ---- */

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
    uint64_t *of_pixel = calloc(n, sizeof *of_pixel), regions = 0, last = 0;
    uint32_t number = 0;
    if (!of_pixel) return flaw_fail(err, FLAW_NO_MEMORY, "pixel figures: no memory for %zu pixels", n);
    flaw_status status = flaw_regions_share(&regions, &s->work, picture, add_share, of_pixel, err);
    for (size_t i = 0; i < n && status == FLAW_OK; i++) {
        if (!s->work.any[i]) {
            s->background[s->backgrounds++] = flaw_key_of(picture->map[i]);
            continue;
        }
        if (of_pixel[i] && of_pixel[i] != last) status = share_number(&number, s, of_pixel[i], err);
        if (of_pixel[i]) last = of_pixel[i];
        flaw_ranking_add(&s->marked, picture->map[i], of_pixel[i] ? number : 0);
    }
    s->totals.regions += regions;
    free(of_pixel);
    return status;
}

static void add_background(sorting *s, const float *map, size_t begin, size_t end)
{
    uint32_t *to = s->background + s->backgrounds;
    for (size_t i = begin; i < end; i++) to[i - begin] = flaw_key_of(map[i]);
    s->backgrounds += end - begin;
}

static flaw_status add_components(sorting *s, const flaw_pixels_picture *picture, flaw_error *err)
{
    flaw_runs *runs = &s->work.runs;
    flaw_status status = FLAW_OK;
    runs->count = runs->regions = 0;
    if (picture->mask) status = flaw_runs_find(runs, picture->mask, picture->width, picture->height, err);
    const uint32_t first = (uint32_t)s->shares;
    for (uint32_t r = 0, number; r < runs->regions && status == FLAW_OK; r++)
        status = share_number(&number, s, flaw_share_of(runs->size[r]), err);
    if (status != FLAW_OK) return status;
    size_t at = 0;
    for (size_t i = 0; i < runs->count; i++) {
        const flaw_run *run = &runs->run[i];
        add_background(s, picture->map, at, run->begin);
        for (at = run->begin; at < run->end; at++)
            flaw_ranking_add(&s->marked, picture->map[at], first + run->region);
    }
    add_background(s, picture->map, at, (size_t)picture->width * (size_t)picture->height);
    s->totals.regions += runs->regions;
    return FLAW_OK;
}

/* Every picture checked, and room for all of them. */
static flaw_status prepare(sorting *s, const flaw_pixels_picture *pictures, size_t n, flaw_error *err)
{
    size_t total = 0, marked = 0, bytes;
    uint32_t none;
    *s = (sorting){.totals = {.low_key = UINT32_MAX}};
    flaw_status status = share_number(&none, s, 0, err);
    for (size_t i = 0; i < n && status == FLAW_OK; i++) {
        const flaw_pixels_picture *p = &pictures[i];
        const size_t pixels = (size_t)p->width * (size_t)p->height;
        uint32_t low, high;
        status = flaw_counts_check(&low, &high, p, err);
        if (status != FLAW_OK) break;
        s->totals.low_key = low < s->totals.low_key ? low : s->totals.low_key;
        s->totals.high_key = high > s->totals.high_key ? high : s->totals.high_key;
        size_t here = 0;
        for (size_t k = 0; p->mask && k < pixels; k++) here += p->mask[k] != 0;
        for (size_t r = 0; r < p->region_count && here < pixels; r++) here += p->regions[r].area;
        marked += here < pixels ? here : pixels;
        if (!flaw_add_ok(&total, total, pixels))
            status = flaw_fail(err, FLAW_NO_MEMORY, "pixel figures of %zu pictures: too many pixels", n);
    }
    if (status == FLAW_OK) status = flaw_ranking_init(&s->marked, marked, err);
    if (status != FLAW_OK) return status;
    if (flaw_mul_ok(&bytes, total ? total : 1, sizeof *s->background)) s->background = malloc(bytes);
    if (!s->background) return flaw_fail(err, FLAW_NO_MEMORY, "pixel figures: no memory for %zu pixels", total);
    return FLAW_OK;
}

/* ---- sorting ---- */

/* Where only false positive rates up to the limit matter, scores below the one that surely passes it need not be
 * sorted: drops them. Buckets are the upper half of a key. */
static flaw_status drop_beyond(sorting *s, double limit, flaw_error *err)
{
    enum { BUCKETS = 1 << 16 };
    uint64_t *count = calloc(BUCKETS, sizeof *count), above = 0;
    if (!count) return flaw_fail(err, FLAW_NO_MEMORY, "pixel figures: no memory");
    for (size_t i = 0; i < s->backgrounds; i++) count[s->background[i] >> 16]++;
    uint32_t bucket = BUCKETS - 1;
    while (bucket && (double)(above += count[bucket]) <= limit * (double)s->backgrounds) bucket--;
    free(count);
    const uint32_t lowest = bucket << 16;
    size_t kept = 0;
    for (size_t i = 0; i < s->backgrounds; i++) {
        s->background[kept] = s->background[i];
        kept += s->background[i] >= lowest;
    }
    s->backgrounds = kept;
    kept = 0;
    for (size_t i = 0; i < s->marked.n; i++) {
        s->marked.item[kept] = s->marked.item[i];
        kept += flaw_ranking_key(&s->marked, i) >= lowest;
    }
    s->marked.n = kept;
    return FLAW_OK;
}

/* Ascending; least significant digit first, all digits counted in one pass. A digit that is the same everywhere is
 * passed over. */
static flaw_status sort_background(sorting *s, flaw_error *err)
{
    enum { BITS = 11, DIGITS = 1 << BITS, PASSES = 3 };
    const size_t n = s->backgrounds;
    size_t(*start)[DIGITS] = calloc(PASSES, sizeof *start);
    s->spare = malloc((n ? n : 1) * sizeof *s->spare);
    if (!start || !s->spare) {
        free(start);
        return flaw_fail(err, FLAW_NO_MEMORY, "pixel figures: no memory to sort %zu pixels", n);
    }
    for (size_t i = 0; i < n; i++)
        for (int pass = 0; pass < PASSES; pass++) start[pass][s->background[i] >> (pass * BITS) & (DIGITS - 1)]++;
    for (int pass = 0; pass < PASSES && n; pass++) {
        const int shift = pass * BITS;
        size_t *at = start[pass], sum = 0;
        if (at[s->background[0] >> shift & (DIGITS - 1)] == n) continue;
        for (int d = 0; d < DIGITS; d++) {
            const size_t here = at[d];
            at[d] = sum;
            sum += here;
        }
        for (size_t i = 0; i < n; i++) s->spare[at[s->background[i] >> shift & (DIGITS - 1)]++] = s->background[i];
        uint32_t *sorted = s->spare;
        s->spare = s->background;
        s->background = sorted;
    }
    free(start);
    return FLAW_OK;
}

/* ---- walking down ---- */

/* Background scores over `marked_key`, in as few steps as the thresholds of the dialect allow. Returns how many are
 * left. */
static size_t pass_background(flaw_sweep *sweep, const sorting *s, size_t left, int64_t marked_key)
{
    while (left && s->background[left - 1] > marked_key) {
        const uint32_t key = s->background[left - 1];
        const int64_t bound = flaw_sweep_mergeable(sweep, key);
        flaw_step step = {.low_key = key, .high_key = key};
        for (; left && s->background[left - 1] > marked_key && s->background[left - 1] >= bound; left--)
            step.background++;
        flaw_sweep_step(sweep, &step);
    }
    return left;
}

static void sweep_sorted(flaw_pixel_figures *out, const sorting *s, double limit)
{
    flaw_sweep sweep;
    const flaw_ranking *r = &s->marked;
    size_t left = s->backgrounds;
    flaw_sweep_begin(&sweep, &s->totals, limit);
    for (size_t i = 0; i < r->n;) {
        const uint32_t key = flaw_ranking_key(r, i);
        left = pass_background(&sweep, s, left, key);
        flaw_step step = {.low_key = key, .high_key = key};
        for (; i < r->n && flaw_ranking_key(r, i) == key; i++, step.marked++)
            step.share += s->share[flaw_ranking_payload(r, i)];
        for (; left && s->background[left - 1] == key; left--) step.background++;
        flaw_sweep_step(&sweep, &step);
    }
    pass_background(&sweep, s, left, -1);
    flaw_sweep_end(out, &sweep);
}

flaw_status flaw_pixels_sort(flaw_pixel_figures *out, const flaw_pixels_picture *pictures, size_t n, double limit,
                             bool only_overlap, flaw_error *err)
{
    sorting s;
    flaw_status status = flaw_sweep_check_limit(limit, err);
    if (status != FLAW_OK) return status;
    status = prepare(&s, pictures, n, err);
    for (size_t i = 0; i < n && status == FLAW_OK; i++)
        status = pictures[i].region_count ? add_regions(&s, &pictures[i], err) : add_components(&s, &pictures[i], err);
    s.totals.background = s.backgrounds;
    s.totals.marked = s.marked.n;
    if (status == FLAW_OK && only_overlap) status = drop_beyond(&s, limit, err);
    if (status == FLAW_OK) status = sort_background(&s, err);
    if (status == FLAW_OK) {
        flaw_ranking_sort(&s.marked);
        sweep_sorted(out, &s, limit);
        flaw_sweep_describe(out, &s.totals, n);
    }
    release(&s);
    return status;
}

flaw_status flaw_pixels_exact(flaw_pixel_figures *out, const flaw_pixels_picture *pictures, size_t n, double limit,
                              flaw_error *err)
{
    return flaw_pixels_sort(out, pictures, n, limit, false, err);
}
