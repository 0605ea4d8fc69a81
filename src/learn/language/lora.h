/* Low-rank adapters of a language model's attention (Hu et al. 2021), trained: W' = W + scale * B A for the queries, keys,
 * values and output of every block. They are a way of writing the weights: the model holds W' (`apply` after every step,
 * then pack), runs as always, and the gradients of A and B come from the gradient of W'.
 *
 * Letters: D width, L layers, r rank. */
#ifndef FLAW_LEARN_LORA_H
#define FLAW_LEARN_LORA_H

#include "base/random.h"
#include "model/language/language.h"

enum { FLAW_LORA_PARTS = 4 }; /* q, k, v, o */

typedef struct flaw_lora {
    flaw_language *model; /* the caller's, with float weights */
    int rank;
    float scale;
    flaw_parameters list;   /* [L][4] A [r, D], then B [out, r]; names as adapters' files have them (language.h) */
    float *weights, *grads; /* [list.total] */
    float *base;            /* the matrices as they were, in the order of the parts, block by block */
    flaw_arena arena;
} flaw_lora;

/* A uniform in +-1/sqrt(D), B zero: W' begins as W. FLAW_USAGE for a rank below 1 or above D. */
flaw_status flaw_lora_open(flaw_lora *out, flaw_language *model, int rank, float scale, flaw_random *random, flaw_error *err);
void flaw_lora_close(flaw_lora *l);
/* The model's weights = W + scale B A. */
void flaw_lora_apply(flaw_compute *c, const flaw_lora *l);
/* grads += from the gradients of the model's weights: dA = scale B^T dW', dB = scale dW' A^T. */
void flaw_lora_backward(flaw_compute *c, flaw_lora *l, const flaw_language_view *dw);

#endif
