/* What a mask marks, as somebody would tell it who looks at the picture: how many places, and where. The truth that
 * answers in words are learnt from and measured against. */
#ifndef FLAW_DETECT_MARKED_H
#define FLAW_DETECT_MARKED_H

#include <stdint.h>

#include "flaw/inspect.h"

enum { FLAW_MARKED_MOST = 4 }; /* answers speak of no more */

/* Connected parts of mask [height, width], not 0 on defects, the largest first; *count of them in `out`. Parts whose
 * boxes are nearer than a sixteenth of the longer side are one (a scratch of many pieces is one scratch), and farther
 * ones too where there would be more than FLAW_MARKED_MOST; specks, under 4 % of the largest part, are none. `area` is
 * that of the marked pixels, `place` is where the middle of the box lies. */
flaw_status flaw_marked_find(flaw_region out[FLAW_MARKED_MOST], int *count, const uint8_t *mask, int width, int height,
                             flaw_error *err);

#endif
