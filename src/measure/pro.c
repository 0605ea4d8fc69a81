/* Per-region overlap, exactly as MVTec defines it: at every threshold the share of each defect region that is found,
 * averaged over regions, against the share of defect-free pixels over all pictures that are wrongly found; the curve
 * starts at (0,0), ties are one step, straight lines join the points, and the area over FPR in [0, limit] is divided by
 * limit. Conventions: no region or no background pixel gives NaN; a perfect map gives 1; a constant map limit/2. */
#include <math.h>
#include <stdlib.h>

#include "base/checked.h"
#include "flaw/measure.h"
#include "measure/components.h"
#include "measure/ranking.h"

typedef struct regions {
    uint32_t *size; /* [count + 1] pixels of each region; 0 is the background of all pictures */
    uint32_t count;
} regions;

/* Label one mask, add its pixels to the ranking and its regions' sizes to the list. */
static flaw_status add_picture(flaw_ranking *r, regions *all, const float *map, const uint8_t *mask, int width,
                               int height, size_t index, flaw_error *err)
{
    size_t n = (size_t)width * (size_t)height;
    uint32_t *label = malloc(n * sizeof *label), found = 0;
    if (!label)
        return flaw_fail(err, FLAW_NO_MEMORY, "per-region overlap: no memory for a %d x %d mask", width, height);
    flaw_status status = flaw_components_label(label, &found, mask, width, height, all->count + 1, err);
    uint32_t *size = NULL;
    if (status == FLAW_OK) {
        size = realloc(all->size, ((size_t)all->count + found + 1) * sizeof *size);
        if (!size) status = flaw_fail(err, FLAW_NO_MEMORY, "per-region overlap: no memory for %u regions", found);
    }
    if (size) {
        for (uint32_t i = all->count + 1; i <= all->count + found; i++) size[i] = 0;
        all->size = size;
        all->count += found;
        for (size_t i = 0; i < n && status == FLAW_OK; i++) {
            size[label[i]]++;
            if (!flaw_ranking_add(r, map[i], label[i]))
                status = flaw_fail(err, FLAW_BAD_DATA, "map %zu holds no number at pixel (%zu, %zu)", index,
                                   i % (size_t)width, i / (size_t)width);
        }
    }
    free(label);
    return status;
}

/* Area under the curve for FPR in [0, limit], over limit. One region pixel raises the mean overlap by
 * 1 / (size of its region * number of regions). */
static double area_of(const flaw_ranking *r, const regions *all, double limit)
{
    double background = all->size[0], wrong = 0, area = 0, fpr = 0, overlap = 0;
    for (size_t i = 0, next; i < r->n && fpr < limit; i = next) {
        next = flaw_ranking_next(r, i);
        double found = 0;
        for (size_t j = i; j < next; j++) {
            uint32_t region = flaw_ranking_payload(r, j);
            if (region == 0) wrong += 1;
            else found += 1.0 / all->size[region];
        }
        double new_fpr = wrong / background, new_overlap = overlap + found / all->count;
        if (new_fpr > limit) { /* cut the last line at the limit */
            new_overlap = overlap + (new_overlap - overlap) * (limit - fpr) / (new_fpr - fpr);
            new_fpr = limit;
        }
        area += (new_fpr - fpr) * (overlap + new_overlap) / 2;
        fpr = new_fpr;
        overlap = new_overlap;
    }
    return area / limit;
}

flaw_status flaw_pro(double *out, const float *const *maps, const uint8_t *const *masks, const int *width,
                     const int *height, size_t n, double limit, flaw_error *err)
{
    if (!(limit > 0 && limit <= 1))
        return flaw_fail(err, FLAW_USAGE, "limit %g of the overlap: allowed is 0 < limit <= 1", limit);
    size_t total = 0;
    for (size_t i = 0; i < n; i++) {
        size_t pixels;
        if (width[i] < 1 || height[i] < 1 || !flaw_mul_ok(&pixels, (size_t)width[i], (size_t)height[i]) ||
            !flaw_add_ok(&total, total, pixels) || total >= UINT32_MAX)
            return flaw_fail(err, FLAW_USAGE, "map %zu of %zu is %d x %d: sizes out of range", i, n, width[i],
                             height[i]);
    }
    flaw_ranking r;
    flaw_status status = flaw_ranking_init(&r, total, err);
    if (status != FLAW_OK) return status;
    regions all = {.size = calloc(1, sizeof *all.size)};
    if (!all.size) status = flaw_fail(err, FLAW_NO_MEMORY, "per-region overlap: no memory");
    for (size_t i = 0; i < n && status == FLAW_OK; i++)
        status = add_picture(&r, &all, maps[i], masks[i], width[i], height[i], i, err);
    if (status == FLAW_OK) {
        flaw_ranking_sort(&r);
        *out = all.count && all.size[0] ? area_of(&r, &all, limit) : NAN;
    }
    free(all.size);
    flaw_ranking_release(&r);
    return status;
}
