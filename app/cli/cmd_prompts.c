/* flaw prompts: make has sentences written; lint tells problems of prompt files, one a line. */
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "commands.h"

/* Each line of a report with its file in front, as compilers do. */
static void print_report(const char *path, const char *report)
{
    while (*report) {
        const int length = (int)strcspn(report, "\n");
        cli_print_safe(stdout, path);
        printf(": %.*s\n", length, report);
        report += length;
        report += *report == '\n';
    }
}

static int lint(const cli_settings *s)
{
    int exit = 0;
    for (size_t i = 1; i < s->arguments.count; i++) {
        char *report = NULL;
        flaw_error err;
        flaw_status status = flaw_prompts_lint(s->arguments.value[i], &report, &err);
        if (report) print_report(s->arguments.value[i], report);
        free(report);
        if (status == FLAW_OK) printf("%s: no problems\n", s->arguments.value[i]);
        else if (!exit) exit = cli_report(&err);
        else cli_report(&err);
    }
    return exit;
}

/* What was left out, and why: people want to see it, programs read the file. */
static void tell_left_out(const char *report)
{
    for (const char *at = report ? report : ""; *at;) {
        const size_t length = strcspn(at, "\n");
        fputs("  ", stderr);
        cli_print_words(stderr, at, length);
        fputc('\n', stderr);
        at += length;
        at += *at == '\n';
    }
}

static int make(const cli_settings *s)
{
    flaw_error err;
    flaw_prompts made = {0};
    cli_writing w;
    flaw_status status = cli_writing_begin(&w, s, true, &err);
    w.wanted = true;
    w.options.file = s->prompts;
    w.options.precision = s->precision;
    w.options.temperature = s->temperature;
    w.options.top_p = s->top_p;
    w.options.seed = (unsigned long long)s->seed;
    if (status == FLAW_OK) status = flaw_prompts_make(&made, &w.options, &err);
    cli_writing_clear(&w);
    tell_left_out(made.report);
    if (status == FLAW_OK) cli_tell_prompts(&made.about, &w);
    if (status == FLAW_OK && s->output) status = flaw_prompts_write(s->output, &made, &err);
    else if (status == FLAW_OK && (puts(made.json) < 0 || fflush(stdout)))
        status = flaw_fail(&err, FLAW_IO, "standard output: the prompt file cannot be written");
    flaw_prompts_free(&made);
    cli_writing_end(&w);
    return status == FLAW_OK ? 0 : cli_report(&err);
}

int cmd_prompts(const cli_settings *s)
{
    const char *what = s->arguments.count ? s->arguments.value[0] : "";
    if (strcmp(what, "lint") == 0 && s->arguments.count > 1) return lint(s);
    if (strcmp(what, "make") == 0 && s->arguments.count == 1 && s->object) return make(s);
    if (strcmp(what, "make") == 0 && s->arguments.count == 1)
        return cli_wrong_use("prompts make: --object is missing: what is it called, in plain words?");
    return cli_wrong_use("prompts: usage: flaw prompts make --object NAME [-o FILE] | flaw prompts lint FILE...");
}
