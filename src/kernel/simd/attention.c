/* Queries are taken in blocks whose rows of scores stay in the second cache between the product, the softmax and the
 * next product. Letters: T tokens, W width of the head.
 *
 * FLAW_INT8 is computed in what the level says: where it has instructions for bytes and none that are faster, in whole
 * numbers (int8.h). Queries are then rows with a zero point, keys columns with a scale each, values columns with a scale for
 * all tokens. The softmax leaves whole numbers in proportion to the probabilities; what it divides by is their sum, so that
 * the weights of the values add up to 1. They are of two bytes, each multiplied by itself: many keys may share a
 * probability far below the largest, and of one byte nothing would be left of them. */
#include "kernel/simd/attention.h"

#include <string.h>

#include "kernel/int8.h"

static int least(int a, int b)
{
    return a < b ? a : b;
}

static int block_rows(int tokens)
{
    return least(tokens, FLAW_TILE_ROWS);
}

static int largest(int a, int b)
{
    return a > b ? a : b;
}

/* A cursor over scratch: every part starts on 64 bytes. */
static void *take(unsigned char **at, size_t size)
{
    void *part = *at;
    *at += size;
    return part;
}

static size_t whole_lines(size_t size)
{
    return (size + 63) / 64 * 64;
}

/* Sizes hold for every precision. */
static size_t pack_room(const flaw_kernels *k, int depth, int n)
{
    size_t most = 0;
    for (int prec = 0; prec < FLAW_PRECISIONS; prec++) {
        size_t size = k->pack_size((flaw_precision)prec, depth, n);
        most = size > most ? size : most;
    }
    return whole_lines(most);
}

static size_t product_room(const flaw_kernels *k, int depth)
{
    size_t most = 0;
    for (int prec = 0; prec < FLAW_PRECISIONS; prec++) {
        size_t size = k->product_scratch((flaw_precision)prec, depth);
        most = size > most ? size : most;
    }
    return whole_lines(most);
}

/* Floats between rows of scores: whole cache lines, whatever T is. */
static ptrdiff_t score_row(int tokens)
{
    return (tokens + 15) / 16 * 16;
}

static size_t score_room(int tokens)
{
    return (size_t)block_rows(tokens) * (size_t)score_row(tokens) * sizeof(float);
}

static size_t stats_room(int tokens)
{
    return whole_lines((size_t)block_rows(tokens) * 2 * sizeof(float));
}

/* Of the higher or the lower bytes of probabilities, whose rows lie score_row apart, and of their scales. */
static size_t bytes_room(int tokens)
{
    return whole_lines((size_t)block_rows(tokens) * (size_t)score_row(tokens));
}

static size_t scales_room(int tokens)
{
    return whole_lines((size_t)block_rows(tokens) * sizeof(flaw_int8_row));
}

static void multiply(const flaw_kernels *k, flaw_precision prec, const flaw_product *p, void *scratch)
{
    k->product(prec, p, 0, p->m, 0, p->n, scratch);
}

/* Keys that any query of the block i0, i0 + 1 ... sees: what is behind them takes no part in its products. */
static int block_seen(const flaw_attention *a, int i0, int rows)
{
    return a->causal ? i0 + rows : a->tokens;
}

/* Zeros behind the causal edge of rows i0, i0 + 1 ... up to column `end`. */
static void clear_unseen(const flaw_attention *a, int i0, int rows, int end, float *x, ptrdiff_t x_row)
{
    for (int i = 0; a->causal && i < rows; i++)
        memset(x + i * x_row + i0 + i + 1, 0, (size_t)(end - i0 - i - 1) * sizeof *x);
}

/* How many values row i0 has. */
static int first_seen(const flaw_attention *a, int i0)
{
    return a->causal ? i0 + 1 : a->tokens;
}

