/* What the roads through a block share: whole rows (block.c), few rows (block_few.c), rows beside a cache (block_cached.c). */
#ifndef FLAW_NN_BLOCK_PASS_H
#define FLAW_NN_BLOCK_PASS_H

#include "nn/block.h"

typedef struct flaw_block_pass {
    const flaw_compute *c;
    const flaw_block *b;
    int n, tokens, rows;
    int row_unit, row_parts; /* rows are cut into so many pieces, on multiples of the unit */
    int heads_per_piece;
    float *x;      /* [rows, D] the residual stream */
    float *h;      /* [rows, D] normed input, then the heads' output, then normed again */
    float *qkv;    /* [rows, Q], in the place of `hidden` */
    float *hidden; /* [rows, F], gated [rows, 2F] */
} flaw_block_pass;

/* The biases of norms, which are absent from RMS norms (norm.h). */
static inline const float *flaw_block_norm_bias(const flaw_block *b, const float *bias)
{
    return b->shape.rms ? NULL : bias;
}

/* Where part i of `parts` about equal ones begins: on a multiple of `unit`, or at the end. */
static inline int flaw_cut(int count, int unit, int i, int parts)
{
    long units = (count + unit - 1) / unit;
    int at = (int)(units * i / parts) * unit;
    return at < count ? at : count;
}

/* h = norm of rows r0 .. r1 of x. */
void flaw_block_norm(const flaw_block_pass *p, int r0, int r1, const float *w, const float *b);

/* The attention of all heads, from p->qkv into p->h. */
void flaw_block_run_attention(flaw_compute *c, flaw_block_pass *p);

/* The whole block for few rows (flaw_few_rows): each product is cut by columns. */
void flaw_block_forward_few(flaw_compute *c, flaw_block_pass *p);

#endif
