/* flaw eval: figures of methods on data sets. */
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "commands.h"
#include "flaw/dataset.h"
#include "flaw/eval.h"

enum { MOST_METHODS = 64, MOST_SHOTS = 64, SHOWN = 9, NAME = 16 };

/* --- what comes out --- */

static json_t *figures_json(const flaw_eval_figures *f)
{
    json_t *object = json_object();
    for (int i = 0; i < FLAW_EVAL_FIGURES; i++) {
        double value = flaw_eval_figure(f, i);
        json_object_set_new(object, flaw_eval_figure_key(i), cli_json_number(value));
    }
    return object;
}

static void shots_text(char out[16], int shots)
{
    if (shots < 0) snprintf(out, 16, "all");
    else snprintf(out, 16, "%d", shots);
}

/* The comparison of a row with an earlier one; NULL where there is none (the means have none). */
static const flaw_eval_comparison *comparison_of(const flaw_eval *eval, const flaw_eval_row *r)
{
    for (size_t i = 0; i < flaw_eval_comparisons(eval); i++)
        if (flaw_eval_at(eval, flaw_eval_comparison_at(eval, i)->second) == r) return flaw_eval_comparison_at(eval, i);
    return NULL;
}

/* Second row less first. */
static json_t *differences_json(const flaw_difference difference[FLAW_FIGURES], bool pixels)
{
    static const char *const key[FLAW_FIGURES] = {"auroc", "ap", "f1", "pro"};
    json_t *object = json_object();
    for (int f = 0; f < (pixels ? FLAW_FIGURES : FLAW_FIGURES - 1); f++) {
        const flaw_difference *d = &difference[f];
        json_object_set_new(object, key[f],
                            json_pack("{s:o, s:o, s:o, s:o}", "difference", cli_json_number(d->second - d->first), "low",
                                      cli_json_number(-d->high), "high", cli_json_number(-d->low), "p", cli_json_number(d->p)));
    }
    return object;
}

static json_t *against_json(const flaw_eval *eval, const flaw_eval_row *r)
{
    const flaw_eval_comparison *c = comparison_of(eval, r);
    if (!c) return json_null();
    const flaw_eval_row *first = flaw_eval_at(eval, c->first);
    return json_pack("{s:s, s:i, s:o, s:o}", "method", first->method, "shots", first->shots, "image",
                     differences_json(c->image, false), "pixel", differences_json(c->pixel, true));
}

static void print_json(const flaw_eval *eval, const flaw_eval_row *r)
{
    char shots[16];
    shots_text(shots, r->shots);
    json_t *line = json_pack("{s:o, s:o, s:o, s:s, s:o, s:s, s:s, s:i, s:i, s:i, s:i, s:I, s:I, s:I, s:o, s:o, s:o, s:o, s:o}",
                             "dataset", cli_json_text(r->dataset), "category",
                             cli_json_text(r->category), "object", cli_json_text(r->object), "layout", r->layout,
                             "model", cli_json_text(flaw_eval_model(eval)), "method", r->method, "shots", shots, "draws",
                             r->draws, "good", r->good, "bad", r->bad, "masks", r->masks, "judged",
                             (json_int_t)r->judged, "expected", (json_int_t)r->expected, "failed", (json_int_t)r->failed,
                             "mean", figures_json(&r->mean), "sd", figures_json(&r->sd), "low", figures_json(&r->low),
                             "high", figures_json(&r->high), "against", against_json(eval, r));
    const flaw_prompts_about *p = flaw_eval_prompts(eval);
    if (p->count)
        json_object_set_new(line, "prompts",
                            json_pack("{s:o, s:o, s:o, s:b, s:i}", "source", cli_json_text(p->source), "model",
                                      cli_json_text(p->model), "date", cli_json_text(p->date), "cached", p->cached, "count",
                                      p->count));
    char *text = json_dumps(line, JSON_COMPACT | JSON_REAL_PRECISION(9));
    if (text) puts(text);
    fflush(stdout);
    free(text);
    json_decref(line);
}

static const char *name_of(const flaw_eval_row *r)
{
    return *r->category ? r->category : r->dataset;
}

