/* The work of the image tower, for figures of speed. */
#include "inspect/engine.h"

double flaw_engine_picture_flops(const flaw_engine *engine)
{
    const flaw_clip_shape *s = &engine->model->shape;
    const double d = s->image.width, f = s->image.hidden, layers = s->image_layers, patches = flaw_clip_patches(s);
    const double t = flaw_clip_tokens(s), up = s->image.gated ? 2 : 1; /* matrices of the MLP before its middle */
    /* A product of [m,k] and [k,n] takes 2mnk. Per token and block: qkv 3 D D, out D D, the two of the MLP D F each;
     * per block the scores and the weighted sums of attention, T T D each. */
    const double block = t * 2 * (4 * d * d + (1 + up) * d * f) + 2 * 2 * t * t * d;
    const double patch = patches * 2 * d * 3 * s->patch * s->patch;
    return patch + layers * block + 2 * d * s->joint;
}
