/* Results as JSON, one object a line. */
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "flaw/inspect.h"

static json_t *number(double v)
{
    return isfinite(v) ? json_real(v) : json_null();
}

/* File names may hold any bytes; what is not UTF-8 becomes "?", byte by byte. */
static json_t *text(const char *s)
{
    if (!s) return json_null();
    json_t *v = json_string(s);
    if (v) return v;
    size_t size = strlen(s);
    char *copy = malloc(size + 1);
    if (!copy) return NULL;
    for (size_t i = 0; i < size;) {
        size_t n = flaw_utf8_length(s + i, size - i);
        if (n) memcpy(copy + i, s + i, n);
        else copy[i] = '?';
        i += n ? n : 1;
    }
    copy[size] = '\0';
    v = json_string(copy);
    free(copy);
    return v;
}

static json_t *regions_of(const flaw_result *r)
{
    json_t *list = json_array();
    for (int i = 0; list && i < r->regions; i++) {
        const flaw_region *g = &r->region[i];
        json_t *one = json_pack("{s:[i,i,i,i], s:o, s:o, s:s}", "box", g->x, g->y, g->width, g->height, "area",
                                number(g->area), "score", number(g->score), "place", g->place);
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

char *flaw_result_json(const flaw_result *r, const char *image, const char *model, const char *files_json)
{
    json_t *root = json_object();
    if (!root) return NULL;
    int failed = set(root, "image", text(image)) | set(root, "verdict", json_string(flaw_verdict_name(r->verdict))) |
                 set(root, "score", number(r->score)) | set(root, "threshold", number(r->threshold)) |
                 set(root, "false_alarm_rate", number(r->false_alarm_rate)) | set(root, "rule", text(r->rule)) |
                 set(root, "method", text(r->method)) | set(root, "model", text(model)) |
                 set(root, "object", text(r->object)) | set(root, "regions", regions_of(r));
    if (*r->closest) failed |= set(root, "closest", text(r->closest));
    if (r->unseen > 0) failed |= set(root, "unseen", number(r->unseen));
    if (*r->doubt) failed |= set(root, "doubt", text(r->doubt));
    failed |= set(root, "words", text(r->words)) | set(root, "ms", number(r->ms));
    if (files_json) {
        json_t *files = json_loads(files_json, 0, NULL);
        failed |= !files || set(root, "files", files);
    }
    char *out = failed ? NULL : json_dumps(root, JSON_COMPACT | JSON_REAL_PRECISION(9));
    json_decref(root);
    return out;
}
