/* The list of parameters of a CLIP shape and views over arrays laid out in its order. One walk over the shape visits
 * every parameter with its name, shape and place in the view; making the list and making a view are two visitors. */
#include <stdio.h>
#include <string.h>

#include "base/checked.h"
#include "model/clip.h"

typedef struct walk {
    flaw_parameters *list;
    flaw_arena *arena;
    float *base; /* NULL while listing */
    size_t next; /* parameter visited next */
    bool failed; /* no memory, or sizes overflow */
} walk;

/* rows 0: a vector of `columns`. */
static void visit(walk *w, float **slot, int rows, int columns, const char *name)
{
    size_t at = w->next++;
    if (w->base) {
        *slot = w->base + w->list->item[at].offset;
        return;
    }
    if (!w->list->item) return; /* counting */
    flaw_parameter *p = &w->list->item[at];
    p->name = flaw_arena_copy_string(w->arena, name, strlen(name));
    p->rank = rows ? 2 : 1;
    p->shape[0] = (size_t)(rows ? rows : columns);
    p->shape[1] = (size_t)(rows ? columns : 1);
    p->offset = w->list->total;
    if (!p->name || !flaw_mul_ok(&p->count, p->shape[0], p->shape[1]) ||
        !flaw_add_ok(&w->list->total, w->list->total, p->count))
        w->failed = true;
}

static void visit_block(walk *w, flaw_block_weights *b, const flaw_block_shape *s, const char *tower, int index)
{
    int d = s->width, f = s->hidden;
    const struct {
        float **slot;
        int rows, columns;
        const char *name;
    } parts[] = {
        {&b->norm1_w, 0, d, "norm1.w"}, {&b->norm1_b, 0, d, "norm1.b"}, {&b->qkv_w, 3 * d, d, "qkv.w"},
        {&b->qkv_b, 0, 3 * d, "qkv.b"}, {&b->out_w, d, d, "out.w"},     {&b->out_b, 0, d, "out.b"},
        {&b->norm2_w, 0, d, "norm2.w"}, {&b->norm2_b, 0, d, "norm2.b"}, {&b->fc1_w, f, d, "fc1.w"},
        {&b->fc1_b, 0, f, "fc1.b"},     {&b->fc2_w, d, f, "fc2.w"},     {&b->fc2_b, 0, d, "fc2.b"},
    };
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        char name[64];
        snprintf(name, sizeof name, "%s.block.%d.%s", tower, index, parts[i].name);
        visit(w, parts[i].slot, parts[i].rows, parts[i].columns, name);
    }
}

static void visit_image(walk *w, flaw_clip_view *v, const flaw_clip_shape *s)
{
    flaw_block_weights none;
    int d = s->image.width;
    visit(w, &v->patch_w, d, 3 * s->patch * s->patch, "image.patch.w");
    if (s->patch_bias) visit(w, &v->patch_b, 0, d, "image.patch.b");
    visit(w, &v->cls, 0, d, "image.cls");
    visit(w, &v->position, 1 + flaw_clip_patches(s), d, "image.position");
    if (s->pre_norm) {
        visit(w, &v->pre_w, 0, d, "image.pre.w");
        visit(w, &v->pre_b, 0, d, "image.pre.b");
    }
    for (int i = 0; i < s->image_layers; i++)
        visit_block(w, w->base ? &v->image_block[i] : &none, &s->image, "image", i);
    visit(w, &v->post_w, 0, d, "image.post.w");
    visit(w, &v->post_b, 0, d, "image.post.b");
    if (s->joint) visit(w, &v->image_proj, s->joint, d, "image.proj");
    if (s->classes) {
        visit(w, &v->head_w, s->classes, d, "head.w");
        visit(w, &v->head_b, 0, s->classes, "head.b");
    }
}

static void visit_local(walk *w, flaw_clip_view *v, const flaw_clip_shape *s)
{
    char name[64];
    for (int i = 0; i < FLAW_STAGES; i++) {
        snprintf(name, sizeof name, "local.%d.norm.w", i);
        visit(w, &v->local_norm_w[i], 0, s->image.width, name);
        snprintf(name, sizeof name, "local.%d.norm.b", i);
        visit(w, &v->local_norm_b[i], 0, s->image.width, name);
        snprintf(name, sizeof name, "local.%d.w", i);
        visit(w, &v->local_w[i], s->joint, s->image.width, name);
    }
    visit(w, &v->local_b, 0, s->joint, "local.b");
}

static void visit_text(walk *w, flaw_clip_view *v, const flaw_clip_shape *s)
{
    flaw_block_weights none;
    int d = s->text.width;
    visit(w, &v->token, s->vocab, d, "text.token");
    visit(w, &v->text_position, s->context, d, "text.position");
    for (int i = 0; i < s->text_layers; i++) visit_block(w, w->base ? &v->text_block[i] : &none, &s->text, "text", i);
    visit(w, &v->final_w, 0, d, "text.final.w");
    visit(w, &v->final_b, 0, d, "text.final.b");
    visit(w, &v->text_proj, s->joint, d, "text.proj");
    visit(w, &v->logit_scale, 0, 1, "logit_scale");
}

static void visit_all(walk *w, flaw_clip_view *v, const flaw_clip_shape *s)
{
    w->next = 0;
    visit_image(w, v, s);
    if (s->local_head) visit_local(w, v, s);
    if (s->text.width) visit_text(w, v, s);
}

flaw_status flaw_clip_parameters(flaw_parameters *out, const flaw_clip_shape *shape, flaw_arena *arena, flaw_error *err)
{
    flaw_parameters list = {0};
    flaw_clip_view none = {0};
    walk w = {.list = &list, .arena = arena};
    flaw_status status = flaw_clip_shape_check(shape, "model shape", err);
    if (status) return status;
    visit_all(&w, &none, shape);
    list.count = w.next;
    list.item = flaw_arena_alloc(arena, list.count, sizeof *list.item);
    if (!list.item) return flaw_fail(err, FLAW_NO_MEMORY, "no memory for the list of %zu parameters", list.count);
    visit_all(&w, &none, shape);
    if (w.failed) return flaw_fail(err, FLAW_NO_MEMORY, "no memory for the list of %zu parameters", list.count);
    *out = list;
    return FLAW_OK;
}

flaw_status flaw_clip_view_over(flaw_clip_view *out, const flaw_clip_shape *shape, const flaw_parameters *list,
                                float *base, flaw_arena *arena, flaw_error *err)
{
    flaw_clip_view v = {0};
    flaw_parameters same = *list;
    walk w = {.list = &same, .arena = arena, .base = base};
    v.image_block = flaw_arena_alloc(arena, (size_t)shape->image_layers, sizeof *v.image_block);
    v.text_block = flaw_arena_alloc(arena, (size_t)shape->text_layers, sizeof *v.text_block);
    if (!v.image_block || !v.text_block) return flaw_fail(err, FLAW_NO_MEMORY, "no memory for the view of a model");
    visit_all(&w, &v, shape);
    *out = v;
    return FLAW_OK;
}
