/* From a language model on disk to one that runs. Matrices stay in the mapped file, or are converted row by row into
 * the type that is kept; the file's pages are given back behind them, so that no more than a slab is there twice. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "model/language/language_adapters.h"
#include "model/language/language_source.h"
#include "model/open/weight_types.h"

#define AUTO_LIMIT ((size_t)4 << 30) /* bytes of a file that are kept as they are */
#define PIECE_ROWS 16                /* of a matrix that one thread converts at a time */
#define SLAB ((size_t)1 << 20)       /* bytes of a matrix that are converted before their pages are given back */

typedef struct reader {
    flaw_language *m;
    const flaw_binding *b;
    const flaw_adapters *adapters;
    const flaw_adapter *table; /* [L][4] or NULL */
    flaw_keep keep;
    flaw_compute *c;
    size_t next;      /* parameter read next */
    float *next_norm; /* place of the next norm's floats */
    bool bundle, mapped;
    flaw_status status; /* the first failure is kept */
    flaw_error *err;
} reader;

flaw_weight_type flaw_language_kept(flaw_keep keep, flaw_weight_type from, bool table, int columns)
{
    static const flaw_weight_type kept[] = {[FLAW_KEEP_F32] = FLAW_WEIGHT_F32,
                                            [FLAW_KEEP_BF16] = FLAW_WEIGHT_BF16,
                                            [FLAW_KEEP_INT8] = FLAW_WEIGHT_Q8_0,
                                            [FLAW_KEEP_INT4] = FLAW_WEIGHT_Q4_1};
    if (keep == FLAW_KEEP_AUTO || keep == FLAW_KEEP_FILE) return from;
    flaw_weight_type type = table && keep == FLAW_KEEP_INT4 ? FLAW_WEIGHT_Q8_0 : kept[keep];
    return (size_t)columns % flaw_weight_block(type) ? FLAW_WEIGHT_BF16 : type;
}

/* Rows of one matrix on their way from the file's type to the kept one. */
typedef struct conversion {
    const reader *r;
    const flaw_tensor *tensor;
    const flaw_adapter_stack *adapters;
    flaw_weight_type from, to;
    int rows, columns;
    int first, end; /* rows of the slab */
    uint8_t *out;
    struct {
        flaw_error error;
        int row; /* of the error; rows: none */
    } * worker;
} conversion;

static flaw_status read_row(const conversion *v, int row, float *out, flaw_error *err)
{
    const flaw_tensors *file = &v->r->m->file;
    size_t n = (size_t)v->columns;
    if (v->from == FLAW_WEIGHT_TYPES) { /* F64, or a type that is refused there */
        flaw_tensor one = *v->tensor;
        size_t bytes = one.bytes / (size_t)v->rows;
        one.rank = 1;
        one.shape[0] = one.count = n;
        one.bytes = bytes;
        one.data += (size_t)row * bytes;
        return flaw_tensor_to_f32(file, &one, out, err);
    }
    flaw_weight_unpack(v->from, n, v->tensor->data + (size_t)row * flaw_weight_row_bytes(v->from, n), out);
    return flaw_floats_check(out, n, v->tensor->name, file->path, err);
}

static void convert_piece(void *context, int piece, int worker)
{
    const conversion *v = context;
    float *row = v->r->c->scratch[worker];
    size_t bytes = flaw_weight_row_bytes(v->to, (size_t)v->columns);
    int first = v->first + piece * PIECE_ROWS;
    for (int i = first; i < first + PIECE_ROWS && i < v->end; i++) {
        flaw_error error;
        if (read_row(v, i, row, &error) != FLAW_OK) {
            if (i < v->worker[worker].row) {
                v->worker[worker].row = i;
                v->worker[worker].error = error;
            }
            return;
        }
        flaw_adapter_stack_add(v->adapters, v->r->c->kernels, i, row);
        flaw_weight_pack(v->to, (size_t)v->columns, row, v->out + (size_t)i * bytes);
    }
}

/* All rows, slab by slab; the first bad one is in the workers' notes. */
static void convert_rows(conversion *v)
{
    size_t bytes = v->tensor->bytes / (size_t)v->rows, rows = SLAB / (bytes + 1) / PIECE_ROWS * PIECE_ROWS;
    int step = rows < PIECE_ROWS ? PIECE_ROWS : rows < (size_t)v->rows ? (int)rows : v->rows;
    for (v->first = 0; v->first < v->rows; v->first = v->end) {
        v->end = v->rows - v->first > step ? v->first + step : v->rows;
        flaw_pool_run(v->r->c->pool, convert_piece, v, (v->end - v->first + PIECE_ROWS - 1) / PIECE_ROWS);
        flaw_tensor read =
            *v->tensor; /* from its beginning: a system that reads ahead may have brought back what went */
        read.bytes = (size_t)v->end * bytes;
        flaw_tensor_drop(&v->r->m->file, &read);
    }
}

