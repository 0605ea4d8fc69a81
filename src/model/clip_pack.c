/* Binding of the linears to the weights, packing, and the scratch that the passes need. */
#include "model/clip.h"

/* A projection, embedding or head on its own; absent ones (w NULL) are left alone. */
static flaw_status pack(flaw_linear *l, int in, int out, const float *w, const float *b, flaw_clip *m, flaw_compute *c,
                        flaw_error *err)
{
    if (!w) return FLAW_OK;
    l->in = in;
    l->out = out;
    l->w = w;
    l->b = b;
    return flaw_linear_pack(l, c, &m->arena, err);
}

static flaw_status pack_blocks(flaw_block *block, const flaw_block_weights *w, const flaw_block_shape *shape,
                               int layers, int tokens, flaw_clip *m, flaw_compute *c, flaw_error *err)
{
    flaw_status status = layers ? flaw_compute_reserve(c, flaw_block_scratch(c, shape, tokens), err) : FLAW_OK;
    for (int l = 0; l < layers && !status; l++) {
        block[l].shape = *shape;
        block[l].weights = w[l];
        status = flaw_block_pack(&block[l], c, &m->arena, err);
    }
    return status;
}

flaw_status flaw_clip_pack(flaw_clip *m, flaw_compute *c, flaw_error *err)
{
    const flaw_clip_shape *s = &m->shape;
    const flaw_clip_view *v = &m->view;
    int d = s->image.width, tokens = flaw_clip_patches(s) + 1;
    flaw_status status = pack(&m->patch, 3 * s->patch * s->patch, d, v->patch_w, v->patch_b, m, c, err);
    if (!status) status = pack(&m->image_proj, d, s->joint, v->image_proj, NULL, m, c, err);
    if (!status) status = pack(&m->head, d, s->classes, v->head_w, v->head_b, m, c, err);
    if (!status) status = pack(&m->text_proj, s->text.width, s->joint, v->text_proj, NULL, m, c, err);
    for (int i = 0; i < FLAW_STAGES && !status; i++)
        status = pack(&m->local[i], d, s->joint, v->local_w[i], i ? NULL : v->local_b, m, c, err);
    if (!status) status = pack_blocks(m->image_block, v->image_block, &s->image, s->image_layers, tokens, m, c, err);
    if (!status) status = pack_blocks(m->text_block, v->text_block, &s->text, s->text_layers, s->context, m, c, err);
    return status;
}
