/* How often each word occurs in a text: what both learners of vocabularies start from. */
#ifndef FLAW_LEARN_WORD_COUNTS_H
#define FLAW_LEARN_WORD_COUNTS_H

#include <stdint.h>

#include "base/arena.h"

typedef struct flaw_word_count {
    const char *word; /* NUL-terminated, no NUL inside */
    int count;
} flaw_word_count;

typedef struct flaw_word_counts {
    flaw_word_count *item; /* in the order of their first occurrence */
    size_t count, capacity;
    uint32_t *slot;    /* [2 * capacity] hash table of `item` by word; UINT32_MAX is free */
    int64_t total;     /* bytes of all words, each as often as it occurs */
    flaw_arena *arena; /* borrowed; holds all of it */
} flaw_word_counts;

void flaw_word_counts_init(flaw_word_counts *counts, flaw_arena *arena);
/* `word` [length] occurred `weight` more times. FLAW_USAGE past 1 GiB of words in all. */
flaw_status flaw_word_counts_put(flaw_word_counts *counts, const char *word, size_t length, int weight,
                                 flaw_error *err);

#endif
