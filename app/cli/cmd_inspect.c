/* flaw inspect: judge pictures one after the other; whatever happens to one, the others are still done. */
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "commands.h"

enum { WIDEST = 48 }; /* column of names in the table */

typedef struct inspection {
    const cli_settings *settings;
    flaw_engine *engine;
    flaw_inspector *inspector;
    cli_pictures pictures;
    char **stem;  /* names of written files, with --out */
    size_t width; /* of the column of names */
    bool colours;
    cli_progress progress;
    size_t normal, anomalous, unknown;
    int exit; /* of the first failure */
} inspection;

static void note_failure(inspection *in, const flaw_error *err)
{
    cli_progress_clear(&in->progress);
    int status = cli_report(err);
    if (!in->exit) in->exit = status;
}

/* Length of the folder's name without slashes at its end; "/" stays. */
static int length_of(const char *folder)
{
    size_t length = strlen(folder);
    while (length > 0 && folder[length - 1] == '/') length--;
    return (int)length;
}

/* The files of one picture. `paths` collects those written, as {"overlay": ..., "map": ..., "mask": ...,
 * "explain": ...}. */
static flaw_status write_files(json_t *paths, const inspection *in, const flaw_result *result,
                               const flaw_explanation *explanation, const flaw_picture *picture, size_t index,
                               flaw_error *err)
{
    static const struct {
        const char *key, *ending;
    } kind[] = {{"overlay", "_overlay.png"}, {"map", "_map.npy"}, {"mask", "_mask.png"}, {"explain", ".explain.png"}};
    flaw_status status = FLAW_OK;
    for (int i = 0; i < (explanation->count ? 4 : 3) && status == FLAW_OK; i++) {
        char *path = NULL;
        if (asprintf(&path, "%.*s/%s%s", length_of(in->settings->out), in->settings->out, in->stem[index],
                     kind[i].ending) < 0)
            return flaw_fail(err, FLAW_NO_MEMORY, "no memory to name the files of '%s'", in->pictures.path[index]);
        status = i == 0   ? flaw_result_write_overlay(result, picture, path, err)
                 : i == 1 ? flaw_result_write_map(result, path, err)
                 : i == 2 ? flaw_result_write_mask(result, path, err)
                          : flaw_explanation_write_chart(explanation, path, err);
        if (status == FLAW_OK) json_object_set_new(paths, kind[i].key, cli_json_text(path));
        free(path);
    }
    return status;
}

/* `line` with what the sentences did; takes it over. NULL without memory. */
static char *add_explanation(char *line, const flaw_explanation *explanation)
{
    json_t *root = line ? json_loads(line, 0, NULL) : NULL;
    free(line);
    line = !root || cli_set_explanation(root, explanation) ? NULL
                                                           : json_dumps(root, JSON_COMPACT | JSON_REAL_PRECISION(9));
    json_decref(root);
    return line;
}

static void print_json(inspection *in, const flaw_result *result, const flaw_explanation *explanation,
                       const char *image, json_t *paths)
{
    char *files = json_object_size(paths) ? json_dumps(paths, JSON_COMPACT) : NULL;
    char *line = flaw_result_json(result, image, flaw_engine_model_name(in->engine), files);
    free(files);
    if (in->settings->explain) line = add_explanation(line, explanation);
    if (!line) {
        flaw_error err;
        flaw_fail(&err, FLAW_NO_MEMORY, "'%s': no memory to write its JSON line", image);
        note_failure(in, &err);
        return;
    }
    puts(line);
    fflush(stdout);
    free(line);
}

static const char *colour_of(const inspection *in, flaw_verdict verdict)
{
    if (!in->colours) return "";
    return verdict == FLAW_NORMAL ? "\033[32m" : verdict == FLAW_ANOMALOUS ? "\033[1;31m" : "\033[33m";
}

static void print_number(double value)
{
    if (isfinite(value)) printf("%8.4f", value);
    else printf("%8s", "-");
}

/* Picture, verdict, score and limit, with `between` after each but the last. */
static void print_cells(const inspection *in, const flaw_result *result, const char *image, const char *between)
{
    cli_print_cell(stdout, image, in->width);
    printf("%s%s%-9s%s%s", between, colour_of(in, result->verdict), flaw_verdict_name(result->verdict),
           in->colours ? "\033[0m" : "", between);
    print_number(result->score);
    fputs(between, stdout);
    print_number(result->threshold);
}

static void print_row(inspection *in, const flaw_result *result, const flaw_explanation *explanation,
                      const char *image, json_t *paths)
{
    const char *overlay = json_string_value(json_object_get(paths, "overlay"));
    cli_progress_clear(&in->progress);
    print_cells(in, result, image, "  ");
    fputs("  ", stdout);
    cli_print_safe(stdout, result->words[0] ? result->words : result->doubt[0] ? result->doubt : "could not be judged");
    if (overlay) fputs("\n    overlay: ", stdout);
    if (overlay) cli_print_safe(stdout, overlay);
    fputc('\n', stdout);
    if (explanation->count) cli_print_explanation(explanation, in->colours);
    fflush(stdout);
}

static void print_short(inspection *in, const flaw_result *result, const char *image, json_t *paths)
{
    const char *overlay = json_string_value(json_object_get(paths, "overlay"));
    cli_progress_clear(&in->progress);
    print_cells(in, result, image, "\t");
    if (in->settings->out) fputc('\t', stdout);
    if (in->settings->out) cli_print_safe(stdout, overlay ? overlay : "-");
    fputc('\n', stdout);
    fflush(stdout);
}

