/* Evaluations: methods x numbers of good parts x draws over data sets, every judgement kept as a line of a file, so that
 * a run can be stopped, gone on with, dealt to several machines and put together again. Figures are made from the kept
 * judgements alone: a merged run has the same numbers as a single one, to the last bit.
 *
 * results.jsonl in the folder of a run: the first line says what is measured (data sets, methods, shots, seeds, model),
 * each other line is one judged picture with its score and its map [grid, grid] (float32, little-endian, base64). */
#ifndef FLAW_EVAL_H
#define FLAW_EVAL_H

#include <stdbool.h>
#include <stddef.h>

#include "flaw/inspect.h"
#include "flaw/metrics.h"

typedef struct flaw_eval_options {
    const char *const *dataset; /* [datasets] paths, each one data set or several (flaw/dataset.h) */
    size_t datasets;
    const char *layout;        /* NULL: guessed */
    const char *object;        /* NULL: as the data set has it */
    const char *const *method; /* [methods] names, or NULL for "auto" */
    size_t methods;
    const int *shots; /* [shot_counts] good parts a draw: 0 = none, -1 = all of them; NULL for 0 alone. A method that
                         uses no good parts is measured without, one that needs some is not measured at 0 */
    size_t shot_counts;
    int seeds; /* draws of other good parts, 0 = 5; one where all draws are the same */
    unsigned long long seed;
    int map_side;      /* pixel figures at map_side x map_side (maps bilinear, masks nearest); 0 = 256 */
    const char *out;   /* folder of the run; NULL: nothing is kept */
    bool resume;       /* go on with what the folder holds; else a folder with results is FLAW_USAGE */
    int shard, shards; /* this run judges the pictures whose number modulo shards is shard - 1; 0, 0 or 1, 1 = all */
    flaw_inspect_options inspect; /* of every inspector; method, good and object are filled here */
} flaw_eval_options;

typedef struct flaw_eval_figures { /* NaN where it cannot be measured */
    double image_auroc, image_ap, image_f1, pixel_auroc, pixel_ap, pixel_pro, pixel_f1;
    double false_alarms; /* share of good test pictures judged anomalous (or unknown) */
    double misses;       /* share of bad test pictures judged normal */
    /* Dialects that published figures may be in (docs/metrics.md): the area under straight lines between the points of the
     * precision-recall curve; overlap by 200 thresholds with false positive rates stretched to [0, 1]. */
    double image_aupr_trapezoid, pixel_aupr_trapezoid, pixel_pro_cflow200;
    double ms; /* median time of a picture */
} flaw_eval_figures;

/* What an evaluation holds of a data set, a method and a number of good parts. Texts belong to the evaluation. */
typedef struct flaw_eval_row {
    const char *dataset;  /* folder or table */
    const char *category; /* of it; "" where there is one only */
    const char *object, *layout, *method;
    int shots; /* -1 = all */
    int draws, good, bad, masks;
    size_t judged, expected;     /* pictures over all draws; figures are NaN unless all are there */
    size_t failed;               /* of the judged ones, without a number: figures are NaN then too */
    const char *failure;         /* what the first of them said */
    flaw_eval_figures mean, sd;  /* sd: sample deviation over the draws (n - 1), NaN for one */
    flaw_eval_figures low, high; /* 95 % bootstrap intervals over pictures, mean over the draws; NaN where none is made */
    double pixel_error;          /* bound on the error of the pixel figures that histograms make; largest over draws */
} flaw_eval_row;

/* Two rows on the same pictures of a data set (their first draw): paired tests. */
typedef struct flaw_eval_comparison {
    size_t first, second; /* rows */
    flaw_difference image[FLAW_FIGURES]; /* over the pictures that both judged */
    flaw_difference pixel[FLAW_FIGURES]; /* NaN unless these are all */
} flaw_eval_comparison;

typedef struct flaw_eval flaw_eval;

/* FLAW_USAGE when a data set has fewer good parts than asked for. A picture that cannot be judged is kept with its
 * reason, the others are still done; its row has no figures, for those over the rest would look better than they are.
 * With shards > 1 only the judgements are made: *out has rows without figures. */
flaw_status flaw_eval_run(flaw_eval **out, const flaw_engine *engine, const flaw_eval_options *options,
                          flaw_progress progress, void *context, flaw_error *err);
/* The figures of a kept run. */
flaw_status flaw_eval_read(flaw_eval **out, const char *folder, flaw_progress progress, void *context, flaw_error *err);
/* Puts the shards of one run together into `folder`. FLAW_BAD_DATA naming the shard when one is missing, there twice,
 * of another run, or not finished. */
flaw_status flaw_eval_merge(flaw_eval **out, const char *folder, const char *const *shard, size_t count,
                            flaw_progress progress, void *context, flaw_error *err);
void flaw_eval_free(flaw_eval *eval);

const char *flaw_eval_model(const flaw_eval *eval);
/* Sentences that a language model wrote for a run just made (of its first data set); count 0 without any. */
const flaw_prompts_about *flaw_eval_prompts(const flaw_eval *eval);
size_t flaw_eval_count(const flaw_eval *eval);
const flaw_eval_row *flaw_eval_at(const flaw_eval *eval, size_t index);

/* Every row of a data set against its first one: with the same shots where there is one, else the first of all. */
size_t flaw_eval_comparisons(const flaw_eval *eval);
const flaw_eval_comparison *flaw_eval_comparison_at(const flaw_eval *eval, size_t index);

/* Figures as a table: names and titles in the order of flaw_eval_figures. */
#define FLAW_EVAL_FIGURES 13
const char *flaw_eval_figure_key(int figure);   /* "image_auroc" */
const char *flaw_eval_figure_title(int figure); /* "image AUROC" */
double flaw_eval_figure(const flaw_eval_figures *figures, int figure);

/* One line a row: names, counts, and mean, sd, low and high of each figure. */
flaw_status flaw_eval_write_csv(const flaw_eval *eval, const char *path, flaw_error *err);

/* One HTML page that needs nothing else: figures, paired tests, kinds of defects, what papers published beside them,
 * curves, histograms, the worst false alarms and misses as pictures. `folder` holds the run that `eval` was made of
 * (FLAW_BAD_DATA when it is another). Temporary name, rename. The same run gives the same bytes. */
flaw_status flaw_eval_write_report(const flaw_eval *eval, const char *folder, const char *path, flaw_progress progress,
                                   void *context, flaw_error *err);

#endif
