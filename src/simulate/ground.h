/* What of a photograph is the object, and what the ground it lies on. */
#ifndef FLAW_SIMULATE_GROUND_H
#define FLAW_SIMULATE_GROUND_H

#include <stdbool.h>
#include <stdint.h>

#include "flaw/picture.h"

/* Guess the object of a photograph: foreground [height, width] becomes 255 on it. False, and 255 everywhere, when no
 * object stands clearly before a calmer ground (textures, crowded pictures). */
bool flaw_defect_foreground(const flaw_picture *picture, uint8_t *foreground);

#endif
