/* Held-out figures while training: drawn scenes of kinds that training never sees, zero-shot by the object's name, with
 * the averaged weights. Small on purpose; `flaw eval` is the measure that counts. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "flaw/metrics.h"
#include "learn/tower/train_state.h"
#include "nn/loss.h"

#define EVALUATION_SEED 77000000u
#define FIXED_MAX 32
#define POSITIVE 0.5f /* a patch is defective when its target is at least this (an eighth of it is covered) */

typedef struct scores {
    float *class_z, *peak_z, *both_z; /* [2n] */
    float *patch_z;                   /* [2n*P] */
    uint8_t *state, *patch;           /* [2n], [2n*P] */
} scores;

typedef struct evaluation {
    flaw_trainer *t;
    flaw_subject *subjects; /* of one batch */
    flaw_status *status;
    flaw_error *error;
    int first;
} evaluation;

static void draw_piece(void *context, int piece, int worker)
{
    evaluation *v = context;
    flaw_trainer *t = v->t;
    (void)worker;
    flaw_random unused;
    size_t picture = 3 * (size_t)t->shape.side * (size_t)t->shape.side, patches = (size_t)flaw_clip_patches(&t->shape);
    flaw_random_init(&unused, 0, 0);
    v->status[piece] = flaw_subject_scene(&v->subjects[piece], FLAW_SPLIT_HELD_OUT, t->shape.side,
                                          EVALUATION_SEED + (uint64_t)(v->first + piece), &v->error[piece]);
    if (!v->status[piece])
        v->status[piece] = flaw_subject_view(t->batch.pixels + (size_t)piece * 2 * picture,
                                             t->batch.target + (size_t)piece * 2 * patches, NULL, &v->subjects[piece], &t->shape,
                                             true, &unused, &v->error[piece]);
}

/* The fixed sentences of a name: K normal, then K abnormal; returns K. */
static flaw_status encode_name(flaw_trainer *t, const char *name, float *direction, flaw_error *err)
{
    char text[FLAW_SENTENCE];
    int k = 0, length, cut, longest = 0, context = t->shape.context;
    while (k < FIXED_MAX && 2 * (k + 1) <= t->batch.sentences && flaw_words_fixed(text, name, false, k)) k++;
    for (int i = 0; i < 2 * k; i++) {
        flaw_words_fixed(text, name, i >= k, i % k);
        flaw_status status = flaw_tokenizer_encode(t->tokenizer, text, t->batch.ids + (ptrdiff_t)i * context, context, &length,
                                                   &cut, err);
        if (status) return status;
        t->batch.end[i] = length - 1;
        if (length > longest) longest = length;
    }
    flaw_clip_train_texts(&t->compute, &t->model, 2 * k, longest, t->batch.ids, context, t->batch.end);
    flaw_text_direction(direction, t->model.text.out, t->shape.joint, k);
    return FLAW_OK;
}

static flaw_status score_pair(flaw_trainer *t, int pair, const char *name, scores *s, int at, float *work, flaw_error *err)
{
    int e = t->shape.joint, patches = flaw_clip_patches(&t->shape), places[FLAW_PEAK];
    float scale = expf(t->model.w.logit_scale[0]), *inverse = work + e;
    flaw_status status = encode_name(t, name, work, err);
    for (int which = 0; which < 2 && !status; which++) {
        int picture = 2 * pair + which, row = 2 * at + which;
        flaw_direction_forward(1, e, t->model.image.cls + (ptrdiff_t)picture * e, work, scale, &s->class_z[row], inverse);
        s->state[row] = (uint8_t)which;
        float *z = s->patch_z + (ptrdiff_t)row * patches;
        const float *target = t->batch.target + (ptrdiff_t)picture * patches;
        if (t->shape.local_head)
            flaw_direction_forward(patches, e, t->model.image.local + ((ptrdiff_t)picture * (1 + patches) + 1) * e, work,
                                   scale, z, inverse);
        s->peak_z[row] = flaw_peak(z, patches, places);
        s->both_z[row] = s->class_z[row] + s->peak_z[row];
        for (int i = 0; i < patches; i++) s->patch[(ptrdiff_t)row * patches + i] = target[i] >= POSITIVE;
    }
    return status;
}

