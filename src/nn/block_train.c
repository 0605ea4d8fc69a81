#include "nn/block_train.h"

#include <string.h>

#include "nn/norm.h"

#define ALIGN_FLOATS 16 /* 64 bytes */

typedef struct train_pass {
    const flaw_compute *c;
    const flaw_block *b;
    const flaw_block_saved *s;
    int n, tokens, rows, heads_per_piece;
    const float *dy;
    float *dx;
    float *d_pre;    /* [rows, F], gated [rows, 2F]; d_hidden before, in its last F columns */
    float *d_norm;   /* [rows, D] */
    float *d_mid;    /* [rows, D] */
    float *d_heads;  /* [rows, D] */
    float *d_qkv;    /* [rows, Q] */
    float *partial;  /* [pieces, 4, D]: dw1, db1, dw2, db2; NULL when the weights are frozen */
} train_pass;

static size_t rounded(size_t floats)
{
    return (floats + ALIGN_FLOATS - 1) / ALIGN_FLOATS * ALIGN_FLOATS;
}

static float *take(float **at, size_t floats)
{
    float *here = *at;
    *at += rounded(floats);
    return here;
}

size_t flaw_block_saved_floats(const flaw_block_shape *shape, int n, int tokens)
{
    size_t rows = (size_t)n * (size_t)tokens, d = (size_t)shape->width, f = (size_t)shape->hidden;
    size_t q = (size_t)flaw_block_qkv_width(shape), pre = (size_t)flaw_block_fc1_width(shape);
    return 5 * rounded(rows * d) + rounded(rows * q) + rounded(rows * pre) + rounded(rows * f) + 4 * rounded(rows) +
           rounded(rows * (size_t)shape->heads * 2);
}

void flaw_block_saved_place(flaw_block_saved *s, const flaw_block_shape *shape, int n, int tokens, float *memory)
{
    size_t rows = (size_t)n * (size_t)tokens, d = (size_t)shape->width, f = (size_t)shape->hidden;
    float *at = memory;
    s->norm1 = take(&at, rows * d);
    s->heads = take(&at, rows * d);
    s->mid = take(&at, rows * d);
    s->norm2 = take(&at, rows * d);
    s->y = take(&at, rows * d);
    s->qkv = take(&at, rows * (size_t)flaw_block_qkv_width(shape));
    s->pre = take(&at, rows * (size_t)flaw_block_fc1_width(shape));
    s->hidden = take(&at, rows * f);
    s->mean1 = take(&at, rows);
    s->rstd1 = take(&at, rows);
    s->mean2 = take(&at, rows);
    s->rstd2 = take(&at, rows);
    s->stats = take(&at, rows * (size_t)shape->heads * 2);
}

flaw_status flaw_block_pack_backward(flaw_block *b, flaw_compute *c, flaw_arena *arena, flaw_error *err)
{
    flaw_linear *linears[] = {&b->qkv, &b->out, &b->fc1, &b->fc2};
    for (int i = 0; i < 4; i++) {
        flaw_status status = flaw_linear_pack_backward(linears[i], c, arena, err);
        if (status != FLAW_OK) return status;
    }
    return FLAW_OK;
}

size_t flaw_block_train_scratch(const flaw_compute *c, const flaw_block_shape *shape, int tokens)
{
    int width = shape->width / shape->heads;
    size_t need = c->kernels->attention_scratch(tokens, width);
    size_t back = c->kernels->attention_backward_scratch(tokens, width), grad = flaw_gradient_scratch(c);
    if (back > need) need = back;
    return grad > need ? grad : need;
}

static int piece_rows(const train_pass *p, int piece)
{
    int left = p->rows - piece * FLAW_TILE_ROWS;
    return left < FLAW_TILE_ROWS ? left : FLAW_TILE_ROWS;
}

static int attention_pieces(const train_pass *p, int heads)
{
    return (p->n * heads + p->heads_per_piece - 1) / p->heads_per_piece;
}

/* What RMS norms do not have. */
static const float *norm_bias(const train_pass *p, const float *bias)
{
    return p->b->shape.rms ? NULL : bias;
}

static const float *norm_mean(const train_pass *p, const float *mean, size_t row)
{
    return p->b->shape.rms ? NULL : mean + row;
}

