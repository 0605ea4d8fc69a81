/* A whole ALFA picture by the public interface, for bench_tower. */
#ifndef FLAW_BENCH_TOWER_ALFA_H
#define FLAW_BENCH_TOWER_ALFA_H

#include "flaw/engine.h"

typedef struct tower_alfa tower_alfa;

/* Opens the model once more, as an engine, and the method "alfa" on it; the picture is of the model's own side. */
flaw_status tower_alfa_open(tower_alfa **out, const flaw_engine_options *options, int side, flaw_error *err);
void tower_alfa_close(tower_alfa *a);
/* Milliseconds from a picture in memory to verdict, map and words. */
flaw_status tower_alfa_judge(double *ms, tower_alfa *a, flaw_error *err);

#endif
