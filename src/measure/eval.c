/* An evaluation as papers do it: k good parts drawn by seed, every test picture judged, metrics over all, repeated.
 * Pixel metrics are taken at MAP_SIDE x MAP_SIDE whatever the picture's size (maps resized bilinearly, masks by nearest
 * neighbour) over pictures whose marked pixels are known: good ones, and bad ones with a mask. */
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/random.h"
#include "flaw/dataset.h"
#include "flaw/measure.h"
#include "image/resize.h"

enum { MAP_SIDE = 256, MAP_PIXELS = MAP_SIDE * MAP_SIDE };
#define PRO_LIMIT 0.3 /* MVTec's and every paper's */

/* What one draw collects. Arrays have room for every picture of the data set. */
typedef struct bench {
    const flaw_eval_options *options;
    flaw_dataset set;
    const flaw_dataset_item **picture; /* [tested] test pictures of this draw */
    float *score;                      /* [tested] */
    uint8_t *bad;                      /* [tested] */
    size_t tested;
    float *maps;    /* [mapped, MAP_SIDE, MAP_SIDE] */
    uint8_t *masks; /* [mapped, MAP_SIDE, MAP_SIDE] */
    size_t mapped;
    size_t good, false_alarms, misses;
    flaw_progress progress;
    void *context;
    size_t done, total;
} bench;

static void bench_close(bench *b)
{
    free(b->picture);
    free(b->score);
    free(b->bad);
    free(b->maps);
    free(b->masks);
    flaw_dataset_close(&b->set);
}

static flaw_status bench_open(bench *b, const flaw_eval_options *options, flaw_error *err)
{
    *b = (bench){.options = options};
    flaw_status status = flaw_dataset_open_path(&b->set, options->dataset, NULL, NULL, err);
    if (status == FLAW_OK) status = flaw_dataset_testable(&b->set, err);
    if (status != FLAW_OK) {
        bench_close(b);
        return status;
    }
    size_t most = b->set.tests + (b->set.references_tested ? b->set.references : 0), mapped = 0, bytes;
    for (size_t i = 0; i < b->set.tests; i++) mapped += flaw_dataset_has_map(&b->set.test[i]) != 0;
    mapped += most - b->set.tests;
    if (!flaw_mul_ok(&bytes, mapped + 1, MAP_PIXELS * sizeof(float))) bytes = SIZE_MAX;
    b->picture = calloc(most + 1, sizeof *b->picture);
    b->score = calloc(most + 1, sizeof *b->score);
    b->bad = calloc(most + 1, 1);
    b->maps = malloc(bytes);
    b->masks = malloc(bytes / sizeof(float));
    if (b->picture && b->score && b->bad && b->maps && b->masks) return FLAW_OK;
    bench_close(b);
    return flaw_fail(err, FLAW_NO_MEMORY, "evaluation of '%s': no memory for %zu pictures", options->dataset, most);
}

/* How many good parts a draw takes: all when shots < 0. */
static flaw_status shots_of(size_t *out, const bench *b, flaw_error *err)
{
    int shots = b->options->shots;
    if (shots > 0 && (size_t)shots > b->set.references)
        return flaw_fail(err, FLAW_USAGE, "data set '%s': %d good parts asked for, it has %zu to draw from",
                         b->options->dataset, shots, b->set.references);
    *out = shots < 0 ? b->set.references : (size_t)shots;
    return FLAW_OK;
}

