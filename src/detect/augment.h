/* Mild changes of a good part that leave it good: what the next good part may look like under a camera. */
#ifndef FLAW_DETECT_AUGMENT_H
#define FLAW_DETECT_AUGMENT_H

#include "base/random.h"
#include "flaw/picture.h"

/* A new picture of the same size: turned by up to 2 degrees, moved by up to 1.5 % and zoomed by up to 2 %, brightness
 * and contrast changed by up to 8 %, sometimes softened by a 3x3 kernel, slight noise. Edges are mirrored. No
 * mirror images: a mirrored part can be a wrong part. */
flaw_status flaw_augment_mildly(flaw_picture *out, const flaw_picture *in, flaw_random *random, flaw_error *err);

/* `in`, a square picture, turned about its middle by so many degrees against the clock, bilinear; what comes from outside
 * is mirrored. */
flaw_status flaw_augment_turn(flaw_picture *out, const flaw_picture *in, double degrees, flaw_error *err);

/* `in`, a square picture, turned by a quarter against the clock: its last column becomes the first row. */
flaw_status flaw_augment_quarter(flaw_picture *out, const flaw_picture *in, flaw_error *err);

#endif
