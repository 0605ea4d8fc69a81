/* A picture's pixels in short, for drawing pictures again and again: neighbouring scores in cells that hold at most
 * 1/256 of the background and 1/256 of what is marked, unless a single bin holds more. */
#ifndef FLAW_MEASURE_SKETCH_H
#define FLAW_MEASURE_SKETCH_H

#include "measure/metrics/pixels_count.h"

typedef struct flaw_cell {
    uint32_t key; /* the lowest in it */
    uint32_t background, marked;
    double share; /* of regions, 1 is a whole one */
} flaw_cell;

typedef struct flaw_sketch {
    uint64_t id;
    uint64_t background, marked, regions;
    flaw_cell *cell; /* [count] owned, keys fall */
    uint32_t count;
} flaw_sketch;

typedef struct flaw_sketches {
    flaw_sketch *item; /* [count] owned */
    size_t count, room;
} flaw_sketches;

/* From the counts of one picture alone. Appends to the list. */
flaw_status flaw_sketches_add(flaw_sketches *list, const flaw_counts *picture, uint64_t id, flaw_error *err);
/* Appends an empty sketch with room for `cells`; *out is valid until the next call. */
flaw_status flaw_sketches_append(flaw_sketch **out, flaw_sketches *list, uint64_t id, size_t cells, flaw_error *err);
/* Moves all of `from` to the end of `into`. */
flaw_status flaw_sketches_move(flaw_sketches *into, flaw_sketches *from, flaw_error *err);
flaw_status flaw_sketches_copy(flaw_sketches *into, const flaw_sketches *from, flaw_error *err);
/* By id; FLAW_BAD_DATA when an id comes twice. */
flaw_status flaw_sketches_sort(flaw_sketches *list, flaw_error *err);
void flaw_sketches_release(flaw_sketches *list);

#endif
