/* The loss of one batch and its gradients: from the embeddings of pictures, patches and sentences to the numbers in
 * image.d_cls, image.d_local, text.d_out and the gradient of logit_scale.
 *
 * For pair i with direction d_i = unit(mean of abnormal sentences) - unit(mean of normal sentences), a picture or patch
 * x has the logit z = exp(logit_scale) cos-wise: scale * x.d_i / |x|. Then
 *   contrast  symmetric cross-entropy of pictures and captions
 *   state     BCE(z of the class embedding, state of the picture)
 *   peak      BCE(mean of the PEAK largest patch logits, state of the picture)
 *   local     focal loss of all patches against the mask,  dice on pictures with a defect
 *   distil    1 - cos of the stage tokens against those of the start */
#ifndef FLAW_LEARN_TRAIN_LOSS_H
#define FLAW_LEARN_TRAIN_LOSS_H

#include "flaw/train.h"
#include "model/tower/clip_backward.h"

#define FLAW_PEAK 4 /* patches whose mean logit stands for the picture's strongest place */

typedef struct flaw_loss_batch {
    int pairs, sentences;  /* B, K */
    const float *target;   /* [2B, P] */
    const int32_t *group;  /* [2B] */
    const float *const *teacher; /* [FLAW_STAGES] stage tokens [2B, T, D] or NULL; NULL: no distillation */
} flaw_loss_batch;

typedef struct flaw_loss_values {
    double contrast, state, peak, local, dice, distil, total; /* weighted */
} flaw_loss_values;

/* Bytes of workspace for B pairs. */
size_t flaw_train_loss_floats(const flaw_clip_shape *shape, int pairs, int sentences);
/* Text rows lie as in flaw_batch: 2B captions, then for each pair K normal and K abnormal sentences. */
flaw_loss_values flaw_train_loss(flaw_compute *c, flaw_clip_train *t, const flaw_loss_batch *batch,
                                 const flaw_train_weights *weight, float *work);

/* The direction d [E] of K normal rows followed by K abnormal rows of text embeddings (not normalised). For evaluation. */
void flaw_text_direction(float *d, const float *rows, int e, int k);
/* Mean of the FLAW_PEAK largest of z[n]; places[FLAW_PEAK] gets their indices. */
float flaw_peak(const float *z, int n, int places[FLAW_PEAK]);

#endif
