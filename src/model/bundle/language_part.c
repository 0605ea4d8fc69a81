#include "model/bundle/language_part.h"

#include <stdlib.h>
#include <string.h>

#include "model/language/language_adapters.h"
#include "model/language/language_config.h"
#include "model/open/weight_types.h"

#define TOKENIZER_LIMIT ((size_t)64 << 20)

#define SLAB ((size_t)1 << 20) /* bytes of a matrix that are written before their pages are given back */
#define PIECE_ROWS 16          /* of a slab that one thread converts at a time */

/* Where a parameter of the list is: a vector of floats, or matrices below each other. */
typedef struct source {
    const float *floats;
    flaw_matrix own; /* of a trained model */
    const flaw_matrix *part;
    int parts;
    const flaw_adapter *adapter; /* [adapters] of its rows, from above; NULL: none */
    int adapters;
    flaw_projection first;
} source;

/* What the part is written from; in its arena. */
typedef struct origin {
    const flaw_language *m;
    const flaw_adapters *adapters;
    const flaw_adapter *table; /* [L][4], NULL: none */
    const flaw_compute *c;     /* for adapters, and threads; NULL: none of both */
} origin;

/* The list's order: token, blocks of norm1, qkv, out, norm2, fc1, fc2, then norm and head (language_parameters.c). */
static source find(const origin *o, size_t index)
{
    const flaw_language *m = o->m;
    const flaw_parameter *p = &m->list.item[index];
    const size_t in_block = index ? (index - 1) % 6 : 0, layer = index ? (index - 1) / 6 : 0;
    source s = {.parts = 1};
    const flaw_linear *l = NULL;
    if (m->view.token) { /* trained: everything is floats in the order of the list */
        s.floats = m->weights + p->offset;
        s.own = (flaw_matrix){FLAW_WEIGHT_F32, (int)p->shape[0], (int)p->shape[1], s.floats};
        return s;
    }
    if (index == 0) {
        s.part = &m->token;
    } else if (layer >= (size_t)m->shape.layers) {
        if (p->rank == 1) s.floats = m->view.norm;
        else l = &m->head;
    } else {
        const flaw_block *b = &m->block[layer];
        const flaw_linear *const linears[6] = {NULL, &b->qkv, &b->out, NULL, &b->fc1, &b->fc2};
        const float *const norms[6] = {b->weights.norm1_w, NULL, NULL, b->weights.norm2_w};
        l = linears[in_block];
        s.floats = norms[in_block];
        if (l == &b->qkv || l == &b->out) {
            s.first = l == &b->qkv ? FLAW_PROJECT_Q : FLAW_PROJECT_OUT;
            s.adapters = l == &b->qkv ? 3 : 1;
            s.adapter = o->table ? &o->table[4 * layer + (size_t)s.first] : NULL;
        }
    }
    if (l) {
        s.part = l->part;
        s.parts = l->parts;
    }
    return s;
}

static flaw_weight_type type_of(const source *s, flaw_keep keep, const flaw_parameter *p, int vocab)
{
    const flaw_matrix *part = s->part ? s->part : &s->own;
    flaw_weight_type type = part->type;
    bool blocks = flaw_weight_block(type) > 1, same = true;
    for (int i = 1; i < s->parts; i++) {
        same = same && part[i].type == type;
        blocks = blocks && flaw_weight_block(part[i].type) > 1;
    }
    if (!same) type = blocks ? FLAW_WEIGHT_Q8_0 : FLAW_WEIGHT_F32;
    for (int i = 0; s->adapter && i < s->adapters; i++)
        if (s->adapter[i].a) type = FLAW_WEIGHT_F32;
    return flaw_language_kept(keep, type, p->shape[0] == (size_t)vocab && !strstr(p->name, ".block."),
                              (int)p->shape[1]);
}

/* Rows of a matrix on their way into the file: a slab is converted by all threads, then written. */
typedef struct passage {
    const origin *o;
    const flaw_matrix *matrix;
    const flaw_adapter_stack *adapters;
    int above;      /* rows of the parameter that stand above this matrix */
    int first, end; /* rows of the slab */
    flaw_weight_type to;
    flaw_tensor_writer *file;
    const char *name, *where; /* for messages */
    float *row;               /* [workers, cols] */
    int *bad;                 /* [workers] the first row of the slab that is not finite; `end`: none */
    uint8_t *packed;          /* the slab, as it is written */
} passage;

