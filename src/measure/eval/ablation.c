/* The ablation over one data set: every test picture is looked at once by each model, and asked about. */
#include "flaw/ablation.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/random.h"
#include "detect/regions.h"
#include "flaw/dataset.h"
#include "flaw/metrics.h"
#include "flaw/simulate.h"
#include "image/resize.h"
#include "measure/eval/dialogue.h"

enum { MAP_SIDE = 256, MAP_PIXELS = MAP_SIDE * MAP_SIDE, NORMALS = 50, QUESTION_ROOM = 2048 };

const char *flaw_ablation_title(flaw_ablation_row row)
{
    static const char *const titles[FLAW_ABLATION_ROWS] = {"language model alone",
                                                           "decoder, limit from normal pictures",
                                                           "decoder, adapters (LoRA)", "decoder, prompt learner"};
    return row >= 0 && row < FLAW_ABLATION_ROWS ? titles[row] : NULL;
}

double flaw_ablation_paper(flaw_ablation_row row, int visa)
{
    static const double accuracy[FLAW_ABLATION_ROWS][2] = {
        {0.722, 0.565}, {0.903, 0.754}, {0.839, 0.727}, {0.933, 0.774}};
    return row >= 0 && row < FLAW_ABLATION_ROWS ? accuracy[row][visa != 0] : NAN;
}

void flaw_ablation_defaults(flaw_ablation_options *options)
{
    *options = (flaw_ablation_options){0};
    flaw_talk_defaults(&options->talk);
}

/* Scores and maps of one model over the test pictures. */
typedef struct scores {
    float *score; /* [tests] */
    float *maps;  /* [mapped, MAP_SIDE, MAP_SIDE] */
    size_t mapped;
} scores;

struct flaw_ablation {
    const flaw_ablation_options *options;
    flaw_talker *talker, *adapter; /* NULL until the first data set */
};

typedef struct bench {
    const flaw_ablation_options *options;
    const flaw_dataset_entry *dataset;
    flaw_ablation_result *out;
    flaw_dataset set;
    const char **good; /* [shots] pictures to compare with, then the other references */
    size_t shots;
    char object[200], question[QUESTION_ROOM];
    flaw_talker *talker, *adapter; /* the ablation's */
    uint8_t *bad;   /* [tests] */
    uint8_t *masks; /* [mapped, MAP_SIDE, MAP_SIDE] */
    scores full, adapted;
    flaw_dialogue_tally tally[FLAW_ABLATION_ROWS];
    flaw_progress progress;
    void *context;
    size_t done, total;
} bench;

static void scores_release(scores *s)
{
    free(s->score);
    free(s->maps);
}

static void bench_close(bench *b)
{
    scores_release(&b->full);
    scores_release(&b->adapted);
    free(b->bad);
    free(b->masks);
    free(b->good);
    flaw_dataset_close(&b->set);
}

static flaw_status make_room(bench *b, flaw_error *err)
{
    size_t mapped = 0, bytes;
    for (size_t i = 0; i < b->set.tests; i++) mapped += flaw_dataset_has_map(&b->set.test[i]) != 0;
    if (!flaw_mul_ok(&bytes, mapped + 1, MAP_PIXELS * sizeof(float))) bytes = SIZE_MAX;
    bool adapter = b->options->adapter != NULL;
    b->bad = calloc(b->set.tests + 1, 1);
    b->masks = malloc(bytes / sizeof(float));
    b->full = (scores){.score = calloc(b->set.tests + 1, sizeof(float)), .maps = malloc(bytes)};
    b->adapted = (scores){.score = calloc(b->set.tests + 1, sizeof(float)), .maps = malloc(adapter ? bytes : 1)};
    if (b->bad && b->masks && b->full.score && b->full.maps && b->adapted.score && b->adapted.maps) return FLAW_OK;
    return flaw_fail(err, FLAW_NO_MEMORY, "ablation on '%s': no memory for %zu pictures", b->dataset->root,
                     b->set.tests);
}

