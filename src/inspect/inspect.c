/* The road, station by station:
 *
 *   picture -> prepare -> encode -> align (words) ----\
 *                           |                          > map -> verdict -> words -> record
 *                           `--> compare (good parts) -/
 *
 * Everything else of this library is one of these stations or stands below one. Read on in detect/prepare.c,
 * detect/encode.c, then a method (method/fewshot.c is the shortest), detect/regions.c, talk/words.c, record/json.c. How
 * an inspector comes to its memory and its limits: inspect/teach.c; what its sentences did: inspect/explain.c. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "detect/conformal.h"
#include "detect/regions.h"
#include "detect/spread.h"
#include "inspect/inside.h"
#include "talk/words.h"

static double now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return 1e3 * (double)t.tv_sec + 1e-6 * (double)t.tv_nsec;
}

/* Stations prepare and encode, in one view or several. */
static flaw_status encode(flaw_inspector *in, const flaw_picture *picture, flaw_seen *seen, flaw_error *err)
{
    const flaw_clip_shape *shape = &in->engine->model->shape;
    flaw_picture square = {0}, twice = {0};
    flaw_status s = flaw_prepare_square(&square, seen, shape, in->fit, picture, err);
    if (!s && in->views.count) {
        s = flaw_views_prepare(&twice, shape, in->fit, picture, err);
        if (!s) s = flaw_views_run(&in->views, &square, &twice, &in->features, err);
    } else if (!s) {
        s = flaw_encoder_run(&in->encoder, &square, 1, &in->features, err);
    }
    flaw_picture_release(&twice);
    flaw_picture_release(&square);
    return s;
}

/* Prepare, encode, align and compare. */
flaw_status flaw_inspector_measure(flaw_inspector *in, const flaw_picture *picture, flaw_seen *seen, flaw_score *out,
                                   bool *sound, flaw_error *err)
{
    in->judged = false;
    flaw_status s = encode(in, picture, seen, err);
    *sound = !s && in->features.sound;
    *out = (flaw_score){.map = in->map, .image = NAN};
    if (s || !*sound) return s;
    s = in->method->score(in->state, &in->features, out, err);
    if (!s && !isfinite(out->image)) *sound = false;
    for (int i = 0; !s && i < in->features.cells * in->features.cells; i++) *sound = *sound && isfinite(in->map[i]);
    return s;
}

static void doubt(flaw_result *out, const char *why)
{
    out->verdict = FLAW_UNKNOWN;
    out->regions = 0;
    snprintf(out->rule, sizeof out->rule, "doubt");
    snprintf(out->doubt, sizeof out->doubt, "%s", why);
}

/* The method's own map and what it covers. */
static flaw_status keep_cells(const flaw_inspector *in, const flaw_seen *seen, flaw_result *out, flaw_error *err)
{
    size_t cells = (size_t)in->features.cells * (size_t)in->features.cells;
    out->cells = malloc(cells * sizeof *out->cells);
    if (!out->cells) return flaw_fail(err, FLAW_NO_MEMORY, "the map of a picture was refused");
    memcpy(out->cells, in->map, cells * sizeof *out->cells);
    out->grid = in->features.cells;
    const int part[4] = {seen->x, seen->y, seen->width, seen->height};
    memcpy(out->seen, part, sizeof part);
    return FLAW_OK;
}

/* Verdict and regions. Regions belong to an anomaly: a good picture shows none. */
static flaw_status decide(flaw_inspector *in, const flaw_seen *seen, flaw_result *out, flaw_error *err)
{
    int grid = in->features.cells;
    out->verdict = out->score > out->threshold ? FLAW_ANOMALOUS : FLAW_NORMAL;
    flaw_status s = keep_cells(in, seen, out, err);
    if (!s) s = flaw_map_spread(&out->map, out->width, out->height, seen, in->map, grid, (float)out->map_low, err);
    if (s || out->verdict == FLAW_NORMAL) return s;
    double limit = flaw_map_region_limit(in->map, (size_t)grid * (size_t)grid, out->map_threshold, out->map_low);
    return flaw_regions_find(out->region, FLAW_MAX_REGIONS, &out->regions, out->map, out->width, out->height, limit,
                             err);
}

static void start_result(const flaw_inspector *in, flaw_result *out)
{
    const flaw_calibration *c = &in->calibration;
    *out = (flaw_result){.score = NAN,
                         .p_value = NAN,
                         .threshold = c->threshold,
                         .false_alarm_rate = c->false_alarm_rate,
                         .map_threshold = c->map_threshold,
                         .map_low = c->map_low};
    snprintf(out->rule, sizeof out->rule, "%s", c->rule);
    snprintf(out->method, sizeof out->method, "%s", in->method->name);
    snprintf(out->object, sizeof out->object, "%s", in->object);
    out->prompts = in->about_prompts;
    out->brief = in->options.brief ? strdup(in->options.brief) : NULL;
}

static flaw_status judge(flaw_inspector *in, const flaw_picture *picture, flaw_result *out, flaw_error *err)
{
    flaw_score score;
    flaw_seen seen;
    bool sound;
    out->width = picture->width;
    out->height = picture->height;
    flaw_status s = flaw_inspector_measure(in, picture, &seen, &score, &sound, err);
    if (s) return s;
    if (!sound) {
        doubt(out, "the numbers computed for this picture are not all finite");
        return FLAW_OK;
    }
    out->score = score.image;
    out->p_value =
        flaw_conformal_p(in->calibration.part, in->calibration.part ? (size_t)in->calibration.good : 0, out->score);
    out->unseen = 1.0 - (double)seen.width * seen.height / ((double)out->width * out->height);
    if (score.closest) snprintf(out->closest, sizeof out->closest, "%s", score.closest);
    s = decide(in, &seen, out, err);
    in->judged = !s;
    in->judged_score = score.image;
    return s;
}

/* Ends a judgement that began at `start`: on failure the verdict is unknown and says why. */
static flaw_status finish(flaw_result *out, flaw_status s, const flaw_error *why, flaw_error *err, double start)
{
    if (s) {
        if (err) *err = *why;
        doubt(out, why->text);
    }
    flaw_words_say(out);
    out->ms = now_ms() - start;
    return s;
}

flaw_status flaw_inspector_judge(flaw_inspector *in, const flaw_picture *picture, flaw_result *out, flaw_error *err)
{
    flaw_error why = {0};
    double start = now_ms();
    start_result(in, out);
    return finish(out, judge(in, picture, out, &why), &why, err, start);
}

flaw_status flaw_inspector_judge_file(flaw_inspector *in, const char *path, flaw_result *out, flaw_error *err)
{
    flaw_error why = {0};
    double start = now_ms();
    flaw_picture picture = {0};
    start_result(in, out);
    flaw_status s = flaw_picture_read(&picture, path, &why);
    if (!s) s = judge(in, &picture, out, &why);
    flaw_picture_release(&picture);
    return finish(out, s, &why, err, start);
}

void flaw_result_release(flaw_result *result)
{
    free(result->map);
    free(result->cells);
    free(result->brief);
    result->map = result->cells = NULL;
    result->brief = NULL;
}

const flaw_prompts_about *flaw_inspector_prompts(const flaw_inspector *in)
{
    return &in->about_prompts;
}

const char *flaw_inspector_about(const flaw_inspector *in)
{
    return in->calibration.about;
}
