/* Training of the embedded default model: a small CLIP that starts from a timm image tower and learns, on drawn scenes
 * and on photographs with painted defects, what "normal" and "abnormal" look like, in the whole picture and patch by
 * patch. `flaw train` is a thin layer over this. */
#ifndef FLAW_TRAIN_H
#define FLAW_TRAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "flaw/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A folder of photographs without defects, searched with its subfolders. */
typedef struct flaw_train_source {
    const char *folder;
    const char *name;   /* object shown; NULL or "": made from folder and file names */
    const char *prefix; /* only files whose name begins so; NULL: all */
    double weight;      /* how often a picture of it is drawn, against 1 */
} flaw_train_source;

#define FLAW_TRAIN_MAX_SOURCES 32

typedef struct flaw_train_weights { /* of the terms of the loss */
    float contrast; /* pictures against captions (CLIP) */
    float state;    /* whole picture: normal against abnormal sentences */
    float peak;     /* the same for the strongest patches */
    float local;    /* patches against the mask: focal */
    float dice;     /* patches against the mask: overlap */
    float distil;   /* tokens of all stages but the last against those of the start (where blocks below them train) */
} flaw_train_weights;

typedef struct flaw_train_options {
    const char *folder; /* checkpoints and the finished bundle go here; resumed from when it holds a checkpoint */
    const char *init;   /* timm model (safetensors file or folder) for the image tower, or a bundle whose weights, shape and
                           vocabulary are all kept; NULL or "": random start */
    const char *words;  /* word lists (models/words.txt) */
    flaw_train_source source[FLAW_TRAIN_MAX_SOURCES];
    int sources;
    double scene_share; /* of the pairs, drawn scenes against photographs; 1 without photographs */
    int scene_window;   /* drawn pairs kept and used again with other crops and light; 0: all new */
    double scene_fresh; /* new drawn pairs for each one used, 0 .. 1 */
    double vary;        /* share of the subjects that are recoloured, printed on, warped or laid out as many small ones, 0 .. 1 */
    uint64_t seed;

    int64_t steps;
    int pairs;         /* a batch is `pairs` subjects, each once normal and once with a defect */
    int sentences;     /* for each state of each subject */
    int first_trained; /* image blocks below keep the weights of the start */
    float rate;        /* peak learning rate */
    float tower_rate;  /* multiplier for the image tower */
    int64_t warmup;
    float decay, clip, ema;
    flaw_train_weights weight;
    int merges;        /* of the vocabulary learnt from the words */
    int joint, text_width, text_layers, text_heads, context;

    int threads; /* 0: all processors */
    bool float32; /* float32 products; otherwise bf16 */
    int64_t log_every, checkpoint_every, evaluate_every; /* steps; 0: never */
    int evaluate_pairs;
} flaw_train_options;

void flaw_train_options_init(flaw_train_options *options);

/* What a log line says; means since the last one. */
typedef struct flaw_train_report {
    int64_t step, steps;
    double contrast, state, peak, local, dice, distil, total;
    double norm;  /* of the gradient */
    double scale; /* temperature of the logits, exp(logit_scale) */
    double rate;
    double pictures_per_second, gflops; /* products only */
    double data_share;                  /* of the time, spent on drawing data */
    double seconds_left;
} flaw_train_report;

/* On drawn scenes of held-out kinds, with the averaged weights: AUROC. */
typedef struct flaw_train_figures {
    int64_t step;
    double image_class, image_peak, image_both; /* by class token, strongest patches, their sum */
    double patch;                               /* patches against the mask */
} flaw_train_figures;

typedef struct flaw_train_callbacks { /* any may be NULL */
    void *context;
    void (*note)(void *context, const char *line);
    void (*report)(void *context, const flaw_train_report *report);
    void (*figures)(void *context, const flaw_train_figures *figures);
    bool (*stop)(void *context); /* true: write a checkpoint and the bundle, and return */
} flaw_train_callbacks;

/* Train until `steps` or until asked to stop. FOLDER/checkpoint.safetensors holds everything to go on with the same bits
 * (weights, moments, average, step; data follow from the seed and the step); FOLDER/model.safetensors is the bundle. */
flaw_status flaw_train_run(const flaw_train_options *options, const flaw_train_callbacks *callbacks, flaw_error *err);

/* The bundle (int8 rows) of the averaged weights of a checkpoint, or of the mean of several (same shape and vocabulary):
 * a run and the one that went on from it often do better together than either alone (Wortsman et al. 2022, model soups).
 * count >= 1. */
flaw_status flaw_train_export(const char *const *checkpoints, size_t count, const char *out, flaw_error *err);

#ifdef __cplusplus
}
#endif
#endif