/* The references in the order of a shuffle (Fisher and Yates): the first `shots` are compared with. */
static flaw_status draw_good(bench *b, flaw_error *err)
{
    size_t n = b->set.references;
    b->shots = b->options->shots < 0 ? n : (size_t)b->options->shots;
    if (b->shots > n)
        return flaw_fail(err, FLAW_USAGE, "data set '%s': %zu good parts asked for, it has %zu to draw from",
                         b->dataset->root, b->shots, n);
    b->good = calloc(n + 1, sizeof *b->good);
    if (!b->good) return flaw_fail(err, FLAW_NO_MEMORY, "drawing %zu good parts", b->shots);
    flaw_random random;
    flaw_random_init(&random, b->options->talk.seed, 0);
    for (size_t i = 0; i < n; i++) b->good[i] = b->set.reference[i].path;
    for (size_t i = 0; i < n; i++) {
        size_t j = i + (size_t)flaw_random_below(&random, (int)(n - i));
        const char *held = b->good[i];
        b->good[i] = b->good[j];
        b->good[j] = held;
    }
    return FLAW_OK;
}

static void choose_question(bench *b)
{
    const char *asked = b->options->question ? b->options->question : "Is there any anomaly in the image?";
    snprintf(b->object, sizeof b->object, "%s", b->options->object ? b->options->object : b->set.object);
    snprintf(b->question, sizeof b->question, "%s", asked);
    if (!b->options->described) return;
    flaw_simulate_question(b->question, sizeof b->question, b->object);
    char *last = strstr(b->question, "Is there any anomaly"); /* its question gives way to ours */
    if (last) snprintf(last, sizeof b->question - (size_t)(last - b->question), "%s", asked);
}

/* A talker for this data set: opened, or told of another product. */
static flaw_status prepare(flaw_talker **talker, const bench *b, const char *model, flaw_error *err)
{
    if (*talker) return flaw_talker_product(*talker, b->object, b->good, b->shots, err);
    flaw_talk_options o = b->options->talk;
    o.model = model;
    o.object = b->object;
    o.good = b->good;
    o.good_count = b->shots;
    return flaw_talker_open(talker, &o, err);
}

static flaw_status prepare_talkers(bench *b, flaw_ablation *a, flaw_error *err)
{
    flaw_status status = prepare(&a->talker, b, b->options->talk.model, err);
    if (status != FLAW_OK) return status;
    b->talker = a->talker;
    snprintf(b->out->model, sizeof b->out->model, "%s", flaw_talker_model(b->talker));
    if (!b->options->adapter) {
        snprintf(b->out->left_out[FLAW_ABLATION_ADAPTER], sizeof b->out->left_out[0],
                 "no model with adapters was given");
        return FLAW_OK;
    }
    status = prepare(&a->adapter, b, b->options->adapter, err);
    b->adapter = a->adapter;
    return status;
}

static flaw_status bench_open(bench *b, flaw_ablation *a, flaw_error *err)
{
    flaw_status status = flaw_dataset_open(&b->set, b->dataset, err);
    if (status == FLAW_OK) status = flaw_dataset_testable(&b->set, err);
    if (status != FLAW_OK) return status;
    choose_question(b);
    status = draw_good(b, err);
    if (status == FLAW_OK) status = make_room(b, err);
    return status == FLAW_OK ? prepare_talkers(b, a, err) : status;
}

static flaw_status step(bench *b, const char *what, flaw_error *err)
{
    b->done++;
    if (!b->progress || !b->progress(b->context, b->done, b->total, what)) return FLAW_OK;
    return flaw_fail(err, FLAW_USAGE, "ablation on '%s': cancelled", b->dataset->root);
}

/* Look at a picture; what was measured on it. */
static flaw_status look(const flaw_result **out, flaw_talker *talker, const char *path, flaw_error *err)
{
    flaw_status status = flaw_talker_look_file(talker, path, err);
    if (status != FLAW_OK) return status;
    *out = flaw_talker_facts(talker);
    if (*out && (*out)->map) return FLAW_OK;
    return flaw_fail(err, FLAW_BAD_DATA, "'%s': no verdict: %s", path, *out ? (*out)->doubt : "nothing was measured");
}

static size_t normals_of(const bench *b)
{
    size_t left = b->set.references - b->shots, most = b->options->normals > 0 ? (size_t)b->options->normals : NORMALS;
    return left < most ? left : most;
}