static flaw_status score_all(flaw_trainer *t, scores *s, int pairs, float *work, flaw_error *err)
{
    evaluation v = {.t = t, .status = t->batch.status, .error = t->batch.error};
    int batch = t->batch.pairs;
    flaw_status status = FLAW_OK;
    v.subjects = calloc((size_t)batch, sizeof *v.subjects);
    if (!v.subjects) return flaw_fail(err, FLAW_NO_MEMORY, "no memory for evaluation");
    for (v.first = 0; v.first < pairs && !status; v.first += batch) {
        int count = pairs - v.first < batch ? pairs - v.first : batch;
        flaw_pool_run(t->compute.pool, draw_piece, &v, count);
        flaw_clip_train_images(&t->compute, &t->model, 2 * count, t->batch.pixels);
        for (int i = 0; i < count; i++) {
            if (!status && v.status[i]) {
                status = v.status[i];
                if (err) *err = v.error[i];
            }
            if (!status) status = score_pair(t, i, v.subjects[i].name, s, v.first + i, work, err);
            flaw_subject_release(&v.subjects[i]);
        }
    }
    free(v.subjects);
    return status;
}

static flaw_status figures_of(flaw_train_figures *out, const scores *s, size_t n, size_t patches, flaw_error *err)
{
    flaw_status status = flaw_auroc(&out->image_class, s->class_z, s->state, n, err);
    if (!status) status = flaw_auroc(&out->image_peak, s->peak_z, s->state, n, err);
    if (!status) status = flaw_auroc(&out->image_both, s->both_z, s->state, n, err);
    if (!status) status = flaw_auroc(&out->patch, s->patch_z, s->patch, n * patches, err);
    return status;
}

static void exchange(flaw_trainer *t)
{
    size_t bytes = t->model.list.total * sizeof(float);
    memcpy(t->kept, t->model.weights, bytes);
    memcpy(t->model.weights, t->moments.average, bytes);
}

flaw_status flaw_train_evaluate(flaw_trainer *t, flaw_train_figures *figures, flaw_error *err)
{
    size_t n = 2 * (size_t)t->options->evaluate_pairs, patches = (size_t)flaw_clip_patches(&t->shape);
    flaw_arena arena;
    flaw_arena_init(&arena, 0);
    scores s = {.class_z = flaw_arena_alloc(&arena, n, sizeof(float)), .peak_z = flaw_arena_alloc(&arena, n, sizeof(float)),
                .both_z = flaw_arena_alloc(&arena, n, sizeof(float)),
                .patch_z = flaw_arena_alloc(&arena, n * patches, sizeof(float)), .state = flaw_arena_alloc(&arena, n, 1),
                .patch = flaw_arena_alloc(&arena, n * patches, 1)};
    float *work = flaw_arena_alloc(&arena, (size_t)t->shape.joint + patches, sizeof *work);
    flaw_status status = FLAW_OK;
    if (!s.class_z || !s.peak_z || !s.both_z || !s.patch_z || !s.state || !s.patch || !work)
        status = flaw_fail(err, FLAW_NO_MEMORY, "no memory for evaluation");
    if (!status) {
        exchange(t);
        status = flaw_clip_train_pack(&t->model, &t->compute, err);
        if (!status) status = score_all(t, &s, t->options->evaluate_pairs, work, err);
        memcpy(t->model.weights, t->kept, t->model.list.total * sizeof(float));
    }
    *figures = (flaw_train_figures){.step = t->step};
    if (!status) status = figures_of(figures, &s, n, patches, err);
    flaw_arena_release(&arena);
    return status;
}
