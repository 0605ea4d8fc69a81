/* Training of APRIL-GAN (arXiv 2305.17382): a linear layer per stage brings the patch tokens of a frozen tower to the
 * joint space, so that words find defects of products never seen. `flaw train april-gan` is a thin layer over this. */
#ifndef FLAW_TRAIN_APRIL_H
#define FLAW_TRAIN_APRIL_H

#include "flaw/train.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct flaw_april_train_options {
    const char *folder; /* checkpoint.safetensors, model.safetensors; resumed from when it holds a checkpoint */
    const char *model;  /* towers: NULL or "default" for the embedded ones, else a folder or bundle */
    flaw_train_source source[FLAW_TRAIN_MAX_SOURCES];
    int sources;
    double scene_share; /* of the pictures, drawn scenes against photographs; 1 without photographs */
    int window;         /* drawn and encoded subjects kept and used again */
    double fresh;       /* new subjects for each sample used, 0 .. 1 */
    uint64_t seed;

    int64_t steps, warmup;
    int batch;         /* pictures of a step */
    float rate;        /* peak learning rate, along a cosine to a hundredth of it */
    float decay, clip; /* 0: none, as published */
    float focal, dice; /* weights of the losses */

    int threads;                                         /* 0: all processors */
    bool float32;                                        /* float32 products in the tower; otherwise bf16 */
    int64_t log_every, checkpoint_every, evaluate_every; /* steps; 0: never */
    int evaluate_pairs;
} flaw_april_train_options;

void flaw_april_train_options_init(flaw_april_train_options *options);

/* What a log line says; means since the last one. */
typedef struct flaw_april_train_report {
    int64_t step, steps;
    double focal, dice, norm, rate; /* losses: sums over the stages, a picture */
    double samples_per_second, data_share, seconds_left;
} flaw_april_train_report;

/* On drawn scenes of held-out kinds: AUROC. */
typedef struct flaw_april_train_figures {
    int64_t step;
    double image, pixel; /* of pictures by the largest value of the map; of its pixels */
    int pictures;
} flaw_april_train_figures;

typedef struct flaw_april_train_callbacks { /* any may be NULL */
    void *context;
    void (*note)(void *context, const char *line);
    void (*report)(void *context, const flaw_april_train_report *report);
    void (*figures)(void *context, const flaw_april_train_figures *figures);
    bool (*stop)(void *context); /* true: write a checkpoint and the weights, and return */
} flaw_april_train_callbacks;

/* FOLDER/checkpoint.safetensors holds everything to go on with the same bits; FOLDER/model.safetensors is what
 * --weights takes, its matrices as int8 rows. */
flaw_status flaw_april_train_run(const flaw_april_train_options *options, const flaw_april_train_callbacks *callbacks,
                                 flaw_error *err);

#ifdef __cplusplus
}
#endif
#endif
