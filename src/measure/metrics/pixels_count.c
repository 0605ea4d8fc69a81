#include "measure/metrics/pixels_count.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "measure/metrics/ranking.h"

flaw_status flaw_counts_init(flaw_counts *c, int bits, flaw_error *err)
{
    if (bits < 24 || bits > 28)
        return flaw_fail(err, FLAW_USAGE, "%d bits of a score are not allowed, allowed are 24 .. 28", bits);
    flaw_counts made = {.bits = bits, .totals = {.low_key = UINT32_MAX}};
    made.background = calloc(flaw_counts_pages(&made), sizeof *made.background);
    made.marked = calloc(flaw_counts_pages(&made), sizeof *made.marked);
    if (!made.background || !made.marked) {
        flaw_counts_release(&made);
        return flaw_fail(err, FLAW_NO_MEMORY, "pixel figures: no memory for the table of pages");
    }
    *c = made;
    return FLAW_OK;
}

void flaw_counts_release(flaw_counts *c)
{
    for (uint32_t i = 0; c->background && i < flaw_counts_pages(c); i++) free(c->background[i]);
    for (uint32_t i = 0; c->marked && i < flaw_counts_pages(c); i++) free(c->marked[i]);
    free(c->background);
    free(c->marked);
    *c = (flaw_counts){0};
}

void flaw_counts_clear(flaw_counts *c)
{
    for (uint32_t i = 0; i < flaw_counts_pages(c); i++) {
        if (c->background[i]) memset(c->background[i], 0, FLAW_PAGE * sizeof **c->background);
        if (c->marked[i]) memset(c->marked[i], 0, FLAW_PAGE * sizeof **c->marked);
    }
    c->pictures = 0;
    c->totals = (flaw_totals){.low_key = UINT32_MAX};
}

static flaw_status no_page(flaw_error *err)
{
    return flaw_fail(err, FLAW_NO_MEMORY, "pixel figures: no memory for a page of counts");
}

static uint64_t *background_page(flaw_counts *c, uint32_t page)
{
    if (!c->background[page]) c->background[page] = calloc(FLAW_PAGE, sizeof **c->background);
    return c->background[page];
}

static flaw_marks *marked_page(flaw_counts *c, uint32_t page)
{
    if (!c->marked[page]) c->marked[page] = calloc(FLAW_PAGE, sizeof **c->marked);
    return c->marked[page];
}

/* What one more score adds to a count: one, and its lower bits as seen. */
static inline uint64_t counted(uint64_t seen, uint32_t key, uint32_t low_mask)
{
    const uint32_t low = key & low_mask;
    return (seen + ((uint64_t)1 << FLAW_SEEN_BITS)) | low | (uint64_t)(~low & low_mask) << 8;
}

static bool count_background(flaw_counts *c, const float *map, size_t begin, size_t end)
{
    const int shift = 32 - c->bits;
    const uint32_t low_mask = ((uint32_t)1 << shift) - 1;
    for (size_t i = begin; i < end; i++) {
        const uint32_t key = flaw_key_of(map[i]), bin = key >> shift;
        uint64_t *page = c->background[bin >> FLAW_PAGE_BITS];
        if (!page && !(page = background_page(c, bin >> FLAW_PAGE_BITS))) return false;
        page += bin & (FLAW_PAGE - 1);
        *page = counted(*page, key, low_mask);
    }
    return true;
}

static bool count_marked(flaw_counts *c, const float *map, size_t begin, size_t end, uint64_t share)
{
    const int shift = 32 - c->bits;
    const uint32_t low_mask = ((uint32_t)1 << shift) - 1;
    for (size_t i = begin; i < end; i++) {
        const uint32_t key = flaw_key_of(map[i]), bin = key >> shift;
        flaw_marks *page = marked_page(c, bin >> FLAW_PAGE_BITS);
        if (!page) return false;
        page += bin & (FLAW_PAGE - 1);
        page->seen = counted(page->seen, key, low_mask);
        page->share += share;
    }
    return true;
}

static flaw_status check_regions(const flaw_pixels_picture *p, const char *name, flaw_error *err)
{
    const size_t n = (size_t)p->width * (size_t)p->height;
    for (size_t r = 0; r < p->region_count; r++) {
        const flaw_pixel_region *region = &p->regions[r];
        if (!(region->saturation >= 0) || isinf(region->saturation))
            return flaw_fail(err, FLAW_USAGE, "picture %s: region %zu has saturation %g, allowed are 0 and above", name,
                             r, region->saturation);
        for (size_t i = 0; i < region->area; i++)
            if (region->pixel[i] >= n)
                return flaw_fail(err, FLAW_USAGE, "picture %s: region %zu holds pixel %u of a map of %zu", name, r,
                                 region->pixel[i], n);
    }
    return FLAW_OK;
}

