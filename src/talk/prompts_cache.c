#include "talk/prompts_cache.h"

#include <ctype.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/path.h"
#include "detect/prompts.h"

#define MOST_BYTES ((size_t)1 << 20)

void flaw_cache_slug(char slug[48], const char *object)
{
    size_t n = 0;
    for (; *object && n < 40; object++) {
        unsigned char c = (unsigned char)*object;
        if (c < 128 && isalnum(c)) slug[n++] = (char)tolower(c);
        else if (n && slug[n - 1] != '-') slug[n++] = '-';
    }
    while (n && slug[n - 1] == '-') n--;
    slug[n] = '\0';
    if (!n) memcpy(slug, "object", 7);
}

flaw_status flaw_cache_check(const char *json, size_t size, const char *name, const flaw_cache_key *key,
                             const char *object, flaw_error *err)
{
    flaw_prompt_set set;
    flaw_status s = flaw_prompts_parse(&set, json, size, name, object, err);
    if (s) return s == FLAW_MISSING ? FLAW_BAD_DATA : s;
    flaw_prompts_release(&set);
    json_t *root = json_loadb(json, size, JSON_REJECT_DUPLICATES, NULL);
    const char *found = json_string_value(json_object_get(root, "key"));
    bool same = found && !strcmp(found, key->hex);
    bool dated = json_is_string(json_object_get(root, "date")) && json_is_string(json_object_get(root, "model"));
    json_decref(root);
    if (!same)
        return flaw_fail(err, FLAW_BAD_DATA, "%s: \"key\" is not that of the question (%.16s...)", name, key->hex);
    return dated ? FLAW_OK : flaw_fail(err, FLAW_BAD_DATA, "%s: \"model\" or \"date\" is missing", name);
}

static flaw_status read_one(char **json, const char *path, const flaw_cache_key *key, const char *object,
                            flaw_error *err)
{
    flaw_bytes bytes;
    flaw_status s = flaw_file_read(&bytes, path, MOST_BYTES, err);
    if (s) return s;
    s = flaw_cache_check((const char *)bytes.data, bytes.size, path, key, object, err);
    *json = s ? NULL : strndup((const char *)bytes.data, bytes.size);
    flaw_bytes_release(&bytes);
    return s || *json ? s : flaw_fail(err, FLAW_NO_MEMORY, "%s: memory was refused", path);
}

flaw_status flaw_cache_find(char **json, const char *folder, const flaw_cache_key *key, const char *object,
                            flaw_error *err)
{
    char begin[80];
    flaw_names names;
    flaw_arena arena;
    flaw_error newest = {0}, why;
    flaw_status s = FLAW_MISSING;
    int n = snprintf(begin, sizeof begin, "%s-%.16s-", key->slug, key->hex);
    if (flaw_file_list(&names, folder, NULL) != FLAW_OK) names = (flaw_names){0};
    flaw_arena_init(&arena, 0);
    for (size_t i = names.count; s && i > 0; i--) { /* names end with the date: the newest is the last one */
        size_t length = strlen(names.name[i - 1]);
        if (strncmp(names.name[i - 1], begin, (size_t)n) != 0 || length < 6 ||
            strcmp(names.name[i - 1] + length - 5, ".json"))
            continue;
        const char *path = flaw_path_join(&arena, folder, names.name[i - 1]);
        flaw_status found = path ? read_one(json, path, key, object, &why)
                                 : flaw_fail(&why, FLAW_NO_MEMORY, "memory for a path was refused");
        if (found && s == FLAW_MISSING) newest = why;
        if (!found || s == FLAW_MISSING) s = found;
    }
    flaw_names_release(&names);
    flaw_arena_release(&arena);
    if (s == FLAW_MISSING)
        return flaw_fail(err, FLAW_MISSING, "%s: no sentences for \"%s\" of this question", folder, object);
    return s ? flaw_fail(err, s, "%s", newest.text) : FLAW_OK;
}

flaw_status flaw_cache_keep(const char *folder, const flaw_cache_key *key, const char *date, const char *json,
                            flaw_error *err)
{
    char name[160];
    flaw_arena arena;
    flaw_arena_init(&arena, 0);
    snprintf(name, sizeof name, "%s-%.16s-%.20s.json", key->slug, key->hex, date);
    const char *path = flaw_path_join(&arena, folder, name);
    flaw_status s =
        path ? flaw_file_make_folder(folder, err) : flaw_fail(err, FLAW_NO_MEMORY, "memory for a path was refused");
    if (!s) s = flaw_file_write(path, json, strlen(json), err);
    flaw_arena_release(&arena);
    return s;
}
