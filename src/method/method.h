/* The methods: one file each, one table, the same calls, all on any image tower.
 *
 *   wants  what of a picture it looks at      open   options and text -> state
 *   learn  a lesson of good parts -> memory   score  features of one picture -> map and image score
 *   explain  the same -> what each sentence did
 *   save / load  what the recipe keeps
 *
 * A method sees pictures only as flaw_features (encoded once, whatever the method). A state is used by one thread. */
#ifndef FLAW_METHOD_METHOD_H
#define FLAW_METHOD_METHOD_H

#include "detect/calibrate.h"
#include "detect/features.h"
#include "detect/prompts.h"
#include "detect/record.h"
#include "flaw/inspect.h"
#include "flaw/method.h"
#include "method/reason.h"
#include "method/settings.h"

/* Where the sentences come from when the user names no prompt file. */
typedef enum flaw_prompts_kind {
    FLAW_PROMPTS_NONE,
    FLAW_PROMPTS_TEMPLATES, /* WinCLIP's templates */
    FLAW_PROMPTS_SENTENCES, /* the built-in JSON files */
} flaw_prompts_kind;

typedef struct flaw_method_setup {
    const flaw_clip *model;
    flaw_compute *compute;
    const flaw_prompt_set *prompts;      /* embedded normal and abnormal sentences; NULL for methods without text */
    const flaw_inspect_options *options; /* read while opening only */
    const double *value;                 /* [FLAW_SETTINGS_MOST] the method's own options, in the order of its list */
    const char *path;                    /* the model as the user named it: it may hold more than towers; NULL: embedded */
    bool recipe;                         /* `load` follows: what the recipe keeps need not be found now */
} flaw_method_setup;

/* What a method learns from: good parts, or for methods that need a batch, unlabelled pictures. All belong to the
 * caller and last as long as the call. */
typedef struct flaw_lesson {
    const flaw_features *const *good;  /* [count], encoded with what the method wants */
    const flaw_picture *const *square; /* [count], S x S (NULL for methods that need a batch): for methods that look at
                                          changes of them too (simulated anomalies); they encode these with `encoder` */
    size_t count;
    const flaw_features *const *turned; /* [count, turns] the parts turned by 1, 2 ... `turns` times 360 / (turns + 1)
                                           degrees, for methods that ask for them */
    int turns;
    flaw_encoder *encoder; /* one picture at a time at least; its `want` is the method's */
    bool trial;            /* a fold of the calibration, not the last learning: the state is thrown away soon */
    uint64_t seed;
    flaw_progress progress; /* may be NULL; for methods that train */
    void *context;
} flaw_lesson;

typedef struct flaw_score {
    float *map;          /* [G, G], written by the method into the caller's array */
    double image;        /* image score */
    const char *closest; /* abnormal sentence that fits the picture best, owned by the prompts; NULL without */
} flaw_score;

typedef struct flaw_method {
    const char *name;  /* "few-shot", "few-shot+", "alfa", "alfa+", "winclip", "winclip+" */
    const char *about; /* one line: what it does, needs */
    const char *paper; /* authors, year, where; "own" */
    const flaw_method_option *option;             /* its own options, ends with name NULL; NULL = none */
    flaw_prompts_kind prompts;
    bool needs_good;                              /* at least one good part */
    bool needs_batch;                             /* learns from the unlabelled pictures that are judged (MuSc) */
    bool needs_text;                              /* a text tower, though it takes no sentences */
    bool needs_weights;                           /* a trained part in a file: options->weights, or one inside */
    bool trains;                                  /* a network of its own, while learning */
    int folds;                                    /* most memories made while calibrating; 0 = 16 (teach.c) */
    bool needs_local_head;                        /* patches that meet the text by training */
    flaw_scores_kind scores;                      /* what its scores are like, for the calibration; `alone` is NaN */
    int (*wants)(const flaw_method_setup *setup); /* FLAW_WANT_* of detect/features.h */
    int (*turns)(const flaw_method_setup *setup); /* turned copies of each good part to learn from; NULL = none */
    flaw_status (*open)(void **state, const flaw_method_setup *setup, flaw_error *err);
    /* Without good parts: the limit that the method's trained part was measured to need; NULL or not over 0 = 1/2. */
    double (*limit)(const void *state);
    /* Methods that need a batch: median deviations over the batch's median score at which the limit lies. */
    double (*deviations)(const void *state);
    flaw_status (*learn)(void *state, const flaw_lesson *lesson, flaw_error *err);
    flaw_status (*score)(void *state, const flaw_features *picture, flaw_score *out, flaw_error *err);
    /* With one good part: the score to expect of another one; NULL = the calibration guesses. */
    flaw_status (*alone)(const void *state, const flaw_features *part, double *out, flaw_error *err);
    /* What each sentence does to a picture's score: into arrays made for these prompts; NULL = there are none. */
    flaw_status (*explain)(void *state, const flaw_features *picture, flaw_reason *out, flaw_error *err);
    flaw_status (*save)(const void *state, flaw_record *record, flaw_error *err);
    flaw_status (*load)(void *state, const flaw_record *record, flaw_error *err);
    void (*close)(void *state);
} flaw_method;

int flaw_method_needs_of(const flaw_method *method); /* FLAW_NEEDS_* */
const flaw_method *flaw_method_find(const char *name); /* NULL when there is none */
const flaw_method *flaw_method_at(int index);

/* "auto": without good parts ALFA; with them few-shot+ where the model has text and a local head, else few-shot.
 * FLAW_USAGE when the model or the parts do not suffice. */
flaw_status flaw_method_choose(const flaw_method **out, const char *name, const flaw_clip *model, size_t good,
                               flaw_error *err);

extern const flaw_method flaw_method_winclip, flaw_method_winclip_plus, flaw_method_alfa, flaw_method_alfa_plus;
extern const flaw_method flaw_method_few_shot, flaw_method_few_shot_plus;
extern const flaw_method flaw_method_anomalygpt, flaw_method_anomalygpt_plus;
extern const flaw_method flaw_method_april_gan, flaw_method_april_gan_plus;
extern const flaw_method flaw_method_uniad, flaw_method_jnld;
extern const flaw_method flaw_method_spade, flaw_method_padim, flaw_method_patchcore;
extern const flaw_method flaw_method_anomalydino, flaw_method_musc;

#endif
