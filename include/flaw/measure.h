/* An evaluation over a data set folder. The metrics themselves: flaw/metrics.h. */
#ifndef FLAW_MEASURE_H
#define FLAW_MEASURE_H

#include <stddef.h>
#include <stdint.h>

#include "flaw/inspect.h"
#include "flaw/metrics.h"
#include "flaw/status.h"

/* Data set folders: the folder itself when it has a known layout, else those of its subfolders that have one. */
typedef struct flaw_eval_paths {
    char **path; /* [count] owned */
    size_t count;
} flaw_eval_paths;

/* Adds to *paths what is found, sorted by name. FLAW_MISSING without such a folder, FLAW_BAD_DATA when none has a known
 * layout. Free with flaw_eval_paths_release, also after a failure. */
flaw_status flaw_eval_find(flaw_eval_paths *paths, const char *folder, flaw_error *err);
void flaw_eval_paths_release(flaw_eval_paths *paths);

/* Pixel figures are taken at 256 x 256 whatever the pictures' size (maps resized bilinearly, masks by nearest
 * neighbour) over the good test pictures and the bad ones that have a mask. */
typedef struct flaw_eval_options {
    const char *dataset; /* MVTec layout: train/good, test/<kind>, ground_truth/<kind>; or cookies layout
                            (training-images, mask-images, test-images) */
    const char *object;  /* NULL: the folder's name */
    int shots;           /* 0 = zero-shot, k > 0: k good parts a draw, -1: all of them */
    int draws;           /* repetitions with other good parts (mean and sd), 0 = 5; one when all draws are the same */
    unsigned long long seed;
    flaw_inspect_options inspect; /* method etc.; good/object are filled here */
} flaw_eval_options;

typedef struct flaw_eval_figures {
    double image_auroc, image_ap, image_f1, pixel_auroc, pixel_pro, pixel_f1; /* NaN where it cannot be measured */
    double false_alarms; /* share of good test pictures judged anomalous (or unknown) */
    double misses;       /* share of bad test pictures judged normal */
} flaw_eval_figures;

typedef struct flaw_eval_result {
    flaw_eval_figures mean, sd;  /* sd: sample deviation (n - 1), NaN for a single draw */
    int draws, good, bad, masks; /* pictures in the test part */
} flaw_eval_result;

/* FLAW_USAGE when the data set has fewer good parts than shots; a picture that cannot be judged fails the whole run,
 * for a figure over the rest would look better than it is. */
flaw_status flaw_eval_run(flaw_eval_result *out, const flaw_engine *engine, const flaw_eval_options *options,
                          flaw_progress progress, void *context, flaw_error *err);

#endif
