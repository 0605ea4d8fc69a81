/* flaw train anomalygpt: the trainer of a voice with its flags and its log lines. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "commands.h"
#include "flaw/train_voice.h"
#include "train_numbers.h"

static void report(void *context, const flaw_voice_train_report *r)
{
    printf("step %lld/%lld  answers %.4f (%.1f %% of tokens right)  focal %.4f dice %.3f  norm %.2f  rate %.2e  %.1f images/s  "
           "data %.0f %%  %.1f min left\n",
           (long long)r->step, (long long)r->steps, r->words, 100 * r->right, r->focal, r->dice, r->norm, r->rate,
           r->samples_per_second, 100 * r->data_share, r->seconds_left / 60);
    fflush(stdout);
}

static void figures(void *context, const flaw_voice_train_figures *f)
{
    printf("step %lld  held-out scenes (%d): yes or no %.3f right, count %.3f, place %.3f; map's image AUROC %.4f\n",
           (long long)f->step, f->pictures, f->yes_no, f->count, f->place, f->map_auroc);
    printf("  normal: %s\n  anomalous: %s\n", f->example[0], f->example[1]);
    fflush(stdout);
}

static void read_numbers(flaw_voice_train_options *o, const cli_settings *s)
{
    cli_take_double(&o->scene_share, s->scene_share);
    cli_take_int(&o->window, s->window);
    cli_take_double(&o->fresh, s->fresh);
    if (s->views) o->views = (int)s->views;
    o->even_levels = s->even_levels;
    cli_take_double(&o->swap_share, s->swap_share);
    cli_take_long(&o->steps, s->steps);
    cli_take_long(&o->warmup, s->warmup);
    cli_take_int(&o->batch, s->batch);
    cli_take_int(&o->accumulate, s->accumulate);
    cli_take_float(&o->rate, s->rate);
    cli_take_float(&o->decoder_rate, s->decoder_rate);
    cli_take_float(&o->language_rate, s->language_rate);
    cli_take_int(&o->adapter, s->adapter_rank);
    o->linear = s->linear;
    cli_take_float(&o->decay, s->decay);
    cli_take_float(&o->clip, s->clip);
    cli_take_float(&o->focal, s->focal);
    cli_take_float(&o->dice, s->dice);
    cli_take_double(&o->few_shot_share, s->few_shot_share);
    cli_take_double(&o->ground_share, s->ground_share);
    cli_take_double(&o->dialogue_share, s->dialogue_share);
    cli_take_int(&o->base, s->base);
    cli_take_long(&o->log_every, s->log_every);
    cli_take_long(&o->checkpoint_every, s->checkpoint_every);
    cli_take_long(&o->evaluate_every, s->evaluate_every);
    cli_take_int(&o->evaluate_pairs, s->evaluate_pairs);
    o->threads = (int)s->threads;
    o->seed = (uint64_t)s->seed;
    o->float32 = s->precision && strcmp(s->precision, "f32") == 0;
}

int cmd_train_voice(const cli_settings *s)
{
    flaw_error err;
    flaw_voice_train_options options;
    char *copy[FLAW_TRAIN_MAX_SOURCES] = {NULL};
    if (!s->out) return cli_wrong_use("train: no folder for checkpoints; usage: flaw train anomalygpt --out DIR");
    flaw_voice_train_options_init(&options);
    options.folder = s->out;
    options.model = s->model;
    options.language = s->language;
    if (s->dialogue) options.dialogue = s->dialogue;
    read_numbers(&options, s);
    flaw_status status = cli_train_sources(options.source, &options.sources, s, copy, &err);
    if (status == FLAW_OK) status = cli_make_folder(s->out, &err);
    if (status == FLAW_OK) {
        const flaw_voice_train_callbacks callbacks = {.note = cli_train_note, .report = report, .figures = figures,
                                                      .stop = cli_train_stop};
        cli_train_hold_signals();
        status = flaw_voice_train_run(&options, &callbacks, &err);
    }
    for (int i = 0; i < FLAW_TRAIN_MAX_SOURCES; i++) free(copy[i]);
    return status == FLAW_OK ? 0 : cli_report(&err);
}