static void print_heading(const inspection *in)
{
    cli_print_cell(stdout, "picture", in->width);
    printf("  %-9s  %8s  %8s  %s\n", "verdict", "score", "limit", "words");
}

static void count_verdict(inspection *in, flaw_verdict verdict)
{
    in->normal += verdict == FLAW_NORMAL;
    in->anomalous += verdict == FLAW_ANOMALOUS;
    in->unknown += verdict == FLAW_UNKNOWN;
}

static void judge_one(inspection *in, size_t index)
{
    const char *path = in->pictures.path[index];
    flaw_picture picture = {0};
    flaw_result result = {0};
    flaw_explanation explanation = {0};
    flaw_error err;
    struct timespec begin;
    clock_gettime(CLOCK_MONOTONIC, &begin);
    json_t *paths = json_object();
    flaw_status status = flaw_picture_read(&picture, path, &err);
    if (status == FLAW_OK) status = flaw_inspector_judge(in->inspector, &picture, &result, &err);
    else flaw_inspector_judge_file(in->inspector, path, &result, &err); /* fails too: fills in a result of doubt */
    if (status == FLAW_OK && result.verdict == FLAW_UNKNOWN)
        status = flaw_fail(&err, FLAW_BAD_DATA, "'%s': no verdict: %s", path, result.doubt);
    result.ms = cli_milliseconds_since(&begin);
    if (status == FLAW_OK && in->settings->explain) status = flaw_inspector_explain(in->inspector, &explanation, &err);
    if (status == FLAW_OK && in->settings->out)
        status = write_files(paths, in, &result, &explanation, &picture, index, &err);
    if (status != FLAW_OK) note_failure(in, &err);
    if (in->settings->json) print_json(in, &result, &explanation, path, paths);
    else if (in->settings->terse) print_short(in, &result, path, paths);
    else print_row(in, &result, &explanation, path, paths);
    count_verdict(in, result.verdict);
    json_decref(paths);
    flaw_explanation_release(&explanation);
    flaw_result_release(&result);
    flaw_picture_release(&picture);
}

static void print_summary(const inspection *in)
{
    if (in->settings->json || in->settings->terse) return;
    if (in->settings->out) puts("\nMaps (.npy) and masks lie beside the overlays.");
    if (in->pictures.count < 2) return;
    printf("\n%zu pictures: %zu normal, %zu anomalous, %zu unknown\n", in->pictures.count, in->normal, in->anomalous,
           in->unknown);
    const char *about = flaw_inspector_about(in->inspector);
    if (about && *about) cli_print_wrapped(stdout, about, 0, 110);
}

static void judge_all(inspection *in)
{
    in->progress = cli_progress_begin(in->settings);
    in->colours = cli_colours(stdout);
    in->width = 7;
    for (size_t i = 0; i < in->pictures.count; i++) {
        size_t width = cli_text_width(in->pictures.path[i]);
        if (!in->settings->terse && width > WIDEST) width = WIDEST;
        if (width > in->width) in->width = width;
    }
    if (!in->settings->json && !in->settings->terse && in->pictures.count) print_heading(in);
    for (size_t i = 0; i < in->pictures.count; i++) {
        judge_one(in, i);
        if (i + 1 < in->pictures.count) cli_progress_step(&in->progress, i + 1, in->pictures.count, "judged");
    }
    cli_progress_clear(&in->progress);
    print_summary(in);
}

/* Everything that must work before the first picture is judged. */
static flaw_status prepare(inspection *in, flaw_error *err)
{
    const cli_settings *s = in->settings;
    flaw_status status = FLAW_OK;
    if (s->out) {
        status = cli_make_folder(s->out, err);
        in->stem = cli_unique_stems(in->pictures.path, in->pictures.count);
        if (status == FLAW_OK && !in->stem)
            status = flaw_fail(err, FLAW_NO_MEMORY, "no memory to name the files in --out");
    }
    if (status == FLAW_OK) status = cli_open_engine(&in->engine, s, err);
    if (status == FLAW_OK) status = cli_open_inspector_for(&in->inspector, in->engine, s, &in->pictures, err);
    if (status != FLAW_OK || !s->explain || flaw_inspector_sentences(in->inspector)) return status;
    return flaw_inspector_explain(in->inspector, &(flaw_explanation){0}, err); /* says why there is none */
}

int cmd_inspect(const cli_settings *s)
{
    inspection in = {.settings = s};
    flaw_error err;
    if (s->arguments.count == 0)
        return cli_wrong_use("inspect: no picture given; usage: flaw inspect PICTURE|FOLDER...");
    if (s->json && s->terse) return cli_wrong_use("inspect: --json and --short cannot be given together");
    if (s->explain && s->terse) return cli_wrong_use("inspect: --explain and --short cannot be given together");
    for (size_t i = 0; i < s->arguments.count; i++) cli_pictures_add(&in.pictures, s->arguments.value[i]);
    in.exit = flaw_status_exit(in.pictures.first.status);
    if (in.pictures.count) {
        if (prepare(&in, &err) == FLAW_OK) judge_all(&in);
        else in.exit = cli_report(&err);
    }
    if (!in.exit && s->fail_on_anomaly && in.anomalous + in.unknown) in.exit = 1;
    flaw_inspector_free(in.inspector);
    flaw_engine_close(in.engine);
    cli_free_strings(in.stem, in.pictures.count);
    cli_pictures_release(&in.pictures);
    return in.exit;
}
