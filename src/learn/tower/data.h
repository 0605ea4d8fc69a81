/* Batches for training: pairs of a subject without and with a defect, sentences about it, masks at patch resolution.
 *
 * Everything of a pair follows from (seed, index of the pair): nothing but the step must be remembered to go on with the
 * same data, and pieces of the pool can draw in any order.
 *
 * Letters: B pairs, N = 2B pictures (2i normal, 2i+1 with a defect), K sentences of each state, M = N + 2BK sentences in
 * all: N captions, then for each pair K normal and K abnormal ones. */
#ifndef FLAW_LEARN_DATA_H
#define FLAW_LEARN_DATA_H

#include "flaw/scenes.h"
#include "learn/tower/data_photos.h"
#include "model/tower/clip.h"

typedef struct flaw_data_options {
    uint64_t seed;
    int pairs, sentences;
    double scene_share;
    int window;   /* drawn pairs kept in memory; 0: none */
    double fresh; /* new drawn pairs for each one used */
    double vary;  /* share of the subjects that become another product (data_vary.h); drawn larger at times too, 0: none */
} flaw_data_options;

/* Both states of one subject, before cropping and light. */
typedef struct flaw_subject {
    flaw_picture normal, defective; /* same size */
    uint8_t *mask;                  /* [height, width], 255 on the defect; owned */
    bool texture;
    char name[FLAW_NAME], material[FLAW_NAME];
    char caption[2][256];
} flaw_subject;

void flaw_subject_release(flaw_subject *subject);

typedef struct flaw_data {
    flaw_data_options options;
    const flaw_clip_shape *shape;
    const flaw_words *words;
    const flaw_photos *photos;
    const flaw_tokenizer *tokenizer;
    flaw_subject *window; /* [options.window] drawn subjects; slot i holds number `held[i]` - 1 */
    uint64_t *held;
} flaw_data;

typedef struct flaw_batch {
    int pairs, pictures, sentences; /* B, N, M */
    int tokens;      /* of the longest sentence */
    float *pixels;   /* [N, 3, S, S] */
    float *target;   /* [N, P] 0 .. 1: how much of the patch the defect covers, full at a quarter */
    int32_t *group;  /* [N] equal where captions are equal */
    int32_t *ids;    /* [M, context] */
    int *end;        /* [M] */
    char *caption;   /* [N, 256] */
    flaw_status *status; /* [B] of drawing */
    flaw_error *error;   /* [B] */
} flaw_batch;

/* `data` keeps the pointers it is given. */
flaw_status flaw_data_open(flaw_data *out, const flaw_data_options *options, const flaw_clip_shape *shape,
                           const flaw_words *words, const flaw_photos *photos, const flaw_tokenizer *tokenizer,
                           flaw_error *err);
void flaw_data_close(flaw_data *data);

flaw_status flaw_batch_open(flaw_batch *out, const flaw_data *data, flaw_arena *arena, flaw_error *err);
/* The batch of step `step`, drawn on the pool. */
flaw_status flaw_data_draw(flaw_batch *out, flaw_data *data, int64_t step, flaw_pool *pool, flaw_error *err);

/* The inside, for the evaluation and for tests (data_subject.c, data_picture.c). */
flaw_status flaw_subject_scene(flaw_subject *out, flaw_split split, int size, uint64_t seed, flaw_error *err);
flaw_status flaw_subject_photo(flaw_subject *out, const flaw_photos *photos, int side, flaw_random *random,
                               flaw_error *err);
/* One view of a subject: crop (the defect stays in it), mirror and turn, light; pixels [2, 3, S, S], target [2, P] and
 * mask [S, S] of the second picture (either may be NULL). plain: only resized, as in inspection. */
flaw_status flaw_subject_view(float *pixels, float *target, uint8_t *mask, const flaw_subject *subject,
                              const flaw_clip_shape *shape, bool plain, flaw_random *random, flaw_error *err);

#endif
