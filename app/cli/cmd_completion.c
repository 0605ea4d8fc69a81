/* flaw completion bash: a completion script written out from the tables. */
#include <string.h>

#include "cli.h"
#include "commands.h"

static void words_with_spaces(const char *choices)
{
    for (; *choices; choices++) putchar(*choices == '|' ? ' ' : *choices);
}

/* Values of an option: its choices, else files. */
static void value_cases(void)
{
    puts("    case \"$prev\" in");
    for (int i = 0; i < cli_option_count; i++) {
        const cli_option *o = &cli_option_table[i];
        if (!o->choices) continue;
        printf("    --%s) COMPREPLY=($(compgen -W \"", o->name);
        words_with_spaces(o->choices);
        puts("\" -- \"$cur\")); return ;;");
    }
    puts("    esac");
}

static void command_cases(void)
{
    puts("    case \"${COMP_WORDS[1]}\" in");
    for (int i = 0; i < cli_command_count; i++) {
        printf("    %s) words=\"", cli_command_table[i].name);
        for (int j = 0; j < cli_option_count; j++)
            if (cli_option_table[j].commands & cli_command_table[i].bit) printf("--%s ", cli_option_table[j].name);
        puts("\" ;;");
    }
    puts("    esac");
}

int cmd_completion(const cli_settings *s)
{
    if (s->arguments.count != 1 || strcmp(s->arguments.value[0], "bash") != 0)
        return cli_wrong_use("completion: usage: flaw completion bash");
    puts("# bash completion of flaw, made by: flaw completion bash");
    puts("_flaw() {");
    puts("    local cur=\"${COMP_WORDS[COMP_CWORD]}\" prev=\"${COMP_WORDS[COMP_CWORD-1]}\" words=\"\"");
    puts("    COMPREPLY=()");
    printf("    if [ \"$COMP_CWORD\" -eq 1 ]; then\n        COMPREPLY=($(compgen -W \"");
    for (int i = 0; i < cli_command_count; i++) printf("%s ", cli_command_table[i].name);
    puts("--help --version\" -- \"$cur\")); return\n    fi");
    value_cases();
    command_cases();
    puts("    case \"$cur\" in");
    puts("    -*) COMPREPLY=($(compgen -W \"$words\" -- \"$cur\")) ;;");
    puts("    *) compopt -o filenames; COMPREPLY=($(compgen -f -- \"$cur\")) ;;");
    puts("    esac");
    puts("}");
    puts("complete -F _flaw flaw");
    return 0;
}
