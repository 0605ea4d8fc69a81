/* SentencePiece's byte-pair encoding: neighbours join while their joint text is a piece, the piece of the highest score
 * first and the leftmost of equals. A heap of pairs keeps it at n log n; a pair whose halves have changed since is
 * stale and passed over. Texts become normal pieces, byte pieces and the unknown piece only: no words make a control
 * piece, and pieces that their maker marked as user-defined or unused are not made from words either. */
#include <string.h>

#include "base/utf8.h"
#include "model/text/pieces_impl.h"

#define TEXT_LIMIT ((size_t)1 << 20)

typedef struct symbol {
    uint32_t at, size;     /* bytes of the normalised text; size 0: taken by its left neighbour */
    int32_t before, after; /* -1: none */
} symbol;

typedef struct work {
    const flaw_pieces *p;
    char *text; /* normalised */
    size_t size;
    symbol *row;
    flaw_bpe_pair *heap;
    size_t pairs;
} work;

static void put_space(work *w)
{
    const char *space = w->p->rules.plain_spaces ? " " : FLAW_SPACE_MARK;
    const size_t size = strlen(space);
    memcpy(w->text + w->size, space, size);
    w->size += size;
}

/* Spaces as the vocabulary wants them. An empty text, or one of nothing but spaces that go, stays empty. */
static void normalise(work *w, const char *text, size_t size)
{
    const flaw_pieces_rules *r = &w->p->rules;
    size_t i = 0;
    if (r->collapse) {
        while (i < size && text[i] == ' ') i++;
        while (size > i && text[size - 1] == ' ') size--;
    }
    if (i == size) return;
    if (r->dummy_prefix) put_space(w);
    for (; i < size; i++) {
        if (text[i] != ' ') w->text[w->size++] = text[i];
        else if (!r->collapse || text[i - 1] != ' ') put_space(w);
    }
}

/* A symbol for each character, and for each byte that is part of none. Returns how many. */
static size_t spell(work *w)
{
    size_t count = 0;
    for (size_t at = 0; at < w->size; count++) {
        size_t length = flaw_utf8_length(w->text + at, w->size - at);
        if (length == 0) length = 1;
        w->row[count] = (symbol){(uint32_t)at, (uint32_t)length, (int32_t)count - 1, (int32_t)count + 1};
        at += length;
    }
    if (count > 0) w->row[count - 1].after = -1;
    return count;
}

/* Piece that a stretch of the text may become, or -1. */
static int32_t piece_of(const work *w, size_t at, size_t size)
{
    if (size > FLAW_PIECE_LIMIT) return -1;
    uint32_t found = flaw_bpe_find(&w->p->table, w->text + at, size);
    return found == FLAW_NO_SYMBOL ? -1 : w->p->table.symbol[found].id;
}

static void push(work *w, int32_t left)
{
    if (left < 0 || w->row[left].after < 0) return;
    const symbol *a = &w->row[left], *b = &w->row[a->after];
    int32_t id = piece_of(w, a->at, a->size + b->size);
    if (id < 0) return;
    flaw_bpe_push(w->heap, &w->pairs,
                  (flaw_bpe_pair){.rank = w->p->rank[id], .at = (uint32_t)left, .left = a->size, .right = b->size});
}

static void join_all(work *w, size_t count)
{
    for (size_t i = 0; i + 1 < count; i++) push(w, (int32_t)i);
    while (w->pairs > 0) {
        const flaw_bpe_pair pair = flaw_bpe_pop(w->heap, &w->pairs);
        symbol *left = &w->row[pair.at];
        if (left->size != pair.left || left->after < 0 || w->row[left->after].size != pair.right) continue;
        symbol *right = &w->row[left->after];
        left->size += right->size;
        left->after = right->after;
        if (right->after >= 0) w->row[right->after].before = (int32_t)pair.at;
        right->size = 0;
        push(w, left->before);
        push(w, (int32_t)pair.at);
    }
}

typedef struct ids {
    int32_t *out;
    size_t room, count;
} ids;

static void put_id(ids *x, int32_t id)
{
    if (x->count < x->room) x->out[x->count] = id;
    x->count++;
}

/* A run of unknown characters is one unknown piece. */
static void write_ids(const work *w, size_t count, ids *x)
{
    bool was_unknown = false;
    for (int32_t i = count ? 0 : -1; i >= 0; i = w->row[i].after) {
        const symbol *s = &w->row[i];
        int32_t id = piece_of(w, s->at, s->size);
        bool unknown = id < 0 && !w->p->rules.bytes;
        if (id >= 0) put_id(x, id);
        else if (unknown && !was_unknown) put_id(x, w->p->rules.unknown);
        for (size_t b = 0; id < 0 && !unknown && b < s->size; b++) put_id(x, w->p->byte[(uint8_t)w->text[s->at + b]]);
        was_unknown = unknown;
    }
}

flaw_status flaw_pieces_encode(const flaw_pieces *p, const char *text, size_t size, int32_t *out, size_t room,
                               size_t *count, flaw_error *err)
{
    if (size > TEXT_LIMIT) return flaw_fail(err, FLAW_USAGE, "text of %zu bytes, allowed are %zu", size, TEXT_LIMIT);
    flaw_arena arena;
    flaw_arena_init(&arena, 0);
    work w = {.p = p};
    w.text = flaw_arena_alloc(&arena, size + 1, FLAW_SPACE_MARK_SIZE); /* every byte a space, and the dummy prefix */
    w.row = flaw_arena_alloc(&arena, size + 1, sizeof *w.row);
    /* n - 1 pairs of n symbols, and two new ones for each of n - 1 joins. */
    w.heap = flaw_arena_alloc(&arena, 3 * (size + 1), sizeof *w.heap);
    if (!w.text || !w.row || !w.heap) {
        flaw_arena_release(&arena);
        return flaw_fail(err, FLAW_NO_MEMORY, "no memory to read %zu bytes of text", size);
    }
    normalise(&w, text, size);
    const size_t symbols = spell(&w);
    join_all(&w, symbols);
    ids x = {out, room, 0};
    write_ids(&w, symbols, &x);
    *count = x.count;
    flaw_arena_release(&arena);
    return FLAW_OK;
}
