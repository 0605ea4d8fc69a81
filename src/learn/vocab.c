#include "learn/vocab.h"

#include <stdlib.h>
#include <string.h>

#define MAX_WORD 63    /* letters; longer runs are cut */
#define MAX_SYMBOLS 8192

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
    int names;
    int *pair; /* [MAX_SYMBOLS]: counts of pairs with one left symbol */
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

/* Most frequent pair; ties go to the one whose names come first in byte order. 0 when no word has two symbols. */
static int best_pair(learner *l, int *left, int *right)
{
    int best = 0;
    for (int a = 0; a < l->names; a++) {
        memset(l->pair, 0, (size_t)l->names * sizeof *l->pair);
        bool any = false;
        for (size_t w = 0; w < l->word_count; w++) {
            const spelled *s = &l->words[w];
            for (int i = 0; i + 1 < s->length; i++)
                if (s->symbol[i] == a) {
                    l->pair[s->symbol[i + 1]] += s->count;
                    any = true;
                }
        }
        for (int b = 0; any && b < l->names; b++) {
            if (l->pair[b] < best || l->pair[b] == 0) continue;
            int order = best == l->pair[b] ? strcmp(l->name[a], l->name[*left]) : -1;
            if (best == l->pair[b] && order == 0) order = strcmp(l->name[b], l->name[*right]);
            if (order >= 0) continue;
            best = l->pair[b];
            *left = a;
            *right = b;
        }
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
    for (int m = 0; m < merges && l->names < MAX_SYMBOLS; m++) {
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
    flaw_arena arena;
    flaw_arena_init(&arena, 0);
    learner l = {.word_count = counts->count, .names = 52};
    l.words = flaw_arena_alloc(&arena, counts->count, sizeof *l.words);
    l.name = flaw_arena_alloc(&arena, MAX_SYMBOLS, sizeof *l.name);
    l.pair = flaw_arena_alloc(&arena, MAX_SYMBOLS, sizeof *l.pair);
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
