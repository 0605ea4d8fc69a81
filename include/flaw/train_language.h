/* Training of a small language model: a LLaMA from random weights, on dialogues and texts. `flaw train language` is a thin
 * layer over this. */
#ifndef FLAW_TRAIN_LANGUAGE_H
#define FLAW_TRAIN_LANGUAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "flaw/status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct flaw_language_train_options {
    const char *folder;   /* checkpoint.safetensors, model.safetensors, loss.png; resumed from when it holds a checkpoint */
    const char *dialogue; /* what the dialogues are made of; NULL: models/dialogue.txt; "": no dialogues */
    const char *text;     /* a file of texts, parted by empty lines; each twentieth is held out; NULL or "": none */
    uint64_t seed;
    int dialogues, held_out; /* that are made, and others that are kept aside for the figures */
    int64_t steps;
    int rows, part; /* rows of `context` tokens in a batch, and how many of them go through at a time */
    int vocab, width, layers, heads, kv_heads, hidden, context;
    float rate; /* peak learning rate; then along a cosine to a hundredth of it */
    int64_t warmup;
    float decay, clip, ema;
    int threads;  /* 0: all processors */
    bool float32; /* float32 products; otherwise bf16 */
    int64_t log_every, checkpoint_every, evaluate_every; /* steps; 0: never */
} flaw_language_train_options;

void flaw_language_train_options_init(flaw_language_train_options *options);

/* What a log line says; means since the last one. */
typedef struct flaw_language_train_report {
    int64_t step, steps;
    double loss; /* nats a token */
    double norm, rate;
    double tokens_per_second; /* that are trained on, padding left out */
    double data_share;        /* of the time, spent on drawing data */
    double seconds_left;
} flaw_language_train_report;

/* On held-out texts, with the averaged weights. */
typedef struct flaw_language_train_figures {
    int64_t step;
    double loss;    /* nats a token */
    double right;   /* share of the tokens that were the likeliest */
    int64_t tokens;
} flaw_language_train_figures;

typedef struct flaw_language_train_callbacks { /* any may be NULL */
    void *context;
    void (*note)(void *context, const char *line);
    void (*report)(void *context, const flaw_language_train_report *report);
    void (*figures)(void *context, const flaw_language_train_figures *figures);
    bool (*stop)(void *context); /* true: write a checkpoint and the bundle, and return */
} flaw_language_train_callbacks;

/* Train until `steps` or until asked to stop. FOLDER/checkpoint.safetensors holds everything to go on with the same bits;
 * FOLDER/model.safetensors is a bundle of the averaged weights in int8 blocks with its vocabulary; FOLDER/loss.png shows how
 * it went. */
flaw_status flaw_language_train_run(const flaw_language_train_options *options, const flaw_language_train_callbacks *callbacks,
                                    flaw_error *err);

#ifdef __cplusplus
}
#endif
#endif
