#include "detect/marked.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "detect/regions.h"

#define NEAR_SHARE 16 /* parts nearer than the longer side / NEAR_SHARE are one */
#define SPECK 0.04    /* of the largest part */

enum { PARTS = 1000 }; /* looked at; a mask with more is noise */

static bool near(const flaw_region *a, const flaw_region *b, int gap)
{
    return a->x - (b->x + b->width) <= gap && b->x - (a->x + a->width) <= gap && a->y - (b->y + b->height) <= gap &&
           b->y - (a->y + a->height) <= gap;
}

static void join(flaw_region *a, const flaw_region *b)
{
    int right = a->x + a->width > b->x + b->width ? a->x + a->width : b->x + b->width;
    int bottom = a->y + a->height > b->y + b->height ? a->y + a->height : b->y + b->height;
    a->x = a->x < b->x ? a->x : b->x;
    a->y = a->y < b->y ? a->y : b->y;
    a->width = right - a->x;
    a->height = bottom - a->y;
    a->area += b->area;
}

static int by_area(const void *a, const void *b)
{
    const flaw_region *p = a, *q = b;
    if (p->area != q->area) return p->area < q->area ? 1 : -1;
    return p->y != q->y ? p->y - q->y : p->x - q->x;
}

static int merge(flaw_region *r, int count, int gap)
{
    for (bool changed = true; changed;) {
        changed = false;
        for (int i = 0; i < count; i++)
            for (int j = i + 1; j < count; j++) {
                if (!near(&r[i], &r[j], gap)) continue;
                join(&r[i], &r[j]);
                r[j--] = r[--count];
                changed = true;
            }
    }
    qsort(r, (size_t)count, sizeof *r, by_area);
    return count;
}

/* Joins what belongs together and leaves out specks; how many parts are left. */
static int settle(flaw_region *r, int count, int side)
{
    int gap = side / NEAR_SHARE;
    do {
        count = merge(r, count, gap);
        while (count > 1 && r[count - 1].area < SPECK * r[0].area) count--;
        gap = 2 * gap + 1;
    } while (count > FLAW_MARKED_MOST);
    return count;
}

flaw_status flaw_marked_find(flaw_region out[FLAW_MARKED_MOST], int *count, const uint8_t *mask, int width, int height,
                             flaw_error *err)
{
    size_t pixels = (size_t)width * (size_t)height;
    float *map = malloc(pixels * sizeof *map);
    flaw_region *part = malloc(PARTS * sizeof *part);
    flaw_status status = FLAW_OK;
    int found = 0;
    if (!map || !part) status = flaw_fail(err, FLAW_NO_MEMORY, "mask of %d x %d: memory was refused", width, height);
    for (size_t i = 0; i < pixels && status == FLAW_OK; i++) map[i] = mask[i] != 0;
    if (status == FLAW_OK) status = flaw_regions_find(part, PARTS, &found, map, width, height, 0.5, err);
    free(map);
    if (status == FLAW_OK) *count = settle(part, found, width > height ? width : height);
    for (int i = 0; status == FLAW_OK && i < *count; i++) {
        double x = (part[i].x + part[i].width / 2.0) / width, y = (part[i].y + part[i].height / 2.0) / height;
        out[i] = part[i];
        snprintf(out[i].place, sizeof out[i].place, "%s", flaw_place_name(x, y));
    }
    free(part);
    return status;
}
