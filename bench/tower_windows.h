/* All 2 x 2 and 3 x 3 windows of one picture, for bench_tower. */
#ifndef FLAW_BENCH_TOWER_WINDOWS_H
#define FLAW_BENCH_TOWER_WINDOWS_H

#include "model/tower/clip.h"

typedef struct tower_windows {
    int tokens;      /* of all windows together */
    float *embedded; /* [T, D] */
    float *out[2], *work;
} tower_windows;

/* Buffers, and tokens of random numbers. */
flaw_status tower_windows_open(tower_windows *out, const flaw_clip *m, const flaw_compute *c, flaw_error *err);
void tower_windows_close(tower_windows *w);
/* Milliseconds of all of them, without the pass of the whole picture. */
double tower_windows_pass(const tower_windows *w, const flaw_clip *m, flaw_compute *c);

#endif
