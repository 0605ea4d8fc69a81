/* CLIP's rule for a word: find the adjacent pair of the lowest rank, join all its occurrences from left to right, and
 * begin again. A heap of pairs does the same in n log n instead of n^2 steps, so that a long word cannot stall us: all
 * pairs of one rank are taken together, and the pairs that their joins create enter the heap only afterwards. */
#include "model/text/bpe.h"

#include <string.h>

static uint32_t hash_text(const char *text, size_t length)
{
    uint32_t h = 2166136261u; /* FNV-1a */
    for (size_t i = 0; i < length; i++) h = (h ^ (uint8_t)text[i]) * 16777619u;
    return h ^ h >> 15;
}

static uint32_t hash_pair(uint32_t left, uint32_t right)
{
    uint64_t h = ((uint64_t)left << 32 | right) * 0x9e3779b97f4a7c15u;
    return (uint32_t)(h >> 32);
}

/* Power of two that leaves at least half of the table free. */
static uint32_t table_size(uint32_t count)
{
    uint32_t size = 16;
    while (size < count * 2) size *= 2;
    return size;
}

bool flaw_bpe_init(flaw_bpe *b, flaw_arena *arena, uint32_t symbols, uint32_t merges)
{
    *b = (flaw_bpe){.arena = arena, .capacity = symbols};
    uint32_t symbol_slots = table_size(symbols), merge_slots = table_size(merges);
    b->symbol = flaw_arena_alloc(arena, symbols, sizeof *b->symbol);
    b->symbol_slot = flaw_arena_alloc(arena, symbol_slots, sizeof *b->symbol_slot);
    b->merge_slot = flaw_arena_alloc(arena, merge_slots, sizeof *b->merge_slot);
    if (!b->symbol || !b->symbol_slot || !b->merge_slot) return false;
    memset(b->symbol_slot, 0xff, symbol_slots * sizeof *b->symbol_slot);
    memset(b->merge_slot, 0xff, merge_slots * sizeof *b->merge_slot);
    b->symbol_mask = symbol_slots - 1;
    b->merge_mask = merge_slots - 1;
    return true;
}

/* Slot that holds the text, or the free one where it belongs. */
static uint32_t symbol_place(const flaw_bpe *b, const char *text, size_t length)
{
    uint32_t at = hash_text(text, length) & b->symbol_mask;
    for (;; at = (at + 1) & b->symbol_mask) {
        if (b->symbol_slot[at] == FLAW_NO_SYMBOL) return at;
        const flaw_symbol *s = &b->symbol[b->symbol_slot[at]];
        if (s->length == length && memcmp(s->text, text, length) == 0) return at;
    }
}

uint32_t flaw_bpe_find(const flaw_bpe *b, const char *text, size_t length)
{
    return b->symbol_slot[symbol_place(b, text, length)];
}

uint32_t flaw_bpe_intern(flaw_bpe *b, const char *text, size_t length)
{
    uint32_t place = symbol_place(b, text, length);
    if (b->symbol_slot[place] != FLAW_NO_SYMBOL) return b->symbol_slot[place];
    const char *copy = b->count < b->capacity ? flaw_arena_copy_string(b->arena, text, length) : NULL;
    if (!copy) return FLAW_NO_SYMBOL;
    b->symbol[b->count] = (flaw_symbol){.text = copy, .length = (uint32_t)length, .id = -1};
    b->symbol_slot[place] = b->count;
    return b->count++;
}

static flaw_merge *merge_place(const flaw_bpe *b, uint32_t left, uint32_t right)
{
    uint32_t at = hash_pair(left, right) & b->merge_mask;
    for (;; at = (at + 1) & b->merge_mask) {
        flaw_merge *m = &b->merge_slot[at];
        if (m->left == FLAW_NO_SYMBOL || (m->left == left && m->right == right)) return m;
    }
}

