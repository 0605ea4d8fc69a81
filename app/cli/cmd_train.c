/* flaw train: the trainer with its flags, its log lines, and a calm way to stop. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "commands.h"
#include "flaw/train.h"
#include "train_numbers.h"

/* Ctrl-C and the end signal are held back and asked for between steps, so that the checkpoint is whole. */
static sigset_t held_signals(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    return set;
}

bool cli_train_stop(void *context)
{
    const sigset_t set = held_signals();
    const struct timespec at_once = {0};
    return sigtimedwait(&set, NULL, &at_once) > 0;
}

void cli_train_hold_signals(void)
{
    const sigset_t set = held_signals();
    pthread_sigmask(SIG_BLOCK, &set, NULL);
}

void cli_train_note(void *context, const char *line)
{
    puts(line);
    fflush(stdout);
}

static void report(void *context, const flaw_train_report *r)
{
    printf(
        "step %lld/%lld  loss %.4f (contrast %.3f state %.3f peak %.3f local %.3f dice %.3f distil %.3f)  norm %.2f  "
        "scale %.1f  rate %.2e  %.1f pictures/s  %.0f GFLOP/s  data %.0f %%  %.1f h left\n",
        (long long)r->step, (long long)r->steps, r->total, r->contrast, r->state, r->peak, r->local, r->dice, r->distil,
        r->norm, r->scale, r->rate, r->pictures_per_second, r->gflops, 100 * r->data_share, r->seconds_left / 3600);
    fflush(stdout);
}

static void figures(void *context, const flaw_train_figures *f)
{
    printf("step %lld  held-out scenes: image AUROC %.4f by class token, %.4f by patches, %.4f by both; patch AUROC "
           "%.4f\n",
           (long long)f->step, f->image_class, f->image_peak, f->image_both, f->patch);
    fflush(stdout);
}

/* "FOLDER,name=hazelnut,prefix=good,weight=2"; the copy in `text` is cut at the commas and kept by the caller. */
static flaw_status read_source(flaw_train_source *out, char *text, flaw_error *err)
{
    *out = (flaw_train_source){.folder = text, .weight = 1};
    char *at = text;
    while ((at = strchr(at, ',')) != NULL) {
        *at++ = 0;
        if (strncmp(at, "name=", 5) == 0) out->name = at + 5;
        else if (strncmp(at, "prefix=", 7) == 0) out->prefix = at + 7;
        else if (strncmp(at, "weight=", 7) == 0) {
            char *end;
            out->weight = strtod(at + 7, &end);
            if (end == at + 7 || (*end && *end != ',') || !(out->weight > 0 && out->weight < 1e6))
                return flaw_fail(err, FLAW_USAGE, "--photos %s: weight '%.40s' is not a number over 0", text, at + 7);
        } else {
            return flaw_fail(err, FLAW_USAGE,
                             "--photos %s: '%.40s' is not known, allowed are name=, prefix= and weight=", text, at);
        }
    }
    return FLAW_OK;
}

flaw_status cli_train_sources(flaw_train_source *source, int *count, const cli_settings *s, char **copy,
                              flaw_error *err)
{
    if (s->photos.count > FLAW_TRAIN_MAX_SOURCES)
        return flaw_fail(err, FLAW_USAGE, "--photos: %zu folders, at most %d are taken", s->photos.count,
                         FLAW_TRAIN_MAX_SOURCES);
    flaw_status status = FLAW_OK;
    for (size_t i = 0; i < s->photos.count && status == FLAW_OK; i++) {
        copy[i] = strdup(s->photos.value[i]);
        if (!copy[i]) return flaw_fail(err, FLAW_NO_MEMORY, "no memory to read --photos");
        status = read_source(&source[i], copy[i], err);
    }
    *count = (int)s->photos.count;
    return status;
}

