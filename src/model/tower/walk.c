#include "model/tower/walk.h"

#include <stdio.h>
#include <string.h>

#include "base/checked.h"

void flaw_walk_visit(flaw_walk *w, float **slot, int rows, int columns, const char *name)
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

void flaw_walk_block(flaw_walk *w, flaw_block_weights *b, const flaw_block_shape *s, bool bias, const char *tower,
                     int index)
{
    int d = s->width, f = s->hidden, q = d + 2 * (s->kv_heads ? d / s->heads * s->kv_heads : d),
        g = s->gated ? 2 * f : f;
    const struct {
        float **slot;
        int rows, columns;
        bool bias;
        const char *name;
    } parts[] = {
        {&b->norm1_w, 0, d, false, "norm1.w"}, {&b->norm1_b, 0, d, true, "norm1.b"}, {&b->qkv_w, q, d, false, "qkv.w"},
        {&b->qkv_b, 0, q, true, "qkv.b"},      {&b->out_w, d, d, false, "out.w"},    {&b->out_b, 0, d, true, "out.b"},
        {&b->norm2_w, 0, d, false, "norm2.w"}, {&b->norm2_b, 0, d, true, "norm2.b"}, {&b->fc1_w, g, d, false, "fc1.w"},
        {&b->fc1_b, 0, g, true, "fc1.b"},      {&b->fc2_w, d, f, false, "fc2.w"},    {&b->fc2_b, 0, d, true, "fc2.b"},
    };
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        char name[64];
        if (parts[i].bias && !bias) continue;
        snprintf(name, sizeof name, "%s.block.%d.%s", tower, index, parts[i].name);
        flaw_walk_visit(w, parts[i].slot, parts[i].rows, parts[i].columns, name);
    }
}

flaw_status flaw_walk_list(flaw_parameters *out, flaw_walker walker, void *view, const void *shape, flaw_arena *arena,
                           flaw_error *err)
{
    flaw_parameters list = {0};
    flaw_walk w = {.list = &list, .arena = arena};
    walker(&w, view, shape);
    list.count = w.next;
    list.item = flaw_arena_alloc(arena, list.count, sizeof *list.item);
    if (!list.item) return flaw_fail(err, FLAW_NO_MEMORY, "no memory for the list of %zu parameters", list.count);
    w.next = 0;
    walker(&w, view, shape);
    if (w.failed) return flaw_fail(err, FLAW_NO_MEMORY, "no memory for the list of %zu parameters", list.count);
    *out = list;
    return FLAW_OK;
}

void flaw_walk_view(const flaw_parameters *list, flaw_walker walker, void *view, const void *shape, float *base)
{
    flaw_parameters same = *list;
    flaw_walk w = {.list = &same, .base = base};
    walker(&w, view, shape);
}