/* Scores of hidden keys of rows i0, i0 + 1 ...: so low, whatever the scale, that nothing is left of them. */
static void hide(const flaw_attention *a, int i0, int rows, float *x, ptrdiff_t x_row)
{
    for (int i = 0; a->hidden && i < rows; i++) {
        const uint8_t *hidden = a->hidden + (ptrdiff_t)(i0 + i) * a->tokens;
        for (int j = 0; j < a->tokens; j++)
            if (hidden[j]) x[i * x_row + j] = FLAW_HIDDEN_SCORE;
    }
}

/* out[rows, T] = X K^T, unscaled, for the keys that are seen: scores of queries, or the gradient of probabilities. */
static void score_block(const flaw_kernels *k, const flaw_attention *a, int i0, int rows, const float *x, ptrdiff_t x_row,
                        const void *keys, float *out, void *room)
{
    flaw_product p = {.m = rows, .n = a->tokens, .k = a->width, .a = x + i0 * x_row, .a_row = x_row, .a_col = 1, .b = keys};
    p.c = out;
    p.c_row = score_row(a->tokens);
    k->product(a->precision, &p, 0, rows, 0, block_seen(a, i0, rows), room);
}

/* out[rows, W] = X V for the keys that are seen; x [rows, T]. */
static void mix_block(const flaw_kernels *k, const flaw_attention *a, int i0, int rows, const float *x, const void *values,
                      float *out, ptrdiff_t out_row, void *room)
{
    flaw_product p = {.m = rows, .n = a->width, .k = block_seen(a, i0, rows), .k_packed = a->tokens, .a = x,
                      .a_row = score_row(a->tokens), .a_col = 1, .b = values};
    p.c = out + i0 * out_row;
    p.c_row = out_row;
    multiply(k, a->precision, &p, room);
}

/* What the backward pass is to meet again goes the way of many tokens; so do causal texts, whose T is that of the longest
 * text beside them and must not show in their bits. */
static bool is_few(const flaw_attention *a)
{
    return a->tokens <= FLAW_FEW_TOKENS && !a->causal && !a->hidden && !a->stats && !a->probs;
}

size_t flaw_attention_parts_scratch(const flaw_attention_parts *parts, int tokens, int width)
{
    const flaw_kernels *k = parts->kernels;
    return pack_room(k, width, tokens) + pack_room(k, tokens, width) + score_room(tokens) + stats_room(tokens) +
           2 * bytes_room(tokens) + 2 * scales_room(tokens) + product_room(k, largest(tokens, width));
}

/* What it is computed in. In whole numbers only what towers of pictures ask for: in texts the scale of a column of values
 * would tell of tokens that a query must not know of. */
static flaw_precision precision_of(const flaw_attention_parts *parts, const flaw_attention *a)
{
    if (a->precision != FLAW_INT8) return a->precision;
    bool bears = !a->causal && !a->hidden && !a->stats && !a->probs && a->tokens <= FLAW_INT8_DEPTH;
    return parts->int8 != FLAW_INT8 || bears ? parts->int8 : FLAW_BF16;
}

static void forward_whole(const flaw_attention_parts *parts, const flaw_attention *a, void *scratch)
{
    const flaw_kernels *k = parts->kernels;
    int t = a->tokens, w = a->width, asked = a->queries ? a->queries : t, most = block_rows(t);
    unsigned char *at = scratch;
    void *keys = take(&at, pack_room(k, w, t)), *values = take(&at, pack_room(k, t, w));
    float *e = take(&at, score_room(t));
    uint8_t *high = take(&at, bytes_room(t)), *low = take(&at, bytes_room(t));
    flaw_int8_row *high_scale = take(&at, scales_room(t)), *low_scale = take(&at, scales_room(t));
    k->pack(FLAW_INT8, w, t, a->k, 1, a->row, keys);
    k->pack(FLAW_INT8, t, w, a->v, a->row, 1, values);
    for (int i0 = 0; i0 < asked; i0 += most) {
        int rows = least(most, asked - i0);
        flaw_product mix = {.m = rows, .n = w, .k = t, .a_row = score_row(t), .a_col = 1, .a_whole = low, .a_scales = low_scale,
                            .b = values, .c = a->out + i0 * a->out_row, .c_row = a->out_row};
        score_block(k, a, i0, rows, a->q, a->row, keys, e, at);
        parts->exp_bytes(rows, t, a->scale, e, score_row(t), high, low, score_row(t), high_scale, low_scale);
        multiply(k, FLAW_INT8, &mix, at);
        mix.a_whole = high;
        mix.a_scales = high_scale;
        mix.residual = mix.c;
        multiply(k, FLAW_INT8, &mix, at);
    }
}

