/* Byte-pair encoding: symbols (interned strings), merges (pairs of symbols with a rank), and the encoding of one word. */
#ifndef FLAW_MODEL_BPE_H
#define FLAW_MODEL_BPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

#define FLAW_NO_SYMBOL UINT32_MAX

typedef struct flaw_symbol {
    const char *text;
    uint32_t length;
    int32_t id; /* token id, -1 for a string that is part of a merge only */
} flaw_symbol;

typedef struct flaw_merge {
    uint32_t left, right, result, rank;
} flaw_merge;

typedef struct flaw_bpe {
    flaw_arena *arena;
    flaw_symbol *symbol;
    uint32_t count, capacity;
    uint32_t *symbol_slot; /* hash table of symbols by text; FLAW_NO_SYMBOL = free */
    flaw_merge *merge_slot; /* hash table of merges by pair; left FLAW_NO_SYMBOL = free */
    uint32_t symbol_mask, merge_mask;
} flaw_bpe;

/* Room for `symbols` strings and `merges` pairs. False: no memory. */
bool flaw_bpe_init(flaw_bpe *b, flaw_arena *arena, uint32_t symbols, uint32_t merges);
/* Symbol of a text, made when new; FLAW_NO_SYMBOL when it is full. */
uint32_t flaw_bpe_intern(flaw_bpe *b, const char *text, size_t length);
uint32_t flaw_bpe_find(const flaw_bpe *b, const char *text, size_t length);
/* A pair that comes again keeps the later rank, as a Python dictionary does. */
void flaw_bpe_add_merge(flaw_bpe *b, uint32_t left, uint32_t right, uint32_t result, uint32_t rank);

/* A pair of neighbours that could be joined. Lowest rank first, then leftmost: `at`. */
typedef struct flaw_bpe_pair {
    uint32_t rank, at, left, right;
} flaw_bpe_pair;
/* A heap of them, in memory of the caller that is large enough. */
void flaw_bpe_push(flaw_bpe_pair *heap, size_t *size, flaw_bpe_pair p);
flaw_bpe_pair flaw_bpe_pop(flaw_bpe_pair *heap, size_t *size);

/* Memory for words of up to `limit` symbols. */
typedef struct flaw_bpe_work {
    struct flaw_bpe_node {
        uint32_t symbol;
        int32_t before, after; /* -1: none */
    } *node;
    flaw_bpe_pair *heap;
    int32_t *touched;
} flaw_bpe_work;
bool flaw_bpe_work_init(flaw_bpe_work *w, flaw_arena *arena, size_t limit);

/* word[count] in place -> its symbols after all merges; the new count. */
size_t flaw_bpe_encode(const flaw_bpe *b, uint32_t *word, size_t count, flaw_bpe_work *work);

#endif
