/* flaw model info, flaw model list. */
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "commands.h"

/* What a path holds is printed even where it cannot be opened, as far as it could be read. */
static int info(const char *path, bool json)
{
    char *text = NULL;
    flaw_error err;
    flaw_status status = flaw_model_info(&text, path, json, &err);
    if (text) printf("%s%s", text, *text && text[strlen(text) - 1] == '\n' ? "" : "\n");
    free(text);
    return status == FLAW_OK ? 0 : cli_report(&err);
}

/* One line for each model that needs no path: the embedded one. */
static int list(bool as_json)
{
    char *text = NULL;
    flaw_error err;
    flaw_status status = flaw_model_info(&text, "default", 1, &err);
    json_t *model = text ? json_loads(text, 0, NULL) : NULL;
    free(text);
    if (status == FLAW_OK && as_json) {
        printf("{\"model\":\"default\",\"parameters\":%lld}\n",
               (long long)json_integer_value(json_object_get(model, "parameters")));
    } else if (status == FLAW_OK) {
        const char *image = json_string_value(json_object_get(model, "image"));
        printf("default  embedded; %.1f million parameters; %s\n",
               (double)json_integer_value(json_object_get(model, "parameters")) / 1e6, image ? image : "");
    }
    json_decref(model);
    return status == FLAW_OK ? 0 : cli_report(&err);
}

int cmd_model(const cli_settings *s)
{
    const char *what = s->arguments.count ? s->arguments.value[0] : "list";
    if (s->arguments.count > 2) return cli_wrong_use("model: '%s' is not expected", s->arguments.value[2]);
    if (strcmp(what, "info") == 0) return info(s->arguments.count > 1 ? s->arguments.value[1] : "default", s->json);
    if (strcmp(what, "list") == 0 && s->arguments.count < 2) return list(s->json);
    return cli_wrong_use("model: '%s' is not known; usage: flaw model info [PATH], flaw model list", what);
}
