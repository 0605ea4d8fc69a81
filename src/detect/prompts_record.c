/* A set of sentences in a recipe: the texts, one a line, and their embeddings; the same of banned sentences, and which
 * are pinned, where there are any. */
#include <stdio.h>
#include <string.h>

#include "base/buffer.h"
#include "base/line.h"
#include "detect/prompts.h"

static const char *const sides[] = {"normal", "abnormal"};

/* Rows [from, from + n) of a class as "prompts.normal" + `kind`. */
static flaw_status save_rows(const flaw_prompt_set *set, int c, const char *kind, int from, int n, flaw_record *record,
                             flaw_error *err)
{
    char name[64];
    flaw_buffer lines;
    flaw_buffer_init(&lines, (size_t)FLAW_PROMPTS_MOST * FLAW_PROMPT_BYTES);
    for (int i = 0; i < n; i++) flaw_buffer_printf(&lines, "%s%s", i ? "\n" : "", set->text[c][from + i]);
    snprintf(name, sizeof name, "prompts.%s%s.text", sides[c], kind);
    flaw_status s = lines.failed ? flaw_fail(err, FLAW_NO_MEMORY, "memory for sentences was refused")
                                 : flaw_record_put_text(record, name, lines.data, err);
    flaw_buffer_release(&lines);
    snprintf(name, sizeof name, "prompts.%s%s.embedding", sides[c], kind);
    const float *rows = set->embedding[c] + (size_t)from * (size_t)set->width;
    if (!s) s = flaw_record_put_table(record, name, rows, (size_t)n, (size_t)set->width, err);
    return s;
}

/* "prompts.normal.pinned" [count, 1]: 1 where a sentence is pinned. */
static flaw_status save_pins(const flaw_prompt_set *set, int c, flaw_record *record, flaw_error *err)
{
    char name[64];
    float flag[FLAW_PROMPTS_MOST];
    bool any = false;
    for (int i = 0; i < set->count[c]; i++) {
        flag[i] = set->pinned[c] && set->pinned[c][i];
        any = any || flag[i] > 0;
    }
    snprintf(name, sizeof name, "prompts.%s.pinned", sides[c]);
    return any ? flaw_record_put_table(record, name, flag, (size_t)set->count[c], 1, err) : FLAW_OK;
}

flaw_status flaw_prompts_save(const flaw_prompt_set *set, flaw_record *record, flaw_error *err)
{
    flaw_status s = flaw_record_put_text(record, "prompts.object", set->object, err);
    if (!s) s = flaw_record_put_text(record, "prompts.source", set->source, err);
    if (!s && *set->model) s = flaw_record_put_text(record, "prompts.model", set->model, err);
    if (!s && *set->date) s = flaw_record_put_text(record, "prompts.date", set->date, err);
    for (int c = 0; !s && c < 2; c++) {
        s = save_rows(set, c, "", 0, set->count[c], record, err);
        if (!s && set->banned[c]) s = save_rows(set, c, ".banned", set->count[c], set->banned[c], record, err);
        if (!s) s = save_pins(set, c, record, err);
    }
    return s;
}

/* Cut the lines apart; there must be as many as rows of the table. */
static flaw_status split(flaw_prompt_set *set, int c, const char *lines, int from, size_t rows, flaw_error *err)
{
    char *copy = flaw_arena_copy_string(&set->arena, lines, strlen(lines));
    if (!copy) return flaw_fail(err, FLAW_NO_MEMORY, "memory for sentences was refused");
    size_t n = 0;
    for (char *at = copy; at; n++) {
        char *end = strchr(at, '\n');
        if (end) *end = '\0';
        if (n < rows) set->text[c][(size_t)from + n] = at;
        at = end ? end + 1 : NULL;
    }
    if (n != rows)
        return flaw_fail(err, FLAW_BAD_DATA, "the recipe has %zu %s sentences and %zu embeddings", n, sides[c], rows);
    return FLAW_OK;
}

