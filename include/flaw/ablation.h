/* What each part of an AnomalyGPT brings: its paper's ablation (Gu et al. 2024, table 4) on a data set of one's own,
 * with figures of what is said: whether there is an anomaly, how many, where. */
#ifndef FLAW_ABLATION_H
#define FLAW_ABLATION_H

#include "flaw/dataset.h"
#include "flaw/talk.h"

typedef enum flaw_ablation_row {
    FLAW_ABLATION_LANGUAGE, /* the language model knows the picture by its embedding alone */
    FLAW_ABLATION_LIMIT,    /* no words: the decoder's map against the largest value on normal pictures */
    FLAW_ABLATION_ADAPTER,  /* low-rank adapters (LoRA) trained in place of the prompt learner */
    FLAW_ABLATION_FULL,     /* the map speaks to the language model through the prompt learner */
    FLAW_ABLATION_ROWS
} flaw_ablation_row;

const char *flaw_ablation_title(flaw_ablation_row row);
/* Share of right yes/no answers that the paper has for the row: on MVTec AD (unsupervised) and on VisA (one normal
 * picture). */
double flaw_ablation_paper(flaw_ablation_row row, int visa);

/* Not a number where it cannot be measured. Shares are of 1. */
typedef struct flaw_ablation_figures {
    double image_auroc;          /* by the score: the largest value of the map */
    double pixel_auroc;          /* at 256 x 256, over good pictures and bad ones with a mask */
    double accuracy;             /* right yes/no answers over all pictures; one that says neither is wrong */
    double false_alarms, misses; /* good pictures not called normal; bad ones called normal */
    double count;                /* of the bad pictures with a mask: yes, and as many as the mask has regions */
    double place;                /* ... yes, with a place and none that is wrong */
    double every_place;          /* ... and no region's place left out */
} flaw_ablation_figures;

typedef struct flaw_ablation_options {
    const char *object;     /* NULL: the folder's name */
    int shots;              /* normal pictures to compare with, drawn from train/good by talk.seed */
    const char *adapter;    /* a model trained with adapters; NULL: that row is left out */
    const char *question;   /* NULL: "Is there any anomaly in the image?" */
    int described;          /* nonzero: the description of the product before it, as the paper's test has it */
    int normals;            /* normal pictures that the limit comes from, at most; 0: 50 */
    flaw_talk_options talk; /* model etc.; object and good are filled here */
} flaw_ablation_options;
void flaw_ablation_defaults(flaw_ablation_options *options);

typedef struct flaw_ablation_result {
    flaw_ablation_figures row[FLAW_ABLATION_ROWS];
    char left_out[FLAW_ABLATION_ROWS][200]; /* why the row has no figures; empty when it has */
    char model[512];
    char note[200]; /* what the answers of the last row came with (flaw_answer.note): who spoke instead; else empty */
    int good, bad, masks; /* pictures in the test part */
    int normals;          /* pictures that the limit comes from; 0: it is the model's own */
    double limit;
} flaw_ablation_result;

/* The models of an ablation, opened once, with the first data set that they are run on. */
typedef struct flaw_ablation flaw_ablation;
/* The options are borrowed. */
flaw_status flaw_ablation_new(flaw_ablation **out, const flaw_ablation_options *options, flaw_error *err);
void flaw_ablation_free(flaw_ablation *ablation);
/* A picture that cannot be judged fails the whole run; others may follow. */
flaw_status flaw_ablation_run(flaw_ablation *ablation, flaw_ablation_result *out, const flaw_dataset_entry *dataset,
                              flaw_progress progress, void *context, flaw_error *err);

#endif
