/* The inside of a language model's training run, shared by language_run.c and language_start.c. */
#ifndef FLAW_LEARN_LANGUAGE_RUN_H
#define FLAW_LEARN_LANGUAGE_RUN_H

#include "flaw/train_language.h"
#include "learn/checkpoint.h"
#include "learn/language/corpus.h"
#include "learn/language/dialogue.h"
#include "learn/run.h"
#include "nn/optimiser.h"

/* Sums since the last report, and of all this run for the time left. */
typedef struct flaw_language_progress {
    double loss, norm, seconds, data_seconds, all_seconds;
    int64_t steps, tokens, all_steps;
} flaw_language_progress;

typedef struct flaw_language_trainer {
    const flaw_language_train_options *options;
    const flaw_language_train_callbacks *callbacks;
    flaw_run_talk talk;
    flaw_compute compute;
    flaw_dialogues *dialogues; /* NULL: none are wanted */
    flaw_corpus texts, held_out;
    flaw_language *model; /* with its vocabulary */
    flaw_language_train train;
    flaw_moments moments; /* w and g are the model's */
    flaw_group *groups;
    flaw_optimiser optimiser;
    float *kept;          /* [total] weights put aside while the average is evaluated */
    int32_t *ids, *target; /* [rows, T] */
    char vocabulary[65];  /* SHA-256 of the vocabulary */
    char read[65];        /* SHA-256 of all that is learnt from and held out, as tokens */
    flaw_history history; /* step, loss, held-out loss */
    flaw_language_progress progress;
    int64_t step;         /* done so far */
    flaw_arena arena;
} flaw_language_trainer;

/* language_start.c: everything up to the first step. On failure nothing is left behind. */
flaw_status flaw_language_trainer_open(flaw_language_trainer *out, const flaw_language_train_options *options,
                                       const flaw_language_train_callbacks *callbacks, flaw_error *err);
void flaw_language_trainer_close(flaw_language_trainer *t);

#endif
