/* Connected components of a mask, 8 neighbours, as runs of pixels. */
#ifndef FLAW_MEASURE_COMPONENTS_H
#define FLAW_MEASURE_COMPONENTS_H

#include <stddef.h>
#include <stdint.h>

#include "flaw/status.h"

/* Marked pixels begin .. end - 1 of one row; pixels are numbered row by row from 0. */
typedef struct flaw_run {
    uint32_t begin, end;
    uint32_t region; /* 0 .. regions - 1, in the order of their first pixels */
} flaw_run;

/* All marked pixels of one mask, in order. One list serves many masks one after the other. */
typedef struct flaw_runs {
    flaw_run *run;  /* [count] owned */
    uint32_t *size; /* [regions] pixels of each region; owned */
    size_t count, room;
    uint32_t regions;
} flaw_runs;

/* `runs` begins as {0}, and what it held before is replaced. mask [height, width], nonzero is marked. */
flaw_status flaw_runs_find(flaw_runs *runs, const uint8_t *mask, int width, int height, flaw_error *err);
void flaw_runs_release(flaw_runs *runs);

/* label [height, width]: 0 where the mask is 0, else first + the number of its component (in row order of first
 * pixels, from 0). *count = number of components. `first` must be >= 1. */
flaw_status flaw_components_label(uint32_t *label, uint32_t *count, const uint8_t *mask, int width, int height,
                                  uint32_t first, flaw_error *err);

#endif
