/* Just-noticeable differences: by how much a pixel may change before an eye sees it, and changes held to a multiple of
 * it. */
#ifndef FLAW_SIMULATE_JND_H
#define FLAW_SIMULATE_JND_H

#include <stdint.h>

#include "flaw/picture.h"

/* jnd [height, width] in grey steps (Yang et al. 2005, equations 2 to 4): adaptation to the luminance around (Chou and
 * Li 1995: 20 in the dark, 3 in the middle, 6 in the light) and masking by texture (0.117 of the largest gradient),
 * less 0.3 of the smaller one, for what both hide is not hidden twice. */
flaw_status flaw_jnd_map(float *jnd, const flaw_picture *picture, flaw_error *err);

/* A new picture: `normal` changed towards `strong` (same size) by at most `level` times the JND in each colour; level
 * INFINITY: all the way. noticed [height, width]: 1 where a colour changed by more than the JND itself. */
flaw_status flaw_jnd_limit(flaw_picture *out, uint8_t *noticed, const flaw_picture *normal, const flaw_picture *strong,
                           const float *jnd, float level, flaw_error *err);

#endif