/* The first `shots` of a shuffle (Fisher and Yates) are the good parts; the rest may join the test. */
static flaw_status draw_parts(bench *b, const char **good, size_t shots, int draw, flaw_error *err)
{
    size_t n = b->set.references, *order = malloc((n + 1) * sizeof *order);
    if (!order) return flaw_fail(err, FLAW_NO_MEMORY, "drawing %zu good parts", shots);
    flaw_random random;
    flaw_random_init(&random, b->options->seed, (uint64_t)draw);
    for (size_t i = 0; i < n; i++) order[i] = i;
    for (size_t i = 0; i < shots; i++) {
        size_t j = i + (size_t)flaw_random_below(&random, (int)(n - i)), held = order[i];
        order[i] = order[j];
        order[j] = held;
        good[i] = b->set.reference[order[i]].path;
    }
    b->tested = b->mapped = b->good = b->false_alarms = b->misses = 0;
    for (size_t i = 0; i < b->set.tests; i++) b->picture[b->tested++] = &b->set.test[i];
    for (size_t i = shots; i < n && b->set.references_tested; i++)
        b->picture[b->tested++] = &b->set.reference[order[i]];
    free(order);
    return FLAW_OK;
}

static flaw_status judge_one(bench *b, flaw_inspector *inspector, size_t i, flaw_error *err)
{
    const flaw_dataset_item *item = b->picture[i];
    flaw_result result = {0};
    flaw_status status = flaw_inspector_judge_file(inspector, item->path, &result, err);
    if (status == FLAW_OK && !result.map)
        status = flaw_fail(err, FLAW_BAD_DATA, "'%s': no verdict: %s", item->path, result.doubt);
    if (status == FLAW_OK && flaw_dataset_has_map(item)) {
        flaw_map_upsample(b->maps + b->mapped * MAP_PIXELS, MAP_SIDE, MAP_SIDE, result.map, result.width,
                          result.height);
        status = flaw_dataset_mask(b->masks + b->mapped * MAP_PIXELS, &b->set, item, MAP_SIDE, MAP_SIDE, err);
        b->mapped++;
    }
    b->score[i] = (float)result.score;
    const bool bad = item->label == FLAW_LABEL_BAD;
    b->bad[i] = bad;
    b->good += !bad;
    b->false_alarms += !bad && result.verdict != FLAW_NORMAL;
    b->misses += bad && result.verdict == FLAW_NORMAL;
    flaw_result_release(&result);
    b->done++;
    if (status == FLAW_OK && b->progress && b->progress(b->context, b->done, b->total, "judging"))
        status = flaw_fail(err, FLAW_USAGE, "evaluation of '%s': cancelled", b->options->dataset);
    return status;
}

static flaw_status pixel_figures(flaw_eval_figures *out, const bench *b, flaw_error *err)
{
    size_t n = b->mapped;
    const float **maps = malloc((n + 1) * sizeof *maps);
    const uint8_t **masks = malloc((n + 1) * sizeof *masks);
    int *sides = malloc((n + 1) * sizeof *sides);
    flaw_status status = FLAW_OK;
    if (!maps || !masks || !sides) status = flaw_fail(err, FLAW_NO_MEMORY, "pixel figures of %zu maps", n);
    for (size_t i = 0; i < n && status == FLAW_OK; i++) {
        maps[i] = b->maps + i * MAP_PIXELS;
        masks[i] = b->masks + i * MAP_PIXELS;
        sides[i] = MAP_SIDE;
    }
    if (status == FLAW_OK) status = flaw_auroc(&out->pixel_auroc, b->maps, b->masks, n * MAP_PIXELS, err);
    if (status == FLAW_OK) status = flaw_f1_max(&out->pixel_f1, b->maps, b->masks, n * MAP_PIXELS, err);
    if (status == FLAW_OK) status = flaw_pro(&out->pixel_pro, maps, masks, sides, sides, n, PRO_LIMIT, err);
    free(maps);
    free(masks);
    free(sides);
    return status;
}

static flaw_status figures_of(flaw_eval_figures *out, const bench *b, flaw_error *err)
{
    size_t n = b->tested, bad = n - b->good;
    flaw_status status = flaw_auroc(&out->image_auroc, b->score, b->bad, n, err);
    if (status == FLAW_OK) status = flaw_average_precision(&out->image_ap, b->score, b->bad, n, err);
    if (status == FLAW_OK) status = flaw_f1_max(&out->image_f1, b->score, b->bad, n, err);
    if (status == FLAW_OK) status = pixel_figures(out, b, err);
    out->false_alarms = b->good ? (double)b->false_alarms / (double)b->good : NAN;
    out->misses = bad ? (double)b->misses / (double)bad : NAN;
    return status;
}

