/* Inspection: an inspector is an engine plus what one product needs (words, good parts, calibration). */
#ifndef FLAW_INSPECT_H
#define FLAW_INSPECT_H

#include <stddef.h>

#include "flaw/engine.h"
#include "flaw/picture.h"
#include "flaw/prompts.h"
#include "flaw/status.h"

typedef enum flaw_verdict { FLAW_UNKNOWN = 0, FLAW_NORMAL, FLAW_ANOMALOUS } flaw_verdict;

typedef struct flaw_region {
    int x, y, width, height; /* box in pixels of the picture */
    double area;             /* share of the picture, 0 .. 1 */
    double score;            /* largest map value inside */
    char place[24];          /* "top left", "center", ... of the 3x3 grid */
} flaw_region;

#define FLAW_MAX_REGIONS 16

typedef struct flaw_result {
    flaw_verdict verdict;
    double score;            /* larger = more anomalous; scale depends on the method */
    double threshold;        /* verdict is anomalous when score > threshold */
    double false_alarm_rate; /* expected share of good parts over the threshold; NaN when the rule cannot tell */
    double p_value;          /* chance that a part as good as the good ones scores at least so high (conformal; needs as
                                many good parts as its inverse); NaN without good parts */
    char rule[32];           /* which rule decided: "text", "good-parts", "batch", "user", "recipe", "doubt" */
    char method[32];
    char object[96];
    char doubt[496];         /* why the verdict is unknown; empty otherwise */
    char closest[256];       /* abnormal sentence of the prompts that fits this picture best; empty without text */
    char words[768];         /* one or two sentences made of measured facts */
    flaw_region region[FLAW_MAX_REGIONS];
    int regions;
    int width, height;       /* of the picture */
    double unseen;           /* share of it that was not looked at: borders that --fit crop cuts off; else 0 */
    float *map;              /* [height, width] raw map in units of the method, owned by the result */
    float *cells;            /* [grid, grid] the method's own map, which `map` is spread from; owned by the result */
    int grid;
    int seen[4];             /* x, y, width, height: the part of the picture that `cells` covers */
    double map_threshold;    /* map values over it belong to regions and the mask */
    double map_low;          /* map value drawn as "surely normal" on the absolute scale of this inspector */
    double ms;               /* time spent on this picture */
    flaw_prompts_about prompts; /* sentences that were compared with; count 0 without */
    char *brief;             /* what the user says about the product, cleaned, owned by the result; NULL without */
} flaw_result;

typedef struct flaw_inspect_options {
    const char *method;        /* NULL or "auto", or a name of flaw_method_name() */
    const char *object;        /* product name in words; NULL = "object" */
    const char *const *good;   /* paths of good pictures (files) */
    size_t good_count;
    const char *prompts;       /* JSON prompt file; NULL = the built-in ones */
    const char *method_options; /* "NAME=VALUE,..." of the method (flaw/method.h); NULL = its standards */
    const char *weights;       /* trained part of a method that needs one (flaw method list); NULL = the one inside */
    const flaw_prompts_options *writer; /* NULL, or who writes the sentences instead, or wrote them (for this object and
                                  brief); FLAW_USAGE beside `prompts`; not asked by methods that read no sentences */
    const char *brief;         /* inspection brief (flaw_brief_read), told with the facts and kept in recipes; or NULL */
    double threshold;          /* NaN = decided by the calibration or the two-sided text rule */
    double false_alarm_rate;   /* bound asked for, FLAW_USAGE when the good parts cannot promise it; 0 = the default rule
                                  (detect/calibrate.h) */
    const char *rule;          /* contextual scoring of ALFA: NULL ("overlap"; "none" with a local head), "overlap",
                                  "relevance", "soft", "none" */
    double lambda;             /* aligner's ridge; NaN = 1 (none with a local head); infinity = no aligner */
    double tau;                /* softmax temperature; NaN = default of the model or 0.07 */
    const char *windows;       /* ALFA: score windows too: NULL or "auto" (unless the model has a local head), "on", "off" */
    const char *score;         /* ALFA's image score: NULL or "auto" ("both" with a local head, else "cls"), "cls" (the
                                  picture's embedding), "map" (top of the map), "both" */
    int bank_limit;            /* patches kept in the memory bank before the greedy coreset; 0 = default */
    const char *fit;           /* how a picture meets the square input: NULL or "squash", "crop" */
    int views;                 /* looks at a picture (detect/views.h): 1, 2, 6, 7 or 11; 0 = 1. More than one: ALFA
                                  on a model with a local head, without windows and aligner */
    unsigned long long seed;   /* of augmentation and coreset */
    const char *const *pin;    /* sentences that count for every picture, added where there are none such:
                                  "normal: a {} without cracks", "abnormal: ...", or one of the set without its side */
    size_t pin_count;
    const char *const *ban;    /* sentences that are left out: whole, or what they hold; with or without the side */
    size_t ban_count;
} flaw_inspect_options;

