/* flaw prompts lint FILE...: problems of prompt files, one a line. */
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

int cmd_prompts(const cli_settings *s)
{
    if (s->arguments.count < 2 || strcmp(s->arguments.value[0], "lint") != 0)
        return cli_wrong_use("prompts: usage: flaw prompts lint FILE...");
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
