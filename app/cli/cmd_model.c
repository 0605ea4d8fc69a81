/* flaw model: info, list, and what puts weights together. */
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "commands.h"
#include "flaw/model.h"

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

/* How many words an action takes after its name; 0 when right, else the exit status of a wrong use. */
static int expect(const cli_settings *s, size_t least, size_t most, const char *usage)
{
    const size_t count = s->arguments.count ? s->arguments.count - 1 : 0;
    if (count > most)
        return cli_wrong_use("model: '%s' is not expected; usage: flaw model %s", s->arguments.value[most + 1], usage);
    if (count < least) return cli_wrong_use("model: usage: flaw model %s", usage);
    return 0;
}

typedef flaw_status (*conversion)(const char *path, const char *out, const char *keep, flaw_progress progress,
                                  void *context, flaw_error *err);

static int merge_delta(const cli_settings *s)
{
    flaw_error err;
    const int wrong = expect(s, 2, 2, "merge-delta BASE DELTA -o OUT");
    if (wrong) return wrong;
    if (!s->output) return cli_wrong_use("model: merge-delta needs --output OUT, the folder to write to");
    cli_progress bar = cli_progress_begin(s);
    const flaw_status status =
        flaw_model_merge_delta(s->arguments.value[1], s->arguments.value[2], s->output, cli_progress_step, &bar, &err);
    cli_progress_clear(&bar);
    return status == FLAW_OK ? 0 : cli_report(&err);
}

/* convert and quantize: one path becomes one file. */
static int convert(const cli_settings *s, conversion run, const char *usage)
{
    flaw_error err;
    const int wrong = expect(s, 1, 1, usage);
    if (wrong) return wrong;
    if (!s->output) return cli_wrong_use("model: --output FILE is needed; usage: flaw model %s", usage);
    cli_progress bar = cli_progress_begin(s);
    const flaw_status status = run(s->arguments.value[1], s->output, s->keep, cli_progress_step, &bar, &err);
    cli_progress_clear(&bar);
    return status == FLAW_OK ? 0 : cli_report(&err);
}

int cmd_model(const cli_settings *s)
{
    const char *what = s->arguments.count ? s->arguments.value[0] : "list";
    int wrong = 0;
    if (strcmp(what, "info") == 0) {
        if ((wrong = expect(s, 0, 1, "info [PATH]"))) return wrong;
        return info(s->arguments.count > 1 ? s->arguments.value[1] : "default", s->json);
    }
    if (strcmp(what, "list") == 0) return (wrong = expect(s, 0, 0, "list")) ? wrong : list(s->json);
    if (strcmp(what, "merge-delta") == 0) return merge_delta(s);
    if (strcmp(what, "convert") == 0) return convert(s, flaw_model_convert, "convert PATH -o FILE [--keep HOW]");
    if (strcmp(what, "quantize") == 0) {
        if (!s->keep) return cli_wrong_use("model: quantize needs --keep int8 or --keep int4");
        return convert(s, flaw_model_quantize, "quantize PATH -o FILE --keep int8|int4");
    }
    return cli_wrong_use("model: '%s' is not known; known are info, list, merge-delta, convert, quantize", what);
}
