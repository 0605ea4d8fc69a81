/* flaw complete: a language model goes on with a text. */
#include <jansson.h>
#include <stdlib.h>

#include "cli.h"
#include "commands.h"
#include "flaw/talk.h"

/* Words appear as they are written. */
static int show_words(void *context, const char *text, size_t size)
{
    cli_print_words(stdout, text, size);
    return fflush(stdout) != 0;
}

static void print_json(const cli_settings *s, const char *prompt, const char *text, const int *ids, int count,
                       double ms)
{
    json_t *list = json_array();
    for (int i = 0; i < count; i++) json_array_append_new(list, json_integer(ids[i]));
    json_t *answer = json_object();
    json_object_set_new(answer, "prompt", cli_json_text(prompt));
    json_object_set_new(answer, "text", cli_json_text(text));
    json_object_set_new(answer, "ids", list);
    json_object_set_new(answer, "model", cli_json_text(s->model ? s->model : "default"));
    json_object_set_new(answer, "ms", json_real(ms));
    char *line = json_dumps(answer, JSON_COMPACT | JSON_REAL_PRECISION(9));
    if (line) puts(line);
    free(line);
    json_decref(answer);
}

int cmd_complete(const cli_settings *s)
{
    if (s->arguments.count != 1)
        return cli_wrong_use(
            "complete: one PROMPT is needed (\"\" for none, quotes around several words), found are %zu",
            s->arguments.count);
    const char *prompt = s->arguments.value[0];
    flaw_complete_options options;
    flaw_complete_defaults(&options);
    options.model = s->model;
    options.precision = s->precision;
    options.level = s->level;
    options.threads = (int)s->threads;
    options.max_tokens = s->max_tokens ? (int)s->max_tokens : options.max_tokens;
    options.temperature = s->temperature;
    options.top_p = s->top_p;
    options.top_k = (int)s->top_k;
    options.seed = (unsigned long long)s->seed;
    struct timespec begin;
    clock_gettime(CLOCK_MONOTONIC, &begin);
    flaw_error err;
    char *text = NULL;
    int *ids = NULL, count = 0;
    flaw_status status = flaw_complete(&options, prompt, s->json ? NULL : show_words, NULL, &text, &ids, &count, &err);
    if (status == FLAW_OK && s->json) print_json(s, prompt, text, ids, count, cli_milliseconds_since(&begin));
    if (status == FLAW_OK && !s->json) putchar('\n');
    free(text);
    free(ids);
    return status == FLAW_OK ? 0 : cli_report(&err);
}
