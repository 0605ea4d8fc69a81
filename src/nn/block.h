/* The one transformer block of every tower (CLIP image and text, DeiT, ImageBind, LLaMA), pre-norm:
 *   x = x + Attention(Norm1(x));   x = x + MLP(Norm2(x))
 * What differs between towers are fields of flaw_block_shape, not copies of the code.
 * Letters: N sequences, T tokens, D width, H heads, F hidden width of the MLP, L layers (docs/letters.md). */
#ifndef FLAW_NN_BLOCK_H
#define FLAW_NN_BLOCK_H

#include "nn/linear.h"

/* Rotary positions (Su et al. 2021): which two elements of a head [h] make a pair. */
typedef enum flaw_rotary {
    FLAW_ROTARY_NONE,
    FLAW_ROTARY_HALVES, /* i and i + h/2 (Hugging Face's LLaMA) */
    FLAW_ROTARY_PAIRS,  /* 2i and 2i + 1 (the original LLaMA, GGUF) */
} flaw_rotary;

typedef struct flaw_block_shape {
    int width;  /* D */
    int heads;  /* H, divides D */
    int hidden; /* F */
    flaw_activation act;
    float eps;   /* of the norms */
    bool causal; /* token t sees 0 .. t only */
    /* What LLaMA has otherwise; zero everywhere else. */
    int kv_heads;       /* heads of keys and values, divides heads (grouped queries); 0: as many as heads */
    bool rms;           /* norms without mean and bias: x / sqrt(mean(x^2) + eps) * w */
    bool gated;         /* fc1 has 2F rows, gate then up: hidden = act(gate) * up */
    flaw_rotary rotary; /* positions turned into queries and keys */
    float rotary_base;  /* 10000 */
} flaw_block_shape;

/* Rows of qkv_w: queries of all heads, then keys, then values of the kv heads. */
static inline int flaw_block_kv_heads(const flaw_block_shape *shape)
{
    return shape->kv_heads ? shape->kv_heads : shape->heads;
}
static inline int flaw_block_kv_width(const flaw_block_shape *shape)
{
    return shape->width / shape->heads * flaw_block_kv_heads(shape);
}
static inline int flaw_block_qkv_width(const flaw_block_shape *shape)
{
    return shape->width + 2 * flaw_block_kv_width(shape);
}
/* Rows of fc1_w. */
static inline int flaw_block_fc1_width(const flaw_block_shape *shape)
{
    return shape->gated ? 2 * shape->hidden : shape->hidden;
}

/* Angles of the rotary positions 0 .. positions - 1 as their cosines and sines, [positions, D/H] (see rotate in kernel.h),
 * from doubles: angle of pair j at position t is t * base^(-2j / (D/H)). One table serves all blocks of a tower. */
size_t flaw_rotary_floats(const flaw_block_shape *shape, int positions);
void flaw_rotary_fill(const flaw_block_shape *shape, int positions, float *table);

/* Parameters of one block. A second struct of the same type whose pointers lead into a gradient array holds the
 * gradients (as in llm.c); every biased pointer may be NULL where a tower has no bias. */
typedef struct flaw_block_weights {
    float *norm1_w, *norm1_b; /* [D] */
    float *qkv_w, *qkv_b;     /* [Q, D] rows q then k then v, [Q]; Q = D + 2 D kv_heads / heads, 3D where they are equal */
    float *out_w, *out_b;     /* [D, D], [D] */
    float *norm2_w, *norm2_b; /* [D] */
    float *fc1_w, *fc1_b;     /* [F, D], [F]; [2F, D] when gated */
    float *fc2_w, *fc2_b;     /* [D, F], [D] */
} flaw_block_weights;

typedef struct flaw_block {
    flaw_block_shape shape;
    flaw_block_weights weights;
    flaw_linear qkv, out, fc1, fc2; /* views of the weights, packed */
    const float *turns;             /* the tower's rotary table, long enough for every position; NULL without rotary */
} flaw_block;

/* Bind the linears to the weights and pack them (again after the weights changed). */
/* A block whose linears read compact matrices (linear.h, `part`) is bound by its reader and needs no packing. */
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

/* Keys (turned) and values of the tokens read so far, of one block: [room, D kv_heads / heads] each. */
typedef struct flaw_block_cache {
    float *k, *v;
    int room, used;
} flaw_block_cache;

/* x [T, D] in place, tokens at positions used .. used + T - 1 of one text; they are appended to the cache (room for them
 * is the caller's duty). Causal blocks only; the linears may be packed or compact. A token's numbers are the same however
 * the text was cut into calls, up to the sums of the products (matrix.h). work: flaw_block_workspace(shape, 1, T) floats. */
size_t flaw_block_cached_scratch(int room); /* bytes of each worker's scratch */
void flaw_block_forward_cached(flaw_compute *c, const flaw_block *b, int tokens, float *x, flaw_block_cache *cache, float *work);

/* Shared with the training pass (block_train.c): positions turned into rows first .. first + rows - 1 of qkv [N, T, Q]
 * (`qkv` is that row) or, `back`, out of their gradient. */
void flaw_block_turn(const flaw_compute *c, const flaw_block *b, int tokens, size_t first, int rows, bool back, float *qkv);
/* The attention of one head, counted 0 .. N*H-1, over qkv [N, T, Q];
 * out [N, T, D] may be NULL, stats [N*H, T, 2] may be NULL. */
void flaw_block_attention(const flaw_block_shape *shape, int tokens, size_t head, const float *qkv, float *out,
                          float *stats, flaw_attention *a);
int flaw_block_heads_per_piece(int tokens);

/* Some rows of everything behind the attention, on this thread: projection, residual, second norm, MLP, residual.
 * h [rows, D] the heads' output, used up; x [rows, D] in place; hidden [rows, F] (gated 2F) is room. */
void flaw_block_mlp(const flaw_compute *c, int worker, const flaw_block *b, int rows, float *h, float *x, float *hidden);

#endif
