/* What one machine hands to another to see whether they compute the same: the image tower of the embedded model, one
 * prepared picture, and what the tower made of it. Written and read by programs built from the same headers; both machines
 * are little endian and have the same sizes of int, bool and float. */
#ifndef FLAW_TESTS_ARM_TOWER_H
#define FLAW_TESTS_ARM_TOWER_H

#include <stdio.h>

#include "model/tower/clip.h"

/* Then, as float32: parameters in the order of flaw_clip_parameters, pixels [3, S, S], and for each precision cls [E] and
 * patches [P, E]. */
typedef struct tower_head {
    flaw_clip_shape shape; /* without text */
    size_t parameters;
} tower_head;

static inline size_t tower_pixels(const flaw_clip_shape *s)
{
    return 3 * (size_t)s->side * (size_t)s->side;
}

/* Floats of one result: cls, then patches. */
static inline size_t tower_result(const flaw_clip_shape *s)
{
    return (size_t)(1 + flaw_clip_patches(s)) * (size_t)flaw_clip_width(s);
}

/* The class token brought to unit length, as embeddings are; the patches are of that length already. */
static inline void tower_encode(flaw_compute *c, const flaw_clip *m, const float *pixels, float *work, float *out)
{
    size_t width = (size_t)flaw_clip_width(&m->shape);
    flaw_clip_encode_images(c, m, 1, pixels, &(flaw_image_output){.cls = out, .patches = out + width}, work);
    float length = sqrtf(c->kernels->dot(width, out, out));
    c->kernels->scale(width, 1.0f / length, out);
}

static inline float *tower_work(const flaw_clip *m)
{
    return aligned_alloc(64, (flaw_clip_image_workspace(m, 1) * sizeof(float) + 63) / 64 * 64);
}

#endif