static void convert_piece(void *context, int piece, int worker)
{
    const passage *w = context;
    const flaw_matrix *m = w->matrix;
    const size_t n = (size_t)m->cols;
    const size_t from_bytes = flaw_weight_row_bytes(m->type, n), bytes = flaw_weight_row_bytes(w->to, n);
    float *row = w->row + (size_t)worker * n;
    for (int r = w->first + piece * PIECE_ROWS; r < w->first + (piece + 1) * PIECE_ROWS && r < w->end; r++) {
        flaw_weight_unpack(m->type, n, (const uint8_t *)m->data + (size_t)r * from_bytes, row);
        if (w->adapters->any) flaw_adapter_stack_add(w->adapters, w->o->c->kernels, w->above + r, row);
        if (flaw_floats_check(row, n, w->name, w->where, NULL) != FLAW_OK) {
            if (r < w->bad[worker]) w->bad[worker] = r;
            return;
        }
        flaw_weight_pack(w->to, n, row, w->packed + (size_t)(r - w->first) * bytes);
    }
}

static flaw_status convert_slab(const passage *w, flaw_error *err)
{
    const size_t bytes = flaw_weight_row_bytes(w->to, (size_t)w->matrix->cols);
    const int count = w->end - w->first, workers = w->o->c ? w->o->c->workers : 1;
    for (int i = 0; i < workers; i++) w->bad[i] = w->end;
    flaw_pool_run(w->o->c ? w->o->c->pool : NULL, convert_piece, (void *)w, (count + PIECE_ROWS - 1) / PIECE_ROWS);
    int bad = w->end;
    for (int i = 0; i < workers; i++) bad = w->bad[i] < bad ? w->bad[i] : bad;
    if (bad < w->end)
        return flaw_fail(err, FLAW_BAD_DATA, "%s: '%s': row %d is not finite, only finite numbers are allowed",
                         w->where, w->name, w->above + bad);
    return flaw_tensor_writer_data(w->file, w->packed, (size_t)count * bytes, err);
}

/* Rows of a slab: about a megabyte of the file's. */
static int slab_rows(const flaw_matrix *m)
{
    const size_t bytes = flaw_weight_row_bytes(m->type, (size_t)m->cols);
    return bytes < SLAB ? (int)(SLAB / bytes) : 1;
}

/* Slab by slab; the pages of each, where they are a mapped file's, are given back. */
static flaw_status write_matrix(passage *w, flaw_error *err)
{
    const flaw_matrix *m = w->matrix;
    const size_t bytes = flaw_weight_row_bytes(m->type, (size_t)m->cols);
    flaw_status status = FLAW_OK;
    for (w->first = 0; w->first < m->rows && !status; w->first = w->end) {
        const int step = slab_rows(m);
        w->end = m->rows - w->first < step ? m->rows : w->first + step;
        const flaw_tensor slab = {.name = "",
                                  .bytes = (size_t)(w->end - w->first) * bytes,
                                  .data = (const uint8_t *)m->data + (size_t)w->first * bytes};
        if (m->type == w->to && !w->adapters->any)
            status = flaw_tensor_writer_data(w->file, slab.data, slab.bytes, err);
        else status = convert_slab(w, err);
        flaw_tensor_drop(&w->o->m->file, &slab);
    }
    return status;
}

static flaw_status passage_open(passage *w, const flaw_matrix *matrix, int parts, flaw_error *err)
{
    const size_t n = (size_t)matrix->cols, workers = (size_t)(w->o->c ? w->o->c->workers : 1);
    int rows = 0;
    for (int i = 0; i < parts; i++) rows = slab_rows(&matrix[i]) > rows ? slab_rows(&matrix[i]) : rows;
    w->row = malloc(workers * n * sizeof *w->row);
    w->bad = malloc(workers * sizeof *w->bad);
    w->packed = malloc((size_t)rows * flaw_weight_row_bytes(w->to, n));
    if (w->row && w->bad && w->packed) return FLAW_OK;
    return flaw_fail(err, FLAW_NO_MEMORY, "%s: no memory for rows of '%s'", w->where, w->name);
}

static flaw_status write_item(const flaw_part *part, size_t item, flaw_tensor_writer *to, flaw_error *err)
{
    const origin *o = part->from;
    const source s = find(o, item);
    const flaw_matrix *matrix = s.part ? s.part : &s.own;
    flaw_adapter_stack adapters;
    passage w = {.o = o,
                 .adapters = &adapters,
                 .to = flaw_weight_of_dtype(part->item[item].dtype),
                 .file = to,
                 .name = part->item[item].name,
                 .where = part->name};
    flaw_status status =
        flaw_adapter_stack_read(&adapters, o->adapters, s.adapter, s.adapters, s.first, &o->m->shape.block, err);
    if (!status) status = passage_open(&w, matrix, s.parts, err);
    for (int i = 0; i < s.parts && !status; i++) {
        w.matrix = &matrix[i];
        status = write_matrix(&w, err);
        w.above += matrix[i].rows;
    }
    free(w.row);
    free(w.bad);
    free(w.packed);
    flaw_adapter_stack_release(&adapters);
    return status;
}

