/* flaw: the command. Finds the command, reads its options, runs it. */
#include <string.h>

#include "cli.h"
#include "commands.h"

static int unknown_command(const char *word)
{
    const char *names[32];
    for (int i = 0; i < cli_command_count; i++) names[i] = cli_command_table[i].name;
    const char *near = cli_nearest(word, names, (size_t)cli_command_count);
    if (near) return cli_wrong_use("unknown command '%.80s'; did you mean flaw %s?", word, near);
    return cli_wrong_use("unknown command '%.80s'; flaw help lists the commands", word);
}

/* Written output that could not be written (a full disk) must not look like success. */
static int finish(int exit)
{
    flaw_error err;
    if (fflush(stdout) == 0 && !ferror(stdout)) return exit;
    flaw_fail(&err, FLAW_IO, "standard output could not be written");
    return exit ? exit : cli_report(&err);
}

int main(int argc, char **argv)
{
    const char *word = argc > 1 ? argv[1] : "help";
    if (strcmp(word, "--version") == 0 || strcmp(word, "-V") == 0) {
        puts("flaw " FLAW_VERSION);
        return finish(0);
    }
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) word = "help";
    const cli_command *command = cli_command_find(word);
    if (!command) return unknown_command(word);
    cli_settings settings;
    flaw_error err;
    cli_settings_init(&settings);
    int exit = 0;
    flaw_status status = cli_settings_parse(&settings, command->bit, argc > 2 ? argc - 2 : 0, argv + 2, &err);
    if (status != FLAW_OK) exit = cli_report(&err);
    else if (settings.help) cli_command_page(command);
    else exit = command->run(&settings);
    cli_settings_release(&settings);
    return finish(exit);
}