void flaw_attention_parts_forward(const flaw_attention_parts *parts, const flaw_attention *a, void *scratch)
{
    flaw_attention in = *a;
    in.precision = precision_of(parts, a);
    a = &in;
    const flaw_kernels *k = parts->kernels;
    int t = a->tokens, w = a->width, asked = a->queries ? a->queries : t, most = block_rows(t);
    if (is_few(a)) {
        parts->few(a);
        return;
    }
    if (a->precision == FLAW_INT8) {
        forward_whole(parts, a, scratch);
        return;
    }
    unsigned char *at = scratch;
    void *keys = take(&at, pack_room(k, w, t)), *values = take(&at, pack_room(k, t, w));
    float *e = take(&at, score_room(t)), *block_stats = take(&at, stats_room(t));
    ptrdiff_t e_row = score_row(t);
    void *room = at;
    k->pack(a->precision, w, t, a->k, 1, a->row, keys);
    k->pack(a->precision, t, w, a->v, a->row, 1, values);
    for (int i0 = 0; i0 < asked; i0 += most) {
        int rows = least(most, asked - i0), seen = first_seen(a, i0);
        float *stats = a->stats ? a->stats + 2 * i0 : block_stats;
        float *out = a->out + i0 * a->out_row;
        score_block(k, a, i0, rows, a->q, a->row, keys, e, room);
        hide(a, i0, rows, e, e_row);
        parts->exp_rows(rows, seen, a->causal, a->scale, e, e_row, stats);
        clear_unseen(a, i0, rows, block_seen(a, i0, rows), e, e_row);
        /* The division by the sums waits for the output, which is the smaller matrix. */
        mix_block(k, a, i0, rows, e, values, a->out, a->out_row, room);
        parts->norm_rows(rows, w, 0, out, a->out_row, stats, out, a->out_row);
        if (a->probs) {
            float *p = a->probs + (size_t)i0 * (size_t)t;
            parts->norm_rows(rows, seen, a->causal, e, e_row, stats, p, t);
            clear_unseen(a, i0, rows, t, p, t);
        }
    }
}

size_t flaw_attention_parts_backward_scratch(const flaw_attention_parts *parts, int tokens, int width)
{
    const flaw_kernels *k = parts->kernels;
    return 2 * pack_room(k, width, tokens) + pack_room(k, tokens, width) + 2 * pack_room(k, block_rows(tokens), width) +
           2 * score_room(tokens) + product_room(k, largest(largest(tokens, width), block_rows(tokens)));
}

/* What stays the same over the blocks of queries. */
typedef struct backward {
    const flaw_attention_parts *parts;
    const flaw_attention_grad *g;
    void *keys_t, *values_t, *keys; /* packed K^T, V^T [W, T], K [T, W] */
    void *queries, *d_out;          /* packed rows of the block: Q, dO [rows, W] */
    float *p, *d;                   /* [rows, T]: P; dP, then dS */
    void *room;
} backward;