/* One row alone: a line a figure. */
static void print_one(const flaw_eval_row *r)
{
    char shots[16];
    shots_text(shots, r->shots);
    cli_print_safe(stdout, r->dataset);
    printf(": %d good and %d bad test pictures, %d masks; shots %s, method %s, %d %s\n", r->good, r->bad, r->masks, shots,
           r->method, r->draws, r->draws == 1 ? "draw" : "draws");
    for (int i = 0; i < FLAW_EVAL_FIGURES; i++) {
        double mean = flaw_eval_figure(&r->mean, i), sd = flaw_eval_figure(&r->sd, i);
        double low = flaw_eval_figure(&r->low, i), high = flaw_eval_figure(&r->high, i);
        printf("  %-21s", flaw_eval_figure_title(i));
        if (isfinite(mean)) printf("  %.4f", mean);
        else printf("       -");
        if (isfinite(sd)) printf(" ±%.4f", sd);
        if (isfinite(low)) printf("  [%.4f, %.4f]", low, high);
        putchar('\n');
    }
}

static void print_head(void)
{
    static const char *const column[SHOWN] = {"AUROC",  "AP",    "F1",     "px AUROC", "px AP",
                                              "px PRO", "px F1", "alarms", "misses"};
    printf("%-*s %-14s %3s", NAME, "percent", "method", "k");
    for (int i = 0; i < SHOWN; i++) printf(" %10s", column[i]);
    printf(" %7s\n", "ms");
}

static void print_share(double mean, double sd)
{
    char text[32] = "-";
    if (isfinite(mean) && isfinite(sd)) snprintf(text, sizeof text, "%.1f ±%.1f", 100 * mean, 100 * sd);
    else if (isfinite(mean)) snprintf(text, sizeof text, "%.1f", 100 * mean);
    int width = (int)cli_text_width(text);
    printf(" %*s%s", width < 10 ? 10 - width : 0, "", text);
}

static void print_row(const char *name, const flaw_eval_row *r)
{
    char shots[16];
    int width = (int)cli_text_width(name);
    shots_text(shots, r->shots);
    cli_print_safe(stdout, name);
    printf("%*s %-14s %3s", width < NAME ? NAME - width : 0, "", r->method, shots);
    for (int i = 0; i < SHOWN; i++) print_share(flaw_eval_figure(&r->mean, i), flaw_eval_figure(&r->sd, i));
    if (isfinite(r->mean.ms)) printf(" %7.1f", r->mean.ms);
    putchar('\n');
}

static bool has_figures(const flaw_eval_row *r)
{
    return r->judged == r->expected && !r->failed;
}

/* Mean over data sets of the rows with the method and shots of row `first`; their deviations do not add up to one, so
 * none is given. False when there is only one, or one without figures. */
static bool mean_of(flaw_eval_row *out, const flaw_eval *eval, size_t first)
{
    double sum[FLAW_EVAL_FIGURES] = {0}, nothing[FLAW_EVAL_FIGURES];
    size_t rows = 0;
    *out = *flaw_eval_at(eval, first);
    out->dataset = out->category = out->object = out->layout = "mean";
    out->good = out->bad = out->masks = 0;
    for (size_t i = 0; i < flaw_eval_count(eval); i++) {
        const flaw_eval_row *r = flaw_eval_at(eval, i);
        if (strcmp(r->method, out->method) != 0 || r->shots != out->shots) continue;
        if (!has_figures(r)) return false;
        rows++;
        out->good += r->good;
        out->bad += r->bad;
        out->masks += r->masks;
        for (int f = 0; f < FLAW_EVAL_FIGURES; f++) sum[f] += flaw_eval_figure(&r->mean, f);
    }
    for (int f = 0; f < FLAW_EVAL_FIGURES; f++) {
        sum[f] /= (double)rows;
        nothing[f] = NAN;
    }
    memcpy(&out->mean, sum, sizeof sum);
    memcpy(&out->sd, nothing, sizeof nothing);
    memcpy(&out->low, nothing, sizeof nothing);
    memcpy(&out->high, nothing, sizeof nothing);
    return rows > 1;
}

