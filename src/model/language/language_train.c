#include "model/language/language_train.h"

#include <math.h>
#include <string.h>

#include "base/checked.h"
#include "nn/norm.h"

#define HEAD_ROWS 256      /* targets whose logits exist at a time; fixed, so that the sums have one order */
#define SCATTER_COLUMNS 32 /* of the token table's gradient that one thread adds to */

typedef struct flaw_row_loss {
    double loss;
    int right;
} row_loss;

typedef struct language_pass {
    flaw_compute *c;
    flaw_language_train *t;
    const flaw_language_batch *batch;
    float scale;      /* of the gradients; 0: none wanted */
    const float *d;   /* [N, T, D] gradient of the first block's input */
    int first, count; /* targets of the chunk */
    int width, vocab; /* D, V */
} language_pass;

static float *carve(flaw_arena *arena, int rows, size_t width, bool *failed)
{
    size_t floats;
    float *p = flaw_mul_ok(&floats, (size_t)rows, width) ? flaw_arena_alloc(arena, floats, sizeof *p) : NULL;
    if (!p) *failed = true;
    return p;
}

static size_t work_bytes(const flaw_language_train *t, const flaw_compute *c)
{
    const flaw_language_shape *s = &t->model->shape;
    int d = s->block.width, tokens = t->limits.tokens;
    flaw_gradient_job head = {.rows = HEAD_ROWS, .in = d, .out = s->vocab};
    size_t sizes[] = {flaw_block_backward_bytes(c, &s->block, (t->limits.rows + tokens - 1) / tokens, tokens),
                      flaw_gradient_workspace(c, &head, 1), flaw_norm_workspace(t->limits.rows, d) * sizeof(float)};
    size_t most = sizes[0] > sizes[1] ? sizes[0] : sizes[1];
    return most > sizes[2] ? most : sizes[2];
}

/* Each block reads what the one before wrote. */
static void carve_blocks(flaw_language_train *t, bool *failed)
{
    const flaw_language_shape *s = &t->model->shape;
    size_t floats = flaw_block_saved_floats(&s->block, 1, t->limits.rows);
    t->saved = flaw_arena_alloc(&t->arena, (size_t)s->layers, sizeof *t->saved);
    if (!t->saved) *failed = true;
    for (int i = 0; i < s->layers && !*failed; i++) {
        float *memory = carve(&t->arena, 1, floats, failed);
        if (!memory) return;
        flaw_block_saved_place(&t->saved[i], &s->block, 1, t->limits.rows, memory);
        t->saved[i].x = i ? t->saved[i - 1].y : t->stream;
    }
}

static flaw_status make_arrays(flaw_language_train *t, flaw_compute *c, flaw_error *err)
{
    const flaw_language_shape *s = &t->model->shape;
    int rows = t->limits.rows;
    size_t d = (size_t)s->block.width;
    bool failed = false;
    if (!t->limits.frozen) t->grads = carve(&t->arena, 1, t->model->list.total, &failed);
    t->stream = carve(&t->arena, rows, d, &failed);
    t->d_a = carve(&t->arena, rows, d, &failed);
    t->d_b = carve(&t->arena, rows, d, &failed);
    t->rows = carve(&t->arena, rows, d, &failed);
    t->final = carve(&t->arena, rows, d, &failed);
    t->rstd = carve(&t->arena, rows, 1, &failed);
    t->d_rows = carve(&t->arena, rows, d, &failed);
    t->d_final = carve(&t->arena, rows, d, &failed);
    t->logits = carve(&t->arena, HEAD_ROWS, (size_t)s->vocab, &failed);
    t->at = flaw_arena_alloc(&t->arena, (size_t)rows, sizeof *t->at);
    t->row_loss = flaw_arena_alloc(&t->arena, HEAD_ROWS, sizeof *t->row_loss);
    carve_blocks(t, &failed);
    t->work = carve(&t->arena, 1, work_bytes(t, c) / sizeof(float) + 16, &failed);
    if (failed || !t->at || !t->row_loss)
        return flaw_fail(err, FLAW_NO_MEMORY, "%s: no memory to train on %d tokens at a time", t->model->name, rows);
    if (!t->grads) return FLAW_OK;
    return flaw_language_view_over(&t->g, s, &t->model->list, t->grads, &t->arena, err);
}

flaw_status flaw_language_train_open(flaw_language_train *out, flaw_language *model, flaw_language_limits limits,
                                     flaw_compute *c, flaw_error *err)
{
    const flaw_language_shape *s = &model->shape;
    flaw_language_train t = {.model = model, .limits = limits};
    if (limits.tokens < 1 || limits.tokens > s->context || limits.rows < limits.tokens || limits.rows > 1 << 22)
        return flaw_fail(err, FLAW_USAGE,
                         "%s: sequences of %d tokens, %d tokens at a time; allowed are 1 to %d, and up to %d at a time",
                         model->name, limits.tokens, limits.rows, s->context, 1 << 22);
    if (!model->view.token)
        return flaw_fail(err, FLAW_USAGE, "%s: opened for reading, its weights cannot be trained", model->name);
    flaw_arena_init(&t.arena, 0);
    flaw_status status = make_arrays(&t, c, err);
    if (!status) status = flaw_compute_reserve(c, flaw_block_train_scratch(c, &s->block, limits.tokens), err);
    if (status) flaw_arena_release(&t.arena);
    else *out = t;
    return status;
}

