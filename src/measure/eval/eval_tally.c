/* The judgements of a cell, counted picture by picture and pixel by pixel. */
#include <stdlib.h>
#include <string.h>

#include "detect/spread.h"
#include "image/resize.h"
#include "measure/eval/eval_inside.h"

#define PRO_LIMIT 0.3   /* MVTec AD's and every paper's */
#define SPRO_LIMIT 0.05 /* MVTec LOCO's */

typedef struct counter {
    const flaw_plan *plan;
    flaw_pixels *pixels;
    float *map;    /* [side, side] */
    uint8_t *mask; /* [side, side] */
} counter;

/* The map as the picture has it, then at the side of the figures: as flaw inspect shows it. */
static flaw_status spread(counter *c, const flaw_judgement *j, flaw_error *err)
{
    float *whole = NULL;
    flaw_status s = flaw_map_spread(&whole, j->width, j->height, &j->seen, j->map, j->grid, (float)j->map_low, err);
    if (s) return s;
    flaw_map_upsample(c->map, c->plan->map_side, c->plan->map_side, whole, j->width, j->height);
    free(whole);
    return FLAW_OK;
}

/* Defects of types that are found when enough of them is (MVTec LOCO). */
static bool is_saturated(const flaw_plan_set *set)
{
    return !strcmp(set->layout, "loco");
}

static flaw_status add_regions(counter *c, flaw_pixels_picture *picture, const flaw_dataset *set,
                               const flaw_dataset_item *item, flaw_error *err)
{
    flaw_dataset_regions found;
    flaw_status s = flaw_dataset_regions_of(&found, set, item, picture->width, picture->height, err);
    if (s) return s;
    flaw_pixel_region *region = calloc(found.count + 1, sizeof *region);
    if (!region) s = flaw_fail(err, FLAW_NO_MEMORY, "regions of '%s' were refused", item->path);
    for (size_t i = 0; !s && i < found.count; i++)
        region[i] = (flaw_pixel_region){
            .pixel = found.region[i].pixel, .area = found.region[i].area, .saturation = found.region[i].saturation};
    picture->regions = region;
    picture->region_count = found.count;
    if (!s) s = flaw_pixels_add(c->pixels, picture, err);
    free(region);
    flaw_dataset_regions_release(&found);
    return s;
}

static flaw_status add(counter *c, const flaw_judgement *j, flaw_error *err)
{
    const flaw_plan_set *set = &c->plan->set[j->cell.dataset];
    const flaw_dataset_item *item = flaw_plan_item(c->plan, j->cell.dataset, j->item);
    int side = c->plan->map_side;
    flaw_pixels_picture picture = {.name = j->image, .id = j->item, .map = c->map, .width = side, .height = side};
    if (!flaw_dataset_has_map(item)) return FLAW_OK;
    flaw_status s = spread(c, j, err);
    if (s) return s;
    if (is_saturated(set)) return add_regions(c, &picture, &set->set, item, err);
    picture.mask = c->mask;
    s = flaw_dataset_mask(c->mask, &set->set, item, side, side, err);
    return s ? s : flaw_pixels_add(c->pixels, &picture, err);
}

static flaw_status count_pixels(flaw_tally *t, const flaw_plan *plan, const flaw_judgement *const *j, flaw_error *err)
{
    size_t cells = (size_t)plan->map_side * (size_t)plan->map_side;
    const flaw_pixels_options options = {.sketches = 1};
    flaw_status s = flaw_pixels_open(&t->pixels, &options, err);
    counter c = {plan, t->pixels, malloc(cells * sizeof *c.map), malloc(cells)};
    if (!s && (!c.map || !c.mask)) s = flaw_fail(err, FLAW_NO_MEMORY, "maps of %zu pixels were refused", cells);
    for (size_t i = 0; !s && i < t->count; i++) s = add(&c, j[i], err);
    free(c.map);
    free(c.mask);
    return s;
}

flaw_status flaw_tally_make(flaw_tally *out, const flaw_plan *plan, const flaw_judgement *const *j, size_t n,
                            flaw_error *err)
{
    flaw_tally t = {.count = n,
                    .item = malloc((n + 1) * sizeof *t.item),
                    .score = malloc((n + 1) * sizeof *t.score),
                    .bad = malloc(n + 1),
                    .limit = n && is_saturated(&plan->set[j[0]->cell.dataset]) ? SPRO_LIMIT : PRO_LIMIT};
    flaw_status s = FLAW_OK;
    if (!t.item || !t.score || !t.bad)
        s = flaw_fail(err, FLAW_NO_MEMORY, "figures of %zu judgements: memory was refused", n);
    for (size_t i = 0; !s && i < n; i++) {
        t.item[i] = j[i]->item;
        t.score[i] = (float)j[i]->score;
        t.bad[i] = flaw_plan_item(plan, j[i]->cell.dataset, j[i]->item)->label == FLAW_LABEL_BAD;
    }
    if (!s) s = count_pixels(&t, plan, j, err);
    if (s) flaw_tally_release(&t);
    else *out = t;
    return s;
}

void flaw_tally_release(flaw_tally *t)
{
    free(t->item);
    free(t->score);
    free(t->bad);
    flaw_pixels_close(t->pixels);
    *t = (flaw_tally){0};
}
