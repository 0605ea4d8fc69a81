/* One pass of the voice's trainer on ../shared/golden/anomalygpt-small: its towers, its language model, its voice, two pictures
 * with made-up masks, one seen by the decoder's map and one by comparison with the normal picture. */
#ifndef FLAW_TESTS_VOICE_GOLDEN_H
#define FLAW_TESTS_VOICE_GOLDEN_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "learn/voice/voice_train_state.h"
#include "model/tower/prepare.h"
#include "model/voice/voice_read.h"

enum { GOLDEN_SAMPLES = 3 }; /* decoder's map, few-shot map, normal picture by the decoder's map */

typedef struct voice_golden {
    flaw_voice_train_options options;
    flaw_voice_trainer t;
    flaw_voice_entry entry[2];
    flaw_language_batch batch;
    char language[1200];
} voice_golden;

static inline flaw_status golden_released(flaw_voice **out, const char *folder, const flaw_clip_shape *towers, flaw_error *err)
{
    char path[1200];
    flaw_tensors delta = {0}, projection = {0};
    snprintf(path, sizeof path, "%s/anomalygpt_delta.pt", folder);
    flaw_status s = flaw_torch_open(&delta, path, err);
    snprintf(path, sizeof path, "%s/pandagpt_delta.pt", folder);
    if (!s) s = flaw_torch_open(&projection, path, err);
    if (!s) s = flaw_voice_read_released(out, &delta, &projection, towers, err);
    flaw_tensors_close(&delta);
    flaw_tensors_close(&projection);
    return s;
}

static inline flaw_status golden_look(voice_golden *g, flaw_sight *out, const char *folder, const char *file, flaw_error *err)
{
    char path[1200];
    flaw_picture picture;
    const flaw_clip_shape *s = &g->t.towers->shape;
    float *pixels = malloc(3 * (size_t)s->side * (size_t)s->side * sizeof *pixels);
    float *work = aligned_alloc(64, (flaw_sight_workspace(g->t.towers, &g->t.voice->shape, 1) * sizeof *work + 63) / 64 * 64);
    snprintf(path, sizeof path, "%s/%s", folder, file);
    flaw_status status = flaw_picture_read(&picture, path, err);
    if (!status) status = flaw_prepare_pixels(pixels, &picture, s, FLAW_RESIZE_SHORTEST, err);
    if (!status) status = flaw_sight_new(out, &g->t.voice->shape, err);
    if (!status) flaw_sight_take(&g->t.compute, g->t.towers, &g->t.voice->shape, 1, pixels, &out, work);
    flaw_picture_release(&picture);
    free(pixels);
    free(work);
    return status;
}

/* Entry i: defective picture part1 or part2, normal and reference part0; a rectangle for a mask. */
static inline flaw_status golden_entry(voice_golden *g, int i, const char *folder, flaw_error *err)
{
    flaw_voice_entry *e = &g->entry[i];
    int side = g->t.voice->shape.side;
    flaw_status s = golden_look(g, &e->defective, folder, i ? "part2.png" : "part1.png", err);
    if (!s) s = golden_look(g, &e->normal, folder, "part0.png", err);
    if (!s) s = golden_look(g, &e->reference, folder, "part0.png", err);
    e->has_reference = true;
    e->mask = calloc((size_t)side, (size_t)side);
    e->text = malloc(2 * (size_t)g->t.voice->shape.joint * sizeof *e->text);
    for (int y = 60; y < 100; y++) memset(e->mask + y * side + 50 + 70 * i, 1, 40);
    return s ? s : flaw_anomalygpt_text(g->t.towers, &g->t.compute, "metal nut", e->text, err);
}

static inline flaw_status golden_samples(voice_golden *g, flaw_error *err)
{
    static const flaw_dialogue one = {
        .turns = 2,
        .turn = {{.question = "Is there any anomaly in the image?",
                  .answer = "Yes, there is an anomaly in the image, at the top left of the image."},
                 {.question = "Where is it?", .answer = "At the top left."}}};
    static const flaw_dialogue two = {
        .turns = 1, .turn = {{.question = "Is it broken?", .answer = "No, there is no anomaly in the image."}}};
    flaw_status s = FLAW_OK;
    for (int i = 0; i < GOLDEN_SAMPLES && !s; i++) {
        flaw_voice_sample *sample = &g->t.sample[i];
        sample->entry = &g->entry[i % 2];
        sample->defective = i < 2;
        sample->few_shot = i == 1 && !g->options.adapter;
        s = flaw_voice_text_write(&g->t.text, i, i == 0 ? &one : &two, err);
    }
    if (!s) flaw_voice_text_batch(&g->t.text, &g->batch);
    return s;
}

/* The released weights of all that the trainer's voice has; with adapters that is no prompt learner. */
static inline void golden_copy(flaw_voice *to, const flaw_voice *released)
{
    for (size_t i = 0; i < to->list.count; i++)
        for (size_t k = 0; k < released->list.count; k++) {
            const flaw_parameter *p = &to->list.item[i], *q = &released->list.item[k];
            if (!strcmp(p->name, q->name)) memcpy(to->weights + p->offset, released->weights + q->offset, p->count * sizeof(float));
        }
}

/* adapter: rank, 0 for a prompt learner. */
static inline flaw_status golden_open(voice_golden *g, const char *folder, const char *dialogue, int adapter, flaw_error *err)
{
    flaw_voice *released = NULL;
    flaw_clip *towers = NULL;
    flaw_compute c;
    flaw_status s = flaw_compute_open(&c, 1, FLAW_LEVEL_REF, FLAW_F32, err);
    if (!s) s = flaw_clip_open(&towers, folder, &c, err);
    if (!s) s = golden_released(&released, folder, &towers->shape, err);
    memset(g, 0, sizeof *g);
    flaw_voice_train_options_init(&g->options);
    snprintf(g->language, sizeof g->language, "%s/vicuna", folder);
    g->options.folder = "none";
    g->options.model = folder;
    g->options.language = g->language;
    g->options.dialogue = dialogue;
    g->options.batch = GOLDEN_SAMPLES;
    g->options.window = 1;
    g->options.float32 = true;
    g->options.few_shot_gain = 1;
    g->options.focal = 0.7f;
    g->options.dice = 0.4f;
    g->options.threads = 2;
    g->options.adapter = adapter;
    for (int i = 0; i < FLAW_VOICE_CHANNELS && !s; i++) g->options.channels[i] = released->shape.channels[i];
    if (!s) g->options.base = released->shape.base;
    if (!s) s = flaw_voice_trainer_open(&g->t, &g->options, NULL, err);
    if (!s) golden_copy(g->t.voice, released);
    for (int i = 0; i < 2 && !s; i++) s = golden_entry(g, i, folder, err);
    if (!s) s = golden_samples(g, err);
    flaw_voice_close(released);
    flaw_clip_close(towers);
    flaw_compute_close(&c);
    return s;
}

static inline void golden_close(voice_golden *g)
{
    for (int i = 0; i < 2; i++) {
        flaw_sight_release(&g->entry[i].normal);
        flaw_sight_release(&g->entry[i].defective);
        flaw_sight_release(&g->entry[i].reference);
        free(g->entry[i].mask);
        free(g->entry[i].text);
    }
    flaw_voice_trainer_close(&g->t);
}

#endif
