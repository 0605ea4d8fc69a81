/* Connected components of a mask, 8 neighbours. */
#ifndef FLAW_MEASURE_COMPONENTS_H
#define FLAW_MEASURE_COMPONENTS_H

#include <stdint.h>

#include "flaw/status.h"

/* label [height, width]: 0 where the mask is 0, else first + the number of its component (in row order of first
 * pixels, from 0). *count = number of components. `first` must be >= 1. */
flaw_status flaw_components_label(uint32_t *label, uint32_t *count, const uint8_t *mask, int width, int height,
                                  uint32_t first, flaw_error *err);

#endif
