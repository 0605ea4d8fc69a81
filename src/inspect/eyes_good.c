/* Normal pictures: a bank of their patches, and the limit of the map from them alone. Each is compared with the others
 * (one alone with itself), and so are mild changes of it: see detect/calibrate.h. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "detect/augment.h"
#include "inspect/eyes.h"
#include "method/method.h"

enum {
    CHANGES = 3,         /* mild changes of each picture ... */
    CHANGES_OF_ONE = 8,  /* ... of one alone ... */
    CHANGES_OF_MANY = 1, /* ... and of each where there are more than MANY */
    MANY = 20,
    QUARTERS = 4,
    MOST_GOOD = 10000,
};

typedef struct lesson {
    flaw_eyes *eyes;
    size_t count;         /* normal pictures, K */
    int turns;            /* 4 with rotations, else 1 */
    flaw_picture *square; /* [count] prepared */
    flaw_sample *sample;
    size_t samples;
    float *held;   /* rows of one picture while it is out of the bank */
    float *values; /* [S, S] sorted */
    flaw_random random;
} lesson;

/* Floats of one picture's rows in the bank of a stage. */
static size_t block_of(const lesson *l)
{
    const flaw_clip_shape *s = &l->eyes->m->towers->shape;
    return (size_t)l->turns * (size_t)flaw_clip_patches(s) * (size_t)s->image.width;
}

static flaw_status open_lesson(lesson *l, flaw_error *err)
{
    flaw_eyes *eyes = l->eyes;
    const flaw_voice_shape *v = &eyes->m->voice->shape;
    if (l->count > MOST_GOOD)
        return flaw_fail(err, FLAW_USAGE, "%zu normal pictures were given, allowed are %d", l->count, (int)MOST_GOOD);
    eyes->rows = (int)l->count * l->turns * flaw_clip_patches(&eyes->m->towers->shape);
    bool failed = false;
    for (int i = 0; i < FLAW_STAGES; i++) {
        eyes->bank[i] = malloc(l->count * block_of(l) * sizeof(float));
        failed |= !eyes->bank[i];
    }
    eyes->bank_work =
        aligned_alloc(64, (flaw_few_shot_workspace(eyes->c, v, eyes->rows) * sizeof(float) + 63) / 64 * 64);
    l->square = calloc(l->count, sizeof *l->square);
    l->sample = calloc(l->count * (1 + CHANGES_OF_ONE), sizeof *l->sample);
    l->held = malloc(block_of(l) * sizeof *l->held);
    l->values = malloc((size_t)v->side * (size_t)v->side * sizeof *l->values);
    failed |= !eyes->bank_work || !l->square || !l->sample || !l->held || !l->values;
    return failed ? flaw_fail(err, FLAW_NO_MEMORY, "memory for %zu normal pictures was refused", l->count) : FLAW_OK;
}

static void close_lesson(lesson *l)
{
    for (size_t i = 0; l->square && i < l->count; i++) flaw_picture_release(&l->square[i]);
    free(l->square);
    free(l->sample);
    free(l->held);
    free(l->values);
}

/* Rows of what was encoded last become part `turned` of picture i in the bank. */
static void keep_rows(lesson *l, size_t i, int turned)
{
    size_t rows = block_of(l) / (size_t)l->turns;
    for (int k = 0; k < FLAW_STAGES; k++)
        memcpy(l->eyes->bank[k] + i * block_of(l) + (size_t)turned * rows, l->eyes->sight.stage[k],
               rows * sizeof(float));
}

static flaw_status learn_picture(lesson *l, size_t i, const char *path, flaw_error *err)
{
    flaw_eyes *eyes = l->eyes;
    flaw_picture picture = {0}, turned = {0};
    flaw_seen seen;
    flaw_status s = flaw_picture_read(&picture, path, err);
    if (!s) s = flaw_prepare_square(&l->square[i], &seen, &eyes->m->towers->shape, eyes->fit, &picture, err);
    flaw_picture_release(&picture);
    for (int t = 0; !s && t < l->turns; t++) {
        if (t) {
            s = flaw_augment_quarter(&picture, t == 1 ? &l->square[i] : &turned, err);
            flaw_picture_release(&turned);
            turned = picture;
        }
        if (!s) s = flaw_eyes_encode(eyes, t ? &turned : &l->square[i], &eyes->sight, err);
        if (!s) keep_rows(l, i, t);
    }
    flaw_picture_release(&turned);
    return s;
}

static int ascending(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

/* A prepared square against `rows` of the bank. */
static flaw_status take_sample(lesson *l, const flaw_picture *square, size_t part, bool changed, int rows,
                               flaw_error *err)
{
    flaw_eyes *eyes = l->eyes;
    flaw_status s = flaw_eyes_encode(eyes, square, &eyes->sight, err);
    if (s) return s;
    flaw_eyes_compare(eyes, rows);
    size_t side = (size_t)eyes->m->voice->shape.side, count = side * side;
    double peak = (double)flaw_eyes_peak(eyes);
    memcpy(l->values, eyes->map, count * sizeof *l->values);
    qsort(l->values, count, sizeof *l->values, ascending);
    l->sample[l->samples++] = (flaw_sample){
        .part = (int)part, .score = peak, .peak = peak, .middle = (double)l->values[count / 2], .changed = changed};
    return FLAW_OK;
}

/* Picture i changes places with the last one of the bank; twice is as before. */
static void swap_with_last(lesson *l, size_t i)
{
    size_t block = block_of(l), size = block * sizeof(float);
    for (int k = 0; i + 1 < l->count && k < FLAW_STAGES; k++) {
        float *mine = l->eyes->bank[k] + i * block, *last = l->eyes->bank[k] + (l->count - 1) * block;
        memcpy(l->held, mine, size);
        memcpy(mine, last, size);
        memcpy(last, l->held, size);
    }
}

static flaw_status sample_part(lesson *l, size_t i, int changes, flaw_error *err)
{
    int rows = l->count == 1 ? l->eyes->rows : l->eyes->rows / (int)l->count * (int)(l->count - 1);
    swap_with_last(l, i);
    flaw_status s = take_sample(l, &l->square[i], i, false, rows, err);
    for (int k = 0; !s && k < changes; k++) {
        flaw_picture changed = {0};
        s = flaw_augment_mildly(&changed, &l->square[i], &l->random, err);
        if (!s) s = take_sample(l, &changed, i, true, rows, err);
        flaw_picture_release(&changed);
    }
    swap_with_last(l, i);
    return s;
}

static flaw_status teach(lesson *l, const flaw_talk_options *options, flaw_error *err)
{
    int changes = l->count == 1 ? CHANGES_OF_ONE : l->count > MANY ? CHANGES_OF_MANY : CHANGES;
    flaw_scores_kind kind = flaw_method_few_shot.scores;
    kind.alone = NAN;
    flaw_random_init(&l->random, options->seed, 0x6368616e);
    flaw_status s = open_lesson(l, err);
    for (size_t i = 0; !s && i < l->count; i++) s = learn_picture(l, i, options->good[i], err);
    for (size_t i = 0; !s && i < l->count; i++) s = sample_part(l, i, changes, err);
    return s ? s : flaw_calibrate(&l->eyes->calibration, l->sample, l->samples, (int)l->count, 0, &kind, err);
}

flaw_status flaw_eyes_learn(flaw_eyes *eyes, const flaw_talk_options *options, flaw_error *err)
{
    lesson l = {.eyes = eyes, .count = options->good_count, .turns = options->rotations ? QUARTERS : 1};
    flaw_status s = teach(&l, options, err);
    close_lesson(&l);
    return s;
}
