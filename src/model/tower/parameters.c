/* The walk over the parameters of a CLIP shape. */
#include <stdio.h>

#include "model/tower/walk.h"

static void visit_image(flaw_walk *w, flaw_clip_view *v, const flaw_clip_shape *s)
{
    flaw_block_weights none;
    int d = s->image.width;
    flaw_walk_visit(w, &v->patch_w, d, 3 * s->patch * s->patch, "image.patch.w");
    if (s->patch_bias) flaw_walk_visit(w, &v->patch_b, 0, d, "image.patch.b");
    flaw_walk_visit(w, &v->cls, 0, d, "image.cls");
    flaw_walk_visit(w, &v->position, 1 + flaw_clip_patches(s), d, "image.position");
    if (s->registers) flaw_walk_visit(w, &v->registers, s->registers, d, "image.registers");
    if (s->pre_norm) {
        flaw_walk_visit(w, &v->pre_w, 0, d, "image.pre.w");
        flaw_walk_visit(w, &v->pre_b, 0, d, "image.pre.b");
    }
    for (int i = 0; i < s->image_layers; i++)
        flaw_walk_block(w, w->base ? &v->image_block[i] : &none, &s->image, true, "image", i);
    flaw_walk_visit(w, &v->post_w, 0, d, "image.post.w");
    flaw_walk_visit(w, &v->post_b, 0, d, "image.post.b");
    if (s->joint) flaw_walk_visit(w, &v->image_proj, s->joint, d, "image.proj");
    if (s->classes) {
        flaw_walk_visit(w, &v->head_w, s->classes, d, "head.w");
        flaw_walk_visit(w, &v->head_b, 0, s->classes, "head.b");
    }
}

static void visit_local(flaw_walk *w, flaw_clip_view *v, const flaw_clip_shape *s)
{
    char name[64];
    for (int i = 0; i < FLAW_STAGES; i++) {
        snprintf(name, sizeof name, "local.%d.norm.w", i);
        flaw_walk_visit(w, &v->local_norm_w[i], 0, s->image.width, name);
        snprintf(name, sizeof name, "local.%d.norm.b", i);
        flaw_walk_visit(w, &v->local_norm_b[i], 0, s->image.width, name);
        snprintf(name, sizeof name, "local.%d.w", i);
        flaw_walk_visit(w, &v->local_w[i], s->joint, s->image.width, name);
    }
    flaw_walk_visit(w, &v->local_b, 0, s->joint, "local.b");
}

static void visit_text(flaw_walk *w, flaw_clip_view *v, const flaw_clip_shape *s)
{
    flaw_block_weights none;
    int d = s->text.width;
    flaw_walk_visit(w, &v->token, s->vocab, d, "text.token");
    flaw_walk_visit(w, &v->text_position, s->context, d, "text.position");
    for (int i = 0; i < s->text_layers; i++)
        flaw_walk_block(w, w->base ? &v->text_block[i] : &none, &s->text, true, "text", i);
    flaw_walk_visit(w, &v->final_w, 0, d, "text.final.w");
    flaw_walk_visit(w, &v->final_b, 0, d, "text.final.b");
    flaw_walk_visit(w, &v->text_proj, s->joint, d, "text.proj");
    flaw_walk_visit(w, &v->logit_scale, 0, 1, "logit_scale");
}

static void visit_all(flaw_walk *w, void *view, const void *shape)
{
    flaw_clip_view *v = view;
    const flaw_clip_shape *s = shape;
    visit_image(w, v, s);
    if (s->local_head) visit_local(w, v, s);
    if (s->text.width) visit_text(w, v, s);
}

flaw_status flaw_clip_parameters(flaw_parameters *out, const flaw_clip_shape *shape, flaw_arena *arena, flaw_error *err)
{
    flaw_clip_view none = {0};
    flaw_status status = flaw_clip_shape_check(shape, "model shape", err);
    return status ? status : flaw_walk_list(out, visit_all, &none, shape, arena, err);
}

flaw_status flaw_clip_view_over(flaw_clip_view *out, const flaw_clip_shape *shape, const flaw_parameters *list,
                                float *base, flaw_arena *arena, flaw_error *err)
{
    flaw_clip_view v = {0};
    v.image_block = flaw_arena_alloc(arena, (size_t)shape->image_layers, sizeof *v.image_block);
    v.text_block = flaw_arena_alloc(arena, (size_t)shape->text_layers, sizeof *v.text_block);
    if (!v.image_block || !v.text_block) return flaw_fail(err, FLAW_NO_MEMORY, "no memory for the view of a model");
    flaw_walk_view(list, visit_all, &v, shape, base);
    *out = v;
    return FLAW_OK;
}
