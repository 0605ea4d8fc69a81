/* The training twin of block.c: the same block, forward with everything kept that the backward pass reads, and backward.
 * One equation per comment; dX stands for the gradient of the loss by X. */
#ifndef FLAW_NN_BLOCK_TRAIN_H
#define FLAW_NN_BLOCK_TRAIN_H

#include "nn/block.h"

/* What a forward pass keeps. x is the caller's (the output of the block before). */
typedef struct flaw_block_saved {
    const float *x;                       /* [rows, D], rows = N*T */
    float *norm1, *mean1, *rstd1;         /* [rows, D], [rows], [rows] */
    float *qkv;                           /* [rows, Q], positions turned in */
    float *stats;                         /* [N*H, T, 2] of the attention's softmax */
    float *heads;                         /* [rows, D] output of the attention */
    float *mid;                           /* [rows, D] x + projection */
    float *norm2, *mean2, *rstd2;
    float *pre, *hidden;                  /* [rows, F] before and after the activation; gated: pre [rows, 2F] */
    float *y;                             /* [rows, D] */
} flaw_block_saved;

/* Floats that one block's saved arrays take, and the carving of such an array. */
size_t flaw_block_saved_floats(const flaw_block_shape *shape, int n, int tokens);
void flaw_block_saved_place(flaw_block_saved *s, const flaw_block_shape *shape, int n, int tokens, float *memory);

/* flaw_block_pack, also for the backward pass. */
flaw_status flaw_block_pack_backward(flaw_block *b, flaw_compute *c, flaw_arena *arena, flaw_error *err);
/* Scratch for each worker (flaw_compute_reserve). */
size_t flaw_block_train_scratch(const flaw_compute *c, const flaw_block_shape *shape, int tokens);

/* s->y = block(s->x). */
void flaw_block_train_forward(flaw_compute *c, const flaw_block *b, int n, int tokens, flaw_block_saved *s);

/* dx [rows, D] = gradient by s->x from dy [rows, D] by s->y (two arrays). `grads` is added to; NULL leaves the weights'
 * gradients out. work: flaw_block_backward_bytes, 64-byte aligned. */
size_t flaw_block_backward_bytes(const flaw_compute *c, const flaw_block_shape *shape, int n, int tokens);
void flaw_block_backward(flaw_compute *c, const flaw_block *b, const flaw_block_saved *s, int n, int tokens,
                         const float *dy, float *dx, const flaw_block_weights *grads, void *work);

#endif
