/* A small network written down as a list of layers: a forward pass walks the list, the backward pass walks it back. For
 * networks that a method trains while it learns a product; the towers have a block of their own (block.h).
 *
 * Every node holds rows [N * T, width]: T tokens of N pictures. Letters: N pictures, T tokens, D width of a node. */
#ifndef FLAW_NN_TAPE_H
#define FLAW_NN_TAPE_H

#include "nn/linear.h"
#include "nn/optimiser.h"

#define FLAW_TAPE_NODES 128

typedef enum flaw_layer_kind {
    FLAW_LAYER_INPUT,  /* filled by the caller */
    FLAW_LAYER_TABLE,  /* learnt rows [T, D], the same for every picture */
    FLAW_LAYER_LINEAR, /* x W^T + b */
    FLAW_LAYER_NORM,   /* layer norm */
    FLAW_LAYER_GELU,
    FLAW_LAYER_ADD,
    FLAW_LAYER_ATTEND, /* heads of attention among the tokens of a picture */
} flaw_layer_kind;

typedef struct flaw_tape_node {
    flaw_layer_kind kind;
    int from[3], width;  /* nodes read */
    size_t first, count; /* its weights in the array */
    flaw_linear linear;
    int heads;
    const uint8_t *hidden; /* [T, T] of kernel.h's attention, the caller's; NULL */
    float *y, *dy;         /* [most * T, D]; dy NULL where nothing is trained */
    float *kept;           /* norm: mean, rstd; attention: stats */
} flaw_tape_node;

typedef struct flaw_tape {
    flaw_compute *c;  /* borrowed */
    int tokens, most; /* T, pictures of a pass at most */
    bool train, failed;
    flaw_tape_node node[FLAW_TAPE_NODES];
    int count;
    size_t floats;
    flaw_moments moments; /* w always; g, m, v where it is trained */
    flaw_group group[2 * FLAW_TAPE_NODES];
    size_t groups;
    int64_t steps; /* of the optimiser, done */
    void *work;
    flaw_arena arena;
} flaw_tape;

/* Begin, write down, build. Each returns the node's number; a list too long is found by flaw_tape_build. What attention
 * and GELU read must be read by nothing else. */
void flaw_tape_begin(flaw_tape *t, int tokens);
int flaw_tape_input(flaw_tape *t, int width);
int flaw_tape_table(flaw_tape *t, int width);
int flaw_tape_linear(flaw_tape *t, int x, int width);
int flaw_tape_norm(flaw_tape *t, int x);
int flaw_tape_gelu(flaw_tape *t, int x);
int flaw_tape_add(flaw_tape *t, int a, int b);
int flaw_tape_attend(flaw_tape *t, int q, int k, int v, int heads, const uint8_t *hidden);
/* Weights by Glorot's uniform rule from the seed, biases 0, norms 1. `train`: room for gradients and moments too;
 * matrices and tables decay by `decay`. */
flaw_status flaw_tape_build(flaw_tape *t, flaw_compute *c, int most, bool train, float decay, uint64_t seed,
                            flaw_error *err);
void flaw_tape_close(flaw_tape *t);

/* After the weights (moments.w, [floats]) changed. */
flaw_status flaw_tape_pack(flaw_tape *t, flaw_error *err);
/* y of every node from those of the inputs; gradients become 0. */
void flaw_tape_forward(flaw_tape *t, int n);
/* From the dy that the caller added to, to every dy and to the weights' gradients, which are added to. */
void flaw_tape_backward(flaw_tape *t, int n);
/* AdamW (betas 0.9, 0.999) with the gradient's norm clipped, and flaw_tape_pack. *norm may be NULL. */
flaw_status flaw_tape_step(flaw_tape *t, float rate, float clip, double *norm, flaw_error *err);

#endif
