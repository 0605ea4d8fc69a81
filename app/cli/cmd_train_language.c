/* flaw train language: the language model's trainer with its flags and its log lines. */
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "commands.h"
#include "flaw/train_language.h"
#include "train_numbers.h"

static void report(void *context, const flaw_language_train_report *r)
{
    printf("step %lld/%lld  loss %.4f  norm %.2f  rate %.2e  %.0f tokens/s  data %.0f %%  %.1f min left\n", (long long)r->step,
           (long long)r->steps, r->loss, r->norm, r->rate, r->tokens_per_second, 100 * r->data_share, r->seconds_left / 60);
    fflush(stdout);
}

static void figures(void *context, const flaw_language_train_figures *f)
{
    printf("step %lld  held-out texts: loss %.4f, %.1f %% of %lld tokens foreseen\n", (long long)f->step, f->loss,
           100 * f->right, (long long)f->tokens);
    fflush(stdout);
}

static void read_numbers(flaw_language_train_options *o, const cli_settings *s)
{
    cli_take_int(&o->dialogues, s->dialogues);
    cli_take_int(&o->rows, s->rows);
    cli_take_int(&o->part, s->part);
    cli_take_int(&o->vocab, s->vocabulary);
    cli_take_int(&o->width, s->width);
    cli_take_int(&o->layers, s->layers);
    cli_take_int(&o->heads, s->heads);
    cli_take_int(&o->kv_heads, s->kv_heads);
    cli_take_int(&o->hidden, s->hidden);
    cli_take_int(&o->context, s->context);
    cli_take_long(&o->steps, s->steps);
    cli_take_long(&o->warmup, s->warmup);
    cli_take_float(&o->rate, s->rate);
    cli_take_float(&o->decay, s->decay);
    cli_take_float(&o->clip, s->clip);
    cli_take_float(&o->ema, s->ema);
    cli_take_long(&o->log_every, s->log_every);
    cli_take_long(&o->checkpoint_every, s->checkpoint_every);
    cli_take_long(&o->evaluate_every, s->evaluate_every);
    o->threads = (int)s->threads;
    o->seed = (uint64_t)s->seed;
    o->float32 = s->precision && strcmp(s->precision, "f32") == 0;
}

int cmd_train_language(const cli_settings *s)
{
    flaw_error err;
    flaw_language_train_options options;
    if (!s->out) return cli_wrong_use("train: no folder for checkpoints; usage: flaw train language --out DIR");
    flaw_language_train_options_init(&options);
    options.folder = s->out;
    options.dialogue = s->dialogue;
    options.text = s->texts;
    read_numbers(&options, s);
    if (options.dialogues == 0) options.dialogue = "";
    flaw_status status = cli_make_folder(s->out, &err);
    if (status == FLAW_OK) {
        const flaw_language_train_callbacks callbacks = {.note = cli_train_note, .report = report, .figures = figures,
                                                         .stop = cli_train_stop};
        cli_train_hold_signals();
        status = flaw_language_train_run(&options, &callbacks, &err);
    }
    return status == FLAW_OK ? 0 : cli_report(&err);
}