/* The sums over queries: d_k += dS^T Q, d_v += P^T dO, for the keys that are seen. */
static void add_block(const backward *b, int i0, int rows, const float *scores, ptrdiff_t step, const void *packed,
                      float *out)
{
    const flaw_attention *a = &b->g->forward;
    int seen = block_seen(a, i0, rows);
    flaw_product p = {.m = seen, .n = a->width, .k = rows, .a = scores, .a_row = 1, .a_col = step, .b = packed};
    p.c = out;
    p.c_row = b->g->d_row;
    p.accumulate = i0 > 0 || b->g->accumulate;
    for (int j = i0; a->causal && p.accumulate && !b->g->accumulate && j < seen; j++) /* keys seen for the first time */
        memset(out + j * b->g->d_row, 0, (size_t)a->width * sizeof *out);
    multiply(b->parts->kernels, a->precision, &p, b->room);
}

/* The block's probabilities: again from the scores, or as they were kept. */
static const float *probabilities(const backward *b, int i0, int rows, ptrdiff_t *p_row)
{
    const flaw_attention *a = &b->g->forward;
    if (!a->stats) {
        *p_row = a->tokens;
        return a->probs + (size_t)i0 * (size_t)a->tokens;
    }
    *p_row = score_row(a->tokens);
    score_block(b->parts->kernels, a, i0, rows, a->q, a->row, b->keys_t, b->p, b->room);
    hide(a, i0, rows, b->p, *p_row);
    b->parts->exp_again(rows, first_seen(a, i0), a->causal, a->scale, b->p, *p_row, a->stats + 2 * i0);
    clear_unseen(a, i0, rows, block_seen(a, i0, rows), b->p, *p_row);
    return b->p;
}

static void backward_block(const backward *b, int i0, int rows)
{
    const flaw_attention_grad *g = b->g;
    const flaw_attention *a = &g->forward;
    const flaw_kernels *k = b->parts->kernels;
    int w = a->width;
    ptrdiff_t d_row = score_row(a->tokens), p_row;
    const float *p = probabilities(b, i0, rows, &p_row), *d_out = g->d_out + i0 * a->out_row;
    k->pack(a->precision, rows, w, a->q + i0 * a->row, a->row, 1, b->queries);
    k->pack(a->precision, rows, w, d_out, a->out_row, 1, b->d_out);

    score_block(k, a, i0, rows, g->d_out, a->out_row, b->values_t, b->d, b->room);
    b->parts->backward_rows(rows, first_seen(a, i0), a->causal, a->scale, p, p_row, b->d, d_row);
    clear_unseen(a, i0, rows, block_seen(a, i0, rows), b->d, d_row);
    mix_block(k, a, i0, rows, b->d, b->keys, g->d_q, g->d_row, b->room);
    add_block(b, i0, rows, b->d, d_row, b->queries, g->d_k);
    add_block(b, i0, rows, p, p_row, b->d_out, g->d_v);
}

/* With P the probabilities: dP = dO V^T, dS = scale P (dP - sum_j P dP), dV = P^T dO, dQ = dS K, dK = dS^T Q. */
void flaw_attention_parts_backward(const flaw_attention_parts *parts, const flaw_attention_grad *g, void *scratch)
{
    const flaw_attention *a = &g->forward;
    const flaw_kernels *k = parts->kernels;
    int t = a->tokens, w = a->width, most = block_rows(t);
    unsigned char *at = scratch;
    backward b = {.parts = parts, .g = g};
    b.keys_t = take(&at, pack_room(k, w, t));
    b.values_t = take(&at, pack_room(k, w, t));
    b.keys = take(&at, pack_room(k, t, w));
    b.queries = take(&at, pack_room(k, most, w));
    b.d_out = take(&at, pack_room(k, most, w));
    b.p = take(&at, score_room(t));
    b.d = take(&at, score_room(t));
    b.room = at;
    if (a->stats) k->pack(a->precision, w, t, a->k, 1, a->row, b.keys_t);
    k->pack(a->precision, w, t, a->v, 1, a->row, b.values_t);
    k->pack(a->precision, t, w, a->k, a->row, 1, b.keys);
    for (int i0 = 0; i0 < t; i0 += most) backward_block(&b, i0, least(most, t - i0));
}
