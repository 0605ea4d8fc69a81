/* flaw train april-gan: the trainer of APRIL-GAN's linear layers with its flags and its log lines. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "commands.h"
#include "flaw/train_april.h"
#include "train_numbers.h"

static void report(void *context, const flaw_april_train_report *r)
{
    printf("step %lld/%lld  focal %.4f dice %.3f  norm %.2f  rate %.2e  %.1f images/s  data %.0f %%  %.1f min left\n",
           (long long)r->step, (long long)r->steps, r->focal, r->dice, r->norm, r->rate, r->samples_per_second,
           100 * r->data_share, r->seconds_left / 60);
    fflush(stdout);
}

static void figures(void *context, const flaw_april_train_figures *f)
{
    printf("step %lld  held-out scenes (%d): image AUROC %.4f, pixel AUROC %.4f\n", (long long)f->step, f->pictures,
           f->image, f->pixel);
    fflush(stdout);
}

static void read_numbers(flaw_april_train_options *o, const cli_settings *s)
{
    cli_take_double(&o->scene_share, s->scene_share);
    cli_take_int(&o->window, s->window);
    cli_take_double(&o->fresh, s->fresh);
    cli_take_long(&o->steps, s->steps);
    cli_take_long(&o->warmup, s->warmup);
    cli_take_int(&o->batch, s->batch);
    cli_take_float(&o->rate, s->rate);
    cli_take_float(&o->decay, s->decay);
    cli_take_float(&o->clip, s->clip);
    cli_take_float(&o->focal, s->focal);
    cli_take_float(&o->dice, s->dice);
    cli_take_long(&o->log_every, s->log_every);
    cli_take_long(&o->checkpoint_every, s->checkpoint_every);
    cli_take_long(&o->evaluate_every, s->evaluate_every);
    cli_take_int(&o->evaluate_pairs, s->evaluate_pairs);
    o->threads = (int)s->threads;
    o->seed = (uint64_t)s->seed;
    o->float32 = s->precision && strcmp(s->precision, "f32") == 0;
}

int cmd_train_april(const cli_settings *s)
{
    flaw_error err;
    flaw_april_train_options options;
    char *copy[FLAW_TRAIN_MAX_SOURCES] = {NULL};
    if (!s->out) return cli_wrong_use("train: no folder for checkpoints; usage: flaw train april-gan --out DIR");
    flaw_april_train_options_init(&options);
    options.folder = s->out;
    options.model = s->model;
    read_numbers(&options, s);
    flaw_status status = cli_train_sources(options.source, &options.sources, s, copy, &err);
    if (status == FLAW_OK) status = cli_make_folder(s->out, &err);
    if (status == FLAW_OK) {
        const flaw_april_train_callbacks callbacks = {
            .note = cli_train_note, .report = report, .figures = figures, .stop = cli_train_stop};
        cli_train_hold_signals();
        status = flaw_april_train_run(&options, &callbacks, &err);
    }
    for (int i = 0; i < FLAW_TRAIN_MAX_SOURCES; i++) free(copy[i]);
    return status == FLAW_OK ? 0 : cli_report(&err);
}
