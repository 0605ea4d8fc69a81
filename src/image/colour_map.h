/* The one colour scale of all heat maps. It is absolute: a value means the same colour on every picture, because the
 * values are set against the decision itself: 0 = surely normal, 0.5 = the threshold, 1 = surely anomalous. */
#ifndef FLAW_IMAGE_COLOUR_MAP_H
#define FLAW_IMAGE_COLOUR_MAP_H

#include "image/draw.h"

#define FLAW_HEAT_CLEAR 0.35f    /* below: no colour at all, the photograph as it is */
#define FLAW_HEAT_THRESHOLD 0.5f /* yellow up to here, orange and red only above */

/* Colour and opacity of a value; values below 0 and above 1 are as 0 and 1. Not a number is grey, nearly opaque. */
flaw_colour flaw_heat_colour(float value);

/* Map value in the units of a method -> the scale above: `low` -> 0, `threshold` -> 0.5. NaN when threshold <= low. */
float flaw_heat_value(float raw, float low, float threshold);

#endif
