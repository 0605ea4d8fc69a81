/* Queries are taken FLAW_TILE_ROWS at a time, so that their rows of scores stay in the second cache between the
 * product, the softmax and the next product. Letters: T tokens, W width of the head. */
#include "kernel/x86/attention.h"

#include <string.h>

/* A cursor over scratch: every part starts on 64 bytes. */
static void *take(unsigned char **at, size_t size)
{
    void *part = *at;
    *at += (size + 63) / 64 * 64;
    return part;
}

/* Sizes hold for either precision. */
static size_t pack_room(const flaw_kernels *k, int depth, int n)
{
    size_t f32 = k->pack_size(FLAW_F32, depth, n), bf16 = k->pack_size(FLAW_BF16, depth, n);
    return ((f32 > bf16 ? f32 : bf16) + 63) / 64 * 64;
}

static size_t product_room(const flaw_kernels *k, int depth)
{
    size_t f32 = k->product_scratch(FLAW_F32, depth), bf16 = k->product_scratch(FLAW_BF16, depth);
    return ((f32 > bf16 ? f32 : bf16) + 63) / 64 * 64;
}

static int largest(int a, int b)
{
    return a > b ? a : b;
}

/* Scores of one block of queries; rows are whole vectors apart. */
static ptrdiff_t score_row(int tokens)
{
    return (tokens + 15) / 16 * 16;
}

static size_t score_room(int tokens)
{
    return FLAW_TILE_ROWS * (size_t)score_row(tokens) * sizeof(float);
}

size_t flaw_attention_parts_scratch(const flaw_attention_parts *parts, int tokens, int width)
{
    const flaw_kernels *k = parts->kernels;
    return pack_room(k, width, tokens) + pack_room(k, tokens, width) + score_room(tokens) +
           product_room(k, largest(tokens, width));
}

/* c[rows, n] (+)= a[rows, depth] b. */
static void multiply(const flaw_kernels *k, flaw_precision prec, flaw_product p, void *scratch)
{
    k->product(prec, &p, 0, p.m, 0, p.n, scratch);
}

void flaw_attention_parts_forward(const flaw_attention_parts *parts, const flaw_attention *a, void *scratch)
{
    const flaw_kernels *k = parts->kernels;
    int t = a->tokens, w = a->width;
    unsigned char *at = scratch;
    void *keys = take(&at, pack_room(k, w, t)), *values = take(&at, pack_room(k, t, w));
    float *block = take(&at, score_room(t));
    void *room = at;
    k->pack(a->precision, w, t, a->k, 1, a->row, keys);
    k->pack(a->precision, t, w, a->v, a->row, 1, values);
    for (int i0 = 0; i0 < t; i0 += FLAW_TILE_ROWS) {
        int rows = t - i0 < FLAW_TILE_ROWS ? t - i0 : FLAW_TILE_ROWS;
        float *p = a->probs ? a->probs + (size_t)i0 * (size_t)t : block;
        ptrdiff_t p_row = a->probs ? t : score_row(t);
        multiply(k, a->precision,
                 (flaw_product){.m = rows,
                                .n = t,
                                .k = w,
                                .a = a->q + i0 * a->row,
                                .a_row = a->row,
                                .a_col = 1,
                                .b = keys,
                                .c = p,
                                .c_row = p_row},
                 room);
        for (int i = 0; i < rows; i++) {
            int seen = a->causal ? i0 + i + 1 : t;
            parts->row(seen, a->scale, p + i * p_row);
            memset(p + i * p_row + seen, 0, (size_t)(t - seen) * sizeof *p);
        }
        multiply(k, a->precision,
                 (flaw_product){.m = rows,
                                .n = w,
                                .k = t,
                                .a = p,
                                .a_row = p_row,
                                .a_col = 1,
                                .b = values,
                                .c = a->out + i0 * a->out_row,
                                .c_row = a->out_row},
                 room);
    }
}

size_t flaw_attention_parts_backward_scratch(const flaw_attention_parts *parts, int tokens, int width)
{
    const flaw_kernels *k = parts->kernels;
    return pack_room(k, width, tokens) + pack_room(k, tokens, width) + 2 * pack_room(k, FLAW_TILE_ROWS, width) +
           score_room(tokens) + product_room(k, largest(largest(tokens, width), FLAW_TILE_ROWS));
}