static flaw_status add_tokenizer(flaw_part *part, const flaw_language *m, flaw_error *err)
{
    flaw_buffer model;
    flaw_status status = FLAW_OK;
    if (!m->pieces) return FLAW_OK;
    flaw_buffer_init(&model, TOKENIZER_LIMIT);
    flaw_pieces_write(m->pieces, &model);
    const char *copy = model.failed ? NULL : flaw_arena_copy_string(&part->arena, model.data, model.size);
    if (!copy) status = flaw_fail(err, FLAW_NO_MEMORY, "%s: no memory for the tokenizer", m->name);
    flaw_tensor t = {.name = "language.tokenizer",
                     .dtype = FLAW_DTYPE_U8,
                     .rank = 1,
                     .shape = {model.size},
                     .data = (const uint8_t *)copy};
    flaw_buffer_release(&model);
    return status ? status : flaw_part_add(part, &t, err);
}

static flaw_status add_config(flaw_part *part, const flaw_language *m, flaw_error *err)
{
    const flaw_language_config config = {.shape = m->shape, .bos = m->bos, .eos = m->eos};
    flaw_buffer json;
    flaw_buffer_init(&json, 65536);
    flaw_language_config_write(&json, &config);
    flaw_status status = json.failed ? flaw_fail(err, FLAW_NO_MEMORY, "%s: no memory for the metadata", m->name)
                                     : flaw_part_tell(part, "language", json.data, json.size, err);
    flaw_buffer_release(&json);
    return status;
}

static flaw_status add_parameters(flaw_part *part, const origin *o, flaw_keep keep, flaw_error *err)
{
    const flaw_language *m = o->m;
    flaw_status status = FLAW_OK;
    for (size_t i = 0; i < m->list.count && !status; i++) {
        const flaw_parameter *p = &m->list.item[i];
        const source s = find(o, i);
        flaw_tensor t = {
            .name = p->name, .dtype = FLAW_DTYPE_F32, .rank = p->rank, .shape = {p->shape[0], p->shape[1]}};
        if (s.floats) status = flaw_floats_check(s.floats, p->count, p->name, m->name, err);
        if (p->rank == 1) t.data = (const uint8_t *)s.floats;
        else t.dtype = flaw_dtype_of_weight(type_of(&s, keep, p, m->shape.vocab));
        if (!status) status = flaw_part_add(part, &t, err);
    }
    return status;
}

flaw_status flaw_language_part_adapted(flaw_part *out, const flaw_language *m, flaw_keep keep,
                                       const flaw_adapters *adapters, const flaw_compute *c, flaw_error *err)
{
    flaw_part part;
    flaw_adapter *table = NULL;
    flaw_status status = flaw_part_init(&part, m->list.count + 1, m->name, err);
    if (status) return status;
    origin *o = flaw_arena_alloc(&part.arena, 1, sizeof *o);
    if (!o) status = flaw_fail(err, FLAW_NO_MEMORY, "%s: no memory to write a bundle", m->name);
    if (!status) status = flaw_adapters_match(&table, adapters, &m->shape, &part.arena, err);
    if (!status) {
        *o = (origin){.m = m, .adapters = adapters, .table = table, .c = c};
        part.write = write_item;
        part.from = o;
        status = add_parameters(&part, o, keep, err);
    }
    if (!status) status = add_tokenizer(&part, m, err);
    if (!status) status = add_config(&part, m, err);
    if (status) flaw_part_release(&part);
    else *out = part;
    return status;
}

flaw_status flaw_language_part(flaw_part *out, const flaw_language *m, flaw_keep keep, flaw_error *err)
{
    return flaw_language_part_adapted(out, m, keep, NULL, NULL, err);
}

flaw_status flaw_language_bundle_write(const char *path, const flaw_language *m, flaw_keep keep, const char *card_json,
                                       flaw_error *err)
{
    flaw_part part;
    flaw_status status = flaw_language_part(&part, m, keep, err);
    if (status) return status;
    const flaw_part *only = &part;
    const char *const card[] = {"card", card_json};
    status = flaw_parts_write(path, &only, 1, card, card_json ? 1 : 0, err);
    flaw_part_release(&part);
    return status;
}
