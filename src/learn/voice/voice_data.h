/* Pictures for the training of a voice: subjects without and with defects, drawn, looked at once by the frozen tower, and kept
 * in a window that moves on. Everything follows from (seed, number of the subject).
 *
 * Letters: S side, E joint width (docs/letters.md). */
#ifndef FLAW_LEARN_VOICE_DATA_H
#define FLAW_LEARN_VOICE_DATA_H

#include "learn/tower/data.h"
#include "learn/voice/voice_looks.h"
#include "learn/voice/voice_truth.h"
#include "model/voice/anomalygpt.h"

typedef struct flaw_voice_entry {
    uint64_t held;         /* number of the subject, from 1; 0: none */
    flaw_sight normal, defective;
    flaw_sight reference;  /* another normal picture of the same product */
    bool has_reference;
    float *joined[2];      /* of the normal and of the defective picture in several views: logits [stages, cells, cells] */
    float top[2];          /* highest logit of each, the stages by their shares */
    uint8_t *mask;         /* [S, S] of the defective picture, 0 or 1 */
    flaw_truth truth;      /* of the defective picture */
    char name[FLAW_NAME];  /* as texts and dialogue call it: truth.object */
    float *text;           /* [2, E] its two text vectors */
} flaw_voice_entry;

typedef struct flaw_voice_data {
    const flaw_clip *towers;
    const flaw_voice_shape *shape;
    const flaw_photos *photos;
    flaw_compute *c;
    uint64_t seed;
    double scene_share;
    flaw_split split;
    bool plain;      /* only resized, as in inspection */
    const flaw_voice *voice; /* whose decoder joins several views; its weights must not change then;
                                NULL with one view */
    int views;               /* of a picture */
    int window;
    flaw_voice_entry *entry; /* [window]; subject i lies in entry i % window */
    float *work;             /* of the tower */
    flaw_voice_looks looks;
    flaw_arena arena;
} flaw_voice_data;

/* The pointers given in `out` (towers, shape, voice, photos, c) and its numbers stay the caller's and must be set. */
flaw_status flaw_voice_data_open(flaw_voice_data *out, flaw_error *err);
void flaw_voice_data_close(flaw_voice_data *data);

/* See to it that these subjects are there: draw and look at those that are not. numbers [count], all different modulo
 * `window` unless equal. */
flaw_status flaw_voice_data_need(flaw_voice_data *data, const uint64_t *numbers, int count, flaw_error *err);
const flaw_voice_entry *flaw_voice_data_entry(const flaw_voice_data *data, uint64_t number);

#endif
