/* Runs of each row, joined with those they touch in the row above: a forest in which a run points to an earlier one of
 * its region, so that a root is the region's first run. */
#include "measure/metrics/components.h"

#include <stdlib.h>
#include <string.h>

#include "base/checked.h"

static flaw_status make_room(flaw_runs *runs, flaw_error *err)
{
    size_t room = runs->room ? 2 * runs->room : 64, bytes;
    flaw_run *run = flaw_mul_ok(&bytes, room, sizeof *run) ? realloc(runs->run, bytes) : NULL;
    if (run) runs->run = run;
    uint32_t *size = run ? realloc(runs->size, room * sizeof *size) : NULL;
    if (!size) return flaw_fail(err, FLAW_NO_MEMORY, "components of a mask: no memory for %zu runs", room);
    runs->size = size;
    runs->room = room;
    return FLAW_OK;
}

/* First marked pixel of [from, end), or end; eight pixels at a time. */
static uint32_t skip_clear(const uint8_t *mask, uint32_t from, uint32_t end)
{
    for (uint64_t eight; end - from >= 8; from += 8) {
        memcpy(&eight, mask + from, 8);
        if (eight) break;
    }
    while (from < end && !mask[from]) from++;
    return from;
}

static uint32_t root_of(flaw_run *run, uint32_t i)
{
    while (run[i].region != i) i = run[i].region = run[run[i].region].region;
    return i;
}

/* Join run `at` with the runs of the row above that touch it; *above walks along that row and never goes back. */
static void join(flaw_run *run, uint32_t at, size_t *above, size_t above_end, uint32_t width)
{
    /* In the numbers of this row the run above covers begin + width .. end + width - 1; to touch it may end one pixel
       before this one begins, and begin one pixel after this one ends. */
    const uint64_t begin = run[at].begin, end = run[at].end;
    while (*above < above_end && (uint64_t)run[*above].end + width < begin) ++*above;
    for (size_t i = *above; i < above_end && (uint64_t)run[i].begin + width <= end; i++) {
        uint32_t a = root_of(run, (uint32_t)i), b = root_of(run, at);
        if (a < b) run[b].region = a;
        else run[a].region = b;
    }
}

/* From pointers to roots to numbers of regions. */
static void number(flaw_runs *runs)
{
    runs->regions = 0;
    for (uint32_t i = 0; i < runs->count; i++) {
        flaw_run *r = &runs->run[i];
        /* what it points to comes earlier and has its number already */
        if (r->region == i) {
            runs->size[runs->regions] = 0;
            r->region = runs->regions++;
        } else {
            r->region = runs->run[r->region].region;
        }
        runs->size[r->region] += r->end - r->begin;
    }
}

flaw_status flaw_runs_find(flaw_runs *runs, const uint8_t *mask, int width, int height, flaw_error *err)
{
    if (width < 1 || height < 1 || (uint64_t)width * (uint64_t)height >= UINT32_MAX)
        return flaw_fail(err, FLAW_USAGE, "components of a %d x %d mask: size out of range", width, height);
    size_t above = 0, above_end = 0;
    runs->count = 0;
    runs->regions = 0;
    for (uint32_t y = 0; y < (uint32_t)height; y++) {
        const uint32_t row_end = (y + 1) * (uint32_t)width;
        const size_t row = runs->count;
        for (uint32_t at = y * (uint32_t)width; (at = skip_clear(mask, at, row_end)) < row_end;) {
            const uint8_t *clear = memchr(mask + at, 0, row_end - at);
            flaw_status status = runs->count < runs->room ? FLAW_OK : make_room(runs, err);
            if (status != FLAW_OK) return status;
            uint32_t n = (uint32_t)runs->count++, end = clear ? (uint32_t)(clear - mask) : row_end;
            runs->run[n] = (flaw_run){.begin = at, .end = end, .region = n};
            join(runs->run, n, &above, above_end, (uint32_t)width);
            at = end;
        }
        above = row;
        above_end = runs->count;
    }
    number(runs);
    return FLAW_OK;
}

void flaw_runs_release(flaw_runs *runs)
{
    free(runs->run);
    free(runs->size);
    *runs = (flaw_runs){0};
}

flaw_status flaw_components_label(uint32_t *label, uint32_t *count, const uint8_t *mask, int width, int height,
                                  uint32_t first, flaw_error *err)
{
    if (width < 1 || height < 1 || (uint64_t)width * (uint64_t)height > UINT32_MAX - first)
        return flaw_fail(err, FLAW_USAGE, "components of a %d x %d mask: size out of range", width, height);
    flaw_runs runs = {0};
    flaw_status status = flaw_runs_find(&runs, mask, width, height, err);
    if (status == FLAW_OK) {
        memset(label, 0, (size_t)width * (size_t)height * sizeof *label);
        for (size_t i = 0; i < runs.count; i++)
            for (uint32_t p = runs.run[i].begin; p < runs.run[i].end; p++) label[p] = first + runs.run[i].region;
        *count = runs.regions;
    }
    flaw_runs_release(&runs);
    return status;
}
