/* Image towers of CLIP's shape with random weights, made in memory. */
#ifndef FLAW_BENCH_TOWER_MODEL_H
#define FLAW_BENCH_TOWER_MODEL_H

#include "model/tower/clip.h"

/* "b": ViT-B/16 at 240, "l": ViT-L/14 at 336, "tiny": DeiT-Tiny's shape; any other name is a model to open. */
flaw_status tower_open(flaw_clip **out, const char *name, flaw_compute *c, flaw_error *err);

/* Floating-point operations of the products of one pass over one picture, by kind (watch.h), and all of them with the
 * projection of the class token. */
double tower_station_flops(const flaw_clip_shape *s, int station);
double tower_flops(const flaw_clip_shape *s);

#endif
