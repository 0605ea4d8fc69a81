/* flaw bench: median times of the stations a picture passes, and of opening the engine. */
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "commands.h"
#include "flaw/scenes.h"

/* One picture in file form and in memory. */
typedef struct bench_picture {
    uint8_t *bytes; /* owned */
    size_t size;
    const char *name;
    flaw_picture picture;
} bench_picture;

typedef struct timing {
    double start, decode, embed, words, parts; /* milliseconds, medians; NaN where not measured */
    double gflops;                             /* of the image tower while embedding */
} timing;

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *value, int n)
{
    qsort(value, (size_t)n, sizeof *value, by_value);
    return n % 2 ? value[n / 2] : (value[n / 2 - 1] + value[n / 2]) / 2;
}

static flaw_status read_all(bench_picture *out, const char *path, flaw_error *err)
{
    FILE *file = fopen(path, "rb");
    long size = -1;
    if (!file) return flaw_fail(err, FLAW_MISSING, "picture '%s': cannot be opened", path);
    if (fseek(file, 0, SEEK_END) == 0) size = ftell(file);
    out->bytes = size > 0 ? malloc((size_t)size) : NULL;
    bool good = out->bytes && fseek(file, 0, SEEK_SET) == 0 && fread(out->bytes, 1, (size_t)size, file) == (size_t)size;
    fclose(file);
    if (!good) return flaw_fail(err, FLAW_IO, "picture '%s': cannot be read", path);
    out->size = (size_t)size;
    out->name = path;
    return FLAW_OK;
}

/* The picture of the command line, or a drawn one (which then is not decoded). */
static flaw_status open_sample(bench_picture *out, const cli_settings *s, flaw_error *err)
{
    if (s->arguments.count) {
        flaw_status status = read_all(out, s->arguments.value[0], err);
        if (status != FLAW_OK) return status;
        return flaw_picture_decode(&out->picture, out->bytes, out->size, out->name, err);
    }
    flaw_scene_options options;
    flaw_scene scene;
    flaw_scene_options_init(&options);
    options.size = 512;
    flaw_status status = flaw_scene_draw(&scene, &options, 1, err);
    if (status != FLAW_OK) return status;
    out->picture = scene.picture;
    scene.picture = (flaw_picture){0};
    flaw_scene_release(&scene);
    out->name = "a drawn scene";
    return FLAW_OK;
}

typedef struct station {
    const cli_settings *settings;
    const bench_picture *sample;
    flaw_engine *engine;
    flaw_inspector *inspector;
    float *embedding;
} station;

typedef flaw_status (*timed)(station *at, flaw_error *err);

static flaw_status once_start(station *at, flaw_error *err)
{
    flaw_engine *engine = NULL;
    flaw_status status = cli_open_engine(&engine, at->settings, err);
    flaw_engine_close(engine);
    return status;
}

static flaw_status once_decode(station *at, flaw_error *err)
{
    flaw_picture picture = {0};
    flaw_status status = flaw_picture_decode(&picture, at->sample->bytes, at->sample->size, at->sample->name, err);
    flaw_picture_release(&picture);
    return status;
}

static flaw_status once_embed(station *at, flaw_error *err)
{
    return flaw_embed_picture(at->engine, &at->sample->picture, at->embedding, err);
}

static flaw_status once_judge(station *at, flaw_error *err)
{
    flaw_result result = {0};
    flaw_status status = flaw_inspector_judge(at->inspector, &at->sample->picture, &result, err);
    flaw_result_release(&result);
    return status;
}

/* Median over `rounds` after one round that is not counted. */
static flaw_status measure(double *out, timed what, station *at, int rounds, flaw_error *err)
{
    double *time = malloc((size_t)rounds * sizeof *time);
    flaw_status status = time ? what(at, err) : flaw_fail(err, FLAW_NO_MEMORY, "no memory for %d times", rounds);
    for (int i = 0; i < rounds && status == FLAW_OK; i++) {
        struct timespec begin;
        clock_gettime(CLOCK_MONOTONIC, &begin);
        status = what(at, err);
        time[i] = cli_milliseconds_since(&begin);
    }
    if (status == FLAW_OK) *out = median(time, rounds);
    free(time);
    return status;
}

