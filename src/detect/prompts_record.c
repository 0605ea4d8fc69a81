/* A set of sentences in a recipe: the texts, one a line, and their embeddings. */
#include <stdio.h>
#include <string.h>

#include "base/buffer.h"
#include "detect/prompts.h"

static const char *const sides[] = {"normal", "abnormal"};

static flaw_status save_class(const flaw_prompt_set *set, int c, flaw_record *record, flaw_error *err)
{
    char name[64];
    flaw_buffer lines;
    flaw_buffer_init(&lines, (size_t)FLAW_PROMPTS_MOST * FLAW_PROMPT_BYTES);
    for (int i = 0; i < set->count[c]; i++) flaw_buffer_printf(&lines, "%s%s", i ? "\n" : "", set->text[c][i]);
    snprintf(name, sizeof name, "prompts.%s.text", sides[c]);
    flaw_status s = lines.failed ? flaw_fail(err, FLAW_NO_MEMORY, "memory for sentences was refused")
                                 : flaw_record_put_text(record, name, lines.data, err);
    flaw_buffer_release(&lines);
    snprintf(name, sizeof name, "prompts.%s.embedding", sides[c]);
    if (!s) s = flaw_record_put_table(record, name, set->embedding[c], (size_t)set->count[c], (size_t)set->width, err);
    return s;
}

flaw_status flaw_prompts_save(const flaw_prompt_set *set, flaw_record *record, flaw_error *err)
{
    flaw_status s = flaw_record_put_text(record, "prompts.object", set->object, err);
    if (!s) s = flaw_record_put_text(record, "prompts.source", set->source, err);
    for (int c = 0; !s && c < 2; c++) s = save_class(set, c, record, err);
    return s;
}

/* Cut the lines apart; there must be as many as rows of the table. */
static flaw_status split(flaw_prompt_set *set, int c, const char *lines, size_t rows, flaw_error *err)
{
    set->text[c] = flaw_arena_alloc(&set->arena, rows, sizeof(char *));
    char *copy = flaw_arena_copy_string(&set->arena, lines, strlen(lines));
    if (!set->text[c] || !copy) return flaw_fail(err, FLAW_NO_MEMORY, "memory for sentences was refused");
    size_t n = 0;
    for (char *at = copy; at; n++) {
        char *end = strchr(at, '\n');
        if (end) *end = '\0';
        if (n < rows) set->text[c][n] = at;
        at = end ? end + 1 : NULL;
    }
    if (n != rows)
        return flaw_fail(err, FLAW_BAD_DATA, "the recipe has %zu %s sentences and %zu embeddings", n, sides[c], rows);
    return FLAW_OK;
}

static flaw_status load_class(flaw_prompt_set *set, int c, const flaw_record *record, flaw_error *err)
{
    char name[64];
    const char *lines;
    const float *table;
    size_t rows;
    snprintf(name, sizeof name, "prompts.%s.text", sides[c]);
    flaw_status s = flaw_record_text(record, name, &lines, err);
    snprintf(name, sizeof name, "prompts.%s.embedding", sides[c]);
    if (!s) s = flaw_record_table(record, name, (size_t)set->width, &table, &rows, err);
    if (s) return s;
    if (rows < 1 || rows > FLAW_PROMPTS_MOST)
        return flaw_fail(err, FLAW_BAD_DATA, "the recipe has %zu %s embeddings, allowed are 1 to %d", rows, sides[c],
                         FLAW_PROMPTS_MOST);
    set->count[c] = (int)rows;
    set->embedding[c] = flaw_arena_alloc(&set->arena, rows * (size_t)set->width, sizeof(float));
    if (!set->embedding[c]) return flaw_fail(err, FLAW_NO_MEMORY, "memory for embeddings was refused");
    memcpy(set->embedding[c], table, rows * (size_t)set->width * sizeof(float));
    return split(set, c, lines, rows, err);
}

flaw_status flaw_prompts_load(flaw_prompt_set *out, const flaw_record *record, int width, flaw_error *err)
{
    flaw_prompt_set set = {.width = width};
    const char *object, *source;
    flaw_arena_init(&set.arena, 0);
    flaw_status s = flaw_record_text(record, "prompts.object", &object, err);
    if (!s) s = flaw_record_text(record, "prompts.source", &source, err);
    if (!s) s = flaw_object_clean(set.object, object, err);
    if (!s) snprintf(set.source, sizeof set.source, "%s", source);
    for (int c = 0; !s && c < 2; c++) s = load_class(&set, c, record, err);
    if (s) {
        flaw_prompts_release(&set);
        return s;
    }
    *out = set;
    return FLAW_OK;
}
