/* Prompt files: JSON -> the sentences of one object. */
#include <ctype.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/file.h"
#include "base/line.h"
#include "base/utf8.h"
#include "detect/prompts.h"

#define MOST_BYTES ((size_t)16 << 20)

/* Names are compared without regard to case; '_' is cleaned away before. */
static bool same_word(const char *a, const char *b)
{
    return a && b && !strcasecmp(a, b);
}

static bool serves(const json_t *entry, const char *object)
{
    if (same_word(json_string_value(json_object_get(entry, "class")), object)) return true;
    const json_t *also = json_object_get(entry, "also");
    for (size_t i = 0; i < json_array_size(also); i++)
        if (same_word(json_string_value(json_array_get(also, i)), object)) return true;
    return false;
}

/* The entry for the object, else the one for any object. */
static const json_t *entry_for(const json_t *root, const char *object)
{
    const json_t *entries = json_object_get(root, "entries"), *any = NULL;
    for (size_t i = 0; i < json_array_size(entries); i++) {
        const json_t *entry = json_array_get(entries, i);
        if (serves(entry, object)) return entry;
        const char *name = json_string_value(json_object_get(entry, "class"));
        if (name && !strcmp(name, "*")) any = entry;
    }
    return any;
}

/* "{}" -> the object, and "a " before it -> "an " where the object begins with a vowel. */
bool flaw_prompts_fill(char *out, size_t room, const char *sentence, const char *object)
{
    size_t n = 0;
    for (const char *p = sentence; *p;) {
        const char *word = p[0] == '{' && p[1] == '}' ? object : NULL;
        if (word && n >= 2 && out[n - 1] == ' ' && tolower((unsigned char)out[n - 2]) == 'a' &&
            (n == 2 || out[n - 3] == ' ') && strchr("aeiouAEIOU", word[0])) {
            if (n + 1 >= room) return false;
            out[n - 1] = 'n';
            out[n++] = ' ';
        }
        size_t more = word ? strlen(word) : 1;
        if (n + more >= room) return false;
        memcpy(out + n, word ? word : p, more);
        n += more;
        p += word ? 2 : 1;
    }
    out[n] = '\0';
    return n > 0;
}

static flaw_status read_class(flaw_prompt_set *set, int c, const json_t *entry, const char *name, flaw_error *err)
{
    static const char *const keys[] = {"normal", "abnormal"};
    const json_t *list = json_object_get(entry, keys[c]);
    size_t n = json_array_size(list);
    if (n < 1 || n > FLAW_PROMPTS_MOST)
        return flaw_fail(err, FLAW_BAD_DATA, "%s: \"%s\" of \"%s\" has %zu sentences, allowed are 1 to %d", name,
                         keys[c], set->object, n, FLAW_PROMPTS_MOST);
    set->text[c] = flaw_arena_alloc(&set->arena, n, sizeof(char *));
    if (!set->text[c]) return flaw_fail(err, FLAW_NO_MEMORY, "%s: memory for %zu sentences was refused", name, n);
    for (size_t i = 0; i < n; i++) {
        char text[FLAW_PROMPT_BYTES];
        const char *sentence = json_string_value(json_array_get(list, i));
        if (!sentence || !flaw_prompts_fill(text, sizeof text, sentence, set->object))
            return flaw_fail(err, FLAW_BAD_DATA, "%s: sentence %zu of \"%s\" for \"%s\" is %s", name, i, keys[c],
                             set->object, sentence ? "empty or too long" : "not a text");
        for (const char *p = text; *p; p++)
            if ((unsigned char)*p < 32)
                return flaw_fail(err, FLAW_BAD_DATA, "%s: sentence %zu of \"%s\" holds a control character", name, i,
                                 keys[c]);
        set->text[c][i] = flaw_arena_copy_string(&set->arena, text, strlen(text));
        if (!set->text[c][i]) return flaw_fail(err, FLAW_NO_MEMORY, "%s: memory for a sentence was refused", name);
    }
    set->count[c] = (int)n;
    return FLAW_OK;
}

static void copy_line(char *out, size_t room, const json_t *text)
{
    const char *from = json_string_value(text);
    if (from) flaw_line_clean(out, room, from, json_string_length(text));
}

flaw_status flaw_prompts_parse(flaw_prompt_set *out, const char *json, size_t size, const char *name,
                               const char *object, flaw_error *err)
{
    json_error_t where;
    flaw_prompt_set set = {0};
    flaw_arena_init(&set.arena, 0);
    flaw_status s = flaw_object_clean(set.object, object, err);
    if (s) return s;
    json_t *root = json_loadb(json, size, JSON_REJECT_DUPLICATES, &where);
    const char *format = json_string_value(json_object_get(root, "format"));
    const json_t *entry = entry_for(root, set.object);
    const char *last = strrchr(name, '/');
    if (!root) s = flaw_fail(err, FLAW_BAD_DATA, "%s: not JSON, line %d: %s", name, where.line, where.text);
    else if (!format || strcmp(format, "flaw-prompts") || json_integer_value(json_object_get(root, "version")) != 1)
        s = flaw_fail(err, FLAW_BAD_DATA, "%s: not a prompt file (\"format\": \"flaw-prompts\", \"version\": 1)", name);
    else if (!entry)
        s = flaw_fail(err, FLAW_MISSING, "%s: no entry for \"%s\" and none for any object (\"class\": \"*\")", name,
                      set.object);
    for (int c = 0; !s && c < 2; c++) s = read_class(&set, c, entry, name, err);
    if (!s && set.count[0] != set.count[1])
        s = flaw_fail(err, FLAW_BAD_DATA,
                      "%s: \"%s\" has %d normal and %d abnormal sentences, needed are equal numbers", name, set.object,
                      set.count[0], set.count[1]);
    if (!s)
        snprintf(set.source, sizeof set.source, "\"%.40s\" of %.60s",
                 json_string_value(json_object_get(entry, "class")) ? json_string_value(json_object_get(entry, "class"))
                                                                    : set.object,
                 last ? last + 1 : name);
    if (!s) copy_line(set.model, sizeof set.model, json_object_get(root, "model"));
    if (!s) copy_line(set.date, sizeof set.date, json_object_get(root, "date"));
    json_decref(root);
    if (s) {
        flaw_prompts_release(&set);
        return s;
    }
    *out = set;
    return FLAW_OK;
}

flaw_status flaw_prompts_file(flaw_prompt_set *out, const char *path, const char *object, flaw_error *err)
{
    flaw_bytes bytes;
    flaw_status s = flaw_file_read(&bytes, path, MOST_BYTES, err);
    if (s) return s;
    s = flaw_prompts_parse(out, (const char *)bytes.data, bytes.size, path, object, err);
    flaw_bytes_release(&bytes);
    return s;
}

flaw_status flaw_prompts_builtin(flaw_prompt_set *out, const char *object, flaw_error *err)
{
    flaw_status s = FLAW_MISSING;
    for (const flaw_prompts_source *source = flaw_prompts_sources(); s == FLAW_MISSING && source->name; source++)
        s = flaw_prompts_parse(out, source->json, source->size, source->name, object, err);
    return s;
}