/* What stays the same over the blocks of queries. */
typedef struct backward {
    const flaw_attention_parts *parts;
    const flaw_attention_grad *g;
    void *values, *keys;   /* packed V^T [W, T], K [T, W] */
    void *queries, *d_out; /* packed rows of the block: Q, dO [rows, W] */
    float *d;              /* [rows, T] dP, then dS */
    void *room;
} backward;

/* The sums over queries: d_k += dS^T Q, d_v += P^T dO. */
static void add_block(const backward *b, const flaw_attention *a, int rows, const float *scores, ptrdiff_t score_step,
                      const void *packed, float *out)
{
    multiply(b->parts->kernels, a->precision,
             (flaw_product){.m = a->tokens,
                            .n = a->width,
                            .k = rows,
                            .a = scores,
                            .a_row = 1,
                            .a_col = score_step,
                            .b = packed,
                            .c = out,
                            .c_row = b->g->d_row,
                            .accumulate = true},
             b->room);
}

static void backward_block(const backward *b, int i0, int rows)
{
    const flaw_attention_grad *g = b->g;
    const flaw_attention *a = &g->forward;
    const flaw_kernels *k = b->parts->kernels;
    int t = a->tokens, w = a->width;
    ptrdiff_t d_step = score_row(t);
    const float *p = a->probs + (size_t)i0 * (size_t)t, *d_out = g->d_out + i0 * a->out_row;
    k->pack(a->precision, rows, w, a->q + i0 * a->row, a->row, 1, b->queries);
    k->pack(a->precision, rows, w, d_out, a->out_row, 1, b->d_out);
    multiply(k, a->precision,
             (flaw_product){.m = rows,
                            .n = t,
                            .k = w,
                            .a = d_out,
                            .a_row = a->out_row,
                            .a_col = 1,
                            .b = b->values,
                            .c = b->d,
                            .c_row = d_step},
             b->room);
    /* Behind the causal edge p is 0, and so is dS there. */
    for (int i = 0; i < rows; i++) b->parts->row_backward(t, a->scale, p + i * t, b->d + i * d_step);
    multiply(k, a->precision,
             (flaw_product){.m = rows,
                            .n = w,
                            .k = t,
                            .a = b->d,
                            .a_row = d_step,
                            .a_col = 1,
                            .b = b->keys,
                            .c = g->d_q + i0 * g->d_row,
                            .c_row = g->d_row},
             b->room);
    add_block(b, a, rows, b->d, d_step, b->queries, g->d_k);
    add_block(b, a, rows, p, t, b->d_out, g->d_v);
}

void flaw_attention_parts_backward(const flaw_attention_parts *parts, const flaw_attention_grad *g, void *scratch)
{
    const flaw_attention *a = &g->forward;
    const flaw_kernels *k = parts->kernels;
    int t = a->tokens, w = a->width;
    unsigned char *at = scratch;
    backward b = {.parts = parts, .g = g};
    b.values = take(&at, pack_room(k, w, t));
    b.keys = take(&at, pack_room(k, t, w));
    b.queries = take(&at, pack_room(k, FLAW_TILE_ROWS, w));
    b.d_out = take(&at, pack_room(k, FLAW_TILE_ROWS, w));
    b.d = take(&at, score_room(t));
    b.room = at;
    k->pack(a->precision, w, t, a->v, 1, a->row, b.values);
    k->pack(a->precision, t, w, a->k, a->row, 1, b.keys);
    for (int i = 0; i < t; i++) {
        memset(g->d_k + i * g->d_row, 0, (size_t)w * sizeof(float));
        memset(g->d_v + i * g->d_row, 0, (size_t)w * sizeof(float));
    }
    for (int i0 = 0; i0 < t; i0 += FLAW_TILE_ROWS)
        backward_block(&b, i0, t - i0 < FLAW_TILE_ROWS ? t - i0 : FLAW_TILE_ROWS);
}