void flaw_bpe_add_merge(flaw_bpe *b, uint32_t left, uint32_t right, uint32_t result, uint32_t rank)
{
    *merge_place(b, left, right) = (flaw_merge){.left = left, .right = right, .result = result, .rank = rank};
}

bool flaw_bpe_work_init(flaw_bpe_work *w, flaw_arena *arena, size_t limit)
{
    w->node = flaw_arena_alloc(arena, limit, sizeof *w->node);
    w->heap =
        flaw_arena_alloc(arena, 3 * limit, sizeof *w->heap); /* n-1 pairs, and two new ones for each of n-1 joins */
    w->touched = flaw_arena_alloc(arena, limit, sizeof *w->touched);
    return w->node && w->heap && w->touched;
}

typedef flaw_bpe_pair pair;

/* Lowest rank first, then leftmost. */
static bool comes_before(const pair *a, const pair *b)
{
    return a->rank != b->rank ? a->rank < b->rank : a->at < b->at;
}

void flaw_bpe_push(flaw_bpe_pair *heap, size_t *size, flaw_bpe_pair p)
{
    size_t at = (*size)++;
    for (; at > 0 && comes_before(&p, &heap[(at - 1) / 2]); at = (at - 1) / 2) heap[at] = heap[(at - 1) / 2];
    heap[at] = p;
}

flaw_bpe_pair flaw_bpe_pop(flaw_bpe_pair *heap, size_t *size)
{
    pair top = heap[0], last = heap[--*size];
    size_t at = 0;
    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= *size) break;
        if (child + 1 < *size && comes_before(&heap[child + 1], &heap[child])) child++;
        if (!comes_before(&heap[child], &last)) break;
        heap[at] = heap[child];
        at = child;
    }
    heap[at] = last;
    return top;
}

static void push_pair(const flaw_bpe *b, flaw_bpe_work *w, size_t *size, int32_t at)
{
    if (at < 0 || w->node[at].after < 0) return;
    uint32_t left = w->node[at].symbol, right = w->node[w->node[at].after].symbol;
    const flaw_merge *m = merge_place(b, left, right);
    if (m->left == FLAW_NO_SYMBOL) return;
    flaw_bpe_push(w->heap, size, (pair){.rank = m->rank, .at = (uint32_t)at, .left = left, .right = right});
}

/* Join the pair where it still stands; false when an earlier join took one of its halves. */
static bool join(const flaw_bpe *b, flaw_bpe_work *w, const pair *p)
{
    struct flaw_bpe_node *left = &w->node[p->at];
    if (left->symbol != p->left || left->after < 0 || w->node[left->after].symbol != p->right) return false;
    struct flaw_bpe_node *right = &w->node[left->after];
    left->symbol = merge_place(b, p->left, p->right)->result;
    left->after = right->after;
    if (right->after >= 0) w->node[right->after].before = (int32_t)p->at;
    right->symbol = FLAW_NO_SYMBOL;
    return true;
}

size_t flaw_bpe_encode(const flaw_bpe *b, uint32_t *word, size_t count, flaw_bpe_work *work)
{
    size_t size = 0, out = 0;
    for (size_t i = 0; i < count; i++)
        work->node[i] = (struct flaw_bpe_node){word[i], (int32_t)i - 1, i + 1 < count ? (int32_t)i + 1 : -1};
    for (size_t i = 0; i + 1 < count; i++) push_pair(b, work, &size, (int32_t)i);
    while (size > 0) {
        uint32_t rank = work->heap[0].rank;
        size_t touched = 0;
        while (size > 0 && work->heap[0].rank == rank) {
            pair p = flaw_bpe_pop(work->heap, &size);
            if (join(b, work, &p)) work->touched[touched++] = (int32_t)p.at;
        }
        for (size_t i = 0; i < touched; i++) {
            push_pair(b, work, &size, work->node[work->touched[i]].before);
            push_pair(b, work, &size, work->touched[i]);
        }
    }
    for (int32_t at = count ? 0 : -1; at >= 0; at = work->node[at].after) word[out++] = work->node[at].symbol;
    return out;
}