/* The paper's: the largest score of normal pictures that are not compared with. Where none are left, the model's own
 * limit stands in. */
static flaw_status find_limit(bench *b, flaw_error *err)
{
    flaw_status status = FLAW_OK;
    b->out->limit = NAN;
    b->out->normals = (int)normals_of(b);
    for (size_t i = 0; i < normals_of(b) && status == FLAW_OK; i++) {
        const flaw_result *facts = NULL;
        status = look(&facts, b->talker, b->good[b->shots + i], err);
        if (status == FLAW_OK) b->out->limit = fmax(b->out->limit, facts->score); /* fmax passes over NaN */
        if (status == FLAW_OK) status = step(b, "measuring the limit", err);
    }
    return status;
}

static flaw_status truth_of(flaw_dialogue_truth *out, bench *b, const flaw_dataset_item *item, flaw_error *err)
{
    *out = (flaw_dialogue_truth){.anomalous = item->label == FLAW_LABEL_BAD};
    if (!flaw_dataset_has_map(item)) return FLAW_OK;
    uint8_t *mask = b->masks + b->full.mapped * MAP_PIXELS;
    flaw_status status = flaw_dataset_mask(mask, &b->set, item, MAP_SIDE, MAP_SIDE, err);
    if (status != FLAW_OK || !out->anomalous) return status;
    b->out->masks++;
    return flaw_dialogue_truth_of(out, mask, MAP_SIDE, MAP_SIDE, item->path, err);
}

static void keep_map(scores *s, size_t i, const flaw_dataset_item *item, const flaw_result *facts)
{
    s->score[i] = (float)facts->score;
    if (flaw_dataset_has_map(item))
        flaw_map_upsample(s->maps + s->mapped++ * MAP_PIXELS, MAP_SIDE, MAP_SIDE, facts->map, facts->width,
                          facts->height);
}

/* What the map says against the limit, in the form of an answer: regions over it, and their places. */
static flaw_status answer_of_map(flaw_answer *out, const bench *b, const flaw_result *facts, flaw_error *err)
{
    flaw_region region[FLAW_MAX_REGIONS];
    double limit = isfinite(b->out->limit) ? b->out->limit : facts->threshold;
    *out = (flaw_answer){.verdict = facts->score > limit ? FLAW_ANOMALOUS : FLAW_NORMAL};
    if (out->verdict == FLAW_NORMAL) return FLAW_OK;
    flaw_status status =
        flaw_regions_find(region, FLAW_MAX_REGIONS, &out->count, facts->map, facts->width, facts->height, limit, err);
    for (int i = 0; i < out->count && status == FLAW_OK; i++) {
        bool again = false;
        for (int k = 0; k < out->places; k++) again |= strcmp(out->place[k], region[i].place) == 0;
        if (!again) snprintf(out->place[out->places++], sizeof out->place[0], "%s", region[i].place);
    }
    return status;
}

static flaw_status ask(bench *b, flaw_ablation_row row, flaw_talker *talker, const flaw_dialogue_truth *truth,
                       flaw_error *err)
{
    flaw_answer answer = {0};
    flaw_status status = flaw_talker_ask(talker, b->question, NULL, NULL, &answer, err);
    if (status == FLAW_OK) flaw_dialogue_add(&b->tally[row], truth, &answer);
    if (row == FLAW_ABLATION_FULL && answer.note[0]) snprintf(b->out->note, sizeof b->out->note, "%.190s", answer.note);
    flaw_answer_release(&answer);
    return status;
}

/* The language model without what the map says; the row is left out where the model has no voice of its own. */
static flaw_status ask_alone(bench *b, const flaw_dialogue_truth *truth, flaw_error *err)
{
    char *why = b->out->left_out[FLAW_ABLATION_LANGUAGE];
    flaw_error alone;
    if (*why) return FLAW_OK;
    flaw_status status = flaw_talker_blindfold(b->talker, &alone);
    if (status == FLAW_UNAVAILABLE) snprintf(why, sizeof b->out->left_out[0], "%.190s", alone.text);
    if (status == FLAW_UNAVAILABLE) return FLAW_OK;
    if (status != FLAW_OK) return flaw_fail(err, status, "%s", alone.text);
    return ask(b, FLAW_ABLATION_LANGUAGE, b->talker, truth, err);
}

