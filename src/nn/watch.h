/* Where the time of a tower goes, for measuring programs: seconds that each worker spent in each kind of operation. A
 * compute without a watch pays one comparison an operation. What is missing to workers x wall time is hand-over: waiting
 * for work and for each other. */
#ifndef FLAW_NN_WATCH_H
#define FLAW_NN_WATCH_H

#include <time.h>

#include "nn/compute.h"

typedef enum flaw_station {
    FLAW_STATION_PATCH, /* pixels as rows, patch embedding, positions */
    FLAW_STATION_NORM,
    FLAW_STATION_QKV,
    FLAW_STATION_ATTENTION,
    FLAW_STATION_OUT,
    FLAW_STATION_FC1, /* with its activation */
    FLAW_STATION_FC2,
    FLAW_STATIONS
} flaw_station;

struct flaw_watch {
    double seconds[FLAW_STATIONS];
    double apart[8]; /* the workers' counters lie on cache lines of their own */
};

static inline double flaw_watch_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static inline double flaw_watch_start(const flaw_compute *c)
{
    return c->watch ? flaw_watch_now() : 0.0;
}

/* What passed since *start counts for the station; the next one starts now. */
static inline void flaw_watch_lap(const flaw_compute *c, int worker, flaw_station station, double *start)
{
    if (!c->watch) return;
    double now = flaw_watch_now();
    c->watch[worker].seconds[station] += now - *start;
    *start = now;
}

#endif
