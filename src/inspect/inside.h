/* Inside of an inspector, for the files of this folder. An inspector is used by one thread at a time. */
#ifndef FLAW_INSPECT_INSIDE_H
#define FLAW_INSPECT_INSIDE_H

#include "detect/calibrate.h"
#include "detect/features.h"
#include "detect/views.h"
#include "flaw/inspect.h"
#include "inspect/engine.h"
#include "method/method.h"

/* The nearest other sentence: its place in both sides' lists, normal ones first. */
typedef struct flaw_twin {
    int at;
    double cosine;
} flaw_twin;

struct flaw_inspector {
    const flaw_engine *engine;
    flaw_compute compute;         /* own threads and scratch */
    flaw_arena arena;             /* own copies of the options' texts */
    flaw_inspect_options options; /* without `good` */
    flaw_fit fit;
    const flaw_method *method;
    double value[FLAW_SETTINGS_MOST]; /* options of the method */
    void *state;
    flaw_prompt_set prompts; /* count 0 where the method needs none */
    flaw_prompts_about about_prompts;
    flaw_encoder encoder;    /* one picture at a time */
    flaw_views views;        /* of each picture; count 0 where it is looked at once */
    flaw_features features;  /* of the picture being judged */
    float *map;              /* [cells, cells] of that picture */
    bool judged;             /* `features` are of the picture judged last, which had a verdict, ... */
    double judged_score;     /* ... and this score */
    const flaw_twin *twin;   /* of every sentence; NULL before the first explanation */
    flaw_calibration calibration;
    char object[FLAW_OBJECT_ROOM];
};

/* An inspector without memory and calibration. `record`: prompts come from a recipe; NULL = from the options. */
flaw_status flaw_inspector_begin(flaw_inspector **out, const flaw_engine *engine, const flaw_inspect_options *options,
                                 const flaw_record *record, flaw_error *err);
/* What a method is opened with. */
flaw_method_setup flaw_inspector_setup(flaw_inspector *in);
/* Learn from the good parts of `options` and calibrate. */
flaw_status flaw_inspector_teach(flaw_inspector *in, const flaw_inspect_options *options, flaw_progress progress,
                                 void *context, flaw_error *err);
/* The same for methods that need a batch: `good` of the options are the pictures to judge. */
flaw_status flaw_inspector_teach_batch(flaw_inspector *in, const flaw_inspect_options *options, flaw_progress progress,
                                       void *context, flaw_error *err);

/* Stations prepare, encode, align / compare: features, grid map and image score of a picture. *sound is false when a
 * number on the way is not finite. */
flaw_status flaw_inspector_measure(flaw_inspector *in, const flaw_picture *picture, flaw_seen *seen, flaw_score *out,
                                   bool *sound, flaw_error *err);

#endif
