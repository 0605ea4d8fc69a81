/* The plan as the first line of results.jsonl, and back. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "measure/eval/eval_plan.h"

enum { FORMAT = 1, MOST = 100000 };

static json_t *sets_json(const flaw_plan *plan)
{
    json_t *list = json_array();
    for (size_t i = 0; list && i < plan->sets; i++) {
        const flaw_plan_set *s = &plan->set[i];
        json_t *one = json_pack("{s:o, s:o, s:s, s:o, s:i, s:i}", "root", flaw_json_text(s->root), "category",
                                flaw_json_text(s->category), "layout", s->layout, "object", flaw_json_text(s->object),
                                "tests", (int)s->set.tests, "references", (int)s->set.references);
        if (json_array_append_new(list, one)) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

char *flaw_plan_line(const flaw_plan *plan, bool whole)
{
    json_t *methods = json_array(), *shots = json_array(), *root = json_object();
    int failed = !root;
    for (size_t i = 0; i < plan->methods; i++) failed |= json_array_append_new(methods, json_string(plan->method[i]));
    for (size_t i = 0; i < plan->shot_counts; i++)
        failed |= json_array_append_new(shots, json_integer(plan->shots[i]));
    failed |= json_object_set_new(root, "flaw_eval", json_integer(FORMAT));
    failed |= json_object_set_new(root, "model", flaw_json_text(plan->model));
    failed |= json_object_set_new(root, "model_hash", flaw_json_text(plan->model_hash));
    failed |= json_object_set_new(root, "datasets", sets_json(plan));
    failed |= json_object_set_new(root, "methods", methods);
    failed |= json_object_set_new(root, "shots", shots);
    failed |= json_object_set_new(root, "seeds", json_integer(plan->seeds));
    failed |= json_object_set_new(root, "seed", json_integer((json_int_t)plan->seed));
    failed |= json_object_set_new(root, "map_side", json_integer(plan->map_side));
    failed |= json_object_set_new(root, "promised", json_boolean(plan->promised));
    failed |= json_object_set_new(root, "settings", flaw_json_text(plan->settings));
    failed |= json_object_set_new(root, "shard",
                                  whole ? json_pack("[i,i]", 1, 1) : json_pack("[i,i]", plan->shard, plan->shards));
    char *line = failed ? NULL : json_dumps(root, JSON_COMPACT);
    json_decref(root);
    return line;
}

/* --- reading --- */

static bool take_text(flaw_plan *plan, const json_t *root, const char *key, const char **out)
{
    const json_t *value = json_object_get(root, key);
    *out = flaw_json_copy(&plan->arena, value);
    return *out || json_is_null(value);
}

static bool take_integer(const json_t *root, const char *key, json_int_t low, json_int_t high, json_int_t *out)
{
    return flaw_json_whole(json_object_get(root, key), low, high, out);
}

static bool take_methods(flaw_plan *plan, const json_t *list)
{
    plan->methods = json_array_size(list);
    if (plan->methods < 1 || plan->methods > MOST) return false;
    plan->method = flaw_arena_alloc(&plan->arena, plan->methods, sizeof *plan->method);
    for (size_t i = 0; plan->method && i < plan->methods; i++) {
        plan->method[i] = flaw_json_copy(&plan->arena, json_array_get(list, i));
        if (!plan->method[i]) return false;
    }
    return plan->method != NULL;
}

static bool take_shots(flaw_plan *plan, const json_t *list)
{
    plan->shot_counts = json_array_size(list);
    if (plan->shot_counts < 1 || plan->shot_counts > MOST) return false;
    plan->shots = flaw_arena_alloc(&plan->arena, plan->shot_counts, sizeof *plan->shots);
    for (size_t i = 0; plan->shots && i < plan->shot_counts; i++) {
        json_int_t shots;
        if (!flaw_json_whole(json_array_get(list, i), -1, 1000000, &shots)) return false;
        plan->shots[i] = (int)shots;
    }
    return plan->shots != NULL;
}

