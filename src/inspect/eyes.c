#include "inspect/eyes.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "detect/regions.h"
#include "detect/spread.h"
#include "model/tower/prepare.h"
#include "talk/words.h"

static size_t area_of(const flaw_eyes *eyes)
{
    size_t side = (size_t)eyes->m->voice->shape.side;
    return side * side;
}

static float *floats(flaw_eyes *eyes, size_t count, bool *failed)
{
    float *x = flaw_arena_alloc(&eyes->arena, count, sizeof *x);
    if (!x) *failed = true;
    return x;
}

static flaw_status make_room(flaw_eyes *eyes, flaw_error *err)
{
    const flaw_clip *towers = eyes->m->towers;
    const flaw_voice_shape *v = &eyes->m->voice->shape;
    size_t side = (size_t)towers->shape.side, look = flaw_sight_workspace(towers, v, 1);
    size_t decode = flaw_decoder_workspace(eyes->c, v);
    bool failed = false;
    eyes->pixels = floats(eyes, 3 * side * side, &failed);
    eyes->text = floats(eyes, 2 * (size_t)towers->shape.joint, &failed);
    eyes->map = floats(eyes, area_of(eyes), &failed);
    eyes->work = floats(eyes, look > decode ? look : decode, &failed);
    if (failed) return flaw_fail(err, FLAW_NO_MEMORY, "memory to look at pictures was refused");
    return flaw_sight_new(&eyes->sight, v, err);
}

flaw_status flaw_eyes_encode(flaw_eyes *eyes, const flaw_picture *square, flaw_sight *out, flaw_error *err)
{
    const flaw_clip *towers = eyes->m->towers;
    const flaw_voice_shape *v = &eyes->m->voice->shape;
    flaw_prepare_normalise(eyes->pixels, square, &towers->shape.prepare);
    flaw_sight_take(eyes->c, towers, v, 1, eyes->pixels, &out, eyes->work);
    size_t count = (size_t)v->grid * (size_t)v->grid * (size_t)v->width;
    for (int i = 0; i < FLAW_STAGES; i++)
        for (size_t k = 0; k < count; k++)
            if (!isfinite(out->stage[i][k]))
                return flaw_fail(err, FLAW_BAD_DATA, "the numbers computed for this picture are not all finite");
    return FLAW_OK;
}

void flaw_eyes_compare(flaw_eyes *eyes, int rows)
{
    const float *stage[FLAW_STAGES], *bank[FLAW_STAGES];
    for (int i = 0; i < FLAW_STAGES; i++) {
        stage[i] = eyes->sight.stage[i];
        bank[i] = eyes->bank[i];
    }
    flaw_few_shot_map(eyes->c, &eyes->m->voice->shape, stage, bank, rows, eyes->map, eyes->bank_work);
}

float flaw_eyes_peak(const flaw_eyes *eyes)
{
    float peak = eyes->map[0];
    for (size_t i = 1; i < area_of(eyes); i++)
        if (!(eyes->map[i] <= peak)) peak = eyes->map[i];
    return peak;
}

/* The map of what was encoded last: against the normal pictures where there are any, else by words. */
static flaw_status make_map(flaw_eyes *eyes, flaw_error *err)
{
    const float *stage[FLAW_STAGES];
    flaw_sight_decoder(&eyes->sight, &eyes->m->voice->shape, stage);
    if (eyes->rows) flaw_eyes_compare(eyes, eyes->rows);
    else if (eyes->views > 1) flaw_eyes_views_map(eyes);
    else flaw_decoder_map(eyes->c, eyes->m->voice, stage, eyes->text, NULL, eyes->map, eyes->work);
    if (isfinite(flaw_eyes_peak(eyes))) return FLAW_OK;
    return flaw_fail(err, FLAW_BAD_DATA, "the map of this picture is not finite");
}

flaw_status flaw_eyes_look(flaw_eyes *eyes, const flaw_picture *picture, flaw_error *err)
{
    flaw_picture square = {0};
    flaw_status s = flaw_prepare_square(&square, &eyes->seen, &eyes->m->towers->shape, eyes->fit, picture, err);
    if (!s) s = flaw_eyes_encode(eyes, &square, &eyes->sight, err);
    if (!s && eyes->views > 1) s = flaw_eyes_views_look(eyes, &square, picture, err);
    flaw_picture_release(&square);
    eyes->width = picture->width;
    eyes->height = picture->height;
    return s ? s : make_map(eyes, err);
}

