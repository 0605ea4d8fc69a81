#include "measure/eval/judgement.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/json.h"

enum { MOST_SIDE = 1 << 20 };

/* Floats are written as they lie in memory. */
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "maps are kept little-endian");

static json_t *map_json(const flaw_judgement *j)
{
    size_t bytes = (size_t)j->grid * (size_t)j->grid * sizeof(float);
    char *text = malloc(flaw_base64_length(bytes) + 1);
    if (!text) return NULL;
    flaw_base64_encode(text, j->map, bytes);
    json_t *value = json_string(text);
    free(text);
    return value;
}

char *flaw_judgement_line(const flaw_judgement *j, json_t *names)
{
    json_t *root = json_object();
    int failed = !root || json_object_update(root, names);
    failed |= json_object_set_new(root, "cell",
                                  json_pack("[i,i,i,i]", j->cell.dataset, j->cell.method, j->cell.shots, j->cell.draw));
    failed |= json_object_set_new(root, "item", json_integer((json_int_t)j->item));
    failed |= json_object_set_new(root, "image", flaw_json_text(j->image));
    failed |= json_object_set_new(root, "verdict", json_string(flaw_verdict_name(j->verdict)));
    failed |= json_object_set_new(root, "score", flaw_json_number(j->score));
    failed |= json_object_set_new(root, "threshold", flaw_json_number(j->threshold));
    failed |= json_object_set_new(root, "p_value", flaw_json_number(j->p_value));
    failed |= json_object_set_new(root, "ms", flaw_json_number(j->ms));
    if (j->failure) {
        failed |= json_object_set_new(root, "failure", flaw_json_text(j->failure));
    } else {
        failed |= json_object_set_new(root, "size", json_pack("[i,i]", j->width, j->height));
        failed |= json_object_set_new(
            root, "seen", json_pack("[i,i,i,i]", j->seen.x, j->seen.y, j->seen.width, j->seen.height));
        failed |= json_object_set_new(root, "low", flaw_json_number(j->map_low));
        failed |= json_object_set_new(root, "map_threshold", flaw_json_number(j->map_threshold));
        failed |= json_object_set_new(root, "grid", json_integer(j->grid));
        failed |= json_object_set_new(root, "map", map_json(j));
    }
    char *line = failed ? NULL : json_dumps(root, JSON_COMPACT | JSON_REAL_PRECISION(17));
    json_decref(root);
    return line;
}

/* `count` whole numbers of [0, most] from the array at `key`. */
static bool take_integers(const json_t *root, const char *key, int *out, size_t count, int most)
{
    const json_t *array = json_object_get(root, key);
    if (!json_is_array(array) || json_array_size(array) != count) return false;
    for (size_t i = 0; i < count; i++) {
        json_int_t number;
        if (!flaw_json_whole(json_array_get(array, i), 0, most, &number)) return false;
        out[i] = (int)number;
    }
    return true;
}

static bool take_number(const json_t *root, const char *key, double *out)
{
    const json_t *value = json_object_get(root, key);
    *out = json_is_number(value) ? json_number_value(value) : NAN;
    return json_is_number(value) || json_is_null(value);
}

static bool take_text(const json_t *root, const char *key, const char **out, flaw_arena *arena)
{
    *out = flaw_json_copy(arena, json_object_get(root, key));
    return *out != NULL;
}

static bool take_verdict(const json_t *root, flaw_verdict *out)
{
    const char *name = json_string_value(json_object_get(root, "verdict"));
    for (int v = FLAW_UNKNOWN; name && v <= FLAW_ANOMALOUS; v++)
        if (!strcmp(name, flaw_verdict_name((flaw_verdict)v))) {
            *out = (flaw_verdict)v;
            return true;
        }
    return false;
}

static bool take_map(const json_t *root, flaw_judgement *out, flaw_arena *arena)
{
    const json_t *text = json_object_get(root, "map");
    json_int_t side;
    if (!flaw_json_whole(json_object_get(root, "grid"), 1, FLAW_JUDGEMENT_GRID, &side) || !json_is_string(text))
        return false;
    size_t cells = (size_t)(side * side);
    float *map = flaw_arena_alloc(arena, cells, sizeof *map);
    if (!map || !flaw_base64_decode(map, cells * sizeof *map, json_string_value(text), json_string_length(text)))
        return false;
    for (size_t i = 0; i < cells; i++)
        if (!isfinite(map[i])) return false;
    out->grid = (int)side;
    out->map = map;
    return true;
}

/* NULL, or the field that is wrong. */
static const char *take_all(flaw_judgement *out, const json_t *root, flaw_arena *arena)
{
    int cell[4], size[2], seen[4];
    json_int_t item;
    if (!take_integers(root, "cell", cell, 4, MOST_SIDE)) return "cell";
    if (!flaw_json_whole(json_object_get(root, "item"), 0, INT64_MAX, &item)) return "item";
    if (!take_text(root, "image", &out->image, arena)) return "image";
    if (!take_verdict(root, &out->verdict)) return "verdict";
    if (!take_number(root, "score", &out->score)) return "score";
    if (!take_number(root, "threshold", &out->threshold)) return "threshold";
    if (!take_number(root, "p_value", &out->p_value)) return "p_value";
    if (!take_number(root, "ms", &out->ms)) return "ms";
    out->cell = (flaw_cell){cell[0], cell[1], cell[2], cell[3]};
    out->item = (size_t)item;
    if (json_object_get(root, "failure")) return take_text(root, "failure", &out->failure, arena) ? NULL : "failure";
    if (!isfinite(out->score)) return "score";
    if (!take_integers(root, "size", size, 2, MOST_SIDE) || !size[0] || !size[1]) return "size";
    if (!take_integers(root, "seen", seen, 4, MOST_SIDE) || !seen[2] || !seen[3] || seen[0] + seen[2] > size[0] ||
        seen[1] + seen[3] > size[1])
        return "seen";
    if (!take_number(root, "low", &out->map_low)) return "low";
    if (!take_number(root, "map_threshold", &out->map_threshold) && json_object_get(root, "map_threshold"))
        return "map_threshold"; /* older runs have none */
    if (!take_map(root, out, arena)) return "map";
    out->width = size[0];
    out->height = size[1];
    out->seen = (flaw_seen){seen[0], seen[1], seen[2], seen[3]};
    return NULL;
}

flaw_status flaw_judgement_read(flaw_judgement *out, const char *line, size_t length, flaw_arena *arena, flaw_error *err)
{
    *out = (flaw_judgement){0};
    json_error_t why;
    json_t *root = json_loadb(line, length, JSON_REJECT_DUPLICATES, &why);
    if (!json_is_object(root)) {
        json_decref(root);
        return flaw_fail(err, FLAW_BAD_DATA, "no JSON object: %s", root ? "another value" : why.text);
    }
    const char *wrong = take_all(out, root, arena);
    json_decref(root);
    return wrong ? flaw_fail(err, FLAW_BAD_DATA, "\"%s\" is missing or not allowed", wrong) : FLAW_OK;
}
