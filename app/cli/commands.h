/* The table of commands, in the order people meet them. */
#ifndef FLAW_CLI_COMMANDS_H
#define FLAW_CLI_COMMANDS_H

#include "options.h"

typedef int (*cli_run)(const cli_settings *s); /* the exit status */

typedef struct cli_command {
    unsigned bit;
    const char *name;
    const char *arguments; /* after the name in the usage line */
    const char *summary;   /* a few words for lists */
    const char *detail;    /* a paragraph */
    const char *examples;  /* one command a line */
    cli_run run;
} cli_command;

extern const cli_command cli_command_table[];
extern const int cli_command_count;

const cli_command *cli_command_of(unsigned bit);
const cli_command *cli_command_find(const char *name); /* NULL when there is none */

/* What flaw help COMMAND prints. */
void cli_command_page(const cli_command *c);

int cmd_inspect(const cli_settings *s);
int cmd_learn(const cli_settings *s);
int cmd_complete(const cli_settings *s);
int cmd_embed(const cli_settings *s);
int cmd_model(const cli_settings *s);
int cmd_method(const cli_settings *s);
int cmd_prompts(const cli_settings *s);
int cmd_eval(const cli_settings *s);
int cmd_dataset(const cli_settings *s);
int cmd_ablation(const cli_settings *s);
int cmd_ablation_alfa(const cli_settings *s); /* flaw ablation alfa */
int cmd_scenes(const cli_settings *s);
int cmd_simulate(const cli_settings *s);
int cmd_train(const cli_settings *s);
int cmd_train_language(const cli_settings *s);
int cmd_ask(const cli_settings *s);
int cmd_chat(const cli_settings *s);
int cmd_bench(const cli_settings *s);
int cmd_help(const cli_settings *s);
int cmd_completion(const cli_settings *s);
int cmd_train_april(const cli_settings *s);
int cmd_train_voice(const cli_settings *s);

/* Shared by the trainers: a line for people; Ctrl-C and the end signal, held back before a trainer starts threads
 * (which inherit it) and asked for between its steps, so that the checkpoint is whole. */
void cli_train_note(void *context, const char *line);
void cli_train_hold_signals(void);
bool cli_train_stop(void *context);
/* --photos: source [FLAW_TRAIN_MAX_SOURCES]; copy [FLAW_TRAIN_MAX_SOURCES] gets texts that they point to, to be freed. */
struct flaw_train_source;
flaw_status cli_train_sources(struct flaw_train_source *source, int *count, const cli_settings *s, char **copy,
                              flaw_error *err);

#endif
