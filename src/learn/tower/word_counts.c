#include "learn/tower/word_counts.h"

#include <string.h>

#define FREE UINT32_MAX
#define MOST_WORDS ((size_t)1 << 28)
#define MOST_BYTES ((int64_t)1 << 30) /* sums of counts stay within an int */

void flaw_word_counts_init(flaw_word_counts *counts, flaw_arena *arena)
{
    *counts = (flaw_word_counts){.arena = arena};
}

/* Slot that holds the word, or the free one where it belongs. */
static uint32_t *place(const flaw_word_counts *counts, const char *word, size_t length)
{
    uint64_t h = 14695981039346656037u; /* FNV-1a */
    for (size_t i = 0; i < length; i++) h = (h ^ (uint8_t)word[i]) * 1099511628211u;
    const size_t mask = 2 * counts->capacity - 1;
    for (size_t at = (size_t)(h ^ h >> 32) & mask;; at = (at + 1) & mask) {
        uint32_t *slot = &counts->slot[at];
        if (*slot == FREE) return slot;
        const char *known = counts->item[*slot].word;
        if (strlen(known) == length && memcmp(known, word, length) == 0) return slot;
    }
}

static flaw_status grow(flaw_word_counts *counts, flaw_error *err)
{
    size_t capacity = counts->capacity ? 2 * counts->capacity : 1024;
    if (capacity > MOST_WORDS) return flaw_fail(err, FLAW_USAGE, "more than %zu different words", MOST_WORDS);
    flaw_word_counts grown = *counts;
    grown.capacity = capacity;
    grown.item = flaw_arena_alloc(counts->arena, capacity, sizeof *grown.item);
    grown.slot = flaw_arena_alloc(counts->arena, 2 * capacity, sizeof *grown.slot);
    if (!grown.item || !grown.slot) return flaw_fail(err, FLAW_NO_MEMORY, "no memory for %zu words", capacity);
    if (counts->count) memcpy(grown.item, counts->item, counts->count * sizeof *grown.item);
    memset(grown.slot, 0xff, 2 * capacity * sizeof *grown.slot);
    for (uint32_t i = 0; i < counts->count; i++) *place(&grown, grown.item[i].word, strlen(grown.item[i].word)) = i;
    *counts = grown;
    return FLAW_OK;
}

flaw_status flaw_word_counts_put(flaw_word_counts *counts, const char *word, size_t length, int weight, flaw_error *err)
{
    if (counts->count == counts->capacity) {
        flaw_status status = grow(counts, err);
        if (status) return status;
    }
    if (weight < 1 || length < 1 || (int64_t)length > (MOST_BYTES - counts->total) / weight)
        return flaw_fail(err, FLAW_USAGE, "a word of %zu bytes %d times after %lld bytes, allowed are 1 to %lld in all",
                         length, weight, (long long)counts->total, (long long)MOST_BYTES);
    uint32_t *slot = place(counts, word, length);
    if (*slot == FREE) {
        char *copy = flaw_arena_copy_string(counts->arena, word, length);
        if (!copy) return flaw_fail(err, FLAW_NO_MEMORY, "no memory for a word");
        counts->item[counts->count] = (flaw_word_count){.word = copy};
        *slot = (uint32_t)counts->count++;
    }
    counts->item[*slot].count += weight;
    counts->total += (int64_t)length * weight;
    return FLAW_OK;
}
