/* The inside of the training of APRIL-GAN, shared by the files april_train*.c. */
#ifndef FLAW_LEARN_APRIL_TRAIN_H
#define FLAW_LEARN_APRIL_TRAIN_H

#include "flaw/train_april.h"
#include "learn/checkpoint.h"
#include "learn/run.h"
#include "learn/voice/voice_data.h"
#include "nn/optimiser.h"

/* Sums since the last report. */
typedef struct flaw_april_values {
    double focal, dice, norm, data_seconds, seconds;
    int64_t steps;
    double all_seconds; /* of this run, for the time left */
    int64_t all_steps;
} flaw_april_values;

typedef struct flaw_april_trainer {
    const flaw_april_train_options *options;
    const flaw_april_train_callbacks *callbacks;
    flaw_compute compute;
    flaw_clip *towers;
    flaw_voice *decoder; /* model/voice/decoder.h */
    float *grads;
    flaw_voice_view grad_view;
    flaw_moments moments;
    flaw_group *groups; /* one for each parameter */
    flaw_optimiser optimiser;
    flaw_photos photos;
    flaw_voice_data data;
    float *map;                       /* [S, S] */
    float *stage_maps, *d_stage_maps; /* [stages, S, S] */
    float *work;
    uint8_t *nothing; /* [S, S] zeros: the mask of a normal picture */
    flaw_run_talk talk;
    flaw_april_values values;
    int64_t step; /* done so far */
    flaw_arena arena;
} flaw_april_trainer;

/* april_train_start.c. On failure nothing is left behind. */
flaw_status flaw_april_trainer_open(flaw_april_trainer *out, const flaw_april_train_options *options,
                                    const flaw_april_train_callbacks *callbacks, flaw_error *err);
void flaw_april_trainer_close(flaw_april_trainer *t);

/* april_train_step.c: one step, and figures on held-out kinds with the weights as they are. */
float flaw_april_rate(const flaw_april_train_options *o, int64_t step);
flaw_status flaw_april_step(flaw_april_trainer *t, flaw_error *err);
flaw_status flaw_april_evaluate(flaw_april_trainer *t, flaw_april_train_figures *out, flaw_error *err);

#endif
