/* Random views of a picture for training: the same geometry for picture and mask, colours and softness for the picture
 * alone. One seeded draw of the figures, one pass of bilinear sampling, one table per channel. */
#ifndef FLAW_LEARN_AUGMENT_H
#define FLAW_LEARN_AUGMENT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/random.h"
#include "flaw/picture.h"

typedef struct flaw_augment_options {
    int size;                 /* side of the result, pixels */
    float scale_lo, scale_hi; /* share of the source's area that the view covers, 0 < lo <= hi; over 1 shows borders */
    float aspect;             /* largest ratio of the view's sides, >= 1 */
    float turn;               /* largest rotation either way, radians */
    bool flip;                /* mirror left-right with probability 1/2, and quarter turns */
    float brightness, contrast, saturation, hue; /* largest change either way; hue in turns */
    float gamma;                                 /* largest exponent, >= 1 (and its inverse) */
    float blur;                                  /* probability of a soft view */
    float noise;                                 /* largest deviation of the grain, 0 .. 255 */
    float grey;                                  /* probability of a grey view */
} flaw_augment_options;

/* Strong views for distillation: 224 px, 25 .. 100 % of the area, any turn up to 0.5, all colours. */
void flaw_augment_options_init(flaw_augment_options *options);

/* out = a view of `in`; out_mask [size, size] (caller's, may be NULL) the same view of mask [h, w] (may be NULL).
 * Parts outside the source are mirrored. FLAW_USAGE, FLAW_NO_MEMORY. */
flaw_status flaw_augment(flaw_picture *out, uint8_t *out_mask, const flaw_picture *in, const uint8_t *mask,
                         const flaw_augment_options *options, flaw_random *r, flaw_error *err);

#endif
