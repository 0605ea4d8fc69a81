/* Inside of flaw_pixels. */
#ifndef FLAW_MEASURE_PIXELS_H
#define FLAW_MEASURE_PIXELS_H

#include "base/pool.h"
#include "measure/pixels_count.h"

typedef struct flaw_pixels_part {
    flaw_counts counts;
    flaw_counting work;
} flaw_pixels_part;

struct flaw_pixels {
    flaw_counts total;
    int threads;
    flaw_pool *pool;        /* NULL with one thread */
    flaw_pixels_part *part; /* [threads], zero between calls */
    bool broken;            /* a call ran out of memory half way: no figures any more */
};

flaw_status flaw_pixels_refuse_broken(const flaw_pixels *p, flaw_error *err);

#endif