/* norm1 = Norm(x); qkv = norm1 Wqkv^T + b, positions turned in */
static void qkv_piece(void *context, int piece, int worker)
{
    const train_pass *p = context;
    const flaw_block_saved *s = p->s;
    int d = p->b->shape.width, q = flaw_block_qkv_width(&p->b->shape), rows = piece_rows(p, piece);
    size_t r = (size_t)piece * FLAW_TILE_ROWS, rd = r * (size_t)d, rq = r * (size_t)q;
    bool turn = p->b->shape.rotary != FLAW_ROTARY_NONE; /* then the rows are read again at once */
    flaw_norm_rows(p->c->kernels, rows, d, p->b->shape.eps, s->x + rd, p->b->weights.norm1_w,
                   norm_bias(p, p->b->weights.norm1_b), s->norm1 + rd, s->mean1 + r, s->rstd1 + r);
    flaw_linear_rows(p->c, worker, &p->b->qkv, rows, s->norm1 + rd, d, s->qkv + rq, q, FLAW_ACT_NONE, NULL, NULL, !turn);
    flaw_block_turn(p->c, p->b, p->tokens, r, rows, false, s->qkv + rq);
}

static void attention_piece(void *context, int piece, int worker)
{
    const train_pass *p = context;
    size_t total = (size_t)p->n * (size_t)p->b->shape.heads, first = (size_t)piece * (size_t)p->heads_per_piece;
    for (size_t head = first; head < first + (size_t)p->heads_per_piece && head < total; head++) {
        flaw_attention a;
        flaw_block_attention(&p->b->shape, p->tokens, head, p->s->qkv, p->s->heads, p->s->stats, &a);
        a.precision = p->c->precision;
        p->c->kernels->attention(&a, p->c->scratch[worker]);
    }
}

/* hidden = act(pre), pre = norm2 W1^T + b; gated: act(left half of pre) * right half */
static void hidden_rows(const train_pass *p, int worker, int rows, const float *norm2, float *pre, float *hidden)
{
    const flaw_block_shape *s = &p->b->shape;
    int d = s->width, f = s->hidden;
    if (s->gated) {
        flaw_linear_rows(p->c, worker, &p->b->fc1, rows, norm2, d, pre, 2 * f, FLAW_ACT_NONE, NULL, NULL, false);
        p->c->kernels->gate(s->act, rows, f, pre, 2 * f, hidden, f);
    } else {
        flaw_linear_rows(p->c, worker, &p->b->fc1, rows, norm2, d, hidden, f, s->act, NULL, pre, false);
    }
}

/* mid = x + heads Wout^T + b; norm2 = Norm(mid); hidden = act(norm2 W1^T + b); y = mid + hidden W2^T + b */
static void mlp_piece(void *context, int piece, int worker)
{
    const train_pass *p = context;
    const flaw_block_saved *s = p->s;
    int d = p->b->shape.width, f = p->b->shape.hidden, rows = piece_rows(p, piece);
    size_t r = (size_t)piece * FLAW_TILE_ROWS, rd = r * (size_t)d, rf = r * (size_t)f;
    flaw_linear_rows(p->c, worker, &p->b->out, rows, s->heads + rd, d, s->mid + rd, d, FLAW_ACT_NONE, s->x + rd, NULL, false);
    flaw_norm_rows(p->c->kernels, rows, d, p->b->shape.eps, s->mid + rd, p->b->weights.norm2_w,
                   norm_bias(p, p->b->weights.norm2_b), s->norm2 + rd, s->mean2 + r, s->rstd2 + r);
    hidden_rows(p, worker, rows, s->norm2 + rd, s->pre + r * (size_t)flaw_block_fc1_width(&p->b->shape), s->hidden + rf);
    flaw_linear_rows(p->c, worker, &p->b->fc2, rows, s->hidden + rf, f, s->y + rd, d, FLAW_ACT_NONE, s->mid + rd, NULL, true);
}

void flaw_block_train_forward(flaw_compute *c, const flaw_block *b, int n, int tokens, flaw_block_saved *s)
{
    train_pass p = {.c = c, .b = b, .s = s, .n = n, .tokens = tokens, .rows = n * tokens,
                    .heads_per_piece = flaw_block_heads_per_piece(tokens)};
    flaw_pool_run(c->pool, qkv_piece, &p, flaw_row_pieces(p.rows));
    flaw_pool_run(c->pool, attention_piece, &p, attention_pieces(&p, b->shape.heads));
    flaw_pool_run(c->pool, mlp_piece, &p, flaw_row_pieces(p.rows));
}