static flaw_status judge_one(bench *b, size_t i, flaw_error *err)
{
    const flaw_dataset_item *item = &b->set.test[i];
    const flaw_result *facts = NULL;
    flaw_dialogue_truth truth;
    flaw_answer by_map;
    b->bad[i] = item->label == FLAW_LABEL_BAD;
    b->out->good += !b->bad[i];
    b->out->bad += b->bad[i];
    flaw_status status = truth_of(&truth, b, item, err);
    if (status == FLAW_OK) status = look(&facts, b->talker, item->path, err);
    if (status != FLAW_OK) return status;
    keep_map(&b->full, i, item, facts);
    status = answer_of_map(&by_map, b, facts, err);
    if (status == FLAW_OK) flaw_dialogue_add(&b->tally[FLAW_ABLATION_LIMIT], &truth, &by_map);
    if (status == FLAW_OK) status = ask(b, FLAW_ABLATION_FULL, b->talker, &truth, err);
    if (status == FLAW_OK) status = ask_alone(b, &truth, err);
    if (status == FLAW_OK && b->adapter) status = look(&facts, b->adapter, item->path, err);
    if (status == FLAW_OK && b->adapter) {
        keep_map(&b->adapted, i, item, facts);
        status = ask(b, FLAW_ABLATION_ADAPTER, b->adapter, &truth, err);
    }
    return status == FLAW_OK ? step(b, "asking", err) : status;
}

static flaw_status auroc_of(flaw_ablation_figures *out, const bench *b, const scores *s, flaw_error *err)
{
    flaw_status status = flaw_auroc(&out->image_auroc, s->score, b->bad, b->set.tests, err);
    if (status != FLAW_OK) return status;
    return flaw_auroc(&out->pixel_auroc, s->maps, b->masks, s->mapped * MAP_PIXELS, err);
}

static flaw_status figures_of(bench *b, flaw_error *err)
{
    flaw_status status = FLAW_OK;
    for (int row = 0; row < FLAW_ABLATION_ROWS && status == FLAW_OK; row++) {
        flaw_ablation_figures *f = &b->out->row[row];
        f->image_auroc = f->pixel_auroc = NAN;
        flaw_dialogue_figures(f, &b->tally[row]);                                /* of an empty tally: all NaN */
        if (b->out->left_out[row][0] || row == FLAW_ABLATION_LANGUAGE) continue; /* alone it has no map */
        status = auroc_of(f, b, row == FLAW_ABLATION_ADAPTER ? &b->adapted : &b->full, err);
    }
    return status;
}

flaw_status flaw_ablation_new(flaw_ablation **out, const flaw_ablation_options *options, flaw_error *err)
{
    flaw_ablation *a = calloc(1, sizeof *a);
    if (!a) return flaw_fail(err, FLAW_NO_MEMORY, "an ablation was refused");
    a->options = options;
    *out = a;
    return FLAW_OK;
}

void flaw_ablation_free(flaw_ablation *a)
{
    if (!a) return;
    flaw_talker_close(a->talker);
    flaw_talker_close(a->adapter);
    free(a);
}

flaw_status flaw_ablation_run(flaw_ablation *a, flaw_ablation_result *out, const flaw_dataset_entry *dataset,
                              flaw_progress progress, void *context, flaw_error *err)
{
    flaw_ablation_result result = {0};
    bench b = {.options = a->options, .dataset = dataset, .out = &result, .progress = progress, .context = context};
    flaw_status status = bench_open(&b, a, err);
    if (status == FLAW_OK) b.total = b.set.tests + normals_of(&b);
    if (status == FLAW_OK) status = find_limit(&b, err);
    for (size_t i = 0; i < b.set.tests && status == FLAW_OK; i++) status = judge_one(&b, i, err);
    if (status == FLAW_OK) status = figures_of(&b, err);
    if (status == FLAW_OK) *out = result;
    bench_close(&b);
    return status;
}
