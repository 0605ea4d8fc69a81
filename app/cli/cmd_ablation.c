/* flaw ablation: rows of an AnomalyGPT's parts, measured by what is said. */
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli.h"
#include "commands.h"
#include "flaw/ablation.h"
#include "flaw/scenes.h"

enum { COLUMNS = 8, SHOWN = 5, DRAWN = 400 };

/* The first SHOWN are for people. */
static const struct {
    const char *key, *title;
    size_t offset;
} column_table[COLUMNS] = {
    {"image_auroc", "img AUROC", offsetof(flaw_ablation_figures, image_auroc)},
    {"pixel_auroc", "px AUROC", offsetof(flaw_ablation_figures, pixel_auroc)},
    {"accuracy", "yes/no", offsetof(flaw_ablation_figures, accuracy)},
    {"count", "count", offsetof(flaw_ablation_figures, count)},
    {"place", "place", offsetof(flaw_ablation_figures, place)},
    {"every_place", NULL, offsetof(flaw_ablation_figures, every_place)},
    {"false_alarms", NULL, offsetof(flaw_ablation_figures, false_alarms)},
    {"misses", NULL, offsetof(flaw_ablation_figures, misses)},
};
static const char *const row_keys[FLAW_ABLATION_ROWS] = {"language", "limit", "adapter", "full"};

static double *figure(flaw_ablation_figures *f, int column)
{
    return (double *)((char *)f + column_table[column].offset);
}

static json_t *rows_json(flaw_ablation_result *r)
{
    json_t *rows = json_object();
    for (int i = 0; i < FLAW_ABLATION_ROWS; i++) {
        json_t *row = json_object();
        for (int c = 0; c < COLUMNS; c++) {
            double value = *figure(&r->row[i], c);
            json_object_set_new(row, column_table[c].key, cli_json_number(value));
        }
        if (r->left_out[i][0]) json_object_set_new(row, "left_out", cli_json_text(r->left_out[i]));
        json_object_set_new(
            row, "paper",
            json_pack("{s:f, s:f}", "mvtec", flaw_ablation_paper(i, 0), "visa", flaw_ablation_paper(i, 1)));
        json_object_set_new(rows, row_keys[i], row);
    }
    return rows;
}

static void print_json(const char *dataset, const char *category, const cli_settings *s, flaw_ablation_result *r)
{
    json_t *limit = cli_json_number(r->limit);
    json_t *line =
        json_pack("{s:o, s:o, s:o, s:s, s:i, s:i, s:i, s:i, s:o, s:o, s:o}", "dataset", cli_json_text(dataset),
                  "category", cli_json_text(category), "model",
                  cli_json_text(r->model), "shots", s->shots, "good", r->good, "bad", r->bad, "masks", r->masks,
                  "normals", r->normals, "limit", limit, "note", cli_json_text(r->note), "rows", rows_json(r));
    char *text = json_dumps(line, JSON_COMPACT | JSON_REAL_PRECISION(9));
    if (text) puts(text);
    fflush(stdout);
    free(text);
    json_decref(line);
}

static void print_figure(double value)
{
    if (isfinite(value)) printf("%11.4f", value);
    else printf("%11s", "-");
}

static void print_table(const char *dataset, const char *category, const cli_settings *s, flaw_ablation_result *r)
{
    cli_print_dataset(stdout, dataset, category);
    printf(": %d good and %d bad test pictures, %d masks; model ", r->good, r->bad, r->masks);
    cli_print_safe(stdout, r->model);
    printf(", shots %s\n%-36s", s->shots, "");
    for (int c = 0; c < SHOWN; c++) printf("%11s", column_table[c].title);
    printf("   paper's yes/no: MVTec   VisA\n");
    for (int i = 0; i < FLAW_ABLATION_ROWS; i++) {
        printf("%-36s", flaw_ablation_title(i));
        for (int c = 0; c < SHOWN; c++) print_figure(*figure(&r->row[i], c));
        printf("%24.3f%7.3f\n", flaw_ablation_paper(i, 0), flaw_ablation_paper(i, 1));
    }
    for (int i = 0; i < FLAW_ABLATION_ROWS; i++) {
        if (!r->left_out[i][0]) continue;
        printf("  %s: ", flaw_ablation_title(i));
        cli_print_safe(stdout, r->left_out[i]);
        putchar('\n');
    }
    if (r->note[0]) {
        printf("  %s: ", flaw_ablation_title(FLAW_ABLATION_FULL));
        cli_print_safe(stdout, r->note);
        putchar('\n');
    }
    fflush(stdout);
}

/* Mean over the data sets on which a figure could be measured. */
static flaw_ablation_result mean_of(flaw_ablation_result *each, size_t count)
{
    flaw_ablation_result mean = each[0];
    mean.good = mean.bad = mean.masks = mean.normals = 0;
    mean.limit = NAN;
    for (size_t d = 0; d < count; d++) {
        mean.good += each[d].good;
        mean.bad += each[d].bad;
        mean.masks += each[d].masks;
        mean.normals += each[d].normals;
    }
    for (int i = 0; i < FLAW_ABLATION_ROWS; i++)
        for (int c = 0; c < COLUMNS; c++) {
            double sum = 0, n = 0;
            for (size_t d = 0; d < count; d++) {
                double value = *figure(&each[d].row[i], c);
                if (isfinite(value)) sum += value, n++;
            }
            *figure(&mean.row[i], c) = n > 0 ? sum / n : NAN;
        }
    return mean;
}