static void read_numbers(flaw_train_options *o, const cli_settings *s)
{
    cli_take_double(&o->scene_share, s->scene_share);
    cli_take_double(&o->vary, s->vary);
    cli_take_long(&o->steps, s->steps);
    cli_take_int(&o->pairs, s->pairs);
    cli_take_int(&o->sentences, s->sentences);
    cli_take_int(&o->first_trained, s->first_trained);
    cli_take_float(&o->rate, s->rate);
    cli_take_float(&o->tower_rate, s->tower_rate);
    cli_take_long(&o->warmup, s->warmup);
    cli_take_float(&o->decay, s->decay);
    cli_take_float(&o->clip, s->clip);
    cli_take_float(&o->ema, s->ema);
    cli_take_float(&o->weight.contrast, s->contrast);
    cli_take_float(&o->weight.state, s->state);
    cli_take_float(&o->weight.peak, s->peak);
    cli_take_float(&o->weight.local, s->local);
    cli_take_float(&o->weight.dice, s->dice);
    cli_take_float(&o->weight.distil, s->distil);
    cli_take_int(&o->merges, s->merges);
    cli_take_int(&o->joint, s->joint);
    cli_take_int(&o->text_width, s->text_width);
    cli_take_int(&o->text_layers, s->text_layers);
    cli_take_int(&o->text_heads, s->text_heads);
    cli_take_int(&o->context, s->context);
    cli_take_long(&o->log_every, s->log_every);
    cli_take_long(&o->checkpoint_every, s->checkpoint_every);
    cli_take_long(&o->evaluate_every, s->evaluate_every);
    cli_take_int(&o->evaluate_pairs, s->evaluate_pairs);
    o->threads = (int)s->threads;
    o->seed = (uint64_t)s->seed;
    o->float32 = s->precision && strcmp(s->precision, "f32") == 0;
}

static int export(const cli_settings *s)
{
    flaw_error err;
    if (s->arguments.count < 3) return cli_wrong_use("train: usage: flaw train export CHECKPOINT... FILE");
    size_t checkpoints = s->arguments.count - 2;
    const char *out = s->arguments.value[checkpoints + 1];
    flaw_status status = flaw_train_export((const char *const *)s->arguments.value + 1, checkpoints, out, &err);
    if (status != FLAW_OK) return cli_report(&err);
    printf("model: %s\n", out);
    return 0;
}

int cmd_train(const cli_settings *s)
{
    if (s->arguments.count && strcmp(s->arguments.value[0], "export") == 0) return export(s);
    if (s->arguments.count == 1 && strcmp(s->arguments.value[0], "language") == 0) return cmd_train_language(s);
    if (s->arguments.count == 1 && strcmp(s->arguments.value[0], "anomalygpt") == 0) return cmd_train_voice(s);
    if (s->arguments.count == 1 && strcmp(s->arguments.value[0], "april-gan") == 0) return cmd_train_april(s);
    if (s->arguments.count) return cli_wrong_use("train: '%s' is not expected", s->arguments.value[0]);
    if (!s->out) return cli_wrong_use("train: no folder for checkpoints; usage: flaw train --out DIR");
    char *copy[FLAW_TRAIN_MAX_SOURCES] = {NULL};
    flaw_train_options options;
    flaw_error err;
    flaw_train_options_init(&options);
    options.folder = s->out;
    options.words = s->words ? s->words : "models/words.txt";
    if (s->init) options.init = s->init;
    read_numbers(&options, s);
    flaw_status status = cli_train_sources(options.source, &options.sources, s, copy, &err);
    if (status == FLAW_OK) status = cli_make_folder(s->out, &err);
    if (status == FLAW_OK) {
        const flaw_train_callbacks callbacks = {.note = cli_train_note, .report = report, .figures = figures,
                                                .stop = cli_train_stop};
        cli_train_hold_signals();
        status = flaw_train_run(&options, &callbacks, &err);
    }
    for (int i = 0; i < FLAW_TRAIN_MAX_SOURCES; i++) free(copy[i]);
    return status == FLAW_OK ? 0 : cli_report(&err);
}