static flaw_status convert(reader *r, flaw_matrix *out, const flaw_tensor *t, const flaw_adapter_stack *adapters,
                           flaw_weight_type from, flaw_weight_type to, flaw_error *err)
{
    conversion v = {
        .r = r, .tensor = t, .adapters = adapters, .from = from, .to = to, .rows = out->rows, .columns = out->cols};
    flaw_status status = flaw_compute_reserve(r->c, (size_t)v.columns * sizeof(float), err);
    if (status) return status;
    v.out = flaw_arena_alloc(&r->m->arena, (size_t)v.rows, flaw_weight_row_bytes(to, (size_t)v.columns));
    v.worker = calloc((size_t)r->c->workers, sizeof *v.worker);
    if (!v.out || !v.worker) {
        free(v.worker);
        return flaw_fail(err, FLAW_NO_MEMORY, "%s: no memory for '%s' as %s", r->m->file.path, t->name,
                         flaw_weight_name(to));
    }
    for (int i = 0; i < r->c->workers; i++) v.worker[i].row = v.rows;
    convert_rows(&v);
    int first = 0;
    for (int i = 1; i < r->c->workers; i++)
        if (v.worker[i].row < v.worker[first].row) first = i;
    if (v.worker[first].row < v.rows) {
        status = v.worker[first].error.status;
        if (err) *err = v.worker[first].error;
    }
    free(v.worker);
    out->type = to;
    out->data = v.out;
    return status;
}

/* The next parameter of the list as a matrix, with what its adapters add. */
static flaw_status read_matrix(reader *r, flaw_matrix *out, const flaw_adapter_stack *adapters, flaw_error *err)
{
    const flaw_parameter *p = &r->b->list->item[r->next];
    const flaw_tensor *t = r->b->bound[r->next++].part[0];
    out->rows = (int)p->shape[0];
    out->cols = (int)p->shape[1];
    flaw_weight_type from = flaw_weight_of_dtype(t->dtype), plain = from;
    if (adapters->any || from == FLAW_WEIGHT_TYPES) plain = FLAW_WEIGHT_F32;
    bool table = p->shape[0] == (size_t)r->m->shape.vocab && strstr(p->name, ".block.") == NULL;
    flaw_weight_type to = flaw_language_kept(r->keep, plain, table, out->cols);
    if (to != from || adapters->any) return convert(r, out, t, adapters, from, to, err);
    out->type = from;
    out->data = t->data;
    r->mapped = true;
    return FLAW_OK;
}

/* The next `parts` parameters as one linear layer: `count` projections of attention that begin with `first`, each with
 * its adapters, or (count 0) anything else. */
static void read_linear(reader *r, flaw_linear *l, int parts, int layer, flaw_projection first, int count)
{
    flaw_matrix *part = r->status ? NULL : flaw_arena_alloc(&r->m->arena, (size_t)parts, sizeof *part);
    if (!r->status && !part) r->status = flaw_fail(r->err, FLAW_NO_MEMORY, "%s: no memory", r->m->file.path);
    for (int i = 0; i < parts && !r->status; i++) {
        flaw_adapter_stack adapters;
        const int which = (int)first + i;
        const flaw_adapter *adapter = r->table && count ? &r->table[4 * layer + which] : NULL;
        r->status = flaw_adapter_stack_read(&adapters, r->adapters, adapter, count / parts, (flaw_projection)which,
                                            &r->m->shape.block, r->err);
        if (!r->status) r->status = read_matrix(r, &part[i], &adapters, r->err);
        flaw_adapter_stack_release(&adapters);
    }
    l->part = part;
    l->parts = parts;
}

static float *read_norm(reader *r)
{
    float *at = r->next_norm;
    if (r->status) return NULL;
    r->status = flaw_tensor_to_f32(&r->m->file, r->b->bound[r->next].part[0], at, r->err);
    r->next_norm += r->b->list->item[r->next++].count;
    return at;
}

