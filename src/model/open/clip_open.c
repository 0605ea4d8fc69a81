/* From a model on disk to a network that runs: read, bind, pack. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "model/open/clip_load.h"

static flaw_status fill_new(flaw_clip *m, flaw_error *err)
{
    flaw_status status = flaw_clip_parameters(&m->list, &m->shape, &m->arena, err);
    if (status) return status;
    size_t bytes;
    if (!flaw_mul_ok(&bytes, m->list.total, sizeof *m->weights))
        return flaw_fail(err, FLAW_NO_MEMORY, "no memory for %zu weights", m->list.total);
    status = flaw_pages_reserve(&m->pages, bytes, err);
    if (status) return status;
    m->weights = m->pages.data;
    m->image_block = flaw_arena_alloc(&m->arena, (size_t)m->shape.image_layers, sizeof *m->image_block);
    m->text_block = flaw_arena_alloc(&m->arena, (size_t)m->shape.text_layers, sizeof *m->text_block);
    if (!m->image_block || !m->text_block)
        return flaw_fail(err, FLAW_NO_MEMORY, "no memory for %zu weights", m->list.total);
    return flaw_clip_view_over(&m->view, &m->shape, &m->list, m->weights, &m->arena, err);
}

flaw_status flaw_clip_new(flaw_clip **out, const flaw_clip_shape *shape, const char *name, flaw_error *err)
{
    flaw_clip *m = calloc(1, sizeof *m);
    if (!m) return flaw_fail(err, FLAW_NO_MEMORY, "no memory for a model");
    m->shape = *shape;
    snprintf(m->name, sizeof m->name, "%s", name);
    flaw_arena_init(&m->arena, 0);
    flaw_status status = fill_new(m, err);
    if (status) flaw_clip_close(m);
    else *out = m;
    return status;
}

static void close_origin(struct flaw_clip_origin *o)
{
    if (!o) return;
    flaw_source_close(&o->source);
    flaw_arena_release(&o->arena);
    free(o);
}

void flaw_clip_close(flaw_clip *m)
{
    if (!m) return;
    flaw_tokenizer_free(m->tokenizer);
    close_origin(m->origin);
    flaw_pages_release(&m->pages);
    flaw_arena_release(&m->arena);
    free(m);
}

/* Everything of the file is matched with the shape before memory for the weights is asked for. */
static flaw_status match(struct flaw_clip_origin *o, const char *path, int side, flaw_error *err)
{
    flaw_arena_init(&o->arena, 0);
    flaw_status status = flaw_source_open_at(&o->source, path, side, err);
    const flaw_source *s = &o->source;
    if (!status) status = flaw_clip_parameters(&o->list, &s->shape, &o->arena, err);
    if (!status) status = flaw_binding_make(&o->binding, &s->tensors, flaw_source_names(s), &o->list, &o->arena, err);
    return status ? status : flaw_binding_verdict(&o->binding, err);
}

static flaw_status load(flaw_clip *m, struct flaw_clip_origin *o, size_t floats_limit, flaw_compute *c, flaw_error *err)
{
    flaw_status status = flaw_source_tokenizer(&m->tokenizer, &o->source, err);
    if (status) return status;
    if (m->list.total > floats_limit / sizeof *m->weights) {
        m->origin = o;
        return flaw_clip_load_packed(m, c, err);
    }
    status = flaw_binding_read(&o->binding, m->weights, err);
    return status ? status : flaw_clip_pack(m, c, err);
}

flaw_status flaw_clip_open_within(flaw_clip **out, const char *path, size_t floats_limit, flaw_compute *c,
                                  flaw_error *err)
{
    return flaw_clip_open_at(out, path, 0, floats_limit, c, err);
}

flaw_status flaw_clip_open_at(flaw_clip **out, const char *path, int side, size_t floats_limit, flaw_compute *c,
                              flaw_error *err)
{
    flaw_clip *m = NULL;
    struct flaw_clip_origin *o = calloc(1, sizeof *o);
    if (!o) return flaw_fail(err, FLAW_NO_MEMORY, "no memory for a model");
    flaw_status status = match(o, path, side, err);
    if (!status) status = flaw_clip_new(&m, &o->source.shape, o->source.name, err);
    if (!status) status = load(m, o, floats_limit, c, err);
    if (!m || !m->origin) close_origin(o);
    if (status) flaw_clip_close(m);
    else *out = m;
    return status;
}

flaw_status flaw_clip_open(flaw_clip **out, const char *path, flaw_compute *c, flaw_error *err)
{
    return flaw_clip_open_within(out, path, FLAW_CLIP_FLOATS_LIMIT, c, err);
}

flaw_status flaw_clip_precision(flaw_precision *out, const char *path, flaw_error *err)
{
    flaw_source s;
    flaw_arena arena;
    flaw_parameters list;
    flaw_status status = flaw_source_open(&s, path, err);
    if (status) return status;
    flaw_arena_init(&arena, 0);
    status = flaw_clip_parameters(&list, &s.shape, &arena, err);
    if (!status) *out = list.total > FLAW_CLIP_FLOATS_LIMIT / sizeof(float) ? FLAW_BF16 : FLAW_F32;
    flaw_arena_release(&arena);
    flaw_source_close(&s);
    return status;
}
