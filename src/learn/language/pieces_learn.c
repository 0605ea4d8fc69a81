#include "learn/language/pieces_learn.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "learn/tower/merges.h"

#define MARK "\xe2\x96\x81" /* U+2581 */
#define MAX_WORD 60         /* bytes, the mark not counted; longer runs are cut in pieces */
#define MAX_SIZE 4096
#define OFTEN 16 /* occurrences that make a character beyond ASCII a piece */
enum { UNKNOWN, BOS, EOS, FIRST_BYTE, FIRST_MERGE = FIRST_BYTE + 256 };

typedef enum kind { SPACE, LETTER, DIGIT, SIGN, BREAK } kind;

static kind kind_of(const char *at, size_t size)
{
    const unsigned char c = (unsigned char)*at;
    if (c == ' ') return SPACE;
    if (c < 0x20 || c == 0x7f || flaw_utf8_length(at, size) == 0) return BREAK;
    if (c >= '0' && c <= '9') return DIGIT;
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c >= 0x80 || c == '\'';
    return letter ? LETTER : SIGN;
}

/* A word under construction: maybe a mark, then characters of one kind. */
typedef struct run {
    char text[sizeof MARK + MAX_WORD + 4];
    size_t size;
    kind kind; /* SPACE: nothing but the mark yet */
} run;

static flaw_status end_word(run *w, flaw_word_counts *counts, int weight, flaw_error *err)
{
    flaw_status status = w->size ? flaw_word_counts_put(counts, w->text, w->size, weight, err) : FLAW_OK;
    w->size = 0;
    w->kind = BREAK;
    return status;
}

static void begin_with_mark(run *w)
{
    memcpy(w->text, MARK, sizeof MARK - 1);
    w->size = sizeof MARK - 1;
    w->kind = SPACE;
}

/* Does a character of `kind` begin a new word after w? A digit stands alone, without the mark even. */
static bool begins(const run *w, kind k)
{
    if (k == DIGIT || w->size >= sizeof MARK - 1 + MAX_WORD) return true;
    return w->kind != k && w->kind != SPACE;
}

flaw_status flaw_piece_words_add(flaw_word_counts *counts, const char *text, size_t size, int weight, flaw_error *err)
{
    run w = {.kind = BREAK};
    flaw_status status = FLAW_OK;
    if (size) begin_with_mark(&w);
    for (size_t i = 0, length; i < size && !status; i += length) {
        const kind k = kind_of(text + i, size - i);
        length = k == BREAK ? 1 : flaw_utf8_length(text + i, size - i);
        if (k == BREAK || k == SPACE || begins(&w, k)) status = end_word(&w, counts, weight, err);
        if (k == BREAK) continue;
        if (k == SPACE) {
            begin_with_mark(&w);
            continue;
        }
        memcpy(w.text + w.size, text + i, length);
        w.size += length;
        w.kind = k;
    }
    return status ? status : end_word(&w, counts, weight, err);
}

typedef struct character {
    char text[5]; /* UTF-8 */
} character;

static int by_text(const void *a, const void *b)
{
    return strcmp(((const character *)a)->text, ((const character *)b)->text);
}

/* All that can be seen of ASCII, the mark, and what occurs often. Sorted; *count of them, in the arena. */
static flaw_status list_characters(character **out, size_t *count, const flaw_word_counts *counts, flaw_arena *arena,
                                   flaw_error *err)
{
    flaw_word_counts seen;
    flaw_word_counts_init(&seen, arena);
    flaw_status status = FLAW_OK;
    for (size_t w = 0; w < counts->count && !status; w++) {
        const char *word = counts->item[w].word;
        for (size_t i = 0, length; word[i] && !status; i += length) {
            length = flaw_utf8_length(word + i, strlen(word + i));
            status = flaw_word_counts_put(&seen, word + i, length, counts->item[w].count, err);
        }
    }
    if (status) return status;
    character *list = flaw_arena_alloc(arena, seen.count + 128, sizeof *list);
    if (!list) return flaw_fail(err, FLAW_NO_MEMORY, "no memory for %zu characters", seen.count);
    size_t n = 0;
    for (int c = 0x21; c < 0x7f; c++) list[n++].text[0] = (char)c;
    memcpy(list[n++].text, MARK, sizeof MARK);
    for (size_t i = 0; i < seen.count; i++) {
        const bool ascii = !(seen.item[i].word[0] & 0x80), mark = strcmp(seen.item[i].word, MARK) == 0;
        if (!ascii && !mark && seen.item[i].count >= OFTEN) snprintf(list[n++].text, 5, "%s", seen.item[i].word);
    }
    qsort(list, n, sizeof *list, by_text);
    *out = list;
    *count = n;
    return FLAW_OK;
}