void flaw_language_train_close(flaw_language_train *t)
{
    if (!t->model) return;
    flaw_arena_release(&t->arena);
    memset(t, 0, sizeof *t);
}

flaw_status flaw_language_train_pack(flaw_language_train *t, flaw_compute *c, flaw_error *err)
{
    flaw_language *m = t->model;
    flaw_status status = flaw_language_pack(m, c, err);
    if (!status) status = flaw_linear_pack_backward(&m->head, c, &m->arena, err);
    for (int i = 0; i < m->shape.layers && !status; i++) status = flaw_block_pack_backward(&m->block[i], c, &m->arena, err);
    return status;
}

static void embed_piece(void *context, int piece, int worker)
{
    const language_pass *p = context;
    const flaw_language_batch *b = p->batch;
    (void)worker;
    int rows = b->n * b->tokens, first = piece * FLAW_TILE_ROWS;
    size_t d = (size_t)p->width;
    for (int i = first; i < first + FLAW_TILE_ROWS && i < rows; i++) {
        int32_t id = b->ids[i];
        const float *row = id >= 0 ? p->t->model->view.token + (size_t)id * d : b->rows + (size_t)(-1 - id) * d;
        memcpy(p->t->stream + (size_t)i * d, row, d * sizeof *row);
    }
}

/* Row of logits -> its cross-entropy and, in place, scale * (softmax - one at the target). */
static void loss_piece(void *context, int row, int worker)
{
    const language_pass *p = context;
    (void)worker;
    int vocab = p->vocab, top = 0;
    int32_t target = p->batch->target[p->t->at[p->first + row]];
    float *z = p->t->logits + (size_t)row * (size_t)vocab;
    for (int i = 1; i < vocab; i++) top = z[i] > z[top] ? i : top;
    double behind = (double)z[top] - (double)z[target];
    p->c->kernels->softmax(1, vocab, z); /* z[top] = 1 / sum of exp(z - top) */
    p->t->row_loss[row] = (row_loss){.loss = behind - log((double)z[top]), .right = top == target};
    if (p->scale == 0) return;
    z[target] -= 1;
    p->c->kernels->scale((size_t)vocab, p->scale, z);
}

/* The targets' rows, gathered and normed. Returns how many. */
static int gather(language_pass *p)
{
    flaw_language_train *t = p->t;
    const flaw_language_shape *s = &t->model->shape;
    const float *last = t->saved[s->layers - 1].y;
    size_t d = (size_t)p->width;
    int count = 0;
    for (int i = 0; i < p->batch->n * p->batch->tokens; i++) {
        if (p->batch->target[i] < 0) continue;
        memcpy(t->rows + (size_t)count * d, last + (size_t)i * d, d * sizeof *last);
        t->at[count++] = i;
    }
    flaw_norm_forward(p->c, count, p->width, s->block.eps, t->rows, p->width, t->model->view.norm, NULL, t->final, NULL,
                      t->rstd);
    return count;
}

/* A chunk of targets: logits, losses; d_final and the head's gradient. */
static void head_chunk(language_pass *p, flaw_language_loss *loss)
{
    flaw_language_train *t = p->t;
    const flaw_linear *head = &t->model->head;
    const float *x = t->final + (size_t)p->first * (size_t)p->width;
    flaw_linear_forward(p->c, head, p->count, x, p->width, t->logits, FLAW_ACT_NONE, NULL, NULL);
    flaw_pool_run(p->c->pool, loss_piece, p, p->count);
    for (int i = 0; i < p->count; i++) {
        loss->sum += t->row_loss[i].loss;
        loss->right += t->row_loss[i].right;
    }
    if (p->scale == 0) return;
    flaw_linear_backward(p->c, head, p->count, t->logits, p->vocab, t->d_final + (size_t)p->first * (size_t)p->width, false);
    if (!t->grads) return;
    flaw_gradient_job job = {.rows = p->count, .in = p->width, .out = p->vocab, .x = x, .x_row = p->width,
                             .dy = t->logits, .dy_row = p->vocab, .dw = t->g.head};
    flaw_gradient_run(p->c, &job, 1, t->work);
}

static flaw_language_loss forward(language_pass *p)
{
    flaw_language_train *t = p->t;
    const flaw_language_batch *b = p->batch;
    flaw_pool_run(p->c->pool, embed_piece, p, flaw_row_pieces(b->n * b->tokens));
    for (int i = 0; i < t->model->shape.layers; i++)
        flaw_block_train_forward(p->c, &t->model->block[i], b->n, b->tokens, &t->saved[i]);
    flaw_language_loss loss = {.targets = gather(p)};
    for (p->first = 0; p->first < loss.targets; p->first += HEAD_ROWS) {
        p->count = loss.targets - p->first < HEAD_ROWS ? loss.targets - p->first : HEAD_ROWS;
        head_chunk(p, &loss);
    }
    return loss;
}

