/* flaw ablation alfa: what each part of ALFA brings, beginning with WinCLIP. */
#include <jansson.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "commands.h"
#include "flaw/dataset.h"
#include "flaw/eval.h"

enum { COLUMNS = 6 };

/* A row of the table; what is not named is as the model's own default has it. */
typedef struct arm {
    const char *title, *method, *rule, *windows, *score;
    double lambda; /* 0: the default */
    int shots;
} arm;

static const arm arm_table[] = {
    {"WinCLIP: fixed templates", "winclip", NULL, NULL, NULL, 0, 0},
    {"a language model's sentences instead", "alfa", "none", "on", "cls", INFINITY, 0},
    {"  + contextual scoring, overlap (O)", "alfa", "overlap", "on", "cls", INFINITY, 0},
    {"  + contextual scoring, relevance (R)", "alfa", "relevance", "on", "cls", INFINITY, 0},
    {"  + contextual scoring, soft (S)", "alfa", "soft", "on", "cls", INFINITY, 0},
    {"    O + aligner, lambda 0.1", "alfa", "overlap", "on", "cls", 0.1, 0},
    {"    O + aligner, lambda 1", "alfa", "overlap", "on", "cls", 1, 0},
    {"    O + aligner, lambda 10", "alfa", "overlap", "on", "cls", 10, 0},
    {"    O + aligner, lambda 100", "alfa", "overlap", "on", "cls", 100, 0},
    {"ALFA as this model has it", "alfa", NULL, NULL, NULL, 0, 0},
    {"WinCLIP+ with 1 good part", "winclip+", NULL, NULL, NULL, 0, 1},
    {"ALFA+ with 1 good part", "alfa+", NULL, NULL, NULL, 0, 1},
    {"ALFA+ with 4 good parts, or all there are", "alfa+", NULL, NULL, NULL, 0, 4},
};
enum { ARMS = sizeof arm_table / sizeof *arm_table };

static const struct {
    const char *title;
    size_t offset;
} column_table[COLUMNS] = {
    {"AUROC", offsetof(flaw_eval_figures, image_auroc)},    {"AP", offsetof(flaw_eval_figures, image_ap)},
    {"F1", offsetof(flaw_eval_figures, image_f1)},          {"px AUROC", offsetof(flaw_eval_figures, pixel_auroc)},
    {"px PRO", offsetof(flaw_eval_figures, pixel_pro)},     {"px F1", offsetof(flaw_eval_figures, pixel_f1)},
};
static const char *const column_key[COLUMNS] = {"image_auroc", "image_ap",  "image_f1",
                                                "pixel_auroc", "pixel_pro", "pixel_f1"};
enum { PRO = 4 };

/* [group, arm, column]; a group is an argument: a data set, or a folder of them with their mean. */
typedef struct result {
    double *figure;
    size_t groups;
} result;

static double *cell(const result *r, size_t group, int a, int column)
{
    return &r->figure[(group * ARMS + (size_t)a) * COLUMNS + (size_t)column];
}

static double mean_of(const result *r, int a, int column)
{
    double sum = 0;
    for (size_t g = 0; g < r->groups; g++) sum += *cell(r, g, a, column);
    return sum / (double)r->groups;
}

static flaw_status take(const result *r, size_t group, int a, const flaw_eval *eval, flaw_error *err)
{
    size_t rows = flaw_eval_count(eval);
    for (size_t i = 0; i < rows; i++) {
        const flaw_eval_row *row = flaw_eval_at(eval, i);
        if (row->failed)
            return flaw_fail(err, FLAW_BAD_DATA, "ablation of '%s': %zu pictures could not be judged; first: %s",
                             row->dataset, row->failed, row->failure);
        for (int c = 0; c < COLUMNS; c++)
            *cell(r, group, a, c) +=
                *(const double *)((const char *)&row->mean + column_table[c].offset) / (double)rows;
    }
    return FLAW_OK;
}

/* Good parts that every data set of a group has: an arm is given no more. */
static flaw_status least_parts(int *out, const char *dataset, const cli_settings *s, flaw_error *err)
{
    flaw_dataset_list list = {0};
    flaw_status status = flaw_dataset_find(&list, dataset, s->layout, err);
    *out = INT_MAX;
    for (size_t i = 0; i < list.count && status == FLAW_OK; i++) {
        flaw_dataset set;
        status = flaw_dataset_open(&set, &list.entry[i], err);
        if (status != FLAW_OK) break;
        if (set.references < (size_t)*out) *out = (int)set.references;
        flaw_dataset_close(&set);
    }
    flaw_dataset_list_release(&list);
    return status;
}