static flaw_status run_one(flaw_ablation_result *out, flaw_ablation *ablation, const flaw_dataset_entry *dataset,
                           const cli_settings *s, flaw_error *err)
{
    cli_progress progress = cli_progress_begin(s);
    flaw_status status = flaw_ablation_run(ablation, out, dataset, cli_progress_step, &progress, err);
    cli_progress_clear(&progress);
    if (status != FLAW_OK) return status;
    if (s->json) print_json(dataset->root, dataset->category, s, out);
    else print_table(dataset->root, dataset->category, s, out);
    return FLAW_OK;
}

static void ablation_options(flaw_ablation_options *out, const cli_settings *s, int shots)
{
    flaw_ablation_defaults(out);
    cli_talk_options(&out->talk, s);
    out->object = s->object;
    out->shots = shots;
    out->adapter = s->adapter;
    out->question = s->question;
    out->described = s->described;
}

static int run_all(const cli_settings *s, int shots, const flaw_dataset_entry *dataset, size_t count)
{
    flaw_ablation_result *each = calloc(count + 1, sizeof *each);
    flaw_ablation_options options;
    flaw_ablation *ablation = NULL;
    flaw_error err;
    size_t done = 0;
    ablation_options(&options, s, shots);
    if (!each || flaw_ablation_new(&ablation, &options, &err) != FLAW_OK) count = 0;
    int exit = ablation ? 0 : flaw_status_exit(FLAW_NO_MEMORY);
    for (size_t i = 0; i < count; i++) {
        if (run_one(&each[done], ablation, &dataset[i], s, &err) == FLAW_OK) done++;
        else if (!exit) exit = cli_report(&err);
        else cli_report(&err);
    }
    if (done > 1) {
        flaw_ablation_result mean = mean_of(each, done);
        if (s->json) print_json("mean", "mean", s, &mean);
        else print_table("mean over data sets", "", s, &mean);
    }
    flaw_ablation_free(ablation);
    free(each);
    return exit;
}

typedef struct drawing {
    cli_progress progress;
} drawing;

static bool drawn(void *context, int done, int total)
{
    drawing *d = context;
    return cli_progress_step(&d->progress, (size_t)done, (size_t)total, "drawn") == 0;
}

/* Of each kind at least one good picture to compare with, one to test, and two anomalous ones. */
static int least_scenes(void)
{
    int kinds = 0;
    for (int i = 0; i < flaw_scene_kind_count(); i++) kinds += flaw_scene_kind_held_out(i);
    return 4 * kinds;
}

/* Held-out kinds, half of the pictures anomalous. A folder that is there already stays as it is. */
static flaw_status draw_scenes(const char *folder, const cli_settings *s, flaw_error *err)
{
    struct stat info;
    if (stat(folder, &info) == 0)
        return flaw_fail(err, FLAW_USAGE, "'%s' is there already: flaw ablation '%s' measures on it", folder, folder);
    flaw_scenes_options options;
    flaw_scenes_options_init(&options);
    options.count = s->count ? (int)s->count : DRAWN;
    if (options.count < least_scenes()) options.count = least_scenes();
    options.split = FLAW_SPLIT_HELD_OUT;
    options.anomalous_share = 0.5;
    options.seed = (uint64_t)s->seed;
    drawing work = {cli_progress_begin(s)};
    flaw_status status = flaw_scenes_write(folder, &options, drawn, &work, err);
    cli_progress_clear(&work.progress);
    return status;
}

static flaw_status find(flaw_dataset_list *list, const cli_settings *s, flaw_error *err)
{
    flaw_status status = FLAW_OK;
    for (size_t i = 0; i < s->arguments.count && status == FLAW_OK; i++)
        status = flaw_dataset_find(list, s->arguments.value[i], s->layout, err);
    if (status != FLAW_OK || s->arguments.count) return status;
    char *folder = NULL;
    if (asprintf(&folder, "%s/scenes", s->out) < 0) return flaw_fail(err, FLAW_NO_MEMORY, "no memory for a path");
    status = draw_scenes(folder, s, err);
    if (status == FLAW_OK) status = flaw_dataset_find(list, folder, NULL, err);
    free(folder);
    return status;
}

int cmd_ablation(const cli_settings *s)
{
    int shots;
    if (s->arguments.count && strcmp(s->arguments.value[0], "alfa") == 0) return cmd_ablation_alfa(s);
    if (!s->arguments.count && !s->out)
        return cli_wrong_use("ablation: no data set given; usage: flaw ablation DATASET... | --out DIR");
    if (s->arguments.count && s->out)
        return cli_wrong_use("ablation: --out is for drawn scenes, and a data set was given");
    if (!cli_read_shots(&shots, s->shots))
        return cli_wrong_use("--shots: '%.80s' is neither a number from 0 nor all", s->shots);
    flaw_error err;
    flaw_dataset_list list = {0};
    flaw_status status = find(&list, s, &err);
    int exit = status == FLAW_OK ? run_all(s, shots, list.entry, list.count) : cli_report(&err);
    flaw_dataset_list_release(&list);
    return exit;
}