static flaw_status load_rows(flaw_prompt_set *set, int c, const char *kind, int from, int *count,
                             const flaw_record *record, flaw_error *err)
{
    char name[64];
    const char *lines;
    const float *table;
    size_t rows, width = (size_t)set->width;
    snprintf(name, sizeof name, "prompts.%s%s.text", sides[c], kind);
    flaw_status s = flaw_record_text(record, name, &lines, err);
    snprintf(name, sizeof name, "prompts.%s%s.embedding", sides[c], kind);
    if (!s) s = flaw_record_table(record, name, width, &table, &rows, err);
    if (s) return s;
    if (rows < 1 || rows > FLAW_PROMPTS_MOST)
        return flaw_fail(err, FLAW_BAD_DATA, "the recipe has %zu %s embeddings, allowed are 1 to %d", rows, sides[c],
                         FLAW_PROMPTS_MOST);
    *count = (int)rows;
    memcpy(set->embedding[c] + (size_t)from * width, table, rows * width * sizeof(float));
    return split(set, c, lines, from, rows, err);
}

static flaw_status load_pins(flaw_prompt_set *set, int c, const flaw_record *record, flaw_error *err)
{
    char name[64];
    const float *flag;
    size_t rows;
    snprintf(name, sizeof name, "prompts.%s.pinned", sides[c]);
    if (!flaw_record_find(record, name)) return FLAW_OK;
    flaw_status s = flaw_record_table(record, name, 1, &flag, &rows, err);
    if (s) return s;
    if (rows != (size_t)set->count[c])
        return flaw_fail(err, FLAW_BAD_DATA, "the recipe has %d %s sentences and %zu pins", set->count[c], sides[c],
                         rows);
    set->pinned[c] = flaw_arena_alloc(&set->arena, rows, sizeof(bool));
    if (!set->pinned[c]) return flaw_fail(err, FLAW_NO_MEMORY, "memory for sentences was refused");
    for (size_t i = 0; i < rows; i++) set->pinned[c][i] = flag[i] > 0;
    return FLAW_OK;
}

/* Rows that a record claims, none over what is allowed. */
static size_t rows_of(const flaw_record *record, int c, const char *kind)
{
    char name[64];
    snprintf(name, sizeof name, "prompts.%s%s.embedding", sides[c], kind);
    const flaw_record_item *item = flaw_record_find(record, name);
    return !item ? 0 : item->rows < FLAW_PROMPTS_MOST ? item->rows : FLAW_PROMPTS_MOST;
}

static flaw_status load_class(flaw_prompt_set *set, int c, const flaw_record *record, flaw_error *err)
{
    size_t banned = rows_of(record, c, ".banned"), room = rows_of(record, c, "") + banned;
    set->text[c] = flaw_arena_alloc(&set->arena, room, sizeof(char *));
    set->embedding[c] = flaw_arena_alloc(&set->arena, room * (size_t)set->width, sizeof(float));
    if (!set->text[c] || !set->embedding[c])
        return flaw_fail(err, FLAW_NO_MEMORY, "memory for embeddings was refused");
    flaw_status s = load_rows(set, c, "", 0, &set->count[c], record, err);
    if (!s && banned)
        s = load_rows(set, c, ".banned", set->count[c], &set->banned[c], record, err);
    return s ? s : load_pins(set, c, record, err);
}

/* Texts that sentences of an unknown author have not. */
static void load_if_there(char *out, size_t room, const flaw_record *record, const char *name)
{
    const flaw_record_item *item = flaw_record_find(record, name);
    if (item && item->kind == FLAW_RECORD_TEXT) flaw_line_clean(out, room, item->text, strlen(item->text));
}

flaw_status flaw_prompts_load(flaw_prompt_set *out, const flaw_record *record, int width, flaw_error *err)
{
    flaw_prompt_set set = {.width = width};
    const char *object, *source;
    flaw_arena_init(&set.arena, 0);
    flaw_status s = flaw_record_text(record, "prompts.object", &object, err);
    if (!s) s = flaw_record_text(record, "prompts.source", &source, err);
    if (!s) s = flaw_object_clean(set.object, object, err);
    if (!s) flaw_line_clean(set.source, sizeof set.source, source, strlen(source));
    if (!s) load_if_there(set.model, sizeof set.model, record, "prompts.model");
    if (!s) load_if_there(set.date, sizeof set.date, record, "prompts.date");
    for (int c = 0; !s && c < 2; c++) s = load_class(&set, c, record, err);
    if (s) {
        flaw_prompts_release(&set);
        return s;
    }
    *out = set;
    return FLAW_OK;
}