flaw_status flaw_counts_check(uint32_t *low_key, uint32_t *high_key, const flaw_pixels_picture *picture,
                              flaw_error *err)
{
    const flaw_pixels_picture *p = picture;
    char number[32];
    snprintf(number, sizeof number, "%llu", (unsigned long long)p->id);
    const char *name = p->name ? p->name : number;
    if (!p->map || p->width < 1 || p->height < 1 || (uint64_t)p->width * (uint64_t)p->height >= UINT32_MAX)
        return flaw_fail(err, FLAW_USAGE, "picture %s: a map of %d x %d is not allowed", name, p->width, p->height);
    if (p->mask && p->region_count)
        return flaw_fail(err, FLAW_USAGE, "picture %s: has a mask and regions, one of both is allowed", name);
    const size_t n = (size_t)p->width * (size_t)p->height;
    int32_t least = INT32_MAX, most = INT32_MIN; /* keys less 2^31: compared as signed numbers, eight go at a time */
    for (size_t i = 0; i < n; i++) {
        const int32_t key = (int32_t)(flaw_key_of(p->map[i]) ^ 0x80000000u);
        least = key < least ? key : least;
        most = key > most ? key : most;
    }
    const uint32_t low = (uint32_t)least ^ 0x80000000u, high = (uint32_t)most ^ 0x80000000u;
    if (low < FLAW_KEY_LOWEST || high > FLAW_KEY_HIGHEST) {
        size_t at = 0;
        while (!isnan(p->map[at])) at++;
        return flaw_fail(err, FLAW_BAD_DATA, "picture %s: its map holds no number at pixel (%zu, %zu)", name,
                         at % (size_t)p->width, at / (size_t)p->width);
    }
    *low_key = low;
    *high_key = high;
    return check_regions(p, name, err);
}

static flaw_status clear_any(flaw_counting *work, size_t n, flaw_error *err)
{
    if (work->any_room < n) {
        uint8_t *any = realloc(work->any, n);
        if (!any) return flaw_fail(err, FLAW_NO_MEMORY, "pixel figures: no memory for a mask of %zu pixels", n);
        work->any = any;
        work->any_room = n;
    }
    memset(work->any, 0, n);
    return FLAW_OK;
}

/* A region that is found once `enough` of its pixels are: the highest scores share it, the last of them gets what is
 * left over, the others nothing. That is min(found / enough, 1) at every threshold. */
static flaw_status saturated(const flaw_pixel_region *region, const float *map, flaw_share_function add, void *context,
                             flaw_error *err)
{
    flaw_ranking r;
    flaw_status status = flaw_ranking_init(&r, region->area, err);
    if (status != FLAW_OK) return status;
    for (size_t i = 0; i < region->area; i++) flaw_ranking_add(&r, map[region->pixel[i]], region->pixel[i]);
    flaw_ranking_sort(&r);
    uint64_t left = FLAW_SHARE_ONE;
    const double exact = (double)FLAW_SHARE_ONE / region->saturation;
    const uint64_t each = exact < (double)left ? (uint64_t)(exact + 0.5) : left;
    for (size_t i = 0; left && i < r.n && status == FLAW_OK; i++) {
        const uint64_t share = (double)(i + 1) < region->saturation && each < left ? each : left;
        if (!add(context, flaw_ranking_payload(&r, i), share)) status = no_page(err);
        left -= share;
    }
    flaw_ranking_release(&r);
    return status;
}

flaw_status flaw_regions_share(uint64_t *regions, flaw_counting *work, const flaw_pixels_picture *picture,
                               flaw_share_function add, void *context, flaw_error *err)
{
    const size_t n = (size_t)picture->width * (size_t)picture->height;
    flaw_status status = clear_any(work, n, err);
    *regions = 0;
    for (size_t r = 0; r < picture->region_count && status == FLAW_OK; r++) {
        const flaw_pixel_region *region = &picture->regions[r];
        for (size_t i = 0; i < region->area; i++) work->any[region->pixel[i]] = 1;
        *regions += region->area > 0;
        if (region->saturation > 0 && region->saturation < (double)region->area) {
            status = saturated(region, picture->map, add, context, err);
            continue;
        }
        for (size_t i = 0; i < region->area && status == FLAW_OK; i++)
            if (!add(context, region->pixel[i], flaw_share_of(region->area))) status = no_page(err);
    }
    return status;
}

typedef struct sharing {
    flaw_counts *counts;
    const float *map;
} sharing;

static bool add_share(void *context, uint32_t pixel, uint64_t share)
{
    sharing *s = context;
    const uint32_t bin = flaw_key_of(s->map[pixel]) >> (32 - s->counts->bits);
    flaw_marks *page = marked_page(s->counts, bin >> FLAW_PAGE_BITS);
    if (page) page[bin & (FLAW_PAGE - 1)].share += share;
    return page != NULL;
}

