/* The inside of a training run, shared by the files train*.c. */
#ifndef FLAW_LEARN_TRAIN_STATE_H
#define FLAW_LEARN_TRAIN_STATE_H

#include "base/buffer.h"
#include "learn/tower/data.h"
#include "learn/run.h"
#include "learn/tower/train_loss.h"
#include "nn/optimiser.h"

typedef struct flaw_trainer {
    const flaw_train_options *options;
    const flaw_train_callbacks *callbacks;
    flaw_run_talk talk;
    flaw_compute compute;
    flaw_clip_shape shape;
    flaw_buffer merges; /* text of the learnt vocabulary */
    flaw_tokenizer *tokenizer;
    flaw_words words;
    flaw_photos photos;
    flaw_data data;
    flaw_batch batch;
    flaw_clip_train model;
    flaw_moments moments; /* w and g are the model's */
    flaw_group *groups;
    flaw_optimiser optimiser;
    flaw_clip *teacher;         /* the start's image tower, when distilling */
    float *teacher_stage[FLAW_STAGES], *teacher_work;
    float *loss_work;
    float *kept;                /* [total] weights put aside while the average is evaluated */
    int64_t step;               /* done so far */
    flaw_arena arena;
} flaw_trainer;

/* train_start.c: everything up to the first step. On failure nothing is left behind. */
flaw_status flaw_trainer_open(flaw_trainer *out, const flaw_train_options *options, const flaw_train_callbacks *callbacks,
                              flaw_error *err);
void flaw_trainer_close(flaw_trainer *t);

/* train_init.c: weights of a new run: what `tower` has (a timm tower, or a whole bundle; NULL: nothing), the rest random
 * from the seed. */
void flaw_train_init_weights(flaw_clip_train *model, const flaw_clip *tower, uint64_t seed);
/* Groups of the optimiser, one for each parameter. */
flaw_status flaw_train_make_groups(flaw_trainer *t, flaw_error *err);

/* train_checkpoint.c */
flaw_status flaw_train_save(const flaw_trainer *t, const char *path, flaw_error *err);
/* The vocabulary and shape of a checkpoint must be those of the run. */
flaw_status flaw_train_load(flaw_trainer *t, const char *path, flaw_error *err);

/* train_step.c: one step: data, forward, loss, backward, update. seconds[0] gets the time of the data, [1] of all. */
flaw_status flaw_train_step(flaw_trainer *t, flaw_loss_values *loss, double *norm, double seconds[2], flaw_error *err);
/* Multiplications and additions of the matrix products of one step. */
double flaw_train_step_flops(const flaw_trainer *t);

/* train_evaluate.c */
flaw_status flaw_train_evaluate(flaw_trainer *t, flaw_train_figures *figures, flaw_error *err);

#endif