/* d_pre = act'(pre) d_hidden, d_hidden = dy W2 */
static void hidden_rows_back(const train_pass *p, int worker, int rows, const float *pre, const float *dy, float *d_pre)
{
    const flaw_block_shape *s = &p->b->shape;
    int f = s->hidden, wide = flaw_block_fc1_width(s);
    float *d_hidden = d_pre + wide - f;
    flaw_linear_rows_backward(p->c, worker, &p->b->fc2, rows, dy, s->width, d_hidden, wide, false);
    if (s->gated) p->c->kernels->gate_backward(s->act, rows, f, pre, wide, d_hidden, wide, d_pre, wide);
    else p->c->kernels->activate_backward(s->act, (size_t)rows * (size_t)f, pre, d_pre, d_pre);
}

/* d_norm = d_pre W1; d_mid = dy + Norm'(d_norm); d_heads = d_mid Wout */
static void mlp_back_piece(void *context, int piece, int worker)
{
    const train_pass *p = context;
    int d = p->b->shape.width, f = flaw_block_fc1_width(&p->b->shape), rows = piece_rows(p, piece);
    size_t r = (size_t)piece * FLAW_TILE_ROWS, rd = r * (size_t)d, rf = r * (size_t)f;
    float *partial = p->partial ? p->partial + (size_t)piece * 4 * (size_t)d : NULL;
    if (partial) memset(partial, 0, 4 * (size_t)d * sizeof *partial);
    hidden_rows_back(p, worker, rows, p->s->pre + rf, p->dy + rd, p->d_pre + rf);
    flaw_linear_rows_backward(p->c, worker, &p->b->fc1, rows, p->d_pre + rf, f, p->d_norm + rd, d, false);
    memcpy(p->d_mid + rd, p->dy + rd, (size_t)rows * (size_t)d * sizeof *p->dy);
    flaw_norm_rows_backward(p->c->kernels, rows, d, p->s->mid + rd, p->b->weights.norm2_w, norm_mean(p, p->s->mean2, r),
                            p->s->rstd2 + r, p->d_norm + rd, p->d_mid + rd, partial ? partial + 2 * d : NULL,
                            partial ? partial + 3 * d : NULL);
    flaw_linear_rows_backward(p->c, worker, &p->b->out, rows, p->d_mid + rd, d, p->d_heads + rd, d, false);
}

/* A piece takes whole groups of heads that share keys and values, and adds their parts to d_k and d_v in order. */
static void attention_back_piece(void *context, int piece, int worker)
{
    const train_pass *p = context;
    const flaw_block_shape *s = &p->b->shape;
    size_t kv = (size_t)flaw_block_kv_heads(s), group = (size_t)s->heads / kv;
    size_t first = (size_t)piece * (size_t)p->heads_per_piece * group, end = first + (size_t)p->heads_per_piece * group;
    size_t total = (size_t)p->n * (size_t)s->heads;
    for (size_t head = first; head < end && head < total; head++) {
        flaw_attention_grad g = {.d_row = flaw_block_qkv_width(s), .accumulate = head % group > 0};
        flaw_block_attention(s, p->tokens, head, p->s->qkv, p->s->heads, p->s->stats, &g.forward);
        g.forward.precision = p->c->precision;
        g.d_out = p->d_heads + (g.forward.out - p->s->heads);
        g.d_q = p->d_qkv + (g.forward.q - p->s->qkv);
        g.d_k = p->d_qkv + (g.forward.k - p->s->qkv);
        g.d_v = p->d_qkv + (g.forward.v - p->s->qkv);
        p->c->kernels->attention_backward(&g, p->c->scratch[worker]);
    }
}

/* d_norm = d_qkv Wqkv (positions turned out); dx = d_mid + Norm'(d_norm) */
static void qkv_back_piece(void *context, int piece, int worker)
{
    const train_pass *p = context;
    int d = p->b->shape.width, q = flaw_block_qkv_width(&p->b->shape), rows = piece_rows(p, piece);
    size_t r = (size_t)piece * FLAW_TILE_ROWS, rd = r * (size_t)d, rq = r * (size_t)q;
    float *partial = p->partial ? p->partial + (size_t)piece * 4 * (size_t)d : NULL;
    flaw_block_turn(p->c, p->b, p->tokens, r, rows, true, p->d_qkv + rq);
    flaw_linear_rows_backward(p->c, worker, &p->b->qkv, rows, p->d_qkv + rq, q, p->d_norm + rd, d, false);
    memcpy(p->dx + rd, p->d_mid + rd, (size_t)rows * (size_t)d * sizeof *p->dx);
    flaw_norm_rows_backward(p->c->kernels, rows, d, p->s->x + rd, p->b->weights.norm1_w, norm_mean(p, p->s->mean1, r),
                            p->s->rstd1 + r, p->d_norm + rd, p->dx + rd, partial, partial ? partial + d : NULL);
}

