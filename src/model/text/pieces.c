/* A vocabulary of pieces: building it from a list, finding pieces, and turning ids back into text. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "model/text/pieces_impl.h"

#define UNKNOWN_SURFACE " \xe2\x81\x87 " /* U+2047, as sentencepiece writes an unknown piece */

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

int flaw_piece_byte(const char *text, size_t size)
{
    if (size != 6 || memcmp(text, "<0x", 3) != 0 || text[5] != '>') return -1;
    int high = hex_digit(text[3]), low = hex_digit(text[4]);
    return high < 0 || low < 0 ? -1 : 16 * high + low;
}

/* Scores as numbers that sort the other way round: a float's bits, with the sign's turned, are in its order. */
static uint32_t rank_of(float score)
{
    union {
        float f;
        uint32_t u;
    } x = {.f = score + 0.0f}; /* -0 becomes +0 */
    return ~(x.u >> 31 ? ~x.u : x.u | 0x80000000u);
}

static flaw_status check_piece(const flaw_piece *x, size_t id, const char *name, flaw_error *err)
{
    if (x->size < 1 || x->size > FLAW_PIECE_LIMIT)
        return flaw_fail(err, FLAW_BAD_DATA, "%s: piece %zu has %zu bytes, allowed are 1 to %d", name, id, x->size,
                         FLAW_PIECE_LIMIT);
    if (!flaw_utf8_valid(x->text, x->size))
        return flaw_fail(err, FLAW_BAD_DATA, "%s: piece %zu is not valid UTF-8", name, id);
    if (!isfinite(x->score))
        return flaw_fail(err, FLAW_BAD_DATA, "%s: piece %zu \"%.*s\" has the score %g, expected is a finite number",
                         name, id, (int)x->size, x->text, (double)x->score);
    if (x->kind < FLAW_PIECE_NORMAL || x->kind > FLAW_PIECE_BYTE)
        return flaw_fail(err, FLAW_BAD_DATA, "%s: piece %zu \"%.*s\" is of kind %d, known are 1 to 6", name, id,
                         (int)x->size, x->text, (int)x->kind);
    return FLAW_OK;
}

/* Take in one piece. Its text stands once: with two of them nobody could say which id a text gets. */
static flaw_status add_piece(flaw_pieces *p, const flaw_piece *x, const char *name, flaw_error *err)
{
    const int id = p->count;
    flaw_status status = check_piece(x, (size_t)id, name, err);
    if (status) return status;
    uint32_t symbol = flaw_bpe_intern(&p->table, x->text, x->size);
    if (symbol == FLAW_NO_SYMBOL) return flaw_fail(err, FLAW_NO_MEMORY, "%s: no memory for piece %d", name, id);
    if (symbol != (uint32_t)id)
        return flaw_fail(err, FLAW_BAD_DATA, "%s: piece %d \"%.*s\" is piece %u again", name, id, (int)x->size, x->text,
                         symbol);
    p->piece[id] = *x;
    p->piece[id].text = p->table.symbol[symbol].text;
    if (id == p->rules.bos || id == p->rules.eos) p->piece[id].kind = FLAW_PIECE_CONTROL;
    if (id == p->rules.unknown) p->piece[id].kind = FLAW_PIECE_UNKNOWN;
    p->rank[id] = rank_of(x->score);
    const flaw_piece_kind kind = p->piece[id].kind;
    if (kind == FLAW_PIECE_NORMAL) p->table.symbol[symbol].id = id;
    if (kind == FLAW_PIECE_BYTE) {
        int byte = flaw_piece_byte(x->text, x->size);
        if (byte < 0)
            return flaw_fail(err, FLAW_BAD_DATA,
                             "%s: byte piece %d is called \"%.*s\", expected is \"<0x00>\" to \"<0xFF>\"", name, id,
                             (int)x->size, x->text);
        p->byte[byte] = id;
    }
    if (kind == FLAW_PIECE_UNKNOWN) {
        if (p->rules.unknown >= 0 && p->rules.unknown != id)
            return flaw_fail(err, FLAW_BAD_DATA, "%s: pieces %d and %d are both the unknown piece, one is allowed",
                             name, p->rules.unknown, id);
        p->rules.unknown = id;
    }
    p->count++;
    return FLAW_OK;
}

/* Bytes come all or none; without them something must stand for what is in no piece. */
static flaw_status check_bytes(flaw_pieces *p, const char *name, flaw_error *err)
{
    int bytes = 0, missing = -1;
    for (int b = 255; b >= 0; b--) {
        bytes += p->byte[b] >= 0;
        if (p->byte[b] < 0) missing = b;
    }
    if (bytes > 0 && bytes < 256)
        return flaw_fail(err, FLAW_BAD_DATA, "%s: %d byte pieces, <0x%02X> is missing; expected are 256 or none", name,
                         bytes, missing);
    p->rules.bytes = bytes == 256;
    if (!p->rules.bytes && p->rules.unknown < 0)
        return flaw_fail(err, FLAW_BAD_DATA, "%s: neither an unknown piece nor byte pieces, one of both is needed",
                         name);
    return FLAW_OK;
}

