#include "learn/vocab.h"

#include <stdlib.h>
#include <string.h>

#define MAX_WORD 63    /* letters; longer runs are cut */
#define LETTERS 52 /* 26, and 26 that end a word */
#define MAX_MERGES 8000

void flaw_word_counts_init(flaw_word_counts *counts, flaw_arena *arena)
{
    *counts = (flaw_word_counts){.arena = arena};
}

static int lower(char c)
{
    return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c;
}

static flaw_status add_word(flaw_word_counts *counts, const char *word, size_t length, int weight, flaw_error *err)
{
    for (size_t i = 0; i < counts->count; i++)
        if (strlen(counts->item[i].word) == length && !memcmp(counts->item[i].word, word, length)) {
            counts->item[i].count += weight;
            return FLAW_OK;
        }
    if (counts->count == counts->capacity) {
        size_t capacity = counts->capacity ? 2 * counts->capacity : 1024;
        flaw_word_count *grown = flaw_arena_alloc(counts->arena, capacity, sizeof *grown);
        if (!grown) return flaw_fail(err, FLAW_NO_MEMORY, "no memory for %zu words", capacity);
        if (counts->count) memcpy(grown, counts->item, counts->count * sizeof *grown);
        counts->item = grown;
        counts->capacity = capacity;
    }
    char *copy = flaw_arena_copy_string(counts->arena, word, length);
    if (!copy) return flaw_fail(err, FLAW_NO_MEMORY, "no memory for a word");
    counts->item[counts->count++] = (flaw_word_count){.word = copy, .count = weight};
    return FLAW_OK;
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
            flaw_status status = add_word(counts, word, length, weight, err);
            if (status != FLAW_OK) return status;
        }
        length = 0;
        if (!*at) return FLAW_OK;
    }
}

/* A word as a row of symbols; symbol ids index `learner.name`. */
typedef struct spelled {
    int count, length;
    int symbol[MAX_WORD];
} spelled;

typedef struct learner {
    spelled *words;
    size_t word_count;
    const char **name;
    int names, room; /* used, and allowed */
    int *pair;       /* [room, room] counts */
} learner;

/* Symbols: 26 letters, 26 letters that end a word, then one for each merge. */
static void spell(learner *l, const flaw_word_counts *counts)
{
    for (size_t w = 0; w < counts->count; w++) {
        spelled *s = &l->words[w];
        s->count = counts->item[w].count;
        s->length = (int)strlen(counts->item[w].word);
        for (int i = 0; i < s->length; i++)
            s->symbol[i] = counts->item[w].word[i] - 'a' + (i == s->length - 1 ? 26 : 0);
    }
}

/* A pair against the best so far: more often, or as often and earlier in byte order. */
static bool better(const learner *l, int a, int b, int count, int best, int left, int right)
{
    if (count != best) return count > best;
    int order = strcmp(l->name[a], l->name[left]);
    return order < 0 || (order == 0 && strcmp(l->name[b], l->name[right]) < 0);
}

/* Most frequent pair; 0 when no word has two symbols. The table is left cleared for the next call. */
static int best_pair(learner *l, int *left, int *right)
{
    int best = 0;
    for (size_t w = 0; w < l->word_count; w++)
        for (int i = 0; i + 1 < l->words[w].length; i++)
            l->pair[l->words[w].symbol[i] * l->room + l->words[w].symbol[i + 1]] += l->words[w].count;
    for (size_t w = 0; w < l->word_count; w++)
        for (int i = 0; i + 1 < l->words[w].length; i++) {
            int a = l->words[w].symbol[i], b = l->words[w].symbol[i + 1], *count = &l->pair[a * l->room + b];
            if (*count && better(l, a, b, *count, best, *left, *right)) {
                best = *count;
                *left = a;
                *right = b;
            }
            *count = 0;
        }
    return best;
}

static void apply(learner *l, int left, int right, int merged)
{
    for (size_t w = 0; w < l->word_count; w++) {
        spelled *s = &l->words[w];
        int kept = 0;
        for (int i = 0; i < s->length; i++) {
            bool both = i + 1 < s->length && s->symbol[i] == left && s->symbol[i + 1] == right;
            s->symbol[kept++] = both ? merged : s->symbol[i];
            i += both;
        }
        s->length = kept;
    }
}

static flaw_status learn(flaw_buffer *out, learner *l, int merges, flaw_arena *arena, flaw_error *err)
{
    for (int m = 0; m < merges && l->names < l->room; m++) {
        int left = 0, right = 0;
        if (!best_pair(l, &left, &right)) break;
        size_t a = strlen(l->name[left]), b = strlen(l->name[right]);
        char *name = flaw_arena_alloc(arena, a + b + 1, 1);
        if (!name) return flaw_fail(err, FLAW_NO_MEMORY, "no memory for a merge");
        memcpy(name, l->name[left], a);
        memcpy(name + a, l->name[right], b);
        l->name[l->names] = name;
        apply(l, left, right, l->names++);
        flaw_buffer_printf(out, "%s %s\n", l->name[left], l->name[right]);
    }
    return out->failed ? flaw_fail(err, FLAW_NO_MEMORY, "no memory for the list of merges") : FLAW_OK;
}

flaw_status flaw_vocab_learn(flaw_buffer *out, const flaw_word_counts *counts, int merges, flaw_error *err)
{
    static const char letters[] = "a\0b\0c\0d\0e\0f\0g\0h\0i\0j\0k\0l\0m\0n\0o\0p\0q\0r\0s\0t\0u\0v\0w\0x\0y\0z";
    if (merges < 0 || merges > MAX_MERGES)
        return flaw_fail(err, FLAW_USAGE, "vocabulary of %d merges, allowed are 0 to %d", merges, MAX_MERGES);
    flaw_arena arena;
    flaw_arena_init(&arena, 0);
    learner l = {.word_count = counts->count, .names = LETTERS, .room = LETTERS + merges};
    l.words = flaw_arena_alloc(&arena, counts->count, sizeof *l.words);
    l.name = flaw_arena_alloc(&arena, (size_t)l.room, sizeof *l.name);
    l.pair = flaw_arena_alloc(&arena, (size_t)l.room * (size_t)l.room, sizeof *l.pair);
    char *ends = flaw_arena_alloc(&arena, 26, 8);
    flaw_status status = FLAW_OK;
    if (!l.words || !l.name || !l.pair || !ends) status = flaw_fail(err, FLAW_NO_MEMORY, "no memory to learn a vocabulary");
    if (!status) {
        for (int i = 0; i < 26; i++) {
            l.name[i] = letters + 2 * i;
            memcpy(ends + 8 * i, (char[8]){(char)('a' + i), '<', '/', 'w', '>', 0}, 8);
            l.name[26 + i] = ends + 8 * i;
        }
        spell(&l, counts);
        flaw_buffer_text(out, "#version: learnt by flaw\n");
        status = learn(out, &l, merges, &arena, err);
    }
    flaw_arena_release(&arena);
    return status;
}