/* Judging by words, or by comparison where `good` names a picture. */
static flaw_status measure_judging(double *out, station *at, const char *good, int rounds, flaw_error *err)
{
    flaw_inspect_options options;
    cli_inspect_options(&options, at->settings, NULL);
    options.good = &good;
    options.good_count = good != NULL;
    flaw_status status = flaw_inspector_new(&at->inspector, at->engine, &options, NULL, NULL, err);
    if (status == FLAW_OK) status = measure(out, once_judge, at, rounds, err);
    flaw_inspector_free(at->inspector);
    at->inspector = NULL;
    return status;
}

static flaw_status measure_all(timing *t, station *at, flaw_error *err)
{
    int rounds = (int)at->settings->repeat;
    const bool file = at->sample->bytes != NULL;
    *t = (timing){.decode = NAN, .parts = NAN, .words = NAN, .gflops = NAN};
    flaw_status status = measure(&t->start, once_start, at, rounds < 5 ? rounds : 5, err);
    if (status == FLAW_OK) status = cli_open_engine(&at->engine, at->settings, err);
    if (status != FLAW_OK) return status;
    at->embedding = malloc((size_t)flaw_engine_width(at->engine) * sizeof *at->embedding);
    if (!at->embedding) return flaw_fail(err, FLAW_NO_MEMORY, "no memory for an embedding");
    if (file) status = measure(&t->decode, once_decode, at, rounds, err);
    if (status == FLAW_OK) status = measure(&t->embed, once_embed, at, rounds, err);
    if (status == FLAW_OK) t->gflops = flaw_engine_picture_flops(at->engine) / t->embed / 1e6;
    if (status == FLAW_OK && flaw_engine_has_text(at->engine))
        status = measure_judging(&t->words, at, NULL, rounds, err);
    if (status == FLAW_OK && file) status = measure_judging(&t->parts, at, at->sample->name, rounds, err);
    return status;
}

static void print_timing(const cli_settings *s, const bench_picture *sample, const flaw_engine *engine, const timing *t)
{
    const struct {
        const char *key, *title;
        double value;
    } row[] = {
        {"start_ms", "opening the engine, ms", t->start},
        {"decode_ms", "decoding the picture, ms", t->decode},
        {"embed_ms", "preparing and encoding it once, ms", t->embed},
        {"gflops", "image tower meanwhile, GFLOP/s", t->gflops},
        {"words_ms", "judging it by words, ms", t->words},
        {"parts_ms", "judging it by a good part, ms", t->parts},
    };
    const char *model = flaw_engine_model_name(engine), *level = flaw_engine_level(engine);
    const int width = sample->picture.width, height = sample->picture.height;
    json_t *line = json_pack("{s:s, s:s, s:s, s:i, s:i}", "picture", sample->name, "model", model, "level", level, "width",
                             width, "height", height);
    if (!s->json)
        printf("%s, %d x %d, model %s, level %s, medians of %lld\n", sample->name, width, height, model, level,
               (long long)s->repeat);
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        json_object_set_new(line, row[i].key, cli_json_number(row[i].value));
        if (!s->json && isfinite(row[i].value)) printf("  %-36s%9.2f\n", row[i].title, row[i].value);
    }
    char *text = s->json ? json_dumps(line, JSON_COMPACT | JSON_REAL_PRECISION(6)) : NULL;
    if (text) puts(text);
    free(text);
    json_decref(line);
}

int cmd_bench(const cli_settings *s)
{
    if (s->arguments.count > 1) return cli_wrong_use("bench: one picture at most; usage: flaw bench [PICTURE]");
    flaw_error err;
    bench_picture sample = {0};
    station at = {.settings = s, .sample = &sample};
    timing t;
    flaw_status status = open_sample(&sample, s, &err);
    if (status == FLAW_OK) status = measure_all(&t, &at, &err);
    if (status == FLAW_OK) print_timing(s, &sample, at.engine, &t);
    int exit = status == FLAW_OK ? 0 : cli_report(&err);
    flaw_engine_close(at.engine);
    free(at.embedding);
    free(sample.bytes);
    flaw_picture_release(&sample.picture);
    return exit;
}
