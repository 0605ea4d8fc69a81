#include "model/language/language_adapters.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* "...layers.N.self_attn.q_proj.lora_A.default.weight", where ".default" may be absent -> layer, projection, A or B. */
typedef struct adapter_name {
    int layer;
    flaw_projection projection;
    bool is_b;
} adapter_name;

static bool parse_name(adapter_name *out, const char *name, int layers)
{
    static const char letters[] = "qkvo";
    char letter, side, end[24];
    int used = 0;
    const char *at = strstr(name, "layers.");
    if (!at || sscanf(at, "layers.%4d.self_attn.%c_proj.lora_%c%23s%n", &out->layer, &letter, &side, end, &used) != 4)
        return false;
    const char *place = strchr(letters, letter);
    if (!place || at[used] || (side != 'A' && side != 'B') || out->layer < 0 || out->layer >= layers) return false;
    out->projection = (flaw_projection)(place - letters);
    out->is_b = side == 'B';
    return strcmp(end, ".weight") == 0 || strcmp(end, ".default.weight") == 0;
}

static int rows_of(const flaw_block_shape *s, int projection)
{
    bool shared = projection == FLAW_PROJECT_K || projection == FLAW_PROJECT_V;
    return shared ? flaw_block_kv_width(s) : s->width;
}

typedef struct matching {
    const flaw_tensors *tensors;
    const flaw_language_shape *shape;
    flaw_adapter *table;
    size_t matched, strangers;
    const char *stranger; /* the first */
} matching;

static void match_one(matching *m, const flaw_tensor *t)
{
    adapter_name name;
    if (!strstr(t->name, "lora_")) return;
    if (!parse_name(&name, t->name, m->shape->layers)) {
        if (!m->strangers++) m->stranger = t->name;
        return;
    }
    flaw_adapter *adapter = &m->table[4 * name.layer + (int)name.projection];
    const flaw_tensor **slot = name.is_b ? &adapter->b : &adapter->a;
    if (*slot && !m->strangers++) m->stranger = t->name; /* the same one with and without ".default" */
    *slot = t;
    m->matched++;
}

static flaw_status check_one(const matching *m, flaw_adapter *adapter, int layer, int projection, flaw_error *err)
{
    if (!adapter->a && !adapter->b) return FLAW_OK;
    if (!adapter->a || !adapter->b)
        return flaw_fail(err, FLAW_MISSING, "%s: adapters do not fit: '%s' has no %s", m->tensors->path,
                         adapter->a ? adapter->a->name : adapter->b->name, adapter->a ? "lora_B" : "lora_A");
    const flaw_tensor *a = adapter->a, *b = adapter->b;
    size_t rows = (size_t)rows_of(&m->shape->block, projection), columns = (size_t)m->shape->block.width;
    if (a->rank != 2 || b->rank != 2 || a->shape[0] != b->shape[1] || a->shape[0] < 1 || a->shape[0] > columns ||
        a->shape[1] != columns || b->shape[0] != rows)
        return flaw_fail(
            err, FLAW_BAD_DATA,
            "%s: adapters do not fit: layer %d: '%s' is [%zu, %zu] and its B [%zu, %zu], expected [rank, %zu] and "
            "[%zu, rank]",
            m->tensors->path, layer, a->name, a->shape[0], a->rank > 1 ? a->shape[1] : 1, b->shape[0],
            b->rank > 1 ? b->shape[1] : 1, columns, rows);
    adapter->rank = (int)a->shape[0];
    return FLAW_OK;
}

flaw_status flaw_adapters_match(flaw_adapter **out, const flaw_adapters *adapters, const flaw_language_shape *shape,
                                flaw_arena *arena, flaw_error *err)
{
    *out = NULL;
    if (!adapters) return FLAW_OK;
    matching m = {.tensors = adapters->tensors, .shape = shape};
    if (shape->block.rotary != FLAW_ROTARY_HALVES)
        return flaw_fail(err, FLAW_BAD_DATA,
                         "%s: these adapters belong to a model in Hugging Face's form, whose rows of q and k "
                         "stand in another order",
                         m.tensors->path);
    m.table = flaw_arena_alloc(arena, (size_t)shape->layers, 4 * sizeof *m.table);
    if (!m.table) return flaw_fail(err, FLAW_NO_MEMORY, "%s: no memory for its adapters", m.tensors->path);
    for (size_t i = 0; i < m.tensors->count; i++) match_one(&m, &m.tensors->item[i]);
    if (m.strangers)
        return flaw_fail(err, FLAW_BAD_DATA, "%s: adapters do not fit: %zu have no place in a model of %d layers: %s%s",
                         m.tensors->path, m.strangers, shape->layers, m.stranger, m.strangers > 1 ? ", ..." : "");
    if (!m.matched)
        return flaw_fail(err, FLAW_MISSING, "%s: holds no adapters (no tensor name with lora_)", m.tensors->path);
    for (int i = 0; i < 4 * shape->layers; i++) {
        flaw_status status = check_one(&m, &m.table[i], i / 4, i % 4, err);
        if (status) return status;
    }
    *out = m.table;
    return FLAW_OK;
}

static flaw_status read_floats(flaw_adapter_floats *out, const flaw_adapters *adapters, const flaw_adapter *adapter,
                               flaw_error *err)
{
    size_t a = adapter->a->count, b = adapter->b->count;
    out->a = malloc((a + b) * sizeof *out->a);
    if (!out->a) return flaw_fail(err, FLAW_NO_MEMORY, "%s: no memory for its adapters", adapters->tensors->path);
    out->b = out->a + a;
    out->rank = adapter->rank;
    flaw_status status = flaw_tensor_to_f32(adapters->tensors, adapter->a, out->a, err);
    return status ? status : flaw_tensor_to_f32(adapters->tensors, adapter->b, out->b, err);
}

flaw_status flaw_adapter_stack_read(flaw_adapter_stack *out, const flaw_adapters *adapters, const flaw_adapter *adapter,
                                    int parts, flaw_projection first, const flaw_block_shape *shape, flaw_error *err)
{
    flaw_status status = FLAW_OK;
    *out = (flaw_adapter_stack){.parts = adapter ? parts : 0, .columns = shape->width};
    for (int p = 0; p < out->parts && !status; p++) {
        out->first[p + 1] = out->first[p] + rows_of(shape, (int)first + p);
        if (!adapter[p].a) continue;
        out->any = true;
        out->scale = adapters->scale;
        status = read_floats(&out->part[p], adapters, &adapter[p], err);
    }
    if (status) flaw_adapter_stack_release(out);
    return status;
}

void flaw_adapter_stack_add(const flaw_adapter_stack *s, const flaw_kernels *k, int index, float *row)
{
    for (int p = 0; p < s->parts; p++) {
        const flaw_adapter_floats *f = &s->part[p];
        if (!f->a || index < s->first[p] || index >= s->first[p + 1]) continue;
        const float *b = f->b + (size_t)(index - s->first[p]) * (size_t)f->rank;
        for (int r = 0; r < f->rank; r++)
            k->axpy((size_t)s->columns, s->scale * b[r], f->a + (size_t)r * (size_t)s->columns, row);
    }
}

void flaw_adapter_stack_release(flaw_adapter_stack *s)
{
    for (int p = 0; p < s->parts; p++) free(s->part[p].a);
    *s = (flaw_adapter_stack){0};
}
