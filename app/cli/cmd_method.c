/* flaw method list: the methods that --method takes, what each needs, its options, and those that are not there. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "commands.h"
#include "flaw/method.h"

static const struct {
    int bit;
    const char *key, *words;
} needs[] = {
    {FLAW_NEEDS_TEXT, "text", "a text tower"},
    {FLAW_NEEDS_GOOD, "good", "good parts"},
    {FLAW_NEEDS_BATCH, "batch", "the pictures to judge, all at once"},
    {FLAW_NEEDS_TRAINING, "training", "a trained part"},
    {FLAW_NEEDS_LOCAL_HEAD, "local_head", "a local head"},
};

static const char *const kinds[] = {"whole", "number", "share", "choice"};

static void print_line(json_t *line)
{
    char *text = json_dumps(line, JSON_COMPACT | JSON_REAL_PRECISION(9));
    if (text) puts(text);
    free(text);
    json_decref(line);
}

/* "auto" for place 0 of "auto|on|off". */
static int choice_at(const char **out, const char *choices, int place)
{
    while (place-- > 0) choices += strcspn(choices, "|") + 1;
    *out = choices;
    return (int)strcspn(choices, "|");
}

static json_t *option_json(const flaw_method_option *o)
{
    json_t *line = json_pack("{s:s, s:s, s:s}", "name", o->name, "kind", kinds[o->kind], "about", o->about);
    if (o->kind == FLAW_OPTION_CHOICE) {
        const char *word;
        int length = choice_at(&word, o->choices, (int)o->standard);
        json_object_set_new(line, "choices", json_string(o->choices));
        json_object_set_new(line, "default", json_stringn(word, (size_t)length));
    } else {
        json_object_set_new(line, "low", json_real(o->low));
        json_object_set_new(line, "high", json_real(o->high));
        json_object_set_new(line, "default", json_real(o->standard));
    }
    return line;
}

static void print_json(const flaw_method_facts *m)
{
    json_t *options = json_array(), *wants = json_object();
    for (size_t i = 0; i < sizeof needs / sizeof *needs; i++)
        json_object_set_new(wants, needs[i].key, json_boolean(m->needs & needs[i].bit));
    for (const flaw_method_option *o = m->option; o && o->name; o++) json_array_append_new(options, option_json(o));
    print_line(json_pack("{s:s, s:s, s:s, s:o, s:o}", "method", m->name, "about", m->about, "paper", m->paper, "needs",
                         wants, "options", options));
}

static void print_option(const flaw_method_option *o)
{
    if (o->kind == FLAW_OPTION_CHOICE) {
        const char *word;
        int length = choice_at(&word, o->choices, (int)o->standard);
        printf("    %s=%s  %s (default: %.*s)\n", o->name, o->choices, o->about, length, word);
    } else {
        printf("    %s=%g..%g  %s (default: %g)\n", o->name, o->low, o->high, o->about, o->standard);
    }
}

static void print_text(const flaw_method_facts *m)
{
    printf("%s\n    %s\n    paper: %s\n    needs: ", m->name, m->about, m->paper);
    int said = 0;
    for (size_t i = 0; i < sizeof needs / sizeof *needs; i++)
        if (m->needs & needs[i].bit) printf("%s%s", said++ ? ", " : "", needs[i].words);
    puts(said ? "" : "nothing but a picture");
    for (const flaw_method_option *o = m->option; o && o->name; o++) print_option(o);
}

static void print_absent(bool json)
{
    if (!json) puts("\nNot there:");
    for (int i = 0; flaw_method_absent(i).name; i++) {
        flaw_method_absence a = flaw_method_absent(i);
        if (json)
            print_line(
                json_pack("{s:s, s:b, s:s, s:s}", "method", a.name, "absent", 1, "paper", a.paper, "reason", a.reason));
        else printf("    %-12s  %s (%s)\n", a.name, a.reason, a.paper);
    }
}

int cmd_method(const cli_settings *s)
{
    if (s->arguments.count > 1 || (s->arguments.count && strcmp(s->arguments.value[0], "list") != 0))
        return cli_wrong_use("method: '%s' is not known; usage: flaw method list",
                             s->arguments.value[s->arguments.count - 1]);
    for (int i = 0; i < flaw_method_count(); i++) {
        flaw_method_facts m = flaw_method_tell(i);
        if (s->json) print_json(&m);
        else print_text(&m);
    }
    print_absent(s->json);
    return 0;
}