flaw_status flaw_eyes_name(flaw_eyes *eyes, const char *object, flaw_error *err)
{
    flaw_status s = flaw_anomalygpt_text(eyes->m->towers, eyes->c, object, eyes->text, err);
    if (s) return s;
    snprintf(eyes->object, sizeof eyes->object, "%s", object);
    return eyes->rows ? FLAW_OK : make_map(eyes, err);
}

/* The two-sided softmax is undecided at 1/2; a voice of our own has measured its limit. */
static void calibrate_words(flaw_eyes *eyes)
{
    float limit = eyes->m->voice->shape.limit;
    flaw_calibrate_text(&eyes->calibration);
    if (!(limit > 0)) return;
    eyes->calibration.threshold = eyes->calibration.map_threshold = (double)limit;
    snprintf(eyes->calibration.rule, sizeof eyes->calibration.rule, "model");
}

/* Published weights know products by the names of their folders (spec 1.4): "pcb", "macaroni1". */
static flaw_status choose_object(flaw_eyes *eyes, const char *named, const char *clean, flaw_error *err)
{
    if (flaw_voice_is_published(&eyes->m->voice->shape)) return flaw_object_tidy(eyes->object, named, err);
    snprintf(eyes->object, sizeof eyes->object, "%s", clean);
    return FLAW_OK;
}

/* Published weights want the middle square, as the published results had it; ours were trained on whole pictures. */
static flaw_status choose_fit(flaw_eyes *eyes, const char *fit, flaw_error *err)
{
    const char *usual = flaw_voice_is_published(&eyes->m->voice->shape) ? "crop" : "squash";
    return flaw_fit_named(&eyes->fit, fit && *fit ? fit : usual, err);
}

flaw_status flaw_eyes_open(flaw_eyes *out, const flaw_anomalygpt *m, flaw_compute *c, const flaw_talk_options *options,
                           const char *object, flaw_error *err)
{
    *out = (flaw_eyes){.m = m, .c = c};
    flaw_arena_init(&out->arena, 0);
    calibrate_words(out);
    flaw_status s = choose_object(out, options->object, object, err);
    if (!s) s = choose_fit(out, options->fit, err);
    if (!s) s = make_room(out, err);
    if (!s) s = flaw_eyes_views_open(out, options, err);
    if (!s) s = flaw_anomalygpt_text(m->towers, c, out->object, out->text, err);
    if (!s && options->good_count) s = flaw_eyes_learn(out, options, err);
    if (s) flaw_eyes_close(out);
    return s;
}

void flaw_eyes_close(flaw_eyes *eyes)
{
    flaw_calibration_release(&eyes->calibration);
    flaw_sight_release(&eyes->sight);
    for (int i = 0; i < FLAW_VIEWS_MOST; i++) flaw_sight_release(&eyes->other[i]);
    for (int i = 0; i < FLAW_STAGES; i++) free(eyes->bank[i]);
    free(eyes->bank_work);
    flaw_arena_release(&eyes->arena);
    *eyes = (flaw_eyes){0};
}

static flaw_status find_regions(const flaw_eyes *eyes, flaw_result *out, flaw_error *err)
{
    if (out->verdict != FLAW_ANOMALOUS) return FLAW_OK;
    double limit = flaw_map_region_limit(eyes->map, area_of(eyes), out->map_threshold, out->map_low);
    return flaw_regions_find(out->region, FLAW_MAX_REGIONS, &out->regions, out->map, out->width, out->height, limit,
                             err);
}

flaw_status flaw_eyes_facts(const flaw_eyes *eyes, flaw_result *out, flaw_error *err)
{
    const flaw_calibration *c = &eyes->calibration;
    const flaw_seen *seen = &eyes->seen;
    *out = (flaw_result){.score = (double)flaw_eyes_peak(eyes),
                         .threshold = c->threshold,
                         .p_value = NAN,
                         .false_alarm_rate = c->false_alarm_rate,
                         .map_threshold = c->map_threshold,
                         .map_low = c->map_low,
                         .width = eyes->width,
                         .height = eyes->height};
    out->unseen = 1.0 - (double)seen->width * seen->height / ((double)out->width * out->height);
    snprintf(out->rule, sizeof out->rule, "%s", c->rule);
    snprintf(out->method, sizeof out->method, "anomalygpt");
    snprintf(out->object, sizeof out->object, "%s", eyes->object);
    out->verdict = out->score > out->threshold ? FLAW_ANOMALOUS : FLAW_NORMAL;
    flaw_status s = flaw_map_spread(&out->map, out->width, out->height, seen, eyes->map, eyes->m->voice->shape.side,
                                    (float)out->map_low, err);
    if (!s) s = find_regions(eyes, out, err);
    if (s) flaw_result_release(out);
    else flaw_words_say(out);
    return s;
}
