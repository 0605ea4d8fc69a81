/* flaw method list: the methods that --method takes. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "commands.h"

static void print_json(int index)
{
    json_t *line = json_pack("{s:s, s:s}", "method", flaw_method_name(index), "about", flaw_method_about(index));
    char *text = json_dumps(line, JSON_COMPACT);
    if (text) puts(text);
    free(text);
    json_decref(line);
}

int cmd_method(const cli_settings *s)
{
    if (s->arguments.count > 1 || (s->arguments.count && strcmp(s->arguments.value[0], "list") != 0))
        return cli_wrong_use("method: '%s' is not known; usage: flaw method list",
                             s->arguments.value[s->arguments.count - 1]);
    for (int i = 0; i < flaw_method_count(); i++) {
        if (s->json) print_json(i);
        else printf("%-12s  %s\n", flaw_method_name(i), flaw_method_about(i));
    }
    return 0;
}
