/* Station "align": scores of pictures, windows and patches against the words, and WinCLIP's way of joining them
 * (CVPR 2023, sections 4.1 and 4.2). Scores are softmax over {normal, abnormal}: logistic of the margin over tau.
 *
 * Everything after the dot products is double and clamped to [FLAW_SCORE_LOW, 1 - FLAW_SCORE_LOW]: a harmonic mean of a
 * zero is infinite, and a score that underflows must not come back as "normal". */
#ifndef FLAW_DETECT_ALIGN_H
#define FLAW_DETECT_ALIGN_H

#include "kernel/kernel.h"

#define FLAW_SCORE_LOW 1e-6

/* text[2][E]: prototypes of the normal and the abnormal class, unit length. */
typedef struct flaw_prototypes {
    const float *text[2];
    int width; /* E */
    double tau;
} flaw_prototypes;

double flaw_align_logistic(double margin); /* clamped */
/* margin[count] = (abnormal - normal cosine) / tau of rows [count, E] of unit length, not clamped. */
void flaw_align_margins(double *margin, const flaw_prototypes *p, const float *rows, int count,
                        const flaw_kernels *kernels);
/* score[count] = logistic of that. */
void flaw_align_rows(double *score, const flaw_prototypes *p, const float *rows, int count,
                     const flaw_kernels *kernels);

/* map [G, G]: harmonic mean of the scores of the k x k windows that cover a patch; score [(G-k+1)^2]. */
void flaw_align_windows(double *map, const double *score, int grid, int k);

/* map[cells] = harmonic mean over `scales` maps of scores. May write into one of them. */
void flaw_align_scales(double *map, const double *const *scale, int scales, int cells);

#endif
