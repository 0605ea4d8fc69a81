/* flaw eval: figures of a method on data sets, mean and deviation over draws. */
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "commands.h"
#include "flaw/measure.h"

enum { FIGURES = 8 };

static const struct {
    const char *key, *title;
    size_t offset;
} figure_table[FIGURES] = {
    {"image_auroc", "image AUROC", offsetof(flaw_eval_figures, image_auroc)},
    {"image_ap", "image AP", offsetof(flaw_eval_figures, image_ap)},
    {"image_f1", "image F1", offsetof(flaw_eval_figures, image_f1)},
    {"pixel_auroc", "pixel AUROC", offsetof(flaw_eval_figures, pixel_auroc)},
    {"pixel_pro", "pixel PRO", offsetof(flaw_eval_figures, pixel_pro)},
    {"pixel_f1", "pixel F1", offsetof(flaw_eval_figures, pixel_f1)},
    {"false_alarms", "false alarms", offsetof(flaw_eval_figures, false_alarms)},
    {"misses", "misses", offsetof(flaw_eval_figures, misses)},
};

static double figure(const flaw_eval_figures *f, int i)
{
    return *(const double *)((const char *)f + figure_table[i].offset);
}

static json_t *figures_json(const flaw_eval_figures *f)
{
    json_t *object = json_object();
    for (int i = 0; i < FIGURES; i++)
        json_object_set_new(object, figure_table[i].key,
                            isfinite(figure(f, i)) ? json_real(figure(f, i)) : json_null());
    return object;
}

static void print_json(const char *dataset, const flaw_engine *engine, const cli_settings *s, const flaw_eval_result *r)
{
    json_t *line = json_pack("{s:o, s:s, s:s, s:s, s:i, s:i, s:i, s:i, s:o, s:o}", "dataset", cli_json_text(dataset),
                             "model", flaw_engine_model_name(engine), "method", s->method ? s->method : "auto", "shots",
                             s->shots, "draws", r->draws, "good", r->good, "bad", r->bad, "masks", r->masks, "mean",
                             figures_json(&r->mean), "sd", figures_json(&r->sd));
    char *text = json_dumps(line, JSON_COMPACT | JSON_REAL_PRECISION(9));
    if (text) puts(text);
    fflush(stdout);
    free(text);
    json_decref(line);
}

static void print_table(const char *dataset, const cli_settings *s, const flaw_eval_result *r)
{
    cli_print_safe(stdout, dataset);
    printf(": %d good and %d bad test pictures, %d masks; shots %s, method %s, %d %s\n", r->good, r->bad, r->masks,
           s->shots, s->method ? s->method : "auto", r->draws, r->draws == 1 ? "draw" : "draws");
    for (int i = 0; i < FIGURES; i++) {
        printf("  %-13s", figure_table[i].title);
        if (isfinite(figure(&r->mean, i))) printf("  %.4f", figure(&r->mean, i));
        else printf("       -");
        if (isfinite(figure(&r->sd, i))) printf(" +- %.4f", figure(&r->sd, i));
        putchar('\n');
    }
    fflush(stdout);
}

/* Mean over data sets of the means; their deviations do not add up to one, so none is given. */
static flaw_eval_result mean_of(const flaw_eval_result *each, size_t count)
{
    flaw_eval_result mean = {.draws = each[0].draws};
    for (size_t d = 0; d < count; d++) {
        mean.good += each[d].good;
        mean.bad += each[d].bad;
        mean.masks += each[d].masks;
        for (int i = 0; i < FIGURES; i++) {
            *(double *)((char *)&mean.mean + figure_table[i].offset) += figure(&each[d].mean, i) / (double)count;
            *(double *)((char *)&mean.sd + figure_table[i].offset) = NAN;
        }
    }
    return mean;
}

static flaw_status run_one(flaw_eval_result *out, const char *dataset, const flaw_engine *engine, const cli_settings *s,
                           int shots, flaw_error *err)
{
    flaw_eval_options options = {.dataset = dataset,
                                 .object = s->object,
                                 .shots = shots,
                                 .draws = (int)s->draws,
                                 .seed = (unsigned long long)s->seed};
    cli_inspect_options(&options.inspect, s);
    cli_progress progress = cli_progress_begin(s);
    flaw_status status = flaw_eval_run(out, engine, &options, cli_progress_step, &progress, err);
    cli_progress_clear(&progress);
    if (status != FLAW_OK) return status;
    if (s->json) print_json(dataset, engine, s, out);
    else print_table(dataset, s, out);
    return FLAW_OK;
}

static int run_all(const flaw_engine *engine, const cli_settings *s, int shots, char *const *dataset, size_t count)
{
    flaw_eval_result *each = calloc(count + 1, sizeof *each);
    size_t done = 0;
    int exit = 0;
    for (size_t i = 0; each && i < count; i++) {
        flaw_error err;
        if (run_one(&each[done], dataset[i], engine, s, shots, &err) == FLAW_OK) done++;
        else if (!exit) exit = cli_report(&err);
        else cli_report(&err);
    }
    if (done > 1) {
        flaw_eval_result mean = mean_of(each, done);
        if (s->json) print_json("mean", engine, s, &mean);
        else print_table("mean over data sets", s, &mean);
    }
    free(each);
    return exit;
}

int cmd_eval(const cli_settings *s)
{
    int shots, exit = 0;
    if (!s->arguments.count) return cli_wrong_use("eval: no data set given; usage: flaw eval DATASET...");
    if (!cli_read_shots(&shots, s->shots))
        return cli_wrong_use("--shots: '%.80s' is neither a number from 0 nor all", s->shots);
    flaw_error err;
    flaw_engine *engine = NULL;
    flaw_eval_paths paths = {0};
    flaw_status status = FLAW_OK;
    for (size_t i = 0; i < s->arguments.count && status == FLAW_OK; i++)
        status = flaw_eval_find(&paths, s->arguments.value[i], &err);
    if (status == FLAW_OK) status = cli_open_engine(&engine, s, &err);
    exit = status == FLAW_OK ? run_all(engine, s, shots, paths.path, paths.count) : cli_report(&err);
    flaw_engine_close(engine);
    flaw_eval_paths_release(&paths);
    return exit;
}