static bool take_numbers(flaw_plan *plan, const json_t *root)
{
    json_int_t seeds, seed, side;
    int shard, shards;
    if (!take_integer(root, "seeds", 1, MOST, &seeds) || !take_integer(root, "seed", INT64_MIN, INT64_MAX, &seed) ||
        !take_integer(root, "map_side", 1, 1 << 14, &side) ||
        json_unpack((json_t *)root, "{s:[i,i]}", "shard", &shard, &shards) || shard < 1 || shard > shards)
        return false;
    plan->seeds = (int)seeds;
    plan->seed = (uint64_t)seed;
    plan->map_side = (int)side;
    plan->shard = shard;
    plan->shards = shards;
    return true;
}

/* A data set that has changed since has other pictures under the kept numbers. */
static flaw_status take_set(flaw_plan *plan, const json_t *one, const char *name, flaw_error *err)
{
    flaw_plan_set *to = &plan->set[plan->sets];
    json_int_t tests, references;
    if (!take_text(plan, one, "root", &to->root) || !to->root || !take_text(plan, one, "category", &to->category) ||
        !to->category || !take_text(plan, one, "layout", &to->layout) || !to->layout ||
        !take_text(plan, one, "object", &to->object) || !to->object ||
        !take_integer(one, "tests", 0, INT32_MAX, &tests) ||
        !take_integer(one, "references", 0, INT32_MAX, &references))
        return flaw_fail(err, FLAW_BAD_DATA, "'%s', line 1: \"datasets\" is missing or not allowed", name);
    flaw_dataset_entry entry = {(char *)to->root, (char *)to->category, to->layout};
    flaw_status s = flaw_dataset_open(&to->set, &entry, err);
    if (s) return s;
    plan->sets++;
    if (to->set.tests == (size_t)tests && to->set.references == (size_t)references) return FLAW_OK;
    return flaw_fail(err, FLAW_BAD_DATA,
                     "'%s': data set '%s' has changed since: it had %d test pictures and %d good parts, now %zu and "
                     "%zu", name,
                     to->root, (int)tests, (int)references, to->set.tests, to->set.references);
}

static flaw_status take_sets(flaw_plan *plan, const json_t *list, const char *name, flaw_error *err)
{
    size_t count = json_array_size(list);
    plan->set = count && count <= MOST ? flaw_arena_alloc(&plan->arena, count, sizeof *plan->set) : NULL;
    if (!plan->set) return flaw_fail(err, FLAW_BAD_DATA, "'%s', line 1: \"datasets\" is missing or not allowed", name);
    flaw_status s = FLAW_OK;
    for (size_t i = 0; !s && i < count; i++) s = take_set(plan, json_array_get(list, i), name, err);
    return s;
}

static flaw_status read_plan(flaw_plan *plan, const json_t *root, const char *name, flaw_error *err)
{
    json_int_t format;
    const char *wrong = NULL;
    if (!take_integer(root, "flaw_eval", FORMAT, FORMAT, &format)) wrong = "flaw_eval";
    else if (!take_text(plan, root, "model", &plan->model)) wrong = "model";
    else if (!take_text(plan, root, "model_hash", &plan->model_hash)) wrong = "model_hash";
    else if (!take_methods(plan, json_object_get(root, "methods"))) wrong = "methods";
    else if (!take_shots(plan, json_object_get(root, "shots"))) wrong = "shots";
    else if (!take_numbers(plan, root)) wrong = "seeds, seed, map_side or shard";
    else if (!json_is_boolean(json_object_get(root, "promised"))) wrong = "promised";
    else if (!take_text(plan, root, "settings", &plan->settings) || !plan->settings) wrong = "settings";
    plan->promised = json_is_true(json_object_get(root, "promised"));
    if (wrong) return flaw_fail(err, FLAW_BAD_DATA, "'%s', line 1: \"%s\" is missing or not allowed", name, wrong);
    return take_sets(plan, json_object_get(root, "datasets"), name, err);
}

flaw_status flaw_plan_read(flaw_plan *out, const char *line, size_t length, const char *name, flaw_error *err)
{
    flaw_plan plan = {0};
    json_error_t why;
    json_t *root = json_loadb(line, length, JSON_REJECT_DUPLICATES, &why);
    if (!json_is_object(root)) {
        json_decref(root);
        return flaw_fail(err, FLAW_BAD_DATA,
                         "'%s', line 1: the plan of an evaluation is expected, it is no JSON object", name);
    }
    flaw_arena_init(&plan.arena, 0);
    flaw_status s = read_plan(&plan, root, name, err);
    json_decref(root);
    if (s) flaw_plan_close(&plan);
    else *out = plan;
    return s;
}
