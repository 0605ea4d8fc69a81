/* Byte-pair merges learnt from words (Sennrich et al. 2016): words as rows of symbols, of which the most frequent pair
 * of neighbours becomes one symbol, again and again. What the symbols are is the caller's. */
#ifndef FLAW_LEARN_MERGES_H
#define FLAW_LEARN_MERGES_H

#include <stdbool.h>

#include "base/arena.h"

typedef struct flaw_merge_word {
    int count, length;
    int *symbol; /* [length] */
} flaw_merge_word;

typedef struct flaw_merger {
    flaw_merge_word *word;
    size_t words;
    const char **name; /* texts of the symbols */
    int names, room;   /* symbols there are, and may be */
    int *pair;         /* [room, room], all 0 between calls */
} flaw_merger;

/* Everything in the arena; names and words are the caller's to fill. */
flaw_status flaw_merger_init(flaw_merger *m, size_t words, int room, flaw_arena *arena, flaw_error *err);
/* The most frequent pair, ties in byte order of the two names. False when no word has two symbols. */
bool flaw_merger_best(flaw_merger *m, int *left, int *right);
/* In every word, from left to right, `left` `right` becomes `joined`. */
void flaw_merger_join(flaw_merger *m, int left, int right, int joined);
/* Joint text of a pair, in the arena; NULL: no memory. */
char *flaw_merger_text(const flaw_merger *m, int left, int right, flaw_arena *arena);

#endif
