/* Convolutions of one picture, stride 1, and ReLU with pooling by 2; forward beside backward, float32. The sums run over
 * [channel, row, column] of the kernel for a pixel, over the pixels in order for a weight.
 *
 * Letters: I and O channels, h x w pixels in, k side of the kernel. Pictures are [channel, row, column]. */
#ifndef FLAW_NN_CONV_H
#define FLAW_NN_CONV_H

#include "nn/product.h"

typedef struct flaw_conv {
    int in, out;       /* I, O */
    int height, width; /* h, w */
    int kernel, pad;   /* k; zeros around the picture */
} flaw_conv;

static inline int flaw_conv_height(const flaw_conv *s)
{
    return s->height + 2 * s->pad - s->kernel + 1;
}
static inline int flaw_conv_width(const flaw_conv *s)
{
    return s->width + 2 * s->pad - s->kernel + 1;
}

/* Floats of `work` (64-byte aligned) of either pass; scratch for each worker is flaw_plain_product_scratch. */
size_t flaw_conv_work(const flaw_compute *c, const flaw_conv *s);
/* y [O, h', w'] = x [I, h, w] * weights [O, I*k*k] + bias [O]. */
void flaw_conv_forward(flaw_compute *c, const flaw_conv *s, const float *x, const float *weights, const float *bias, float *y,
                       float *work);
/* dx [I, h, w] (overwritten, or NULL), dw and db (added to, or NULL) from dy [O, h', w']. */
void flaw_conv_backward(flaw_compute *c, const flaw_conv *s, const float *x, const float *weights, const float *dy, float *dx,
                        float *dw, float *db, float *work);

/* y [channels, h/2, w/2] = the largest of each 2 x 2 of max(x, 0); an odd last row or column is left out. which [as y]: which of
 * the four it was (the first of equals), 4 where none is over 0. Backward: dx [channels, h, w] is overwritten. */
void flaw_relu_pool_forward(flaw_compute *c, int channels, int height, int width, const float *x, float *y, uint8_t *which);
void flaw_relu_pool_backward(flaw_compute *c, int channels, int height, int width, const float *dy, const uint8_t *which,
                             float *dx);

#endif
