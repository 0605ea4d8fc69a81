/* Defect painters: they act on any RGB picture, drawn or photographed, inside a foreground mask where one is given. */
#ifndef FLAW_LEARN_DEFECT_H
#define FLAW_LEARN_DEFECT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/random.h"
#include "flaw/picture.h"
#include "simulate/ground.h"

int flaw_defect_count(void);
/* Natural words: "scratch", "missing piece" ...; NULL out of range. */
const char *flaw_defect_name(int kind);
/* With article, for sentences: "a scratch", "dust specks". */
const char *flaw_defect_phrase(int kind);
int flaw_defect_find(const char *name); /* -1 when unknown */
/* A kind by weight; with a material's word only kinds that can befall it (no rust on wood). */
int flaw_defect_any(flaw_random *r, const char *material);

/* Paint one defect of `kind` (-1: any) into `picture`.
 * foreground [height, width]: not 0 on the object; NULL: everywhere. other: picture to paste patches from, any size;
 * NULL: pastes from the picture itself. mask [height, width]: becomes 255 where the picture changed visibly; other
 * pixels of it are left alone, so that several defects share one mask. *painted (may be NULL) = kind painted.
 * A defect too faint to see is painted again, stronger or elsewhere; FLAW_UNAVAILABLE when none could be made visible
 * (an empty foreground, a picture of a few pixels), FLAW_USAGE, FLAW_NO_MEMORY. A failure leaves picture and mask. */
flaw_status flaw_defect_paint(flaw_picture *picture, const uint8_t *foreground, const flaw_picture *other, int kind,
                              flaw_random *r, uint8_t *mask, int *painted, flaw_error *err);

#endif
