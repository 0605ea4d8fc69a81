/* What the files of the simulation share. */
#ifndef FLAW_SIMULATE_SIMULATE_INSIDE_H
#define FLAW_SIMULATE_SIMULATE_INSIDE_H

#include <stdbool.h>

#include "flaw/simulate.h"

/* A label above this belongs to the mask. */
#define FLAW_SIMULATE_MASK 0.3f

/* Sizes in pixels are given for a picture of 224 x 224 and scaled with the shorter side; at least 1. */
int flaw_simulate_scaled(const flaw_picture *picture, double pixels);

/* object [height, width] becomes 1 on the object, 0 on the background; false where there is none told apart, and then 1
 * everywhere. FLAW_NO_MEMORY. */
flaw_status flaw_simulate_object(uint8_t *object, bool *found, const flaw_picture *picture,
                                 const flaw_simulate_preset *preset, flaw_error *err);

/* mask [height, width] of 0 and 1: majority in squares of 2 radius + 1, 0 outside. */
flaw_status flaw_simulate_settle(uint8_t *mask, int width, int height, int radius, flaw_error *err);

/* label [height, width] of a changed part of a picture (spec: logistic intensity): before and after [height, width, 3],
 * mask [height, width] where a change counts, nothing having changed outside. `picture` sets the scale. */
flaw_status flaw_simulate_label(float *label, const uint8_t *before, const uint8_t *after, const uint8_t *mask,
                                int width, int height, const flaw_simulate_preset *preset, const flaw_picture *picture,
                                flaw_error *err);

#endif