static flaw_status run_draw(flaw_eval_figures *out, bench *b, const flaw_engine *engine, size_t shots, int draw,
                            flaw_error *err)
{
    const char **good = calloc(shots + 1, sizeof *good);
    if (!good) return flaw_fail(err, FLAW_NO_MEMORY, "drawing %zu good parts", shots);
    flaw_inspect_options inspect = b->options->inspect;
    inspect.object = b->options->object ? b->options->object : b->set.object;
    inspect.good = good;
    inspect.good_count = shots;
    flaw_inspector *inspector = NULL;
    flaw_status status = draw_parts(b, good, shots, draw, err);
    if (status == FLAW_OK) status = flaw_inspector_new(&inspector, engine, &inspect, NULL, NULL, err);
    for (size_t i = 0; i < b->tested && status == FLAW_OK; i++) status = judge_one(b, inspector, i, err);
    if (status == FLAW_OK) status = figures_of(out, b, err);
    flaw_inspector_free(inspector);
    free(good);
    return status;
}

/* Mean and sample deviation (n - 1) of each figure; the deviation of one draw is NaN. */
static void summarise(flaw_eval_result *out, const flaw_eval_figures *draw, int draws)
{
    enum { FIGURES = sizeof(flaw_eval_figures) / sizeof(double) };
    double value[FIGURES], mean[FIGURES] = {0}, sd[FIGURES] = {0};
    for (int d = 0; d < draws; d++) {
        memcpy(value, &draw[d], sizeof value);
        for (int f = 0; f < FIGURES; f++) mean[f] += value[f] / draws;
    }
    for (int d = 0; d < draws; d++) {
        memcpy(value, &draw[d], sizeof value);
        for (int f = 0; f < FIGURES; f++) sd[f] += (value[f] - mean[f]) * (value[f] - mean[f]);
    }
    for (int f = 0; f < FIGURES; f++) sd[f] = draws > 1 ? sqrt(sd[f] / (draws - 1)) : NAN;
    memcpy(&out->mean, mean, sizeof mean);
    memcpy(&out->sd, sd, sizeof sd);
}

flaw_status flaw_eval_run(flaw_eval_result *out, const flaw_engine *engine, const flaw_eval_options *options,
                          flaw_progress progress, void *context, flaw_error *err)
{
    bench b;
    size_t shots = 0;
    flaw_status status = bench_open(&b, options, err);
    if (status != FLAW_OK) return status;
    status = shots_of(&shots, &b, err);
    /* Without good parts, or with all of them, every draw is the same. */
    int draws = shots == 0 || shots == b.set.references ? 1 : options->draws > 0 ? options->draws : 5;
    flaw_eval_figures *draw = calloc((size_t)draws, sizeof *draw);
    if (!draw && status == FLAW_OK) status = flaw_fail(err, FLAW_NO_MEMORY, "figures of %d draws", draws);
    b.progress = progress;
    b.context = context;
    b.total = (b.set.tests + (b.set.references_tested ? b.set.references - shots : 0)) * (size_t)draws;
    for (int d = 0; d < draws && status == FLAW_OK; d++) status = run_draw(&draw[d], &b, engine, shots, d, err);
    if (status == FLAW_OK) {
        flaw_eval_result result = {.draws = draws, .good = (int)b.good, .bad = (int)(b.tested - b.good)};
        for (size_t i = 0; i < b.tested; i++) result.masks += b.picture[i]->masks > 0;
        summarise(&result, draw, draws);
        *out = result;
    }
    free(draw);
    bench_close(&b);
    return status;
}