flaw_status flaw_counts_add(flaw_counts *c, flaw_counting *work, const flaw_pixels_picture *picture, uint32_t low_key,
                            uint32_t high_key, flaw_error *err)
{
    const size_t n = (size_t)picture->width * (size_t)picture->height;
    const uint8_t *mask = picture->mask;
    uint64_t regions = 0, marked = 0;
    flaw_status status = FLAW_OK;
    if (picture->region_count) {
        sharing context = {c, picture->map};
        status = flaw_regions_share(&regions, work, picture, add_share, &context, err);
        mask = work->any;
    }
    work->runs.count = 0;
    if (mask && status == FLAW_OK) status = flaw_runs_find(&work->runs, mask, picture->width, picture->height, err);
    if (status != FLAW_OK) return status;
    size_t at = 0;
    bool ok = true;
    for (size_t i = 0; i < work->runs.count && ok; i++) {
        const flaw_run *run = &work->runs.run[i];
        const uint64_t share = picture->region_count ? 0 : flaw_share_of(work->runs.size[run->region]);
        ok = count_background(c, picture->map, at, run->begin) &&
             count_marked(c, picture->map, run->begin, run->end, share);
        marked += run->end - run->begin;
        at = run->end;
    }
    if (!ok || !count_background(c, picture->map, at, n)) return no_page(err);
    flaw_totals *t = &c->totals;
    t->regions += picture->region_count ? regions : mask ? work->runs.regions : 0;
    t->marked += marked;
    t->background += n - marked;
    t->low_key = low_key < t->low_key ? low_key : t->low_key;
    t->high_key = high_key > t->high_key ? high_key : t->high_key;
    c->pictures++;
    return FLAW_OK;
}

/* Counts add, seen bits unite. */
static inline uint64_t seen_sum(uint64_t a, uint64_t b)
{
    const uint64_t bits = ((uint64_t)1 << FLAW_SEEN_BITS) - 1;
    return ((a & ~bits) + (b & ~bits)) | ((a | b) & bits);
}

flaw_status flaw_counts_merge(flaw_counts *into, const flaw_counts *from, flaw_error *err)
{
    for (uint32_t page = 0; page < flaw_counts_pages(from); page++) {
        const uint64_t *background = from->background[page];
        const flaw_marks *marked = from->marked[page];
        uint64_t *to = background ? background_page(into, page) : NULL;
        flaw_marks *to_marked = marked ? marked_page(into, page) : NULL;
        if ((background && !to) || (marked && !to_marked)) return no_page(err);
        for (int i = 0; to && i < FLAW_PAGE; i++) to[i] = seen_sum(to[i], background[i]);
        for (int i = 0; to_marked && i < FLAW_PAGE; i++) {
            to_marked[i].seen = seen_sum(to_marked[i].seen, marked[i].seen);
            to_marked[i].share += marked[i].share;
        }
    }
    flaw_totals *t = &into->totals;
    const flaw_totals *f = &from->totals;
    t->regions += f->regions;
    t->marked += f->marked;
    t->background += f->background;
    t->low_key = f->low_key < t->low_key ? f->low_key : t->low_key;
    t->high_key = f->high_key > t->high_key ? f->high_key : t->high_key;
    into->pictures += from->pictures;
    return FLAW_OK;
}

flaw_status flaw_counts_put(flaw_counts *c, uint32_t bin, uint64_t background, flaw_marks marked, flaw_error *err)
{
    const uint32_t page = bin >> FLAW_PAGE_BITS, at = bin & (FLAW_PAGE - 1);
    uint64_t *of_background = background ? background_page(c, page) : NULL;
    flaw_marks *of_marked = marked.seen || marked.share ? marked_page(c, page) : NULL;
    if ((background && !of_background) || ((marked.seen || marked.share) && !of_marked)) return no_page(err);
    if (of_background) of_background[at] = background;
    if (of_marked) of_marked[at] = marked;
    return FLAW_OK;
}

/* The bin as a step; false when it is empty. */
static bool step_of(flaw_step *step, const flaw_counts *c, uint32_t bin)
{
    const uint64_t *page = c->background[bin >> FLAW_PAGE_BITS];
    const flaw_marks *marked_at = c->marked[bin >> FLAW_PAGE_BITS];
    const uint64_t background = page ? page[bin & (FLAW_PAGE - 1)] : 0;
    const flaw_marks marked = marked_at ? marked_at[bin & (FLAW_PAGE - 1)] : (flaw_marks){0};
    if (!background && !marked.seen) return false;
    const uint32_t ones = (uint32_t)(background | marked.seen) & 0xff,
                   zeros = (uint32_t)(background | marked.seen) >> 8 & 0xff, key = bin << (32 - c->bits);
    *step = (flaw_step){.background = background >> FLAW_SEEN_BITS,
                        .marked = marked.seen >> FLAW_SEEN_BITS,
                        .share = marked.share,
                        .low_key = key | (ones & ~zeros), /* bits that only were seen as 1 */
                        .high_key = key | ones};
    return true;
}

bool flaw_counts_next(flaw_step *step, const flaw_counts *c, int64_t *bin)
{
    for (; *bin >= 0; --*bin) {
        const int64_t page = *bin >> FLAW_PAGE_BITS;
        if (!c->background[page] && !c->marked[page]) *bin = page << FLAW_PAGE_BITS;
        else if (step_of(step, c, (uint32_t)*bin)) return (*bin)--, true;
    }
    return false;
}

void flaw_counting_release(flaw_counting *work)
{
    flaw_runs_release(&work->runs);
    free(work->any);
    *work = (flaw_counting){0};
}
