/* Results as JSON, one object a line. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "flaw/inspect.h"

static json_t *regions_of(const flaw_result *r)
{
    json_t *list = json_array();
    for (int i = 0; list && i < r->regions; i++) {
        const flaw_region *g = &r->region[i];
        json_t *one = json_pack("{s:[i,i,i,i], s:o, s:o, s:s}", "box", g->x, g->y, g->width, g->height, "area",
                                flaw_json_number(g->area), "score", flaw_json_number(g->score), "place", g->place);
        if (json_array_append_new(list, one)) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

/* Sets in order; a NULL value (memory refused) makes the whole fail. */
static int set(json_t *root, const char *key, json_t *value)
{
    return json_object_set_new(root, key, value);
}

static json_t *prompts_of(const flaw_prompts_about *p)
{
    return json_pack("{s:o, s:o, s:o, s:b, s:i, s:o*}", "source", flaw_json_text(p->source), "model",
                     flaw_json_text(*p->model ? p->model : NULL), "date", flaw_json_text(*p->date ? p->date : NULL),
                     "cached", p->cached, "count", p->count, "note", *p->note ? flaw_json_text(p->note) : NULL);
}

char *flaw_result_json(const flaw_result *r, const char *image, const char *model, const char *files_json)
{
    json_t *root = json_object();
    if (!root) return NULL;
    int failed =
        set(root, "image", flaw_json_text(image)) | set(root, "verdict", json_string(flaw_verdict_name(r->verdict))) |
        set(root, "score", flaw_json_number(r->score)) | set(root, "threshold", flaw_json_number(r->threshold)) |
        set(root, "false_alarm_rate", flaw_json_number(r->false_alarm_rate)) |
        set(root, "p_value", flaw_json_number(r->p_value)) | set(root, "rule", flaw_json_text(r->rule)) |
        set(root, "method", flaw_json_text(r->method)) | set(root, "model", flaw_json_text(model)) |
        set(root, "object", flaw_json_text(r->object)) | set(root, "regions", regions_of(r));
    if (*r->closest) failed |= set(root, "closest", flaw_json_text(r->closest));
    if (r->unseen > 0) failed |= set(root, "unseen", flaw_json_number(r->unseen));
    if (*r->doubt) failed |= set(root, "doubt", flaw_json_text(r->doubt));
    if (r->prompts.count) failed |= set(root, "prompts", prompts_of(&r->prompts));
    failed |= set(root, "words", flaw_json_text(r->words)) | set(root, "ms", flaw_json_number(r->ms));
    if (files_json) {
        json_t *files = json_loads(files_json, 0, NULL);
        failed |= !files || set(root, "files", files);
    }
    char *out = failed ? NULL : json_dumps(root, JSON_COMPACT | JSON_REAL_PRECISION(9));
    json_decref(root);
    return out;
}
