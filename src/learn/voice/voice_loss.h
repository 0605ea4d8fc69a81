/* Losses of a map against a mask, as AnomalyGPT's: focal on the two channels of the softmax, dice on the abnormal one. */
#ifndef FLAW_LEARN_VOICE_LOSS_H
#define FLAW_LEARN_VOICE_LOSS_H

#include <stddef.h>
#include <stdint.h>

#include "base/pool.h"
#include "model/tower/clip.h"

/* Focal loss (Lin et al. 2017) of gamma 2: mean over n of -(1 - pt)^2 log pt, where pt = sum of one-hot * p over both
 * channels + 1e-5, the one-hot target kept within [1e-5, 1 - 1e-5]; p [n] is the abnormal channel, mask not 0 where it is the
 * target. Returns weight * loss, adds its gradient to dp. */
double flaw_map_focal_loss(size_t n, const float *p, const uint8_t *mask, float weight, float *dp);

/* 1 - (2 sum(p g) + 1) / (sum p + sum g + 1). */
double flaw_map_dice_loss(size_t n, const float *p, const uint8_t *mask, float weight, float *dp);

/* Both of the map of every stage, `maps` [stages, n] against one mask, weighed; gradients are added to d_maps. */
typedef struct flaw_stage_losses {
    double focal[FLAW_STAGES], dice[FLAW_STAGES];
} flaw_stage_losses;
void flaw_map_stage_losses(flaw_stage_losses *out, flaw_pool *pool, size_t n, const float *maps, const uint8_t *mask,
                           float focal_weight, float dice_weight, float *d_maps);

#endif