/* Gradients of the token table and of the given rows in the order of the positions; a piece owns a stretch of columns. */
static void scatter_piece(void *context, int piece, int worker)
{
    const language_pass *p = context;
    const flaw_language_batch *b = p->batch;
    (void)worker;
    size_t d = (size_t)p->width, from = (size_t)piece * SCATTER_COLUMNS;
    size_t columns = from + SCATTER_COLUMNS < d ? SCATTER_COLUMNS : d - from;
    for (int i = 0; i < b->n * b->tokens; i++) {
        int32_t id = b->ids[i];
        float *to = id >= 0 ? p->t->g.token : b->d_rows;
        if (!to) continue;
        to += (size_t)(id >= 0 ? id : -1 - id) * d + from;
        p->c->kernels->axpy(columns, 1, p->d + (size_t)i * d + from, to);
    }
}

static void backward(language_pass *p, int targets)
{
    flaw_language_train *t = p->t;
    const flaw_language_batch *b = p->batch;
    size_t d = (size_t)p->width;
    float *down = t->d_a, *next = t->d_b;
    memset(t->d_rows, 0, (size_t)targets * d * sizeof(float));
    flaw_norm_backward(p->c, targets, p->width, t->rows, t->model->view.norm, NULL, t->rstd, t->d_final, t->d_rows, t->g.norm,
                       NULL, t->work);
    memset(down, 0, (size_t)b->n * (size_t)b->tokens * d * sizeof(float));
    for (int i = 0; i < targets; i++)
        memcpy(down + (size_t)t->at[i] * d, t->d_rows + (size_t)i * d, d * sizeof(float));
    for (int i = t->model->shape.layers - 1; i >= 0; i--) {
        flaw_block_backward(p->c, &t->model->block[i], &t->saved[i], b->n, b->tokens, down, next,
                            t->grads ? &t->g.block[i] : NULL, t->work);
        float *swap = down;
        down = next;
        next = swap;
    }
    p->d = down;
    flaw_pool_run(p->c->pool, scatter_piece, p, (p->width + SCATTER_COLUMNS - 1) / SCATTER_COLUMNS);
}

static language_pass start(flaw_compute *c, flaw_language_train *t, const flaw_language_batch *batch, float scale)
{
    const flaw_language_shape *s = &t->model->shape;
    return (language_pass){.c = c, .t = t, .batch = batch, .scale = scale, .width = s->block.width, .vocab = s->vocab};
}

flaw_language_loss flaw_language_train_evaluate(flaw_compute *c, flaw_language_train *t, const flaw_language_batch *batch)
{
    language_pass p = start(c, t, batch, 0);
    return forward(&p);
}

flaw_language_loss flaw_language_train_step(flaw_compute *c, flaw_language_train *t, const flaw_language_batch *batch,
                                            float scale)
{
    language_pass p = start(c, t, batch, scale);
    flaw_language_loss loss = forward(&p);
    if (scale != 0 && loss.targets) backward(&p, loss.targets);
    return loss;
}

/* The rows of all parts below each other. */
static void thaw_linear(const flaw_linear *l, float *out)
{
    for (int p = 0; p < l->parts; p++) {
        for (int i = 0; i < l->part[p].rows; i++, out += l->part[p].cols) flaw_matrix_row(&l->part[p], i, out);
    }
    if (!l->parts) memcpy(out, l->w, (size_t)l->in * (size_t)l->out * sizeof *out);
}

flaw_status flaw_language_thaw(flaw_language **out, const flaw_language *m, flaw_error *err)
{
    flaw_language *copy;
    size_t d = (size_t)m->shape.block.width;
    flaw_status status = flaw_language_new(&copy, &m->shape, m->name, err);
    if (status) return status;
    copy->bos = m->bos;
    copy->eos = m->eos;
    for (int i = 0; i < m->token.rows; i++) flaw_matrix_row(&m->token, i, copy->view.token + (size_t)i * d);
    if (!m->shape.tied) thaw_linear(&m->head, copy->view.head);
    memcpy(copy->view.norm, m->view.norm, d * sizeof(float));
    for (int i = 0; i < m->shape.layers; i++) {
        const flaw_block *from = &m->block[i];
        const flaw_block_weights *to = &copy->view.block[i];
        memcpy(to->norm1_w, from->weights.norm1_w, d * sizeof(float));
        memcpy(to->norm2_w, from->weights.norm2_w, d * sizeof(float));
        thaw_linear(&from->qkv, to->qkv_w);
        thaw_linear(&from->out, to->out_w);
        thaw_linear(&from->fc1, to->fc1_w);
        thaw_linear(&from->fc2, to->fc2_w);
    }
    *out = copy;
    return FLAW_OK;
}
