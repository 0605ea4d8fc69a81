/* Positions learnt on one square grid of patches, brought to another one. */
#ifndef FLAW_MODEL_POSITIONS_H
#define FLAW_MODEL_POSITIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "flaw/status.h"

/* As torch.nn.functional.interpolate does it, mode bicubic, align_corners False: */
typedef enum flaw_positions_way {
    FLAW_POSITIONS_PLAIN,  /* size, antialias False: cubic with a = -0.75, edges repeated */
    FLAW_POSITIONS_SMOOTH, /* size, antialias True: cubic with a = -0.5, stretched when it shrinks, weights sum to 1 */
    FLAW_POSITIONS_OFFSET, /* PLAIN, but by a scale factor of (grid + 0.1) / grid given: DINOv2's own code */
} flaw_positions_way;

/* Positions of a square grid: `count` is grid^2 (class token without a position) or 1 + grid^2 (*whole). */
bool flaw_positions_grid(int *grid, bool *whole, size_t count);

/* out [1 + G^2, width], to = 1 + G^2; in [from, width] on another grid, or the same: then they are copied. A class
 * token without a position gets zeros. */
flaw_status flaw_positions_bring(float *out, size_t to, const float *in, size_t from, size_t width,
                                 flaw_positions_way way, flaw_error *err);

#endif
