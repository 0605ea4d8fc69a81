#include "model/language_part.h"

#include <stdlib.h>
#include <string.h>

#include "model/language_config.h"

#define TOKENIZER_LIMIT ((size_t)64 << 20)

/* Where a parameter of the list is: a vector of floats, or matrices below each other. */
typedef struct source {
    const float *floats;
    flaw_matrix own; /* of a trained model */
    const flaw_matrix *part;
    int parts;
} source;

/* The list's order: token, blocks of norm1, qkv, out, norm2, fc1, fc2, then norm and head (language_parameters.c). */
static source find(const flaw_language *m, size_t index)
{
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
    return flaw_language_kept(keep, type, p->shape[0] == (size_t)vocab && !strstr(p->name, ".block."),
                              (int)p->shape[1]);
}

static flaw_dtype dtype_of(flaw_weight_type type)
{
    static const flaw_dtype dtypes[] = {[FLAW_WEIGHT_F32] = FLAW_DTYPE_F32,   [FLAW_WEIGHT_F16] = FLAW_DTYPE_F16,
                                        [FLAW_WEIGHT_BF16] = FLAW_DTYPE_BF16, [FLAW_WEIGHT_Q8_0] = FLAW_DTYPE_Q8_0,
                                        [FLAW_WEIGHT_Q4_0] = FLAW_DTYPE_Q4_0, [FLAW_WEIGHT_Q4_1] = FLAW_DTYPE_Q4_1,
                                        [FLAW_WEIGHT_Q4_K] = FLAW_DTYPE_Q4_K, [FLAW_WEIGHT_Q6_K] = FLAW_DTYPE_Q6_K};
    return dtypes[type];
}

static flaw_weight_type weight_of(flaw_dtype dtype)
{
    int type = 0;
    while (dtype_of((flaw_weight_type)type) != dtype) type++;
    return (flaw_weight_type)type;
}

/* Its pages, where they are a mapped file's. */
static void give_back(const flaw_language *m, const flaw_matrix *matrix)
{
    size_t bytes = (size_t)matrix->rows * flaw_weight_row_bytes(matrix->type, (size_t)matrix->cols);
    flaw_tensor_drop(&m->file, &(flaw_tensor){.name = "", .bytes = bytes, .data = matrix->data});
}

static flaw_status write_matrix(const flaw_matrix *matrix, flaw_weight_type to, flaw_tensor_writer *file,
                                const char *name, const char *where, flaw_error *err)
{
    size_t n = (size_t)matrix->cols, from_bytes = flaw_weight_row_bytes(matrix->type, n),
           bytes = flaw_weight_row_bytes(to, n);
    if (matrix->type == to) return flaw_tensor_writer_data(file, matrix->data, (size_t)matrix->rows * bytes, err);
    float *row = malloc(n * sizeof *row);
    uint8_t *packed = malloc(bytes);
    flaw_status status =
        row && packed ? FLAW_OK : flaw_fail(err, FLAW_NO_MEMORY, "%s: no memory for a row of '%s'", where, name);
    for (int r = 0; r < matrix->rows && !status; r++) {
        flaw_weight_unpack(matrix->type, n, (const uint8_t *)matrix->data + (size_t)r * from_bytes, row);
        status = flaw_floats_check(row, n, name, where, err);
        if (status) break;
        flaw_weight_pack(to, n, row, packed);
        status = flaw_tensor_writer_data(file, packed, bytes, err);
    }
    free(row);
    free(packed);
    return status;
}

static flaw_status write_item(const flaw_part *part, size_t item, flaw_tensor_writer *to, flaw_error *err)
{
    const flaw_language *m = part->from;
    const source s = find(m, item);
    const flaw_matrix *matrix = s.part ? s.part : &s.own;
    flaw_status status = FLAW_OK;
    for (int i = 0; i < s.parts && !status; i++) {
        status =
            write_matrix(&matrix[i], weight_of(part->item[item].dtype), to, part->item[item].name, part->name, err);
        give_back(m, &matrix[i]);
    }
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

flaw_status flaw_language_part(flaw_part *out, const flaw_language *m, flaw_keep keep, flaw_error *err)
{
    flaw_part part;
    flaw_status status = flaw_part_init(&part, m->list.count + 1, m->name, err);
    if (status) return status;
    part.write = write_item;
    part.from = m;
    for (size_t i = 0; i < m->list.count && !status; i++) {
        const flaw_parameter *p = &m->list.item[i];
        const source s = find(m, i);
        flaw_tensor t = {
            .name = p->name, .dtype = FLAW_DTYPE_F32, .rank = p->rank, .shape = {p->shape[0], p->shape[1]}};
        if (s.floats) status = flaw_floats_check(s.floats, p->count, p->name, m->name, err);
        if (p->rank == 1) t.data = (const uint8_t *)s.floats;
        else t.dtype = dtype_of(type_of(&s, keep, p, m->shape.vocab));
        if (!status) status = flaw_part_add(&part, &t, err);
    }
    if (!status) status = add_tokenizer(&part, m, err);
    if (!status) status = add_config(&part, m, err);
    if (status) flaw_part_release(&part);
    else *out = part;
    return status;
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