static void print_difference(const char *title, const flaw_difference *d)
{
    if (!isfinite(d->second - d->first)) return;
    /* + 0.0: no minus before a difference of nothing */
    printf("  %s %+.1f [%+.1f, %+.1f]", title, 100 * (d->second - d->first) + 0.0, 0.0 - 100 * d->high,
           0.0 - 100 * d->low);
    if (isfinite(d->p)) printf(" p %.3g", d->p);
}

/* Rows of a data set against its first method's, on the same pictures. */
static void print_comparisons(const flaw_eval *eval)
{
    for (size_t i = 0; i < flaw_eval_comparisons(eval); i++) {
        const flaw_eval_comparison *c = flaw_eval_comparison_at(eval, i);
        const flaw_eval_row *first = flaw_eval_at(eval, c->first), *second = flaw_eval_at(eval, c->second);
        char of_first[16], of_second[16];
        shots_text(of_first, first->shots);
        shots_text(of_second, second->shots);
        if (i == 0) puts("differences on the same pictures (first draw), 95 % intervals and p of a paired test:");
        cli_print_safe(stdout, name_of(second));
        printf(": %s (k %s) less %s (k %s):", second->method, of_second, first->method, of_first);
        print_difference("AUROC", &c->image[FLAW_AUROC]);
        print_difference("AP", &c->image[FLAW_AP]);
        print_difference("px AP", &c->pixel[FLAW_AP]);
        print_difference("px PRO", &c->pixel[FLAW_AUPRO]);
        putchar('\n');
    }
}

/* Rows come data set by data set: the first one's name every method and number of good parts. */
static void print_means(const flaw_eval *eval, bool json)
{
    for (size_t i = 0; i < flaw_eval_count(eval); i++) {
        flaw_eval_row mean;
        const flaw_eval_row *r = flaw_eval_at(eval, i), *first = flaw_eval_at(eval, 0);
        if (strcmp(r->dataset, first->dataset) != 0 || strcmp(r->category, first->category) != 0) break;
        if (!mean_of(&mean, eval, i)) continue;
        if (json) print_json(eval, &mean);
        else print_row("mean", &mean);
    }
}

/* Rows without figures say why; the exit status is that of bad data. */
static int report_failures(const flaw_eval *eval)
{
    int exit = 0;
    for (size_t i = 0; i < flaw_eval_count(eval); i++) {
        const flaw_eval_row *r = flaw_eval_at(eval, i);
        flaw_error err;
        if (!r->failed) continue;
        flaw_fail(&err, FLAW_BAD_DATA, "eval of '%s' (%s): no figures, %zu of %zu pictures could not be judged; first: %s",
                  name_of(r), r->method, r->failed, r->judged, r->failure);
        exit = cli_report(&err);
    }
    return exit;
}

static int print_all(const flaw_eval *eval, const cli_settings *s)
{
    bool alone = flaw_eval_count(eval) == 1;
    if (!s->json && !alone) print_head();
    for (size_t i = 0; i < flaw_eval_count(eval); i++) {
        const flaw_eval_row *r = flaw_eval_at(eval, i);
        if (s->json) print_json(eval, r);
        else if (alone) print_one(r);
        else print_row(name_of(r), r);
    }
    if (flaw_eval_count(eval)) print_means(eval, s->json);
    if (!s->json) print_comparisons(eval);
    fflush(stdout);
    return report_failures(eval);
}

/* "FOLDER/NAME", malloc'ed. */
static char *path_in(const char *folder, const char *name)
{
    size_t room = strlen(folder) + strlen(name) + 2;
    char *path = malloc(room);
    if (path) snprintf(path, room, "%s/%s", folder, name);
    return path;
}

/* FOLDER/summary.csv */
static flaw_status write_table(const flaw_eval *eval, const char *folder, flaw_error *err)
{
    char *path = path_in(folder, "summary.csv");
    if (!path) return flaw_fail(err, FLAW_NO_MEMORY, "eval: memory was refused");
    flaw_status status = flaw_eval_write_csv(eval, path, err);
    free(path);
    return status;
}

