/* Options: one table says everything about every flag; parsing, --help, the reference page, the man page and the
 * completion are made from it. A flag on the command line wins over its environment twin FLAW_NAME. */
#ifndef FLAW_CLI_OPTIONS_H
#define FLAW_CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "flaw/status.h"

/* Bits of cli_option.commands; the order of the commands for people is the one of cli_command_table (commands.c). */
enum {
    CLI_INSPECT = 1 << 0,
    CLI_LEARN = 1 << 1,
    CLI_EMBED = 1 << 2,
    CLI_MODEL = 1 << 3,
    CLI_METHOD = 1 << 4,
    CLI_PROMPTS = 1 << 5,
    CLI_EVAL = 1 << 6,
    CLI_SCENES = 1 << 7,
    CLI_TRAIN = 1 << 8,
    CLI_BENCH = 1 << 9,
    CLI_HELP = 1 << 10,
    CLI_COMPLETION = 1 << 11,
    CLI_COMPLETE = 1 << 12,
    CLI_SIMULATE = 1 << 13,
    CLI_ASK = 1 << 14,
    CLI_CHAT = 1 << 15,
    CLI_ABLATION = 1 << 16,
    CLI_DATASET = 1 << 17,
    CLI_ALL = (1 << 18) - 1,
};

typedef enum cli_kind {
    CLI_SWITCH,  /* bool: --name, --name=yes, --name=no */
    CLI_TEXT,    /* const char *, not empty */
    CLI_WORDS,   /* const char *, may be empty */
    CLI_CHOICE,  /* const char *, one of `choices` */
    CLI_LIST,    /* cli_list, repeated on the command line, separated by ':' in the environment */
    CLI_LINES,   /* the same of texts that may hold colons: one a line in the environment */
    CLI_INTEGER, /* int64_t within [low, high] */
    CLI_REAL,    /* double within [low, high], "inf" where high is infinite */
    CLI_SHARE,   /* double in [0, 1]: 0.01, 1% or 1/100 */
} cli_kind;

typedef struct cli_option {
    const char *name; /* without the dashes */
    char letter;      /* short form, or 0 */
    cli_kind kind;
    size_t offset;        /* of its field in cli_settings */
    const char *argument; /* what to write for the value: "FILE" */
    const char *choices;  /* "f32|bf16|auto" */
    double low, high;
    unsigned commands; /* which commands take it */
    const char *about; /* one sentence, with the default */
} cli_option;

extern const cli_option cli_option_table[];
extern const int cli_option_count;

typedef struct cli_list {
    const char **value; /* owned array of borrowed strings */
    size_t count;
} cli_list;

/* The value of every option; defaults from cli_settings_init. */
typedef struct cli_settings {
    cli_list arguments; /* words that are no options */
    cli_list copies;    /* owned strings that other fields point to */
    bool help;
    /* engine */
    const char *model, *precision, *level;
    int64_t threads, side;
    /* inspector */
    const char *object, *method, *method_option, *prompts, *weights, *rule, *fit, *windows, *score, *recipe;
    cli_list good, pin, ban;
    double threshold, false_alarm_rate, lambda, tau;
    int64_t bank_limit, views, seed;
    /* output */
    bool json, terse, fail_on_anomaly, explain;
    const char *out, *output, *progress, *keep;
    /* embed */
    const char *image, *text, *dump;
    bool tokens, logits;
    /* eval */
    const char *shots, *shard, *layout;
    int64_t seeds, map_side;
    bool resume;
    /* scenes */
    int64_t count, size, products;
    const char *kind, *split;
    bool held_out;
    double anomalous_share;
    /* simulate */
    const char *blend;
    cli_list source;
    int64_t most;
    /* ablation */
    const char *adapter, *question;
    bool described;
    /* train: negative or NaN means the trainer's own default */
    const char *init, *words;
    cli_list photos;
    double scene_share, vary, rate, tower_rate, decay, clip, ema;
    double contrast, state, peak, local, dice, distil;
    int64_t steps, pairs, sentences, first_trained, warmup, merges, joint, text_width, text_layers, text_heads, context;
    int64_t log_every, checkpoint_every, evaluate_every, evaluate_pairs;
    const char *dialogue, *texts; /* language */
    int64_t dialogues, rows, part, vocabulary, width, layers, heads, kv_heads, hidden;
    const char *language; /* anomalygpt */
    double decoder_rate, language_rate, focal, few_shot_share, ground_share, dialogue_share, fresh, swap_share;
    int64_t window, batch, accumulate, base, adapter_rank;
    bool linear, even_levels;
    /* complete */
    int64_t max_tokens, top_k;
    double temperature, top_p;
    /* ask, chat */
    const char *llm, *llm_model, *llm_key_env;
    double llm_timeout;
    /* prompts at run time */
    const char *brief, *prompt_cache;
    int64_t prompt_count;
    bool offline, refresh, prompts_fallback;
    bool rotations, upstream_quirks;
    /* bench */
    int64_t repeat;
    /* help */
    bool man, markdown;
} cli_settings;

void cli_settings_init(cli_settings *s);
void cli_settings_release(cli_settings *s);

/* Arguments after the command's name, then the environment for what they did not set. FLAW_USAGE names the flag or the
 * variable, what was found and what is allowed. */
flaw_status cli_settings_parse(cli_settings *s, unsigned command, int count, char **words, flaw_error *err);

/* "alarm-rate" -> "FLAW_ALARM_RATE". */
void cli_environment_name(char out[64], const cli_option *option);

/* The nearest of `names` to a misspelt word, or NULL when none is near. */
const char *cli_nearest(const char *word, const char *const *names, size_t count);

#endif
