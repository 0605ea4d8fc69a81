/* What a mask marks, as somebody would tell it who looks at the picture: how many places, and where. The truth that
 * answers in words are measured against, and learnt from. */
#ifndef FLAW_DETECT_MARKED_H
#define FLAW_DETECT_MARKED_H

#include <stdint.h>

#include "flaw/inspect.h"

/* Connected parts of mask [height, width], not 0 on defects, the largest first. Parts whose boxes are nearer than a
 * sixteenth of the longer side are one (a scratch of many pieces is one scratch); specks, under 4 % of the largest
 * part, are none. `area` is that of the marked pixels, `place` is where the middle of the box lies. At most `room` are
 * written; *count tells of all that there are, of the thousand largest at most. */
flaw_status flaw_marked_find(flaw_region *out, int room, int *count, const uint8_t *mask, int width, int height,
                             flaw_error *err);

#endif
