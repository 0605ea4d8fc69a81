/* Answers in words against the truth: is there an anomaly, how many, where. */
#ifndef FLAW_MEASURE_DIALOGUE_H
#define FLAW_MEASURE_DIALOGUE_H

#include <stdbool.h>

#include "flaw/ablation.h"
#include "flaw/talk.h"

/* What is true of a picture. */
typedef struct flaw_dialogue_truth {
    bool anomalous;
    bool located; /* anomalous and with a mask: count and places are known */
    int count;
    int places; /* different words, those of the largest regions first */
    const char *place[FLAW_MAX_PLACES];
} flaw_dialogue_truth;

/* Of a bad picture's mask [height, width], by flaw_marked_find. A mask that marks nothing is FLAW_BAD_DATA; `name` is
 * the picture's, for the message. */
flaw_status flaw_dialogue_truth_of(flaw_dialogue_truth *out, const uint8_t *mask, int width, int height,
                                   const char *name, flaw_error *err);

typedef struct flaw_dialogue_tally {
    size_t normal, anomalous, located;      /* pictures */
    size_t normal_right, anomalous_right;   /* ... with the right verdict; unknown is never right */
    size_t missed;                          /* anomalous pictures called normal */
    size_t count_right, place, every_place; /* of the located ones, where the answer says yes */
} flaw_dialogue_tally;

/* Of the answer verdict, count and places are read. */
void flaw_dialogue_add(flaw_dialogue_tally *tally, const flaw_dialogue_truth *truth, const flaw_answer *answer);
/* Fills accuracy, false_alarms, misses, count, place, every_place; NaN where there is nothing to measure. */
void flaw_dialogue_figures(flaw_ablation_figures *out, const flaw_dialogue_tally *tally);

#endif
