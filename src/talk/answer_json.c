/* An answer as one line of JSON. */
#include <stdlib.h>

#include "base/json.h"
#include "flaw/talk.h"

static const char *source_name(flaw_talk_source source)
{
    return source == FLAW_TALK_LANGUAGE ? "language" : source == FLAW_TALK_ENDPOINT ? "endpoint" : "facts";
}

static json_t *ids_of(const flaw_answer *a)
{
    json_t *list = json_array();
    for (int i = 0; list && i < a->id_count; i++)
        if (json_array_append_new(list, json_integer(a->ids[i]))) {
            json_decref(list);
            return NULL;
        }
    return list;
}

static json_t *places_of(const flaw_answer *a)
{
    json_t *list = json_array();
    for (int i = 0; list && i < a->places; i++)
        if (json_array_append_new(list, json_string(a->place[i]))) {
            json_decref(list);
            return NULL;
        }
    return list;
}

/* A NULL value (memory refused) makes the whole fail. */
static int set(json_t *root, const char *key, json_t *value)
{
    return json_object_set_new(root, key, value);
}

char *flaw_answer_json(const flaw_answer *a, const char *image, const char *question, const char *model)
{
    json_t *root = json_object();
    if (!root) return NULL;
    int failed = set(root, "image", flaw_json_text(image)) | set(root, "question", flaw_json_text(question)) |
                 set(root, "answer", flaw_json_text(a->text));
    if (a->ids) failed |= set(root, "ids", ids_of(a));
    failed |= set(root, "verdict", json_string(flaw_verdict_name(a->verdict))) |
              set(root, "count", a->count < 0 ? json_null() : json_integer(a->count)) |
              set(root, "places", places_of(a)) | set(root, "score", flaw_json_number(a->score)) |
              set(root, "threshold", flaw_json_number(a->threshold)) |
              set(root, "map_verdict", json_string(flaw_verdict_name(a->map_verdict))) |
              set(root, "agree", a->agree < 0 ? json_null() : json_boolean(a->agree)) |
              set(root, "source", json_string(source_name(a->source))) | set(root, "cut", json_boolean(a->cut)) |
              set(root, "model", flaw_json_text(model)) | set(root, "ms", flaw_json_number(a->ms));
    if (*a->note) failed |= set(root, "note", flaw_json_text(a->note));
    char *out = failed ? NULL : json_dumps(root, JSON_COMPACT | JSON_REAL_PRECISION(9));
    json_decref(root);
    return out;
}