/* `parts`: good parts that there are to be given. */
static flaw_status run_arm(const result *r, size_t group, int a, const flaw_engine *engine, const char *dataset,
                           int parts, const cli_settings *s, flaw_error *err)
{
    const arm *part = &arm_table[a];
    int shots = part->shots < parts ? part->shots : parts;
    flaw_eval_options o = {.dataset = &dataset,
                           .datasets = 1,
                           .layout = s->layout,
                           .object = s->object,
                           .method = &part->method,
                           .methods = 1,
                           .shots = &shots,
                           .shot_counts = 1,
                           .seeds = (int)s->seeds,
                           .seed = (unsigned long long)s->seed};
    flaw_inspect_defaults(&o.inspect);
    o.inspect.prompts = strcmp(part->method, "alfa") ? NULL : s->prompts;
    if (part->rule) o.inspect.rule = part->rule;
    if (part->windows) o.inspect.windows = part->windows;
    if (part->score) o.inspect.score = part->score;
    if (part->lambda > 0) o.inspect.lambda = part->lambda;
    flaw_eval *eval = NULL;
    cli_progress progress = cli_progress_begin(s);
    flaw_status status = flaw_eval_run(&eval, engine, &o, cli_progress_step, &progress, err);
    cli_progress_clear(&progress);
    if (status == FLAW_OK) status = take(r, group, a, eval, err);
    flaw_eval_free(eval);
    return status;
}

/* --- what comes out --- */

static void print_table(const char *title, const result *r, size_t group, bool mean)
{
    cli_print_safe(stdout, title);
    printf(" (percent)\n%-42s", "");
    for (int c = 0; c < COLUMNS; c++) printf(" %8s", column_table[c].title);
    puts("  PRO / WinCLIP's");
    for (int a = 0; a < ARMS; a++) {
        double first = mean ? mean_of(r, 0, PRO) : *cell(r, group, 0, PRO);
        printf("%-42s", arm_table[a].title);
        for (int c = 0; c < COLUMNS; c++) printf(" %8.1f", 100 * (mean ? mean_of(r, a, c) : *cell(r, group, a, c)));
        printf("  %15.2f\n", (mean ? mean_of(r, a, PRO) : *cell(r, group, a, PRO)) / first);
    }
    fflush(stdout);
}

static void print_json(const char *title, const flaw_engine *engine, const result *r, size_t group, bool mean)
{
    for (int a = 0; a < ARMS; a++) {
        json_t *figures = json_object();
        for (int c = 0; c < COLUMNS; c++) {
            double value = mean ? mean_of(r, a, c) : *cell(r, group, a, c);
            json_object_set_new(figures, column_key[c], cli_json_number(value));
        }
        json_t *line = json_pack("{s:o, s:o, s:s, s:s, s:i, s:o}", "dataset", cli_json_text(title), "model",
                                 cli_json_text(flaw_engine_model_name(engine)), "part", arm_table[a].title, "method",
                                 arm_table[a].method, "shots", arm_table[a].shots, "mean", figures);
        char *text = json_dumps(line, JSON_COMPACT | JSON_REAL_PRECISION(9));
        if (text) puts(text);
        free(text);
        json_decref(line);
    }
    fflush(stdout);
}

static void print_group(const char *title, const flaw_engine *engine, const result *r, size_t group, bool mean,
                        const cli_settings *s)
{
    if (s->json) print_json(title, engine, r, group, mean);
    else print_table(title, r, group, mean);
}

static flaw_status run_all(const flaw_engine *engine, const char *const *dataset, size_t count, const cli_settings *s,
                           flaw_error *err)
{
    result r = {calloc(count * ARMS * COLUMNS, sizeof(double)), count};
    flaw_status status = r.figure ? FLAW_OK : flaw_fail(err, FLAW_NO_MEMORY, "ablation: memory was refused");
    for (size_t g = 0; g < count && status == FLAW_OK; g++) {
        int parts = 0;
        status = least_parts(&parts, dataset[g], s, err);
        for (int a = 0; a < ARMS && status == FLAW_OK; a++) status = run_arm(&r, g, a, engine, dataset[g], parts, s, err);
        if (status == FLAW_OK) print_group(dataset[g], engine, &r, g, false, s);
    }
    if (status == FLAW_OK && count > 1) print_group("mean", engine, &r, 0, true, s);
    free(r.figure);
    return status;
}

int cmd_ablation_alfa(const cli_settings *s)
{
    flaw_error err;
    flaw_engine *engine = NULL;
    size_t count = s->arguments.count - 1;
    if (!count) return cli_wrong_use("ablation alfa: no data set given; usage: flaw ablation alfa DATASET...");
    flaw_status status = cli_open_engine(&engine, s, &err);
    if (status == FLAW_OK) status = run_all(engine, s->arguments.value + 1, count, s, &err);
    flaw_engine_close(engine);
    return status == FLAW_OK ? 0 : cli_report(&err);
}
