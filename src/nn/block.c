#include "nn/block.h"

#include <math.h>

/* Few tokens (windows) make small heads: a piece of the pool takes so many of them that it has about this many rows. */
#define ATTENTION_PIECE_ROWS 96

typedef struct block_pass {
    const flaw_compute *c;
    const flaw_block *b;
    int n, tokens, rows;
    int heads_per_piece;
    float *x;      /* [rows, D] the residual stream */
    float *h;      /* [rows, D] normed input, then the heads' output, then normed again */
    float *qkv;    /* [rows, 3D], in the place of `hidden` */
    float *hidden; /* [rows, F] */
} block_pass;

static void bind(flaw_linear *l, int in, int out, const float *w, const float *b)
{
    l->in = in;
    l->out = out;
    l->w = w;
    l->b = b;
}

void flaw_block_bind(flaw_block *b)
{
    int d = b->shape.width, f = b->shape.hidden;
    const flaw_block_weights *w = &b->weights;
    bind(&b->qkv, d, 3 * d, w->qkv_w, w->qkv_b);
    bind(&b->out, d, d, w->out_w, w->out_b);
    bind(&b->fc1, d, f, w->fc1_w, w->fc1_b);
    bind(&b->fc2, f, d, w->fc2_w, w->fc2_b);
}

flaw_status flaw_block_pack(flaw_block *b, flaw_compute *c, flaw_arena *arena, flaw_error *err)
{
    flaw_block_bind(b);
    flaw_linear *linears[] = {&b->qkv, &b->out, &b->fc1, &b->fc2};
    for (int i = 0; i < 4; i++) {
        flaw_status status = flaw_linear_pack(linears[i], c, arena, err);
        if (status != FLAW_OK) return status;
    }
    return FLAW_OK;
}

size_t flaw_block_scratch(const flaw_compute *c, const flaw_block_shape *shape, int tokens)
{
    return c->kernels->attention_scratch(tokens, shape->width / shape->heads);
}

size_t flaw_block_workspace(const flaw_block_shape *shape, int n, int tokens)
{
    size_t wide = 3 * (size_t)shape->width > (size_t)shape->hidden ? 3 * (size_t)shape->width : (size_t)shape->hidden;
    return (size_t)n * (size_t)tokens * ((size_t)shape->width + wide);
}

static int piece_rows(int rows, int piece)
{
    int left = rows - piece * FLAW_TILE_ROWS;
    return left < FLAW_TILE_ROWS ? left : FLAW_TILE_ROWS;
}

/* Rows of the first norm and of q, k, v. */
static void qkv_piece(void *context, int piece, int worker)
{
    const block_pass *p = context;
    int d = p->b->shape.width, rows = piece_rows(p->rows, piece);
    size_t r = (size_t)piece * FLAW_TILE_ROWS;
    const flaw_block_weights *w = &p->b->weights;
    float *h = p->h + r * (size_t)d;
    p->c->kernels->layer_norm(rows, d, p->b->shape.eps, p->x + r * (size_t)d, w->norm1_w, w->norm1_b, h, NULL, NULL);
    flaw_linear_rows(p->c, worker, &p->b->qkv, rows, h, d, p->qkv + r * 3 * (size_t)d, 3 * d, FLAW_ACT_NONE, NULL, NULL, false);
}

void flaw_block_attention(const flaw_block_shape *shape, int tokens, size_t head, const float *qkv, float *out,
                          float *stats, flaw_attention *a)
{
    size_t d = (size_t)shape->width, width = d / (size_t)shape->heads;
    size_t first = head / (size_t)shape->heads * (size_t)tokens, column = head % (size_t)shape->heads * width;
    const float *q = qkv + first * 3 * d + column;
    *a = (flaw_attention){.tokens = tokens, .width = (int)width, .causal = shape->causal,
                          .scale = (float)(1.0 / sqrt((double)width)), .q = q, .k = q + d, .v = q + 2 * d,
                          .row = 3 * (ptrdiff_t)d, .out = out ? out + first * d + column : NULL,
                          .out_row = (ptrdiff_t)d};
    if (stats) a->stats = stats + head * (size_t)tokens * 2;
}

static void attention_piece(void *context, int piece, int worker)
{
    const block_pass *p = context;
    size_t total = (size_t)p->n * (size_t)p->b->shape.heads, first = (size_t)piece * (size_t)p->heads_per_piece;
    for (size_t head = first; head < first + (size_t)p->heads_per_piece && head < total; head++) {
        flaw_attention a;
        flaw_block_attention(&p->b->shape, p->tokens, head, p->qkv, p->h, NULL, &a);
        a.precision = p->c->precision;
        p->c->kernels->attention(&a, p->c->scratch[worker]);
    }
}

/* Rows of everything behind the attention: projection, residual, second norm, MLP, residual. */
static void mlp_piece(void *context, int piece, int worker)
{
    const block_pass *p = context;
    int d = p->b->shape.width, f = p->b->shape.hidden, rows = piece_rows(p->rows, piece);
    size_t r = (size_t)piece * FLAW_TILE_ROWS;
    const flaw_block_weights *w = &p->b->weights;
    float *h = p->h + r * (size_t)d, *x = p->x + r * (size_t)d, *hidden = p->hidden + r * (size_t)f;
    flaw_linear_rows(p->c, worker, &p->b->out, rows, h, d, x, d, FLAW_ACT_NONE, x, NULL, false);
    p->c->kernels->layer_norm(rows, d, p->b->shape.eps, x, w->norm2_w, w->norm2_b, h, NULL, NULL);
    flaw_linear_rows(p->c, worker, &p->b->fc1, rows, h, d, hidden, f, p->b->shape.act, NULL, NULL, false);
    flaw_linear_rows(p->c, worker, &p->b->fc2, rows, hidden, f, x, d, FLAW_ACT_NONE, x, NULL, false);
}

int flaw_block_heads_per_piece(int tokens)
{
    return tokens >= ATTENTION_PIECE_ROWS ? 1 : ATTENTION_PIECE_ROWS / tokens;
}

void flaw_block_forward(flaw_compute *c, const flaw_block *b, int n, int tokens, float *x, float *work)
{
    int rows = n * tokens;
    block_pass p = {.c = c, .b = b, .n = n, .tokens = tokens, .rows = rows, .x = x, .h = work};
    p.qkv = p.hidden = work + (size_t)rows * (size_t)b->shape.width;
    p.heads_per_piece = flaw_block_heads_per_piece(tokens);
    flaw_pool_run(c->pool, qkv_piece, &p, flaw_row_pieces(rows));
    flaw_pool_run(c->pool, attention_piece, &p, (n * b->shape.heads + p.heads_per_piece - 1) / p.heads_per_piece);
    flaw_pool_run(c->pool, mlp_piece, &p, flaw_row_pieces(rows));
}