/* The page of the run in `folder`; `file` NULL: FOLDER/report.html. */
static flaw_status write_page(const flaw_eval *eval, const char *folder, const char *file, const cli_settings *s,
                              flaw_error *err)
{
    char *path = file ? strdup(file) : path_in(folder, "report.html");
    if (!path) return flaw_fail(err, FLAW_NO_MEMORY, "eval: memory was refused");
    cli_progress progress = cli_progress_begin(s);
    flaw_status status = flaw_eval_write_report(eval, folder, path, cli_progress_step, &progress, err);
    cli_progress_clear(&progress);
    free(path);
    return status;
}

/* --- what goes in --- */

/* The parts of "a,b,c"; `copy` is cut up and owns them. */
static bool split(char *copy, const char **part, size_t most, size_t *count)
{
    *count = 0;
    for (char *rest = copy, *one; (one = strsep(&rest, ","));) {
        if (!*one || *count == most) return false;
        part[(*count)++] = one;
    }
    return true;
}

typedef struct request {
    flaw_eval_options options;
    char *methods, *shots; /* owned copies, cut up */
    const char *method[MOST_METHODS];
    int shot[MOST_SHOTS];
    cli_writing writing;
} request;

static int read_shots(request *r, const cli_settings *s)
{
    const char *word[MOST_SHOTS];
    r->shots = strdup(s->shots);
    bool good = r->shots && split(r->shots, word, MOST_SHOTS, &r->options.shot_counts);
    for (size_t i = 0; good && i < r->options.shot_counts; i++) good = cli_read_shots(&r->shot[i], word[i]);
    r->options.shots = r->shot;
    return good ? 0 : cli_wrong_use("--shots: '%.80s' is neither a number from 0 nor all, nor several with commas", s->shots);
}

static int read_methods(request *r, const cli_settings *s)
{
    r->methods = strdup(s->method ? s->method : "auto");
    r->options.method = r->method;
    if (r->methods && split(r->methods, r->method, MOST_METHODS, &r->options.methods)) return 0;
    return cli_wrong_use("--method: '%.80s' is not a list of names with commas", s->method);
}

static int read_shard(request *r, const cli_settings *s)
{
    char end;
    if (!s->shard) return 0;
    if (sscanf(s->shard, "%d/%d%c", &r->options.shard, &r->options.shards, &end) == 2 && r->options.shards >= 1 &&
        r->options.shards <= 100000 && r->options.shard >= 1 && r->options.shard <= r->options.shards)
        return s->out ? 0 : cli_wrong_use("--shard: a shard is kept for flaw eval merge; give a folder with --out");
    return cli_wrong_use("--shard: '%.80s' is not I/N with I from 1 to N", s->shard);
}

static int read_request(request *r, const cli_settings *s)
{
    *r = (request){.options = {.dataset = s->arguments.value,
                               .datasets = s->arguments.count,
                               .layout = s->layout,
                               .object = s->object,
                               .seeds = (int)s->seeds,
                               .seed = (unsigned long long)s->seed,
                               .map_side = (int)s->map_side,
                               .out = s->out,
                               .resume = s->resume}};
    flaw_error err;
    flaw_status status = cli_writing_begin(&r->writing, s, false, &err);
    if (status != FLAW_OK) return cli_report(&err);
    cli_inspect_options(&r->options.inspect, s, &r->writing);
    if (s->resume && !s->out) return cli_wrong_use("--resume: what to go on with? give the folder with --out");
    int exit = read_shots(r, s);
    if (!exit) exit = read_methods(r, s);
    return exit ? exit : read_shard(r, s);
}

/* --- the four forms --- */

/* Prints and keeps what a finished evaluation says; a shard has nothing to say yet. `run`: folder that the run was kept in
 * just now, or NULL. */
static int finish(flaw_eval *eval, const cli_settings *s, const char *run, bool shard)
{
    flaw_error err;
    int exit = shard ? report_failures(eval) : print_all(eval, s);
    if (!shard && s->out && write_table(eval, s->out, &err) != FLAW_OK) exit = cli_report(&err);
    if (run && write_page(eval, run, NULL, s, &err) != FLAW_OK) exit = cli_report(&err);
    flaw_eval_free(eval);
    return exit;
}

