/* The one transformer block of every tower (CLIP image and text, DeiT, later ImageBind and LLaMA), pre-norm:
 *   x = x + Attention(Norm1(x));   x = x + MLP(Norm2(x))
 * What differs between towers are fields of flaw_block_shape, not copies of the code.
 * Letters: N sequences, T tokens, D width, H heads, F hidden width of the MLP, L layers (docs/letters.md). */
#ifndef FLAW_NN_BLOCK_H
#define FLAW_NN_BLOCK_H

#include "nn/linear.h"

typedef struct flaw_block_shape {
    int width;  /* D */
    int heads;  /* H, divides D */
    int hidden; /* F */
    flaw_activation act;
    float eps;   /* of the layer norms */
    bool causal; /* token t sees 0 .. t only */
} flaw_block_shape;

/* Parameters of one block. A second struct of the same type whose pointers lead into a gradient array holds the
 * gradients (as in llm.c); every biased pointer may be NULL where a tower has no bias. */
typedef struct flaw_block_weights {
    float *norm1_w, *norm1_b; /* [D] */
    float *qkv_w, *qkv_b;     /* [3D, D] rows q then k then v, [3D] */
    float *out_w, *out_b;     /* [D, D], [D] */
    float *norm2_w, *norm2_b; /* [D] */
    float *fc1_w, *fc1_b;     /* [F, D], [F] */
    float *fc2_w, *fc2_b;     /* [D, F], [D] */
} flaw_block_weights;

typedef struct flaw_block {
    flaw_block_shape shape;
    flaw_block_weights weights;
    flaw_linear qkv, out, fc1, fc2; /* views of the weights, packed */
} flaw_block;

/* Bind the linears to the weights and pack them (again after the weights changed). */
flaw_status flaw_block_pack(flaw_block *b, flaw_compute *c, flaw_arena *arena, flaw_error *err);

/* Only the binding: set sizes and pointers of the four linears from `shape` and `weights`. */
void flaw_block_bind(flaw_block *b);

/* Scratch for each worker that attention over `tokens` tokens needs (flaw_compute_reserve, while building; the products'
 * scratch is reserved by flaw_block_pack). */
size_t flaw_block_scratch(const flaw_compute *c, const flaw_block_shape *shape, int tokens);

/* Floats of workspace that flaw_block_forward needs for N sequences of T tokens. */
size_t flaw_block_workspace(const flaw_block_shape *shape, int n, int tokens);

/* x [N, T, D] in place. work: flaw_block_workspace floats. */
void flaw_block_forward(flaw_compute *c, const flaw_block *b, int n, int tokens, float *x, float *work);

/* Shared with the training pass (block_train.c): the attention of one head, counted 0 .. N*H-1, over qkv [N, T, 3D];
 * out [N, T, D] may be NULL, stats [N*H, T, 2] may be NULL. */
void flaw_block_attention(const flaw_block_shape *shape, int tokens, size_t head, const float *qkv, float *out,
                          float *stats, flaw_attention *a);
int flaw_block_heads_per_piece(int tokens);

#endif
