/* AdamW (Loshchilov and Hutter 2019) over one flat parameter array cut into groups, with gradient clipping by the global
 * norm, warm-up and cosine schedule, and an average of the weights (EMA). */
#ifndef FLAW_NN_OPTIMISER_H
#define FLAW_NN_OPTIMISER_H

#include "nn/compute.h"

/* A run of the array that shares decay and rate. */
typedef struct flaw_group {
    size_t offset, count; /* floats */
    float decay;          /* 0 for vectors */
    float rate;           /* multiplier of the schedule's rate; 0 = frozen */
} flaw_group;

typedef struct flaw_schedule {
    float peak, floor;      /* rates */
    int64_t warmup, steps;  /* linear from 0 to peak, then cosine to floor at `steps` */
} flaw_schedule;

typedef struct flaw_optimiser {
    float beta1, beta2, eps;
    float clip;       /* largest global norm of the gradient; 0 = none */
    float ema;        /* decay of the average; it starts lower, min(ema, (1+t)/(10+t)) */
    const flaw_group *groups;
    size_t group_count;
} flaw_optimiser;

/* The arrays of one training run, all of the same layout. */
typedef struct flaw_moments {
    float *w, *g, *m, *v, *average;
} flaw_moments;

float flaw_schedule_rate(const flaw_schedule *s, int64_t step);

/* Step t = 1, 2, ...: clip, AdamW on every group that is not frozen, average, and zero the gradient. Returns the norm of
 * the gradient before clipping; when it is not finite, nothing but the gradient (zeroed) is touched. */
double flaw_optimiser_step(flaw_compute *c, const flaw_optimiser *o, const flaw_moments *a, float rate, int64_t t);

#endif
