/* From a model on disk to a network that runs: read, bind, pack. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/bind.h"
#include "model/source.h"

static flaw_status fill_new(flaw_clip *m, flaw_error *err)
{
    flaw_status status = flaw_clip_parameters(&m->list, &m->shape, &m->arena, err);
    if (status) return status;
    m->weights = flaw_arena_alloc(&m->arena, m->list.total, sizeof *m->weights);
    m->image_block = flaw_arena_alloc(&m->arena, (size_t)m->shape.image_layers, sizeof *m->image_block);
    m->text_block = flaw_arena_alloc(&m->arena, (size_t)m->shape.text_layers, sizeof *m->text_block);
    if (!m->weights || !m->image_block || !m->text_block)
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

void flaw_clip_close(flaw_clip *m)
{
    if (!m) return;
    flaw_tokenizer_free(m->tokenizer);
    flaw_arena_release(&m->arena);
    free(m);
}

/* Everything of the file is matched with the shape before memory for the weights is asked for. */
static flaw_status open_source(flaw_clip **out, const flaw_source *s, flaw_arena *scratch, flaw_error *err)
{
    flaw_parameters list;
    flaw_binding binding;
    flaw_status status = flaw_clip_parameters(&list, &s->shape, scratch, err);
    if (!status) status = flaw_binding_make(&binding, &s->tensors, flaw_source_names(s), &list, scratch, err);
    if (!status) status = flaw_binding_verdict(&binding, err);
    if (!status) status = flaw_clip_new(out, &s->shape, s->name, err);
    if (status) return status;
    status = flaw_binding_read(&binding, (*out)->weights, err);
    return status ? status : flaw_source_tokenizer(&(*out)->tokenizer, s, err);
}

flaw_status flaw_clip_open(flaw_clip **out, const char *path, flaw_compute *c, flaw_error *err)
{
    flaw_source source;
    flaw_arena scratch;
    flaw_clip *m = NULL;
    flaw_status status = flaw_source_open(&source, path, err);
    if (status) return status;
    flaw_arena_init(&scratch, 0);
    status = open_source(&m, &source, &scratch, err);
    flaw_arena_release(&scratch);
    flaw_source_close(&source);
    if (!status) status = flaw_clip_pack(m, c, err);
    if (status) flaw_clip_close(m);
    else *out = m;
    return status;
}