/* The four matrices of a block: dW += dY^T X, db += column sums. */
static void block_jobs(flaw_gradient_job jobs[4], const flaw_block_shape *shape, int rows, const train_pass *p,
                       const flaw_block_weights *g)
{
    int d = shape->width, f = shape->hidden, wide = flaw_block_fc1_width(shape), q = flaw_block_qkv_width(shape);
    jobs[0] = (flaw_gradient_job){.rows = rows, .in = f, .out = d, .x_row = f, .dy_row = d};
    jobs[1] = (flaw_gradient_job){.rows = rows, .in = d, .out = wide, .x_row = d, .dy_row = wide};
    jobs[2] = (flaw_gradient_job){.rows = rows, .in = d, .out = q, .x_row = d, .dy_row = q};
    jobs[3] = (flaw_gradient_job){.rows = rows, .in = d, .out = d, .x_row = d, .dy_row = d};
    if (!p) return;
    const float *x[4] = {p->s->hidden, p->s->norm2, p->s->norm1, p->s->heads};
    const float *dy[4] = {p->dy, p->d_pre, p->d_qkv, p->d_mid};
    float *dw[4] = {g->fc2_w, g->fc1_w, g->qkv_w, g->out_w}, *db[4] = {g->fc2_b, g->fc1_b, g->qkv_b, g->out_b};
    for (int i = 0; i < 4; i++) {
        jobs[i].x = x[i];
        jobs[i].dy = dy[i];
        jobs[i].dw = dw[i];
        jobs[i].db = db[i];
    }
}

size_t flaw_block_backward_bytes(const flaw_compute *c, const flaw_block_shape *shape, int n, int tokens)
{
    size_t rows = (size_t)n * (size_t)tokens, d = (size_t)shape->width;
    size_t floats = rounded(rows * (size_t)flaw_block_fc1_width(shape)) + 3 * rounded(rows * d) +
                    rounded(rows * (size_t)flaw_block_qkv_width(shape)) + rounded((size_t)flaw_row_pieces((int)rows) * 4 * d);
    flaw_gradient_job jobs[4];
    block_jobs(jobs, shape, (int)rows, NULL, NULL);
    return floats * sizeof(float) + flaw_gradient_workspace(c, jobs, 4);
}

void flaw_block_backward(flaw_compute *c, const flaw_block *b, const flaw_block_saved *s, int n, int tokens,
                         const float *dy, float *dx, const flaw_block_weights *grads, void *work)
{
    train_pass p = {.c = c, .b = b, .s = s, .n = n, .tokens = tokens, .rows = n * tokens, .dy = dy, .dx = dx,
                    .heads_per_piece = flaw_block_heads_per_piece(tokens)};
    int d = b->shape.width, pieces = flaw_row_pieces(p.rows);
    size_t rd = (size_t)p.rows * (size_t)d;
    float *at = work;
    p.d_pre = take(&at, (size_t)p.rows * (size_t)flaw_block_fc1_width(&b->shape));
    p.d_norm = take(&at, rd);
    p.d_mid = take(&at, rd);
    p.d_heads = take(&at, rd);
    p.d_qkv = take(&at, (size_t)p.rows * (size_t)flaw_block_qkv_width(&b->shape));
    float *partial = take(&at, (size_t)pieces * 4 * (size_t)d);
    p.partial = grads ? partial : NULL;
    flaw_pool_run(c->pool, mlp_back_piece, &p, pieces);
    flaw_pool_run(c->pool, attention_back_piece, &p, attention_pieces(&p, flaw_block_kv_heads(&b->shape)));
    flaw_pool_run(c->pool, qkv_back_piece, &p, pieces);
    if (!grads) return;
    float *norms[4] = {grads->norm1_w, grads->norm1_b, grads->norm2_w, grads->norm2_b};
    for (int i = 0; i < 4; i++)
        if (norms[i]) flaw_sum_partials(norms[i], partial + i * d, pieces, 4 * (size_t)d, d);
    flaw_gradient_job jobs[4];
    block_jobs(jobs, &b->shape, p.rows, &p, grads);
    flaw_gradient_run(c, jobs, 4, at);
}
