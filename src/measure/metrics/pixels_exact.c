/* The same figures exactly, from all scores sorted: the keys of background pixels alone, marked ones with a number of
 * their share (0: none). Background scores between two marked ones count as one step, for no figure can tell. */
#include "measure/metrics/pixels_exact.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "measure/metrics/pixels_count.h"
#include "measure/metrics/ranking.h"

typedef struct sorting {
    uint32_t *background, *spare; /* [backgrounds] keys; owned */
    size_t backgrounds;
    flaw_ranking marked;
    uint64_t *share; /* [shares] owned; share[0] = 0 */
    size_t shares, room;
    uint32_t lowest; /* keys below it are counted only */
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
            s->totals.background++;
            continue;
        }
        s->totals.marked++;
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
    uint32_t *to = s->background;
    size_t count = s->backgrounds;
    for (size_t i = begin; i < end; i++) {
        const uint32_t key = flaw_key_of(map[i]);
        to[count] = key;
        count += key >= s->lowest;
    }
    s->backgrounds = count;
    s->totals.background += end - begin;
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
            if (flaw_key_of(picture->map[at]) >= s->lowest)
                flaw_ranking_add(&s->marked, picture->map[at], first + run->region);
        s->totals.marked += run->end - run->begin;
    }
    add_background(s, picture->map, at, (size_t)picture->width * (size_t)picture->height);
    s->totals.regions += runs->regions;
    return FLAW_OK;
}

/* Where only false positive rates up to the limit matter, scores below the one that surely passes it need neither be kept
 * nor sorted. It is guessed from every SAMPLE-th pixel, a little low; enough() tells whether it was low enough. */
static flaw_status guess_lowest(sorting *s, const flaw_pixels_picture *pictures, size_t n, double limit, flaw_error *err)
{
    enum { BUCKETS = 1 << 16, SAMPLE = 11, SPARE = 64 }; /* of the upper half of a key */
    uint64_t *count = calloc(BUCKETS, sizeof *count), all = 0, above = 0;
    if (!count) return flaw_fail(err, FLAW_NO_MEMORY, "pixel figures: no memory");
    for (size_t i = 0; i < n; i++) {
        const flaw_pixels_picture *p = &pictures[i];
        const size_t pixels = (size_t)p->width * (size_t)p->height;
        for (size_t k = 0; k < pixels; k += SAMPLE) {
            if (p->mask && p->mask[k]) continue;
            count[flaw_key_of(p->map[k]) >> 16]++;
            all++;
        }
    }
    uint32_t bucket = BUCKETS - 1;
    while (bucket && (double)(above += count[bucket]) <= 1.03 * limit * (double)all + SPARE) bucket--;
    s->lowest = bucket << 16;
    free(count);
    return FLAW_OK;
}

/* Every key counts, or those that are kept reach beyond the limit, ties and all. */
static bool enough(const sorting *s, double limit)
{
    return !s->lowest || (double)s->backgrounds > limit * (double)s->totals.background;
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
    /* One more, for keys that are not kept are written too. Pages that are never reached cost nothing. */
    if (flaw_mul_ok(&bytes, total + 1, sizeof *s->background)) s->background = malloc(bytes);
    if (!s->background) return flaw_fail(err, FLAW_NO_MEMORY, "pixel figures: no memory for %zu pixels", total);
    return FLAW_OK;
}

/* ---- sorting ---- */

enum { BITS = 8, DIGITS = 1 << BITS }; /* of one pass of the radix sort */

/* One pass: `from` to `to` by the digit at `shift` of what a key is over `base`; count [DIGITS] becomes where each digit's
 * keys end. */
static void scatter(uint32_t *to, const uint32_t *from, size_t n, uint32_t base, int shift, size_t *count)
{
    size_t sum = 0;
    for (int d = 0; d < DIGITS; d++) {
        const size_t here = count[d];
        count[d] = sum;
        sum += here;
    }
    for (size_t i = 0; i < n; i++) to[count[(from[i] - base) >> shift & (DIGITS - 1)]++] = from[i];
}

/* Least significant digit first, by the lowest `passes` digits: a and b in turns. */
static void sort_digits(uint32_t *a, uint32_t *b, size_t n, uint32_t base, int passes)
{
    size_t count[3][DIGITS] = {0};
    for (size_t i = 0; i < n; i++)
        for (int pass = 0; pass < passes; pass++) count[pass][(a[i] - base) >> (pass * BITS) & (DIGITS - 1)]++;
    for (int pass = 0; pass < passes; pass++) {
        scatter(b, a, n, base, pass * BITS, count[pass]);
        uint32_t *sorted = b;
        b = a;
        a = sorted;
    }
}

/* Ascending. First by the highest digit, then each of its parts, which fits into a cache, by the others. Scores of maps lie
 * within a few powers of two, so what they are over the lowest has fewer digits, with all values of a digit in use. */
static flaw_status sort_background(sorting *s, flaw_error *err)
{
    const size_t n = s->backgrounds;
    const uint32_t base = s->lowest > s->totals.low_key ? s->lowest : s->totals.low_key;
    size_t count[DIGITS] = {0};
    int width = BITS;
    while (width < 32 && (s->totals.high_key - base) >> width) width++;
    const int top = width - BITS, passes = (top + BITS - 1) / BITS;
    s->spare = malloc((n ? n : 1) * sizeof *s->spare);
    if (!s->spare) return flaw_fail(err, FLAW_NO_MEMORY, "pixel figures: no memory to sort %zu pixels", n);
    for (size_t i = 0; i < n; i++) count[(s->background[i] - base) >> top & (DIGITS - 1)]++;
    scatter(s->spare, s->background, n, base, top, count);
    for (size_t d = 0, begin = 0; d < DIGITS; begin = count[d++])
        sort_digits(s->spare + begin, s->background + begin, count[d] - begin, base, passes);
    if (passes % 2) return FLAW_OK; /* the last pass ended there */
    uint32_t *sorted = s->spare;
    s->spare = s->background;
    s->background = sorted;
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

static flaw_status collect(sorting *s, const flaw_pixels_picture *pictures, size_t n, flaw_error *err)
{
    flaw_status status = FLAW_OK;
    s->backgrounds = s->marked.n = 0;
    s->shares = 1;
    s->totals.background = s->totals.marked = s->totals.regions = 0;
    for (size_t i = 0; i < n && status == FLAW_OK; i++)
        status = pictures[i].region_count ? add_regions(s, &pictures[i], err) : add_components(s, &pictures[i], err);
    return status;
}

flaw_status flaw_pixels_sort(flaw_pixel_figures *out, const flaw_pixels_picture *pictures, size_t n, double limit,
                             bool only_overlap, flaw_error *err)
{
    sorting s;
    flaw_status status = flaw_sweep_check_limit(limit, err);
    if (status != FLAW_OK) return status;
    status = prepare(&s, pictures, n, err);
    if (status == FLAW_OK && only_overlap) status = guess_lowest(&s, pictures, n, limit, err);
    if (status == FLAW_OK) status = collect(&s, pictures, n, err);
    if (status == FLAW_OK && !enough(&s, limit)) {
        s.lowest = 0;
        status = collect(&s, pictures, n, err);
    }
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
