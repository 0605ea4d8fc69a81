#include <stdlib.h>
#include <string.h>

#include "cli.h"

void cli_talk_options(flaw_talk_options *out, const cli_settings *s)
{
    const char *key = s->llm_key_env ? s->llm_key_env : "FLAW_LLM_KEY";
    flaw_talk_defaults(out);
    out->model = s->model;
    out->threads = (int)s->threads;
    out->precision = s->precision;
    out->level = s->level;
    out->object = s->object;
    out->fit = s->fit;
    out->rotations = s->rotations;
    out->views = (int)s->views;
    out->llm = s->llm;
    out->llm_model = s->llm_model;
    out->llm_key = s->llm ? getenv(key) : NULL;
    out->llm_timeout = s->llm_timeout;
    if (s->max_tokens) out->max_tokens = (int)s->max_tokens;
    out->temperature = s->temperature;
    out->top_p = s->top_p;
    out->seed = (unsigned long long)s->seed;
    out->upstream_quirks = s->upstream_quirks;
}

flaw_status cli_open_talker(flaw_talker **out, const cli_settings *s, flaw_error *err)
{
    cli_pictures good = {.quiet = true};
    flaw_talk_options options;
    cli_writing writing;
    cli_talk_options(&options, s);
    flaw_status status = cli_writing_begin(&writing, s, true, err);
    if (writing.wanted) options.writer = &writing.options;
    else options.prompts = s->prompts;
    options.brief = writing.brief;
    for (size_t i = 0; i < s->good.count; i++) cli_pictures_add(&good, s->good.value[i]);
    options.good = (const char *const *)good.path;
    options.good_count = good.count;
    if (status == FLAW_OK && good.first.status != FLAW_OK) {
        *err = good.first;
        status = err->status;
    }
    if (status == FLAW_OK) status = flaw_talker_open(out, &options, err);
    if (status == FLAW_OK) cli_tell_prompts(flaw_talker_prompts(*out), &writing);
    cli_writing_end(&writing);
    cli_pictures_release(&good);
    return status;
}

int cli_speak(void *context, const char *text, size_t size)
{
    cli_speech *speech = context;
    size_t words = size;
    while (words && text[words - 1] == '\n') words--;
    if (words && !speech->quiet) {
        for (; speech->breaks; speech->breaks--) putchar('\n');
        cli_print_words(stdout, text, words);
        speech->shown = true;
    }
    speech->breaks += size - words; /* line breaks wait for words behind them: those at an answer's end are not shown */
    return fflush(stdout) != 0 || (speech->stop && speech->stop());
}

static void print_count_and_places(const flaw_answer *a)
{
    if (a->verdict == FLAW_ANOMALOUS && a->count > 0) printf(", %d", a->count);
    for (int i = 0; i < a->places; i++) printf("%s%s", i ? ", " : a->count > 0 ? " at " : ", at ", a->place[i]);
}

void cli_print_findings(const flaw_answer *a)
{
    if (a->source != FLAW_TALK_FACTS) { /* those say it themselves */
        fputs("  words: ", stdout);
        fputs(a->verdict == FLAW_UNKNOWN ? "no verdict" : flaw_verdict_name(a->verdict), stdout);
        print_count_and_places(a);
        printf("; map: %s, %.3g against %.3g%s\n", flaw_verdict_name(a->map_verdict), a->score, a->threshold,
               a->agree == 0 ? "; they differ" : "");
    }
    if (!*a->note) return;
    fputs("  note: ", stdout);
    cli_print_safe(stdout, a->note);
    fputc('\n', stdout);
}

bool cli_print_answer_json(const flaw_answer *answer, const char *image, const char *question, const char *model)
{
    char *line = flaw_answer_json(answer, image, question, model);
    if (line) puts(line);
    free(line);
    fflush(stdout);
    return line != NULL;
}