static flaw_status check_ids(const flaw_pieces_rules *r, size_t count, const char *name, flaw_error *err)
{
    const int id[3] = {r->bos, r->eos, r->unknown};
    static const char *const what[3] = {"beginning", "end", "unknown"};
    if (count < 1 || count > FLAW_PIECES_LIMIT)
        return flaw_fail(err, FLAW_BAD_DATA, "%s: %zu pieces, allowed are 1 to %d", name, count, FLAW_PIECES_LIMIT);
    for (int i = 0; i < 3; i++)
        if (id[i] < -1 || (id[i] >= 0 && (size_t)id[i] >= count))
            return flaw_fail(err, FLAW_BAD_DATA, "%s: the %s piece is number %d of %zu pieces", name, what[i], id[i],
                             count);
    if (r->unknown >= 0 && (r->unknown == r->bos || r->unknown == r->eos))
        return flaw_fail(err, FLAW_BAD_DATA, "%s: piece %d is both the unknown piece and a control piece", name,
                         r->unknown);
    return FLAW_OK;
}

flaw_status flaw_pieces_build(flaw_pieces **out, const flaw_piece *piece, size_t count, const flaw_pieces_rules *rules,
                              const char *name, flaw_error *err)
{
    flaw_status status = check_ids(rules, count, name, err);
    if (status) return status;
    flaw_pieces *p = calloc(1, sizeof *p);
    if (!p) return flaw_fail(err, FLAW_NO_MEMORY, "%s: no memory for a vocabulary", name);
    p->rules = *rules;
    memset(p->byte, 0xff, sizeof p->byte);
    flaw_arena_init(&p->arena, 0);
    p->piece = flaw_arena_alloc(&p->arena, count, sizeof *p->piece);
    p->rank = flaw_arena_alloc(&p->arena, count, sizeof *p->rank);
    if (!p->piece || !p->rank || !flaw_bpe_init(&p->table, &p->arena, (uint32_t)count, 0))
        status = flaw_fail(err, FLAW_NO_MEMORY, "%s: no memory for %zu pieces", name, count);
    for (size_t i = 0; i < count && !status; i++) status = add_piece(p, &piece[i], name, err);
    if (!status) status = check_bytes(p, name, err);
    if (status) {
        flaw_pieces_free(p);
        return status;
    }
    *out = p;
    return FLAW_OK;
}

flaw_status flaw_pieces_from_list(flaw_pieces **out, const flaw_piece *piece, size_t count, int bos, int eos,
                                  int unknown, bool dummy_prefix, const char *name, flaw_error *err)
{
    flaw_pieces_rules rules = {.bos = bos, .eos = eos, .unknown = unknown, .dummy_prefix = dummy_prefix};
    return flaw_pieces_build(out, piece, count, &rules, name, err);
}

void flaw_pieces_free(flaw_pieces *p)
{
    if (!p) return;
    flaw_arena_release(&p->arena);
    free(p);
}

int flaw_pieces_count(const flaw_pieces *p)
{
    return p->count;
}

int flaw_pieces_bos(const flaw_pieces *p)
{
    return p->rules.bos;
}

int flaw_pieces_eos(const flaw_pieces *p)
{
    return p->rules.eos;
}

int flaw_pieces_find(const flaw_pieces *p, const char *text)
{
    uint32_t symbol = flaw_bpe_find(&p->table, text, strlen(text));
    return symbol == FLAW_NO_SYMBOL ? -1 : (int)symbol;
}

static void append_spelled(const flaw_pieces *p, const flaw_piece *x, bool first, flaw_buffer *out)
{
    size_t at = 0;
    while (at < x->size) {
        const bool mark = !p->rules.plain_spaces && x->size - at >= FLAW_SPACE_MARK_SIZE &&
                          memcmp(x->text + at, FLAW_SPACE_MARK, FLAW_SPACE_MARK_SIZE) == 0;
        const bool space = mark || x->text[at] == ' ';
        if (!(space && at == 0 && first && p->rules.dummy_prefix))
            flaw_buffer_append(out, space ? " " : x->text + at, 1);
        at += mark ? FLAW_SPACE_MARK_SIZE : 1;
    }
}

void flaw_pieces_append(const flaw_pieces *p, int32_t id, bool first, flaw_buffer *out)
{
    if (id < 0 || id >= p->count) return;
    const flaw_piece *x = &p->piece[id];
    if (x->kind == FLAW_PIECE_CONTROL) return;
    if (x->kind == FLAW_PIECE_UNKNOWN) {
        flaw_buffer_text(out, UNKNOWN_SURFACE);
    } else if (x->kind == FLAW_PIECE_BYTE) {
        flaw_buffer_append(out, (char[1]){(char)flaw_piece_byte(x->text, x->size)}, 1);
    } else {
        append_spelled(p, x, first, out);
    }
}

/* Could `text` [size], a lead byte and what follows, still become a character? Its missing bytes are tried out: the
 * smallest and the largest that may follow. */
static bool is_begun(const char *text, size_t size)
{
    for (size_t length = size + 1; length <= 4; length++)
        for (int c = 0; c < 2; c++) {
            char whole[4];
            memset(whole, c ? 0xbf : 0x80, sizeof whole);
            memcpy(whole, text, size);
            if (flaw_utf8_length(whole, length) == length) return true;
        }
    return false;
}

size_t flaw_pieces_complete(const char *text, size_t size)
{
    for (size_t back = 1; back <= 3 && back <= size; back++) {
        const unsigned char c = (unsigned char)text[size - back];
        if ((c & 0xc0) == 0x80) continue;
        return c >= 0xc0 && is_begun(text + size - back, back) ? size - back : size;
    }
    return size;
}
