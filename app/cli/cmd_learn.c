/* flaw learn: good parts -> one recipe file. */
#include <jansson.h>
#include <stdlib.h>

#include "cli.h"
#include "commands.h"

static void print_learnt(const cli_settings *s, const flaw_inspector *inspector)
{
    if (!s->json) {
        printf("recipe: %s\n", s->output);
        cli_print_wrapped(stdout, flaw_inspector_about(inspector), 0, 110);
        return;
    }
    json_t *line = json_pack("{s:o, s:o}", "recipe", cli_json_text(s->output), "about",
                             cli_json_text(flaw_inspector_about(inspector)));
    char *text = json_dumps(line, JSON_COMPACT);
    if (text) puts(text);
    free(text);
    json_decref(line);
}

int cmd_learn(const cli_settings *s)
{
    if (s->arguments.count)
        return cli_wrong_use("learn: '%s' is not expected; good parts are given by --good", s->arguments.value[0]);
    if (!s->good.count)
        return cli_wrong_use("learn: no good parts; usage: flaw learn --good DIR --object NAME -o FILE");
    if (!s->output) return cli_wrong_use("learn: no file to write; usage: flaw learn --good DIR --object NAME -o FILE");
    flaw_error err;
    flaw_engine *engine = NULL;
    flaw_inspector *inspector = NULL;
    flaw_status status = cli_open_engine(&engine, s, &err);
    if (status == FLAW_OK) status = cli_open_inspector(&inspector, engine, s, &err);
    if (status == FLAW_OK) status = flaw_inspector_save(inspector, s->output, &err);
    if (status == FLAW_OK) print_learnt(s, inspector);
    int exit = status == FLAW_OK ? 0 : cli_report(&err);
    flaw_inspector_free(inspector);
    flaw_engine_close(engine);
    return exit;
}
