#include "measure/metrics/sketch.h"

#include <stdlib.h>
#include <string.h>

#include "base/checked.h"

enum { CELLS = 256 };

static flaw_status make_room(flaw_sketches *list, size_t more, flaw_error *err)
{
    size_t need, bytes;
    if (list->room - list->count >= more) return FLAW_OK;
    if (!flaw_add_ok(&need, list->count, more) || !flaw_mul_ok(&bytes, need, 2 * sizeof *list->item))
        return flaw_fail(err, FLAW_NO_MEMORY, "summaries of pictures: too many");
    flaw_sketch *item = realloc(list->item, bytes);
    if (!item) return flaw_fail(err, FLAW_NO_MEMORY, "summaries of pictures: no memory for %zu", need);
    list->item = item;
    list->room = 2 * need;
    return FLAW_OK;
}

flaw_status flaw_sketches_append(flaw_sketch **out, flaw_sketches *list, uint64_t id, size_t cells, flaw_error *err)
{
    flaw_status status = make_room(list, 1, err);
    if (status != FLAW_OK) return status;
    flaw_cell *cell = calloc(cells ? cells : 1, sizeof *cell);
    if (!cell) return flaw_fail(err, FLAW_NO_MEMORY, "summary of a picture: no memory for %zu cells", cells);
    *out = &list->item[list->count++];
    **out = (flaw_sketch){.id = id, .cell = cell};
    return FLAW_OK;
}

/* Walks down the bins; a cell is closed before the bin that would overfill it. Returns the number of cells. */
static uint32_t cut(flaw_cell *cells, const flaw_counts *c)
{
    const uint64_t most_background = c->totals.background / CELLS, most_marked = c->totals.marked / CELLS;
    uint32_t count = 0;
    flaw_cell open = {0};
    flaw_wide share = 0;
    flaw_step step;
    for (int64_t bin = ((int64_t)1 << c->bits) - 1; flaw_counts_next(&step, c, &bin);) {
        if ((open.background || open.marked) && (open.background + step.background > most_background ||
                                                 open.marked + step.marked > most_marked)) {
            if (cells) cells[count] = open;
            count++;
            open = (flaw_cell){0};
            share = 0;
        }
        share += step.share;
        open.key = step.low_key;
        open.background += (uint32_t)step.background;
        open.marked += (uint32_t)step.marked;
        open.share = (double)share / (double)FLAW_SHARE_ONE;
    }
    if (!open.background && !open.marked) return count;
    if (cells) cells[count] = open;
    return count + 1;
}

flaw_status flaw_sketches_add(flaw_sketches *list, const flaw_counts *picture, uint64_t id, flaw_error *err)
{
    flaw_sketch *sketch;
    const uint32_t count = cut(NULL, picture);
    flaw_status status = flaw_sketches_append(&sketch, list, id, count, err);
    if (status != FLAW_OK) return status;
    sketch->background = picture->totals.background;
    sketch->marked = picture->totals.marked;
    sketch->regions = picture->totals.regions;
    sketch->count = cut(sketch->cell, picture);
    return FLAW_OK;
}

flaw_status flaw_sketches_move(flaw_sketches *into, flaw_sketches *from, flaw_error *err)
{
    flaw_status status = make_room(into, from->count, err);
    if (status != FLAW_OK || !from->count) return status;
    memcpy(into->item + into->count, from->item, from->count * sizeof *from->item);
    into->count += from->count;
    from->count = 0;
    return FLAW_OK;
}

flaw_status flaw_sketches_copy(flaw_sketches *into, const flaw_sketches *from, flaw_error *err)
{
    for (size_t i = 0; i < from->count; i++) {
        const flaw_sketch *old = &from->item[i];
        flaw_sketch *made;
        flaw_status status = flaw_sketches_append(&made, into, old->id, old->count, err);
        if (status != FLAW_OK) return status;
        flaw_cell *cell = made->cell;
        memcpy(cell, old->cell, old->count * sizeof *cell);
        *made = *old;
        made->cell = cell;
    }
    return FLAW_OK;
}

static int by_id(const void *a, const void *b)
{
    const uint64_t x = ((const flaw_sketch *)a)->id, y = ((const flaw_sketch *)b)->id;
    return (x > y) - (x < y);
}

flaw_status flaw_sketches_sort(flaw_sketches *list, flaw_error *err)
{
    if (list->count) qsort(list->item, list->count, sizeof *list->item, by_id);
    for (size_t i = 1; i < list->count; i++)
        if (list->item[i].id == list->item[i - 1].id)
            return flaw_fail(err, FLAW_BAD_DATA, "picture %llu was counted twice",
                             (unsigned long long)list->item[i].id);
    return FLAW_OK;
}

void flaw_sketches_release(flaw_sketches *list)
{
    for (size_t i = 0; i < list->count; i++) free(list->item[i].cell);
    free(list->item);
    *list = (flaw_sketches){0};
}
