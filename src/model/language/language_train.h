/* The training pass of the language model: tokens, or rows given in their place (soft prompts), through the blocks to a
 * cross-entropy at the positions that have a target; and back to the weights, the given rows, or both.
 *
 * It reads no files and knows no schedule. Sequences are padded at their ends (any id, no target): the causal mask keeps
 * padding from what is before it. Positions without a target have no logits and no gradient of their own.
 *
 * Letters: N sequences, T tokens, D width, V vocabulary, L layers, M targets of a batch, R given rows. */
#ifndef FLAW_MODEL_LANGUAGE_TRAIN_H
#define FLAW_MODEL_LANGUAGE_TRAIN_H

#include "model/language/language.h"
#include "nn/block_train.h"

typedef struct flaw_language_batch {
    int n, tokens;         /* N, T */
    const int32_t *ids;    /* [N, T] token ids; -1 - r: row r of `rows` stands here */
    const int32_t *target; /* [N, T] the id that should follow; -1: no target */
    const float *rows;     /* [R, D] or NULL */
    float *d_rows;         /* [R, D] their gradient is added to; NULL: not wanted */
} flaw_language_batch;

typedef struct flaw_language_limits {
    int rows;    /* most N*T of a batch */
    int tokens;  /* most T; at most the model's context */
    bool frozen; /* the weights get no gradients */
} flaw_language_limits;

typedef struct flaw_language_loss {
    double sum;  /* of the targets' cross-entropies, natural logarithm */
    int targets; /* M */
    int right;   /* targets whose logit was the largest */
} flaw_language_loss;

typedef struct flaw_language_train {
    flaw_language *model; /* the caller's, with float weights: flaw_language_new or flaw_language_thaw */
    flaw_language_limits limits;
    float *grads;         /* like the model's weights; NULL when frozen */
    flaw_language_view g;
    flaw_block_saved *saved;       /* [L] */
    float *stream;                 /* [N, T, D] input of the first block */
    float *d_a, *d_b;              /* [N, T, D] gradients on their way down */
    int *at;                       /* [M] row of each target */
    float *rows, *final, *rstd;    /* [M, D] the targets' rows, normed [M, D], [M] */
    float *d_rows, *d_final;       /* [M, D] */
    float *logits;                 /* of a chunk of targets, then their gradient */
    struct flaw_row_loss *row_loss; /* of a chunk */
    void *work;
    flaw_arena arena;
} flaw_language_train;

flaw_status flaw_language_train_open(flaw_language_train *out, flaw_language *model, flaw_language_limits limits,
                                     flaw_compute *c, flaw_error *err);
void flaw_language_train_close(flaw_language_train *t);
/* Before the first pass, and after every change of the weights. */
flaw_status flaw_language_train_pack(flaw_language_train *t, flaw_compute *c, flaw_error *err);

/* The loss alone. */
flaw_language_loss flaw_language_train_evaluate(flaw_compute *c, flaw_language_train *t, const flaw_language_batch *batch);
/* The loss, and the gradient of scale * sum added to the weights' gradients (unless frozen) and to batch->d_rows. */
flaw_language_loss flaw_language_train_step(flaw_compute *c, flaw_language_train *t, const flaw_language_batch *batch,
                                            float scale);

/* A model that can be trained, or trained through: float weights from one that was opened for reading, in whatever type
 * its matrices are kept. The vocabulary stays with `m`. */
flaw_status flaw_language_thaw(flaw_language **out, const flaw_language *m, flaw_error *err);

#endif
