/* Inside of flaw_pixels. */
#ifndef FLAW_MEASURE_PIXELS_H
#define FLAW_MEASURE_PIXELS_H

#include <pthread.h>

#include "base/pool.h"
#include "measure/metrics/sketch.h"

typedef struct flaw_pixels_part {
    flaw_counts counts;
    flaw_counting work;
    flaw_sketches sketches;
} flaw_pixels_part;

struct flaw_pixels {
    flaw_counts total;
    pthread_mutex_t lock;   /* of total, while several threads count */
    bool keeps_sketches;
    flaw_sketches sketches;
    int threads;
    flaw_pool *pool;        /* NULL with one thread */
    flaw_pixels_part *part; /* [threads], empty between calls */
    bool broken;            /* a call ran out of memory half way: no figures any more */
};

/* The bytes of a file of counts, its sum unchecked (the fuzzer's way in). `path` is for errors. */
flaw_status flaw_pixels_parse(flaw_pixels **out, const void *bytes, size_t size, const char *path, flaw_error *err);
flaw_status flaw_pixels_refuse_broken(const flaw_pixels *p, flaw_error *err);

#endif
