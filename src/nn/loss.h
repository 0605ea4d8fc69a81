/* Losses, each with its gradient. Sizes are small (pictures x sentences, patches x 1), sums are in double and in one
 * order; callers split over pictures where it pays.
 *
 * Letters: N pictures, M sentences, E joint width, P patches. `weight` scales loss and gradient alike; gradients are
 * added to their arrays. */
#ifndef FLAW_NN_LOSS_H
#define FLAW_NN_LOSS_H

#include <stddef.h>
#include <stdint.h>

/* y = x / |x| per row; inverse [rows] = 1/|x|. Backward: dx += (dy - y (y.dy)) * inverse. */
void flaw_unit_forward(int rows, int e, const float *x, float *y, float *inverse);
void flaw_unit_backward(int rows, int e, const float *y, const float *inverse, const float *dy, float *dx);

/* Symmetric cross-entropy of CLIP (Radford et al. 2021, figure 3) between unit pictures a [N, E] and unit captions
 * b [N, E]; logits = exp(log_scale) a b^T. Rows with the same `group` are each other's positives (a caption that stands
 * under several pictures), the target is spread evenly over them. work: 2*N*N floats. Returns weight * loss. */
double flaw_contrast_loss(int n, int e, const float *a, const float *b, const int32_t *group, float log_scale,
                          float weight, float *da, float *db, double *d_log_scale, float *work);

/* Logit of "abnormal" for rows x [rows, E] (not normalised) against a direction d = abnormal - normal [E]:
 * z = scale * x.d / |x|. The backward pass adds dx, dd [E] and the sum of dz * z to *d_log_scale. */
void flaw_direction_forward(int rows, int e, const float *x, const float *d, float scale, float *z, float *inverse);
void flaw_direction_backward(int rows, int e, const float *x, const float *d, float scale, const float *z,
                             const float *inverse, const float *dz, float *dx, float *dd, double *d_log_scale);

/* Binary cross-entropy with logits z and soft targets t in [0, 1]: mean over n of |t - p|^gamma * BCE(z, t), p = sigmoid(z)
 * (gamma 0: plain; 2: the quality focal loss of Li et al. 2020, equation 5). Adds to dz. */
double flaw_focal_loss(int n, const float *z, const float *t, float gamma, float weight, float *dz);

/* 1 - (2 sum(p t) + 1) / (sum(p) + sum(t) + 1) (Milletari et al. 2016, with smoothing 1). Adds to dz. */
double flaw_dice_loss(int n, const float *z, const float *t, float weight, float *dz);

/* Mean over rows of 1 - cos(x, target). Adds to dx. */
double flaw_cosine_loss(int rows, int d, const float *x, const float *target, float weight, float *dx);

/* Mean over n of the smooth L1 distance (beta 1): 0.5 e^2 for |e| < 1, |e| - 0.5 beyond. Adds to dx. */
double flaw_smooth_l1_loss(size_t n, const float *x, const float *target, float weight, float *dx);

#endif
