/* Lists of sentences as a prompt file that says how it came about. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/line.h"
#include "talk/prompts_make.h"
#include "talk/prompts_query.h"
#include "talk/prompts_writer.h"

static json_t *list_of(char *const *text, int count)
{
    json_t *list = json_array();
    for (int i = 0; list && i < count; i++)
        if (json_array_append_new(list, flaw_json_text(text[i]))) {
            json_decref(list);
            return NULL;
        }
    return list;
}

static json_t *entry_of(const char *object, char *const *const text[2], const int count[2])
{
    json_t *entry = json_object();
    int failed = !entry || json_object_set_new(entry, "class", flaw_json_text(object));
    for (int c = 0; !failed && c < 2; c++)
        failed = json_object_set_new(entry, flaw_query_states[c], list_of(text[c], count[c]));
    if (!failed) return json_pack("[o]", entry);
    json_decref(entry);
    return NULL;
}

static json_t *settings_of(const flaw_making *m)
{
    const flaw_prompts_options *o = &m->options;
    return json_pack("{s:i, s:o, s:o, s:I, s:i, s:i}", "count", o->count, "temperature",
                     flaw_json_number(o->temperature), "top_p", flaw_json_number(o->top_p), "seed",
                     (json_int_t)(o->seed & INT64_MAX), "max_tokens", FLAW_WRITER_TOKENS(o->count), "asked", m->asked);
}

static char *dump(json_t *root, int failed)
{
    char *text = failed ? NULL : json_dumps(root, JSON_INDENT(1) | JSON_REAL_PRECISION(9));
    json_decref(root);
    return text;
}

char *flaw_making_file(const flaw_making *m)
{
    json_t *root = json_pack("{s:s, s:i}", "format", "flaw-prompts", "version", 1);
    if (!root) return NULL;
    int failed = json_object_set_new(root, "model", flaw_json_text(m->model)) |
                 json_object_set_new(root, "source", flaw_json_text(m->source)) |
                 json_object_set_new(root, "date", flaw_json_text(m->date)) |
                 json_object_set_new(root, "settings", settings_of(m)) |
                 json_object_set_new(root, "query",
                                     json_pack("{s:s, s:s, s:s}", "system", flaw_query_system(), "normal",
                                               m->question[0].data, "abnormal", m->question[1].data)) |
                 json_object_set_new(root, "key", flaw_json_text(m->key.hex));
    if (m->brief) failed |= json_object_set_new(root, "brief", flaw_json_text(m->brief));
    char *const *const text[2] = {m->sift.text[0], m->sift.text[1]};
    failed |= json_object_set_new(root, "entries", entry_of(m->object, text, m->sift.count));
    return dump(root, failed);
}

flaw_status flaw_making_builtin(char **out, const flaw_making *m, flaw_error *err)
{
    flaw_prompt_set set;
    flaw_status s = flaw_prompts_builtin(&set, m->object, err);
    if (s) return s;
    json_t *root = json_pack("{s:s, s:i}", "format", "flaw-prompts", "version", 1);
    char *const *const text[2] = {set.text[0], set.text[1]};
    char source[180];
    snprintf(source, sizeof source, "built in: %s", set.source);
    int failed = !root || (json_object_set_new(root, "model", flaw_json_text(set.model)) |
                           json_object_set_new(root, "source", flaw_json_text(source)) |
                           json_object_set_new(root, "date", flaw_json_text(set.date)) |
                           json_object_set_new(root, "entries", entry_of(m->object, text, set.count)));
    flaw_prompts_release(&set);
    *out = dump(root, failed);
    return *out ? FLAW_OK : flaw_fail(err, FLAW_NO_MEMORY, "memory for sentences was refused");
}

static void copy_text(char *out, size_t room, const json_t *root, const char *key)
{
    const char *text = json_string_value(json_object_get(root, key));
    flaw_line_clean(out, room, text ? text : "", text ? strlen(text) : 0);
}

void flaw_about_read(flaw_prompts_about *out, const char *json)
{
    json_t *root = json_loads(json, 0, NULL);
    const json_t *entry = json_array_get(json_object_get(root, "entries"), 0);
    copy_text(out->source, sizeof out->source, root, "source");
    copy_text(out->model, sizeof out->model, root, "model");
    copy_text(out->date, sizeof out->date, root, "date");
    out->count = (int)json_array_size(json_object_get(entry, "normal"));
    json_decref(root);
}
