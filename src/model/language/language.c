#include "model/language/language.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

flaw_status flaw_keep_parse(flaw_keep *out, const char *name, flaw_error *err)
{
    static const char *const names[] = {"auto", "file", "f32", "bf16", "int8", "int4"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(name && *name ? name : "auto", names[i]) == 0) {
            *out = (flaw_keep)i;
            return FLAW_OK;
        }
    return flaw_fail(err, FLAW_USAGE, "precision \"%.40s\" is unknown, allowed are auto, file, f32, bf16, int8 and int4", name);
}

flaw_status flaw_language_turn(flaw_language *m, flaw_error *err)
{
    const flaw_block_shape *b = &m->shape.block;
    float *table = flaw_arena_alloc(&m->arena, flaw_rotary_floats(b, m->shape.context), sizeof *table);
    if (!table) return flaw_fail(err, FLAW_NO_MEMORY, "%s: no memory for %d positions", m->name, m->shape.context);
    flaw_language_angles(&m->shape, table);
    for (int i = 0; i < m->shape.layers; i++) m->block[i].turns = table;
    return FLAW_OK;
}

static flaw_status fill_new(flaw_language *m, flaw_error *err)
{
    flaw_status status = flaw_language_parameters(&m->list, &m->shape, &m->arena, err);
    if (status) return status;
    m->weights = flaw_arena_alloc(&m->arena, m->list.total, sizeof *m->weights);
    m->block = flaw_arena_alloc(&m->arena, (size_t)m->shape.layers, sizeof *m->block);
    if (!m->weights || !m->block) return flaw_fail(err, FLAW_NO_MEMORY, "no memory for %zu weights", m->list.total);
    status = flaw_language_view_over(&m->view, &m->shape, &m->list, m->weights, &m->arena, err);
    return status ? status : flaw_language_turn(m, err);
}

flaw_status flaw_language_new(flaw_language **out, const flaw_language_shape *shape, const char *name, flaw_error *err)
{
    flaw_language *m = calloc(1, sizeof *m);
    if (!m) return flaw_fail(err, FLAW_NO_MEMORY, "no memory for a language model");
    m->shape = *shape;
    m->bos = m->eos = -1;
    snprintf(m->name, sizeof m->name, "%s", name);
    flaw_arena_init(&m->arena, 0);
    flaw_status status = fill_new(m, err);
    if (status) flaw_language_close(m);
    else *out = m;
    return status;
}

void flaw_language_close(flaw_language *m)
{
    if (!m) return;
    flaw_pieces_free(m->pieces);
    flaw_tensors_close(&m->file);
    flaw_arena_release(&m->arena);
    free(m);
}

flaw_status flaw_language_pack(flaw_language *m, flaw_compute *c, flaw_error *err)
{
    const flaw_language_shape *s = &m->shape;
    int d = s->block.width;
    flaw_status status = FLAW_OK;
    m->token = (flaw_matrix){.type = FLAW_WEIGHT_F32, .rows = s->vocab, .cols = d, .data = m->view.token};
    m->head.in = d;
    m->head.out = s->vocab;
    m->head.w = m->view.head;
    status = flaw_linear_pack(&m->head, c, &m->arena, err);
    for (int i = 0; i < s->layers && !status; i++) {
        m->block[i].shape = s->block;
        m->block[i].weights = m->view.block[i];
        status = flaw_block_pack(&m->block[i], c, &m->arena, err);
    }
    return status;
}
