#include "detect/regions.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MERGE_SHARE 50 /* boxes nearer than longer side / MERGE_SHARE are one region */

/* A stretch of one row over the limit; runs that touch share a root. */
typedef struct run {
    int y, x0, x1; /* [x0, x1) */
    size_t parent;
    float most;
} run;

typedef struct runs {
    run *item;
    size_t count, room;
} runs;

typedef struct part {
    int x0, y0, x1, y1; /* box, ends excluded */
    double pixels;
    float most;
} part;

static size_t root_of(runs *r, size_t i)
{
    while (r->item[i].parent != i) i = r->item[i].parent = r->item[r->item[i].parent].parent;
    return i;
}

static bool add_run(runs *r, run item)
{
    if (r->count == r->room) {
        size_t room = r->room ? 2 * r->room : 256;
        run *more = realloc(r->item, room * sizeof *more);
        if (!more) return false;
        r->item = more;
        r->room = room;
    }
    item.parent = r->count;
    r->item[r->count++] = item;
    return true;
}

/* Runs of row y; joins them with the runs [from, to) of the row above, diagonals included. */
static bool scan_row(runs *r, const float *row, int y, int width, double limit, size_t from, size_t to)
{
    for (int x = 0; x < width; x++) {
        if (!(row[x] > limit)) continue;
        run item = {.y = y, .x0 = x, .most = row[x]};
        for (; x < width && row[x] > limit; x++) item.most = fmaxf(item.most, row[x]);
        item.x1 = x;
        size_t here = r->count;
        if (!add_run(r, item)) return false;
        while (from < to && r->item[from].x1 < item.x0) from++;
        for (size_t i = from; i < to && r->item[i].x0 <= item.x1; i++) {
            size_t a = root_of(r, i), b = root_of(r, here);
            if (a < b) r->item[b].parent = a;
            if (b < a) r->item[a].parent = b;
        }
    }
    return true;
}

static part *parts_of(runs *r, size_t *count)
{
    part *parts = calloc(r->count + 1, sizeof *parts);
    size_t *where = calloc(r->count + 1, sizeof *where); /* root -> part + 1 */
    *count = 0;
    if (!parts || !where) {
        free(parts);
        free(where);
        return NULL;
    }
    for (size_t i = 0; i < r->count; i++) {
        const run *item = &r->item[i];
        size_t root = root_of(r, i);
        if (!where[root]) {
            parts[*count] = (part){item->x0, item->y, item->x1, item->y + 1, 0, item->most};
            where[root] = ++*count;
        }
        part *p = &parts[where[root] - 1];
        if (item->x0 < p->x0) p->x0 = item->x0;
        if (item->x1 > p->x1) p->x1 = item->x1;
        p->y1 = item->y + 1; /* runs come in the order of rows */
        p->pixels += item->x1 - item->x0;
        p->most = fmaxf(p->most, item->most);
    }
    free(where);
    return parts;
}

static bool near(const part *a, const part *b, int gap)
{
    return a->x0 - b->x1 <= gap && b->x0 - a->x1 <= gap && a->y0 - b->y1 <= gap && b->y0 - a->y1 <= gap;
}

static int by_height(const void *a, const void *b)
{
    const part *p = a, *q = b;
    if (p->most != q->most) return p->most < q->most ? 1 : -1;
    return p->y0 != q->y0 ? p->y0 - q->y0 : p->x0 - q->x0;
}

/* Joins parts until none is near another. Few parts in all but hostile maps: those beyond the first thousand, the
 * lowest ones, are left alone. */
static size_t merge(part *parts, size_t count, int gap)
{
    size_t kept = count < 1000 ? count : 1000;
    for (bool changed = true; changed;) {
        changed = false;
        for (size_t i = 0; i < kept; i++) {
            for (size_t j = i + 1; j < kept; j++) {
                if (!near(&parts[i], &parts[j], gap)) continue;
                part *a = &parts[i], *b = &parts[j];
                if (b->x0 < a->x0) a->x0 = b->x0;
                if (b->y0 < a->y0) a->y0 = b->y0;
                if (b->x1 > a->x1) a->x1 = b->x1;
                if (b->y1 > a->y1) a->y1 = b->y1;
                a->pixels += b->pixels;
                a->most = fmaxf(a->most, b->most);
                *b = parts[--kept];
                j--;
                changed = true;
            }
        }
    }
    qsort(parts, kept, sizeof *parts, by_height);
    return kept;
}

const char *flaw_place_name(double x, double y)
{
    static const char *const names[3][3] = {
        {"top left", "top", "top right"}, {"left", "center", "right"}, {"bottom left", "bottom", "bottom right"}};
    int column = x < 1.0 / 3 ? 0 : x < 2.0 / 3 ? 1 : 2, row = y < 1.0 / 3 ? 0 : y < 2.0 / 3 ? 1 : 2;
    return names[row][column];
}

flaw_status flaw_regions_find(flaw_region *out, int room, int *count, const float *map, int width, int height,
                              double limit, flaw_error *err)
{
    runs r = {0};
    *count = 0;
    size_t above = 0, here = 0;
    for (int y = 0; y < height; y++) {
        above = here;
        here = r.count;
        if (scan_row(&r, map + (size_t)y * (size_t)width, y, width, limit, above, here)) continue;
        free(r.item);
        return flaw_fail(err, FLAW_NO_MEMORY, "regions of a map of %d x %d: memory was refused", width, height);
    }
    size_t found;
    part *parts = parts_of(&r, &found);
    free(r.item);
    if (!parts) return flaw_fail(err, FLAW_NO_MEMORY, "regions of a map of %d x %d: memory was refused", width, height);
    qsort(parts, found, sizeof *parts, by_height);
    found = merge(parts, found, (width > height ? width : height) / MERGE_SHARE);
    for (size_t i = 0; i < found && *count < room; i++) {
        const part *p = &parts[i];
        flaw_region *region = &out[(*count)++];
        *region = (flaw_region){.x = p->x0,
                                .y = p->y0,
                                .width = p->x1 - p->x0,
                                .height = p->y1 - p->y0,
                                .area = p->pixels / ((double)width * height),
                                .score = p->most};
        snprintf(region->place, sizeof region->place, "%s",
                 flaw_place_name((p->x0 + p->x1) / 2.0 / width, (p->y0 + p->y1) / 2.0 / height));
    }
    free(parts);
    return FLAW_OK;
}
