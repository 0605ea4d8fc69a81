/* The training twin of clip.c: both towers forward with everything kept, and backward.
 *
 * One flaw_clip_train holds a model's weights and gradients (two arrays of one layout, see clip.h) and room for a batch.
 * It reads no files and knows no losses: a trainer fills pixels and ids, reads cls, local and text, writes their
 * gradients and calls the backward passes, which add to the gradient array.
 *
 * Letters as in clip.h; Nmax, Mmax: capacity in pictures and sentences. */
#ifndef FLAW_MODEL_CLIP_BACKWARD_H
#define FLAW_MODEL_CLIP_BACKWARD_H

#include "model/tower/clip.h"
#include "nn/block_train.h"

typedef struct flaw_clip_train_limits {
    int pictures, sentences; /* Nmax, Mmax */
    int first_trained;       /* image blocks below are forward only; 0: patch embedding and positions train too */
} flaw_clip_train_limits;

typedef struct flaw_image_train {
    int n;                        /* pictures of the last forward pass */
    float *columns;               /* [Nmax*P, 3*p*p] patches as rows, kept for the gradient of the projection */
    float *embedded;              /* [Nmax, T, D] tokens before ln_pre */
    float *mean, *rstd;           /* [Nmax*T] of ln_pre */
    float *stream;                /* [Nmax, T, D] through the frozen blocks; input of the first trained one */
    flaw_block_saved *saved;      /* [L]; those below first_trained are unused */
    float *stage[FLAW_STAGES];    /* [Nmax, T, D] */
    float *d_stage[FLAW_STAGES];  /* the same; NULL for a frozen stage. Zeroed by the forward pass; a trainer may add */
    float *post, *post_mean, *post_rstd; /* [Nmax, D], [Nmax], [Nmax]: ln_post of the class tokens */
    float *class_rows;            /* [Nmax, D] class tokens */
    float *cls, *d_cls;           /* [Nmax, E] projection, not normalised, and its gradient (zeroed by the forward pass) */
    float *local_norm[FLAW_STAGES], *local_mean[FLAW_STAGES], *local_rstd[FLAW_STAGES];
    float *local, *d_local;       /* [Nmax, T, E], not normalised; row 0 of each picture means nothing, its gradient is 0 */
    float *d_a, *d_b;             /* [Nmax, T, D] gradients on their way down */
    float *work;                  /* inference workspace of the frozen blocks */
} flaw_image_train;

typedef struct flaw_text_train {
    int m, tokens;           /* sentences and tokens of the last forward pass */
    const int32_t *ids;      /* the caller's */
    ptrdiff_t id_row;
    const int *end;          /* the caller's: index of the end token of each sentence */
    float *stream;           /* [Mmax*context, Dt] */
    flaw_block_saved *saved; /* [Lt] */
    float *end_rows, *final, *mean, *rstd; /* [Mmax, Dt] end tokens, after the final norm; [Mmax] */
    float *out, *d_out;      /* [Mmax, E], not normalised; gradient zeroed by the forward pass */
    float *d_a, *d_b;        /* [Mmax*context, Dt] */
} flaw_text_train;

typedef struct flaw_clip_train {
    flaw_clip_shape shape;
    flaw_clip_train_limits limits;
    flaw_parameters list;
    float *weights, *grads; /* [list.total] */
    flaw_clip_view w, g;
    flaw_linear patch, image_proj, text_proj, local_linear[FLAW_STAGES];
    flaw_block *image_block, *text_block;
    flaw_image_train image;
    flaw_text_train text;
    void *work; /* of the backward passes */
    bool frozen_packed;
    flaw_arena arena;
} flaw_clip_train;

/* Allocate everything; weights are zero, fill them and call flaw_clip_train_pack. */
flaw_status flaw_clip_train_open(flaw_clip_train *out, const flaw_clip_shape *shape, flaw_clip_train_limits limits,
                                 flaw_compute *c, flaw_error *err);
void flaw_clip_train_close(flaw_clip_train *t);
/* After every change of the weights. Frozen blocks are packed once. */
flaw_status flaw_clip_train_pack(flaw_clip_train *t, flaw_compute *c, flaw_error *err);

/* pixels [N, 3, S, S] normalised. Fills image.cls, image.local (with a local head), image.stage. */
void flaw_clip_train_images(flaw_compute *c, flaw_clip_train *t, int n, const float *pixels);
/* From image.d_cls, image.d_local, image.d_stage. */
void flaw_clip_train_images_backward(flaw_compute *c, flaw_clip_train *t);

/* ids [M, id_row] (only the first `tokens` of each row are read: the causal mask makes what follows the longest sentence
 * irrelevant), end [M]. Fills text.out. Both arrays must live until the backward pass. */
void flaw_clip_train_texts(flaw_compute *c, flaw_clip_train *t, int m, int tokens, const int32_t *ids, ptrdiff_t id_row,
                           const int *end);
/* From text.d_out. */
void flaw_clip_train_texts_backward(flaw_compute *c, flaw_clip_train *t);

#endif
