/* The inside of the training of a voice, shared by the files voice_train*.c. */
#ifndef FLAW_LEARN_VOICE_TRAIN_STATE_H
#define FLAW_LEARN_VOICE_TRAIN_STATE_H

#include "flaw/train_voice.h"
#include "learn/checkpoint.h"
#include "learn/language/lora.h"
#include "learn/run.h"
#include "learn/voice/voice_data.h"
#include "learn/voice/voice_text.h"
#include "model/language/language_train.h"
#include "nn/optimiser.h"

/* One array of weights with its optimiser. */
typedef struct flaw_trained {
    const flaw_parameters *list;
    flaw_moments moments;
    flaw_group *groups; /* one for each parameter */
    flaw_optimiser optimiser;
} flaw_trained;

/* One sample of a pass: what is in the picture, and what the passes keep between forward and backward. */
typedef struct flaw_voice_sample {
    const flaw_voice_entry *entry;    /* NULL: drawn map */
    bool defective, few_shot, ordinary; /* which picture; which map; dialogue about something else */
    flaw_truth truth;
    bool swapped;                     /* the picture's token is that of the subject's other state */
    double level;                     /* 0 .. 1, drawn: where between the subject's two states zero lies */
    float shift;                      /* of its joined logits */
    const float *embedding;           /* [E] of the picture, unit length */
    float *unit;                      /* [E] */
    float *map, *d_map;               /* [S, S] that the prompt learner reads */
    float *stage_maps, *d_stage_maps; /* [stages, S, S] of the decoder */
    float *saved;                     /* of the prompt learner */
} flaw_voice_sample;

/* Sums since the last report. */
typedef struct flaw_voice_values {
    double words, right, focal, dice; /* over targets, and over pictures */
    int64_t targets, pictures;        /* pictures: samples whose map has a mask to learn from */
    double norm, data_seconds, seconds;
    int64_t steps;
    double all_seconds; /* of this run, for the time left */
    int64_t all_steps;
} flaw_voice_values;

typedef struct flaw_voice_trainer {
    const flaw_voice_train_options *options;
    const flaw_voice_train_callbacks *callbacks;
    flaw_compute compute;
    flaw_clip *towers;
    flaw_language *language; /* float weights */
    flaw_language_train pass;
    flaw_voice *voice;
    float *voice_grads;
    flaw_voice_view grads;
    flaw_trained voice_part, language_part; /* language_part.list NULL: frozen; with adapters theirs */
    flaw_lora lora;            /* with options->adapter; the language model holds W + B A */
    char frozen[65];           /* SHA-256 of the language model's weights before the first step, where no checkpoint holds them */
    flaw_photos photos;
    flaw_voice_data data;
    flaw_voice_text text;
    flaw_voice_sample *sample; /* [batch] */
    float *rows, *d_rows;      /* [batch * (1 + prompts), W] */
    float *work;
    float *shifted;            /* [stages, cells, cells] joined logits of one sample, shifted */
    uint8_t *nothing;          /* [S, S] zeros: the mask of a normal picture */
    flaw_run_talk talk;
    flaw_voice_values values;
    flaw_history history;      /* HISTORY_COLUMNS of them */
    int64_t step;              /* done so far */
    flaw_arena arena;
} flaw_voice_trainer;

enum { HISTORY_STEP, HISTORY_WORDS, HISTORY_WRONG, HISTORY_FOCAL, HISTORY_DICE, HISTORY_FALSE, HISTORY_COLUMNS };

/* voice_train_start.c. On failure nothing is left behind. */
flaw_status flaw_voice_trainer_open(flaw_voice_trainer *out, const flaw_voice_train_options *options,
                                    const flaw_voice_train_callbacks *callbacks, flaw_error *err);
void flaw_voice_trainer_close(flaw_voice_trainer *t);

/* voice_train_init.c: weights of a new voice. */
void flaw_voice_init_decoder(flaw_voice *v, const flaw_clip *towers, flaw_random *r); /* its decoder alone */
void flaw_voice_init(flaw_voice *v, const flaw_clip *towers, const flaw_language *language, uint64_t seed);

/* voice_train_adapter.c: a voice without its prompt learner in the place of *v, where it has one. */
flaw_status flaw_voice_drop_prompts(flaw_voice **v, flaw_error *err);
flaw_status flaw_voice_adapter_open(flaw_voice_trainer *t, flaw_error *err);
/* The gradients of the language model's weights become the adapters'. */
void flaw_voice_adapter_backward(flaw_voice_trainer *t);

/* voice_train_step.c: the maps of one sample and its rows [1 + prompts, W]. */
void flaw_voice_look(flaw_voice_trainer *t, flaw_voice_sample *s, float *rows);
/* One pass over options->batch samples already chosen: gradients are added. `scale` of the gradients: one
 * over the passes of a step. */
void flaw_voice_pass(flaw_voice_trainer *t, const flaw_language_batch *batch, float scale);
/* Choose the samples of pass `pass` of the step, draw and look at what they need, write their texts. */
flaw_status flaw_voice_choose(flaw_voice_trainer *t, int pass, flaw_language_batch *batch, flaw_error *err);
float flaw_voice_rate(const flaw_voice_train_options *o, int64_t step); /* of the schedule */
flaw_status flaw_voice_step(flaw_voice_trainer *t, flaw_error *err);

/* voice_train_save.c */
flaw_status flaw_voice_save(flaw_voice_trainer *t, const char *path, flaw_error *err);
flaw_status flaw_voice_load(flaw_voice_trainer *t, const char *path, flaw_error *err);

/* voice_train_evaluate.c */
flaw_status flaw_voice_evaluate(flaw_voice_trainer *t, flaw_voice_train_figures *out, flaw_error *err);

#endif