typedef struct flaw_inspector flaw_inspector;
/* done of total steps; return nonzero to stop (the call then fails with FLAW_USAGE "cancelled"). */
typedef int (*flaw_progress)(void *context, size_t done, size_t total, const char *what);

void flaw_inspect_defaults(flaw_inspect_options *options);
flaw_status flaw_inspector_new(flaw_inspector **out, const flaw_engine *engine, const flaw_inspect_options *options,
                               flaw_progress progress, void *context, flaw_error *err);
/* From a recipe file: refused by name when made for another model, damaged, or when its self-check differs. */
flaw_status flaw_inspector_from_recipe(flaw_inspector **out, const flaw_engine *engine, const char *path, flaw_error *err);
flaw_status flaw_inspector_save(const flaw_inspector *inspector, const char *path, flaw_error *err);
/* The user's own limit over the one from calibration or recipe: the rule becomes "user", the false-alarm rate unknown.
 * FLAW_USAGE for one that is not finite. */
flaw_status flaw_inspector_set_threshold(flaw_inspector *inspector, double threshold, flaw_error *err);
void flaw_inspector_free(flaw_inspector *inspector);
/* A paragraph for people about the calibration: rule, good parts, expected false alarms, parts needed for fewer. */
const char *flaw_inspector_about(const flaw_inspector *inspector);
/* Where its sentences come from, who wrote them, and what went otherwise than asked for. */
const flaw_prompts_about *flaw_inspector_prompts(const flaw_inspector *inspector);

/* Judge one picture. The verdict is never normal on doubt: on failure *out holds verdict unknown and the reason too. */
flaw_status flaw_inspector_judge(flaw_inspector *inspector, const flaw_picture *picture, flaw_result *out, flaw_error *err);
flaw_status flaw_inspector_judge_file(flaw_inspector *inspector, const char *path, flaw_result *out, flaw_error *err);
void flaw_result_release(flaw_result *result);

const char *flaw_verdict_name(flaw_verdict verdict); /* "unknown", "normal", "anomalous" */
/* One JSON object without newline, malloc'ed: image, verdict, score, threshold, false_alarm_rate, rule, method, model, object,
 * regions [{box, area, score, place}], closest and unseen when there are any, doubt when unknown, words, prompts {source,
 * model, date, cached, count} when sentences were compared with, ms, and files when given. Non-finite numbers become null. */
char *flaw_result_json(const flaw_result *result, const char *image, const char *model, const char *files_json);
/* Overlay PNG (photograph, heat map on the absolute scale, boxes, verdict), mask PNG, map .npy. */
flaw_status flaw_result_write_overlay(const flaw_result *result, const flaw_picture *picture, const char *path, flaw_error *err);
flaw_status flaw_result_write_mask(const flaw_result *result, const char *path, flaw_error *err);
flaw_status flaw_result_write_map(const flaw_result *result, const char *path, flaw_error *err);

int flaw_method_count(void);
const char *flaw_method_name(int index);
const char *flaw_method_about(int index); /* one line; flaw/method.h has more */

/* Lint of a prompt file; *report is malloc'ed lines "entry: problem"; FLAW_BAD_DATA when there is any. */
flaw_status flaw_prompts_lint(const char *path, char **report, flaw_error *err);

#endif