static int merge(const cli_settings *s)
{
    flaw_error err;
    flaw_eval *eval = NULL;
    if (s->arguments.count < 2 || !s->out) return cli_wrong_use("eval merge: usage: flaw eval merge SHARD... --out DIR");
    cli_progress progress = cli_progress_begin(s);
    flaw_status status = flaw_eval_merge(&eval, s->out, s->arguments.value + 1, s->arguments.count - 1, cli_progress_step,
                                         &progress, &err);
    cli_progress_clear(&progress);
    return status == FLAW_OK ? finish(eval, s, s->out, false) : cli_report(&err);
}

static int show(const cli_settings *s)
{
    flaw_error err;
    flaw_eval *eval = NULL;
    if (s->arguments.count != 2) return cli_wrong_use("eval show: usage: flaw eval show DIR");
    cli_progress progress = cli_progress_begin(s);
    flaw_status status = flaw_eval_read(&eval, s->arguments.value[1], cli_progress_step, &progress, &err);
    cli_progress_clear(&progress);
    return status == FLAW_OK ? finish(eval, s, NULL, false) : cli_report(&err);
}

/* Only the page of a kept run; --out names its file. */
static int report(const cli_settings *s)
{
    flaw_error err;
    flaw_eval *eval = NULL;
    if (s->arguments.count != 2) return cli_wrong_use("eval report: usage: flaw eval report DIR [--out FILE]");
    cli_progress progress = cli_progress_begin(s);
    flaw_status status = flaw_eval_read(&eval, s->arguments.value[1], cli_progress_step, &progress, &err);
    cli_progress_clear(&progress);
    if (status == FLAW_OK) status = write_page(eval, s->arguments.value[1], s->out, s, &err);
    int exit = status == FLAW_OK ? report_failures(eval) : cli_report(&err);
    flaw_eval_free(eval);
    return exit;
}

/* What was understood of each data set, for people. */
static flaw_status say_datasets(const flaw_eval_options *o, flaw_error *err)
{
    flaw_dataset_list list = {0};
    flaw_status status = FLAW_OK;
    for (size_t i = 0; i < o->datasets && status == FLAW_OK; i++)
        status = flaw_dataset_find(&list, o->dataset[i], o->layout, err);
    for (size_t i = 0; i < list.count && status == FLAW_OK; i++) {
        flaw_dataset set;
        char about[400];
        status = flaw_dataset_open(&set, &list.entry[i], err);
        if (status != FLAW_OK) break;
        flaw_dataset_about(about, sizeof about, &set);
        cli_print_safe(stdout, *set.category ? set.category : set.root);
        printf(": %s\n", about);
        flaw_dataset_close(&set);
    }
    flaw_dataset_list_release(&list);
    return status;
}

static int measure(const cli_settings *s, const request *r)
{
    flaw_error err;
    flaw_engine *engine = NULL;
    flaw_eval *eval = NULL;
    flaw_status status = s->json ? FLAW_OK : say_datasets(&r->options, &err);
    if (status == FLAW_OK) status = cli_open_engine(&engine, s, &err);
    if (status == FLAW_OK) {
        cli_progress progress = cli_progress_begin(s);
        status = flaw_eval_run(&eval, engine, &r->options, cli_progress_step, &progress, &err);
        cli_progress_clear(&progress);
    }
    cli_writing_clear(&r->writing);
    if (status == FLAW_OK) cli_tell_prompts(flaw_eval_prompts(eval), &r->writing);
    flaw_engine_close(engine);
    bool shard = r->options.shards > 1;
    return status == FLAW_OK ? finish(eval, s, shard ? NULL : s->out, shard) : cli_report(&err);
}

int cmd_eval(const cli_settings *s)
{
    request r;
    if (!s->arguments.count) return cli_wrong_use("eval: no data set given; usage: flaw eval DATASET...");
    if (strcmp(s->arguments.value[0], "merge") == 0) return merge(s);
    if (strcmp(s->arguments.value[0], "show") == 0) return show(s);
    if (strcmp(s->arguments.value[0], "report") == 0) return report(s);
    int exit = read_request(&r, s);
    if (!exit) exit = measure(s, &r);
    cli_writing_end(&r.writing);
    free(r.methods);
    free(r.shots);
    return exit;
}
