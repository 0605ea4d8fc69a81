/* flaw help: pages for the terminal, the manual page and the reference page, all from the two tables. */
#include <ctype.h>
#include <string.h>

#include "cli.h"
#include "commands.h"

enum { COLUMNS = 100 };

static void option_usage(char *out, size_t room, const cli_option *o)
{
    const char *value = o->choices ? o->choices : o->argument;
    char letter[8] = "";
    if (o->letter) snprintf(letter, sizeof letter, "-%c, ", o->letter);
    snprintf(out, room, "%s--%s%s%s", letter, o->name, value ? " " : "", value ? value : "");
}

static void friendly_page(void)
{
    puts("flaw looks at pictures of products and says whether something is wrong, where, and in words.\n");
    puts("  flaw inspect part.jpg --object \"metal nut\"            judge by words alone");
    puts("  flaw inspect parts/ --good good/ --out results        compare with good parts, draw heat maps");
    puts("  flaw learn --good good/ --output nut.recipe     keep a product in one file\n");
    puts("Commands:");
    for (int i = 0; i < cli_command_count; i++)
        printf("  %-12s%s\n", cli_command_table[i].name, cli_command_table[i].summary);
    puts("\nflaw help COMMAND tells more. Every option --some-name can be given as FLAW_SOME_NAME in the environment.");
}

void cli_command_page(const cli_command *c)
{
    printf("flaw %s: %s\n\n  flaw %s %s\n\n", c->name, c->summary, c->name, c->arguments);
    cli_print_wrapped(stdout, c->detail, 0, COLUMNS);
    puts("\nOptions:");
    for (int i = 0; i < cli_option_count; i++) {
        const cli_option *o = &cli_option_table[i];
        if (!(o->commands & c->bit)) continue;
        char usage[160];
        option_usage(usage, sizeof usage, o);
        printf("  %s\n", usage);
        cli_print_wrapped(stdout, o->about, 6, COLUMNS);
    }
    puts("\nExamples:");
    for (const char *line = c->examples; *line; line += strcspn(line, "\n"), line += *line == '\n')
        printf("  %.*s\n", (int)strcspn(line, "\n"), line);
}

#define EXIT_STATUS                                                                                                    \
    "0 done, 1 a part is anomalous (with --fail-on-anomaly), 2 wrong use, 65 bad data, 66 missing input, 69 not "      \
    "available here, 70 internal fault or no memory, 74 input or output refused by the system. With several faults "   \
    "the "                                                                                                             \
    "first one counts."

static void markdown_page(void)
{
    char name[64], usage[160];
    puts("# The command\n");
    puts("Made by `flaw help --markdown`; a test compares. Every flag has an environment twin; the flag wins. A list "
         "in the");
    puts("environment is separated by colons; a switch is `yes` or `no` there.\n");
    printf("**Exit status.** %s\n", EXIT_STATUS);
    for (int i = 0; i < cli_command_count; i++) {
        const cli_command *c = &cli_command_table[i];
        printf("\n## flaw %s\n\n`flaw %s %s` - %s.\n\n%s\n\n```sh\n%s\n```\n\n", c->name, c->name, c->arguments,
               c->summary, c->detail, c->examples);
        puts("| option | environment | meaning |\n|---|---|---|");
        for (int j = 0; j < cli_option_count; j++) {
            const cli_option *o = &cli_option_table[j];
            if (!(o->commands & c->bit) || strcmp(o->name, "help") == 0) continue;
            cli_environment_name(name, o);
            option_usage(usage, sizeof usage, o);
            printf("| `");
            for (const char *at = usage; *at; at++) printf(*at == '|' ? "\\|" : "%c", *at); /* a bar ends a cell */
            printf("` | `%s` | %s |\n", name, o->about);
        }
    }
}

/* Text as troff reads it: a dash stays a dash, a backslash a backslash, no line begins with a dot, a
 * list of choices may break behind a bar. */
static void troff(const char *text)
{
    for (bool fresh = true; *text; fresh = *text == '\n', text++) {
        if (fresh && (*text == '.' || *text == '\'')) fputs("\\&", stdout);
        if (*text == '-') fputs("\\-", stdout);
        else if (*text == '\\') fputs("\\e", stdout);
        else if (*text == '|') fputs("|\\:", stdout);
        else fputc(*text, stdout);
    }
}

static void troff_line(const char *before, const char *text, const char *after)
{
    fputs(before, stdout);
    troff(text);
    puts(after);
}

static void manual_page(void)
{
    char name[64], usage[160];
    puts(".TH FLAW 1 \"\" \"flaw " FLAW_VERSION
         "\" \"User Commands\"\n.SH NAME\nflaw \\- visual inspection of products");
    puts(".SH SYNOPSIS\n.B flaw\n.I COMMAND\n[\\fIoptions\\fR] ...\n.SH COMMANDS");
    for (int i = 0; i < cli_command_count; i++) {
        const cli_command *c = &cli_command_table[i];
        printf(".SS \"flaw %s ", c->name);
        for (const char *at = c->arguments; *at; at++) printf(*at == '-' ? "\\-" : "%c", *at);
        puts("\"");
        troff_line("", c->detail, "");
        for (int j = 0; j < cli_option_count; j++) {
            const cli_option *o = &cli_option_table[j];
            if (!(o->commands & c->bit) || strcmp(o->name, "help") == 0) continue;
            option_usage(usage, sizeof usage, o);
            troff_line(".TP\n.B ", usage, "");
            troff_line("", o->about, "");
        }
        troff_line(".P\n.nf\n", c->examples, "\n.fi");
    }
    puts(".SH ENVIRONMENT\nEvery option has a twin; the option on the command line wins.");
    for (int j = 0; j < cli_option_count; j++) {
        if (strcmp(cli_option_table[j].name, "help") == 0) continue;
        cli_environment_name(name, &cli_option_table[j]);
        printf(".TP\n.B %s\nas ", name);
        troff_line("\\fB\\-\\-", cli_option_table[j].name, "\\fR");
    }
    puts(".TP\n.B NO_COLOR\nno colours, whatever the terminal");
    troff_line(".SH \"EXIT STATUS\"\n", EXIT_STATUS, "");
}

int cmd_help(const cli_settings *s)
{
    if (s->man) {
        manual_page();
    } else if (s->markdown) {
        markdown_page();
    } else if (s->arguments.count == 0) {
        friendly_page();
    } else {
        const cli_command *c = cli_command_find(s->arguments.value[0]);
        if (!c) return cli_wrong_use("help: '%.80s' is no command; flaw help lists them", s->arguments.value[0]);
        cli_command_page(c);
    }
    return 0;
}