/* Everything in the order of the lists (flaw_language_parameters, flaw_language_source_bind). */
static flaw_status read_all(reader *r)
{
    flaw_language *m = r->m;
    const flaw_language_shape *s = &m->shape;
    const flaw_adapter_stack none = {.parts = 0};
    r->status = read_matrix(r, &m->token, &none, r->err);
    for (int i = 0; i < s->layers && !r->status; i++) {
        flaw_block *b = &m->block[i];
        b->shape = s->block;
        b->weights.norm1_w = read_norm(r);
        flaw_block_bind(b);
        read_linear(r, &b->qkv, r->bundle ? 1 : 3, i, FLAW_PROJECT_Q, 3);
        read_linear(r, &b->out, 1, i, FLAW_PROJECT_OUT, 1);
        b->weights.norm2_w = read_norm(r);
        read_linear(r, &b->fc1, r->bundle ? 1 : 2, i, FLAW_PROJECT_Q, 0);
        read_linear(r, &b->fc2, 1, i, FLAW_PROJECT_Q, 0);
        m->view.block[i] = b->weights;
    }
    m->view.norm = read_norm(r);
    m->head.in = s->block.width;
    m->head.out = s->vocab;
    if (!s->tied) {
        read_linear(r, &m->head, 1, 0, FLAW_PROJECT_Q, 0);
    } else {
        m->head.part = &m->token;
        m->head.parts = 1;
    }
    return r->status;
}

/* Bytes of all that the list binds. */
static size_t bound_bytes(const flaw_binding *b)
{
    size_t total = 0;
    for (size_t i = 0; i < b->list->count; i++) total += b->bound[i].part[0]->bytes;
    return total;
}

static flaw_status allocate(flaw_language *m, flaw_error *err)
{
    size_t layers = (size_t)m->shape.layers, norms = (2 * layers + 1) * (size_t)m->shape.block.width;
    m->weights = flaw_arena_alloc(&m->arena, norms, sizeof *m->weights);
    m->block = flaw_arena_alloc(&m->arena, layers, sizeof *m->block);
    m->view.block = flaw_arena_alloc(&m->arena, layers, sizeof *m->view.block);
    if (!m->weights || !m->block || !m->view.block)
        return flaw_fail(err, FLAW_NO_MEMORY, "%s: no memory for %d layers", m->name, m->shape.layers);
    flaw_status status = flaw_language_parameters(&m->list, &m->shape, &m->arena, err);
    return status ? status : flaw_language_turn(m, err);
}

/* The source's tensors become the model's, which they must outlive where matrices stay in the file. */
static flaw_status fill(flaw_language *m, flaw_language_source *s, flaw_keep keep, const flaw_adapters *adapters,
                        flaw_arena *scratch, flaw_compute *c, flaw_error *err)
{
    flaw_binding binding;
    flaw_parameters list;
    flaw_adapter *table = NULL;
    m->shape = s->config.shape;
    m->bos = s->config.bos;
    m->eos = s->config.eos;
    memcpy(m->name, s->name, sizeof m->name);
    flaw_status status = flaw_language_source_bind(&binding, &list, s, scratch, err);
    if (!status) status = flaw_binding_verdict(&binding, err);
    if (!status) status = flaw_adapters_match(&table, adapters, &m->shape, scratch, err);
    if (!status) status = flaw_language_source_pieces(&m->pieces, s, err);
    if (!status) status = allocate(m, err);
    if (status) return status;
    if (m->pieces && flaw_pieces_bos(m->pieces) >= 0) m->bos = flaw_pieces_bos(m->pieces); /* early conversions' */
    if (m->pieces && flaw_pieces_eos(m->pieces) >= 0) m->eos = flaw_pieces_eos(m->pieces); /* config.json is wrong */
    if (keep == FLAW_KEEP_AUTO) keep = bound_bytes(&binding) > AUTO_LIMIT ? FLAW_KEEP_INT4 : FLAW_KEEP_FILE;
    m->file = s->tensors;
    s->tensors = (flaw_tensors){0};
    binding.tensors = &m->file;
    reader r = {.m = m,
                .b = &binding,
                .adapters = adapters,
                .table = table,
                .keep = keep,
                .c = c,
                .next_norm = m->weights,
                .bundle = s->form == FLAW_LANGUAGE_BUNDLE,
                .err = err};
    status = read_all(&r);
    if (!status && !r.mapped) flaw_tensors_close(&m->file);
    return status;
}

flaw_status flaw_language_open(flaw_language **out, const char *path, flaw_keep keep, const flaw_adapters *adapters,
                               flaw_compute *c, flaw_error *err)
{
    flaw_language_source source;
    flaw_arena scratch;
    flaw_status status = flaw_language_source_open(&source, path, err);
    if (status) return status;
    flaw_arena_init(&scratch, 0);
    flaw_language *m = calloc(1, sizeof *m);
    if (!m) status = flaw_fail(err, FLAW_NO_MEMORY, "%s: no memory for a language model", source.path);
    if (!status) status = fill(m, &source, keep, adapters, &scratch, c, err);
    flaw_arena_release(&scratch);
    flaw_language_source_close(&source);
    if (status) flaw_language_close(m);
    else *out = m;
    return status;
}