/* Index of the symbol of a text, -1 for none. */
static int find_name(const flaw_merger *m, const char *text)
{
    for (int i = 0; i < m->names; i++)
        if (strcmp(m->name[i], text) == 0) return i;
    return -1;
}

/* Rows of symbols. A word with a character that is no piece teaches nothing: it is left out. */
static flaw_status spell(flaw_merger *m, const flaw_word_counts *counts, flaw_arena *arena, flaw_error *err)
{
    m->words = 0;
    for (size_t w = 0; w < counts->count; w++) {
        const char *word = counts->item[w].word;
        flaw_merge_word *s = &m->word[m->words];
        *s = (flaw_merge_word){counts->item[w].count, 0, flaw_arena_alloc(arena, strlen(word), sizeof *s->symbol)};
        if (!s->symbol) return flaw_fail(err, FLAW_NO_MEMORY, "no memory to learn a vocabulary");
        int symbol = 0;
        for (size_t i = 0, length; word[i] && symbol >= 0; i += length) {
            char one[5];
            length = flaw_utf8_length(word + i, strlen(word + i));
            snprintf(one, sizeof one, "%.*s", (int)length, word + i);
            symbol = find_name(m, one);
            s->symbol[s->length++] = symbol;
        }
        m->words += symbol >= 0;
    }
    return FLAW_OK;
}

/* The merges become symbols behind the characters. Two ways to the same text are one symbol. */
static flaw_status merge(flaw_merger *m, flaw_arena *arena, flaw_error *err)
{
    int left = 0, right = 0;
    while (m->names < m->room && flaw_merger_best(m, &left, &right)) {
        const char *text = flaw_merger_text(m, left, right, arena);
        if (!text) return flaw_fail(err, FLAW_NO_MEMORY, "no memory for a merge");
        int known = find_name(m, text);
        if (known < 0) {
            known = m->names++;
            m->name[known] = text;
        }
        flaw_merger_join(m, left, right, known);
    }
    return FLAW_OK;
}

/* Special pieces and bytes, then merges, then characters. piece [FIRST_MERGE + symbols]. */
static void list_pieces(flaw_piece *piece, const flaw_merger *m, int characters, char byte_text[256][8])
{
    piece[UNKNOWN] = (flaw_piece){"<unk>", 5, 0, FLAW_PIECE_UNKNOWN};
    piece[BOS] = (flaw_piece){"<s>", 3, 0, FLAW_PIECE_CONTROL};
    piece[EOS] = (flaw_piece){"</s>", 4, 0, FLAW_PIECE_CONTROL};
    for (int b = 0; b < 256; b++) {
        snprintf(byte_text[b], 8, "<0x%02X>", (unsigned)b);
        piece[FIRST_BYTE + b] = (flaw_piece){byte_text[b], 6, 0, FLAW_PIECE_BYTE};
    }
    for (int i = 0; i < m->names; i++) {
        const char *text = m->name[(characters + i) % m->names];
        piece[FIRST_MERGE + i] = (flaw_piece){text, strlen(text), -(float)i, FLAW_PIECE_NORMAL};
    }
}

static flaw_status learn(flaw_pieces **out, const flaw_word_counts *counts, int size, flaw_arena *arena,
                         flaw_error *err)
{
    character *characters = NULL;
    size_t n = 0;
    flaw_merger m;
    flaw_status status = list_characters(&characters, &n, counts, arena, err);
    if (status) return status;
    if (size > MAX_SIZE || size < (int)(FIRST_MERGE + n))
        return flaw_fail(err, FLAW_USAGE, "a vocabulary of %d pieces, allowed are %zu (all characters) to %d", size,
                         FIRST_MERGE + n, MAX_SIZE);
    status = flaw_merger_init(&m, counts->count, size - FIRST_MERGE, arena, err);
    if (status) return status;
    for (size_t i = 0; i < n; i++) m.name[m.names++] = characters[i].text;
    status = spell(&m, counts, arena, err);
    if (!status) status = merge(&m, arena, err);
    if (status) return status;
    flaw_piece *piece = flaw_arena_alloc(arena, (size_t)size, sizeof *piece);
    char(*byte_text)[8] = flaw_arena_alloc(arena, 256, sizeof *byte_text);
    if (!piece || !byte_text) return flaw_fail(err, FLAW_NO_MEMORY, "no memory for %d pieces", size);
    list_pieces(piece, &m, (int)n, byte_text);
    return flaw_pieces_from_list(out, piece, (size_t)(FIRST_MERGE + m.names), BOS, EOS, UNKNOWN, true,
                                 "learnt vocabulary", err);
}

flaw_status flaw_pieces_learn(flaw_pieces **out, const flaw_word_counts *counts, int size, flaw_error *err)
{
    flaw_arena arena;
    flaw_arena_init(&arena, 0);
    flaw_status status = learn(out, counts, size, &arena, err);
    flaw_arena_release(&arena);
    return status;
}
