/* Limits from good parts alone.
 *
 * Every good part is scored against a memory of the others (leave one out; in folds where there are many), and so are
 * mild changes of it. The limit lies LIMIT_SPREADS spreads over the mean of the parts' scores (docs/methods.md has the
 * measurements behind the numbers). With n parts of which m score over the limit, the next good part scores over it
 * with a chance of at most about (m + 1) / (n + 1) when parts are exchangeable (conformal.h). A rate that is asked for is
 * promised by the conformal limit of the parts' own scores, for the picture's score and for the largest value of its map
 * alike. No rule that looks at good parts only can promise less than 1 / (n + 1): a rate of a needs n >= 1 / a - 1 parts,
 * and is refused with fewer.
 *
 * Parts are scored against memories that lack some of them, new pictures against one that has them all. In the promise
 * that leans to the safe side; distances are corrected for it. */
#ifndef FLAW_DETECT_CALIBRATE_H
#define FLAW_DETECT_CALIBRATE_H

#include <stdbool.h>

#include "detect/record.h"
#include "flaw/status.h"

typedef struct flaw_sample {
    int part;      /* 0 .. parts-1 */
    double score;  /* image score of a good part that the memory does not hold */
    double peak;   /* largest value of its map */
    double middle; /* median of its map */
    bool changed;  /* a mild change of the part, not the part itself */
} flaw_sample;

/* What the method's scores are like. */
typedef struct flaw_scores_kind {
    bool distance; /* distance to the memory: shrinks as the memory grows, and one limit serves score and map */
    double spread; /* usual standard deviation of good parts as a share of their mean: steadies that of few parts */
    double missing; /* parts that the memory behind a sample lacks on average, the part itself counted; 0 = 1 */
    double alone;  /* with one good part: the score to expect of another one; NaN = not known */
} flaw_scores_kind;

typedef struct flaw_calibration {
    char rule[32];           /* "text", "model", "good-parts", "batch", "user" */
    double threshold;        /* anomalous over it */
    double false_alarm_rate; /* bound for good parts, NaN when nothing is known */
    double map_threshold;    /* map values over it are anomalous */
    double map_low;          /* surely normal */
    int good;                /* good parts it rests on */
    float *part;             /* [good] their scores, for p-values; owned, NULL without */
    char about[800];         /* a paragraph for people */
} flaw_calibration;

/* Limits from samples of `parts` good parts; each part has one that is not changed. rate 0 = the default rule above; else
 * the limits bound the rate by it. FLAW_BAD_DATA when a score is not finite, FLAW_USAGE for a rate outside [0, 1) or one
 * that the parts cannot promise (the message says how many it takes), and without samples. */
flaw_status flaw_calibrate(flaw_calibration *out, const flaw_sample *sample, size_t count, int parts, double rate,
                           const flaw_scores_kind *kind, flaw_error *err);
void flaw_calibration_release(flaw_calibration *c);
/* Two-sided text decision: 1/2. */
void flaw_calibrate_text(flaw_calibration *out);
/* A limit measured when a trained part was made, for score and map; not over 0: nothing changes. */
void flaw_calibrate_model(flaw_calibration *c, double limit);
/* The user's own threshold over an existing calibration. */
void flaw_calibrate_user(flaw_calibration *c, double threshold, const flaw_scores_kind *kind);

flaw_status flaw_calibration_save(const flaw_calibration *c, flaw_record *record, flaw_error *err);
flaw_status flaw_calibration_load(flaw_calibration *out, const flaw_record *record, flaw_error *err);

#endif
