/* Training of a voice (AnomalyGPT, Gu et al. 2024): the decoder that makes a map of anomaly, the prompt learner that tells a
 * frozen language model what the map shows, and the projection of the picture's embedding. The image tower is frozen always,
 * the language model unless a rate is given for it. With adapters in place of the prompt learner it is the paper's ablation:
 * the language model reads the picture and the text, never the map. `flaw train anomalygpt` is a thin layer over this. */
#ifndef FLAW_TRAIN_VOICE_H
#define FLAW_TRAIN_VOICE_H

#include "flaw/train.h"

#ifdef __cplusplus
extern "C" {
#endif

#define FLAW_VOICE_CHANNELS 5 /* of the prompt learner's convolutions; the last makes rows as wide as the language model */

typedef struct flaw_voice_train_options {
    const char *folder;   /* checkpoint, bundle and curve go here; resumed from when it holds a checkpoint */
    const char *model;    /* towers: NULL or "default" for the embedded ones, else a folder or bundle */
    const char *language; /* bundle or folder with a language model; NULL: the embedded one. A bundle that holds a voice too is
                             trained on */
    const char *dialogue; /* ordinary questions and answers (models/dialogue.txt) */
    flaw_train_source source[FLAW_TRAIN_MAX_SOURCES]; /* photographs; a source with a name is pictures of one product */
    int sources;
    double scene_share; /* of the pictures, drawn scenes against photographs; 1 without photographs */
    int window;         /* drawn and encoded subjects kept and used again */
    double fresh;       /* new subjects for each sample used, 0 .. 1 */
    int views;          /* of a picture, joined as in inspection (docs/methods.md): 1, 2, 6, 7, 11; more than 1 only where
                           decoder_rate is 0 */
    double swap_share;  /* of the samples: the picture's embedding is that of the same subject in its other state, normal for
                           defective. With 0.5 it says what the product is and nothing of its state: words must read the map */
    bool even_levels;   /* joined maps of several views are moved so that 0.5 lies between the highest values of a subject without
                           and with its defect; of a subject whose map does not tell them apart a drawn one is taken */
    uint64_t seed;

    int64_t steps, warmup;
    int batch;      /* samples of one pass */
    int accumulate; /* passes of one step */
    float rate;     /* peak learning rate of the prompt learner and the projection */
    float decoder_rate, language_rate; /* multipliers for the decoder and the language model; 0: frozen */
    int adapter;    /* rank of adapters (LoRA, scale 1) on queries, keys, values and output of every block of the language model,
                       trained in place of a prompt learner at rate * language_rate (0: at the rate); 0: none */
    bool linear;    /* linear decay to 0, as the published weights; otherwise cosine */
    float decay, clip;
    float focal, dice;     /* weights of the map's losses beside the cross-entropy of the answer */
    double few_shot_share; /* of the samples that have a normal picture: the few-shot map feeds the prompt learner */
    double ground_share;   /* of the samples: a drawn map whose truth is known stands for a picture */
    double dialogue_share; /* of the samples: an ordinary dialogue about something else */

    int channels[FLAW_VOICE_CHANNELS]; /* of a new voice */
    int base;                          /* prompts learnt once, of a new voice */
    float few_shot_gain;               /* of a new voice */

    int threads;  /* 0: all processors */
    bool float32; /* float32 products; otherwise bf16 in the towers and the language model */
    int64_t log_every, checkpoint_every, evaluate_every; /* steps; 0: never */
    int evaluate_pairs;
} flaw_voice_train_options;

void flaw_voice_train_options_init(flaw_voice_train_options *options);

/* What a log line says; means since the last one. */
typedef struct flaw_voice_train_report {
    int64_t step, steps;
    double words; /* cross-entropy of a token of the answer */
    double right; /* share of these tokens that were the likeliest */
    double focal, dice, norm, rate;
    double samples_per_second, data_share, seconds_left;
} flaw_voice_train_report;

/* On drawn scenes of held-out kinds: what the answers say, and the decoder's map alone. */
typedef struct flaw_voice_train_figures {
    int64_t step;
    double yes_no, count, place; /* share right; count of the anomalous called so; place when anomalous */
    double map_auroc;            /* of the pictures by the largest value of the map */
    int pictures;
    char example[2][256]; /* an answer to a normal and to an anomalous picture */
} flaw_voice_train_figures;

typedef struct flaw_voice_train_callbacks { /* any may be NULL */
    void *context;
    void (*note)(void *context, const char *line);
    void (*report)(void *context, const flaw_voice_train_report *report);
    void (*figures)(void *context, const flaw_voice_train_figures *figures);
    bool (*stop)(void *context); /* true: write a checkpoint and the bundle, and return */
} flaw_voice_train_callbacks;

/* Train until `steps` or until asked to stop. FOLDER/checkpoint.safetensors holds everything to go on with the same bits,
 * FOLDER/model.safetensors is the bundle of language model and voice, FOLDER/loss.png shows how it went. */
flaw_status flaw_voice_train_run(const flaw_voice_train_options *options, const flaw_voice_train_callbacks *callbacks,
                                 flaw_error *err);

#ifdef __cplusplus
}
#endif
#endif
