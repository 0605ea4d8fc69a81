#include "learn/tower/vocab.h"

#include <string.h>

#include "learn/tower/merges.h"

#define MAX_WORD 63 /* letters; longer runs are cut */
#define LETTERS 52  /* 26, and 26 that end a word */
#define MAX_MERGES 8000

static int lower(char c)
{
    return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c;
}

flaw_status flaw_word_counts_add(flaw_word_counts *counts, const char *text, int weight, flaw_error *err)
{
    char word[MAX_WORD + 1];
    size_t length = 0;
    for (const char *at = text;; at++) {
        int c = lower(*at);
        if (c >= 'a' && c <= 'z') {
            if (length < MAX_WORD) word[length++] = (char)c;
            continue;
        }
        if (length) {
            flaw_status status = flaw_word_counts_put(counts, word, length, weight, err);
            if (status != FLAW_OK) return status;
        }
        length = 0;
        if (!*at) return FLAW_OK;
    }
}

/* Symbols: 26 letters, 26 letters that end a word, then one for each merge. */
static flaw_status name_letters(flaw_merger *m, flaw_arena *arena, flaw_error *err)
{
    static const char letters[] = "a\0b\0c\0d\0e\0f\0g\0h\0i\0j\0k\0l\0m\0n\0o\0p\0q\0r\0s\0t\0u\0v\0w\0x\0y\0z";
    char *ends = flaw_arena_alloc(arena, 26, 8);
    if (!ends) return flaw_fail(err, FLAW_NO_MEMORY, "no memory to learn a vocabulary");
    for (int i = 0; i < 26; i++) {
        m->name[i] = letters + 2 * i;
        memcpy(ends + 8 * i, (char[8]){(char)('a' + i), '<', '/', 'w', '>', 0}, 8);
        m->name[26 + i] = ends + 8 * i;
    }
    m->names = LETTERS;
    return FLAW_OK;
}

static flaw_status spell(flaw_merger *m, const flaw_word_counts *counts, flaw_arena *arena, flaw_error *err)
{
    for (size_t w = 0; w < counts->count; w++) {
        const char *word = counts->item[w].word;
        const int length = (int)strlen(word);
        flaw_merge_word *s = &m->word[w];
        *s = (flaw_merge_word){counts->item[w].count, length,
                               flaw_arena_alloc(arena, (size_t)length, sizeof *s->symbol)};
        if (!s->symbol) return flaw_fail(err, FLAW_NO_MEMORY, "no memory to learn a vocabulary");
        for (int i = 0; i < length; i++) s->symbol[i] = word[i] - 'a' + (i == length - 1 ? 26 : 0);
    }
    return FLAW_OK;
}

static flaw_status learn(flaw_buffer *out, flaw_merger *m, flaw_arena *arena, flaw_error *err)
{
    int left = 0, right = 0;
    flaw_buffer_text(out, "#version: learnt by flaw\n");
    while (m->names < m->room && flaw_merger_best(m, &left, &right)) {
        m->name[m->names] = flaw_merger_text(m, left, right, arena);
        if (!m->name[m->names]) return flaw_fail(err, FLAW_NO_MEMORY, "no memory for a merge");
        flaw_merger_join(m, left, right, m->names++);
        flaw_buffer_printf(out, "%s %s\n", m->name[left], m->name[right]);
    }
    return out->failed ? flaw_fail(err, FLAW_NO_MEMORY, "no memory for the list of merges") : FLAW_OK;
}

flaw_status flaw_vocab_learn(flaw_buffer *out, const flaw_word_counts *counts, int merges, flaw_error *err)
{
    if (merges < 0 || merges > MAX_MERGES)
        return flaw_fail(err, FLAW_USAGE, "vocabulary of %d merges, allowed are 0 to %d", merges, MAX_MERGES);
    flaw_arena arena;
    flaw_arena_init(&arena, 0);
    flaw_merger m;
    flaw_status status = flaw_merger_init(&m, counts->count, LETTERS + merges, &arena, err);
    if (!status) status = name_letters(&m, &arena, err);
    if (!status) status = spell(&m, counts, &arena, err);
    if (!status) status = learn(out, &m, &arena, err);
    flaw_arena_release(&arena);
    return status;
}
