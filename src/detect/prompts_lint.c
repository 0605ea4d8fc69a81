/* Lint of prompt files: what makes sentences mislead a text tower that barely reads negation and cuts long texts
 * (spec 5.6, 5.8, 5.9). */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/buffer.h"
#include "base/file.h"
#include "detect/prompts.h"
#include "detect/sentence.h"
#include "flaw/inspect.h"

enum { MOST_WORDS = 20, MOST_TOKENS = 40, LEAST_SENTENCES = 5, MOST_REPORT = 1 << 20 };

typedef struct lint {
    flaw_buffer report;
    const char *name; /* class of the entry */
    const char *side;
    int found;
} lint;

static void complain(lint *l, int sentence, const char *problem, const char *what)
{
    l->found++;
    flaw_buffer_printf(&l->report, "%s", l->name);
    if (l->side) flaw_buffer_printf(&l->report, ", %s", l->side);
    if (sentence >= 0) flaw_buffer_printf(&l->report, " %d", sentence + 1);
    flaw_buffer_printf(&l->report, ": %s%s%s%s\n", problem, what ? " \"" : "", what ? what : "", what ? "\"" : "");
}

static void check_length(lint *l, int i, const char *sentence)
{
    int words, tokens;
    flaw_sentence_length(&words, &tokens, sentence);
    if (words > MOST_WORDS) complain(l, i, "more than 20 words:", sentence);
    else if (tokens > MOST_TOKENS) complain(l, i, "about more than 40 tokens:", sentence);
    if (words < 2) complain(l, i, "not a sentence:", sentence);
}

static void check_words(lint *l, int i, const char *sentence, bool abnormal)
{
    char word[FLAW_WORD_ROOM];
    if (!abnormal && flaw_sentence_defect(word, sentence, l->name))
        complain(l, i, "a defect named in the normal list:", word);
    if (abnormal && flaw_sentence_negation(word, sentence, l->name, true))
        complain(l, i, "a negation or a word of good parts in the abnormal list:", word);
}

static void check_list(lint *l, const json_t *list, bool abnormal)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *sentence = json_string_value(json_array_get(list, i));
        if (!sentence) {
            complain(l, (int)i, "not a text", NULL);
            continue;
        }
        check_length(l, (int)i, sentence);
        check_words(l, (int)i, sentence, abnormal);
        if (!flaw_sentence_names(sentence, l->name)) complain(l, (int)i, "the object is not named:", sentence);
    }
}

/* The same sentence twice, in one list or in both. */
static void check_twice(lint *l, const json_t *a, const json_t *b)
{
    for (size_t i = 0; i < json_array_size(a); i++)
        for (size_t j = a == b ? i + 1 : 0; j < json_array_size(b); j++) {
            const char *x = json_string_value(json_array_get(a, i)), *y = json_string_value(json_array_get(b, j));
            if (x && y && flaw_sentence_same(x, y)) complain(l, (int)i, a == b ? "there twice:" : "in both lists:", x);
        }
}

static void check_entry(lint *l, const json_t *entry, size_t index)
{
    char number[32];
    const json_t *normal = json_object_get(entry, "normal"), *abnormal = json_object_get(entry, "abnormal");
    snprintf(number, sizeof number, "entry %zu", index + 1);
    l->name = json_string_value(json_object_get(entry, "class"));
    l->side = NULL;
    if (!l->name) {
        l->name = number;
        complain(l, -1, "no \"class\"", NULL);
        return;
    }
    size_t n = json_array_size(normal), a = json_array_size(abnormal);
    if (n < LEAST_SENTENCES || a < LEAST_SENTENCES) complain(l, -1, "fewer than 5 sentences in a list", NULL);
    if (n > FLAW_PROMPTS_MOST || a > FLAW_PROMPTS_MOST) complain(l, -1, "more than 1024 sentences in a list", NULL);
    if (n != a) complain(l, -1, "the two lists are not of one length", NULL);
    l->side = "normal";
    check_list(l, normal, false);
    check_twice(l, normal, normal);
    check_twice(l, normal, abnormal);
    l->side = "abnormal";
    check_list(l, abnormal, true);
    check_twice(l, abnormal, abnormal);
}

static void check_file(lint *l, const json_t *root)
{
    const char *format = json_string_value(json_object_get(root, "format"));
    const json_t *entries = json_object_get(root, "entries");
    l->name = "file";
    if (!format || strcmp(format, "flaw-prompts")) complain(l, -1, "\"format\" is not \"flaw-prompts\"", NULL);
    if (json_integer_value(json_object_get(root, "version")) != 1) complain(l, -1, "\"version\" is not 1", NULL);
    if (!json_array_size(entries)) complain(l, -1, "no entries", NULL);
    for (size_t i = 0; i < json_array_size(entries); i++) check_entry(l, json_array_get(entries, i), i);
}

flaw_status flaw_prompts_lint(const char *path, char **report, flaw_error *err)
{
    flaw_bytes bytes;
    json_error_t where;
    flaw_status s = flaw_file_read(&bytes, path, (size_t)MOST_REPORT * 16, err);
    if (s) return s;
    lint l = {0};
    flaw_buffer_init(&l.report, MOST_REPORT);
    flaw_buffer_text(&l.report, "");
    json_t *root = json_loadb((const char *)bytes.data, bytes.size, JSON_REJECT_DUPLICATES, &where);
    flaw_bytes_release(&bytes);
    if (root) {
        check_file(&l, root);
    } else {
        l.found++;
        flaw_buffer_printf(&l.report, "line %d: not JSON: %s\n", where.line, where.text);
    }
    json_decref(root);
    if (!l.report.data) return flaw_fail(err, FLAW_NO_MEMORY, "%s: memory for the report was refused", path);
    *report = l.report.data; /* the caller's now; cut when there was more than fits */
    if (!l.found) return FLAW_OK;
    return flaw_fail(err, FLAW_BAD_DATA, "%s: %d problem%s", path, l.found, l.found == 1 ? "" : "s");
}
