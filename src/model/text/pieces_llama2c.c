/* tokenizer.bin of llama2.c: the longest piece's size (u32), then for each piece its score (f32), size (u32) and bytes,
 * with plain spaces for U+2581. It keeps no kinds: pieces 0, 1, 2 are the unknown, beginning and end piece, and
 * "<0xXX>" is a byte by its text. The beginning may be written "<s>" or "\n<s>\n". */
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/cursor.h"
#include "model/text/pieces_impl.h"

enum { UNKNOWN, BOS, EOS, SPECIALS };

/* Text of a piece with U+2581 for spaces, in the arena. */
static flaw_status read_text(flaw_piece *out, const uint8_t *bytes, size_t size, flaw_arena *arena, const char *name,
                             flaw_error *err)
{
    char *text = flaw_arena_alloc(arena, size + 1, FLAW_SPACE_MARK_SIZE);
    if (!text) return flaw_fail(err, FLAW_NO_MEMORY, "%s: no memory for a piece", name);
    out->text = text;
    for (size_t i = 0; i < size; i++) {
        const bool space = bytes[i] == ' ';
        memcpy(text + out->size, space ? FLAW_SPACE_MARK : (const char *)bytes + i, space ? FLAW_SPACE_MARK_SIZE : 1);
        out->size += space ? FLAW_SPACE_MARK_SIZE : 1;
    }
    return FLAW_OK;
}

static flaw_status name_special(flaw_piece *x, int id, const char *name, flaw_error *err)
{
    static const char *const special[SPECIALS] = {"<unk>", "<s>", "</s>"};
    const size_t size = strlen(special[id]);
    const char *found = memmem(x->text, x->size, special[id], size);
    if (!found)
        return flaw_fail(err, FLAW_BAD_DATA, "%s: piece %d is \"%.*s\", expected is \"%s\"", name, id, (int)x->size,
                         x->text, special[id]);
    x->text = found;
    x->size = size;
    x->kind = id == UNKNOWN ? FLAW_PIECE_UNKNOWN : FLAW_PIECE_CONTROL;
    return FLAW_OK;
}

static flaw_status read_piece(flaw_piece *x, int id, flaw_cursor *c, flaw_arena *arena, const char *name,
                              flaw_error *err)
{
    union {
        uint32_t u;
        float f;
    } score = {.u = flaw_cursor_u32le(c)};
    const uint32_t size = flaw_cursor_u32le(c);
    const size_t offset = flaw_cursor_offset(c), left = flaw_cursor_left(c);
    const uint8_t *bytes = flaw_cursor_bytes(c, size);
    if (!bytes)
        return flaw_fail(err, FLAW_BAD_DATA, "%s: piece %d has %u bytes at byte %zu, and %zu are left", name, id, size,
                         offset, left);
    if (size < 1 || size > FLAW_PIECE_LIMIT)
        return flaw_fail(err, FLAW_BAD_DATA, "%s: piece %d has %u bytes, allowed are 1 to %d", name, id, size,
                         FLAW_PIECE_LIMIT);
    *x = (flaw_piece){.score = score.f, .kind = FLAW_PIECE_NORMAL};
    flaw_status status = read_text(x, bytes, size, arena, name, err);
    if (status) return status;
    if (flaw_piece_byte(x->text, x->size) >= 0) x->kind = FLAW_PIECE_BYTE;
    return id < SPECIALS ? name_special(x, id, name, err) : FLAW_OK;
}

flaw_status flaw_pieces_from_llama2c(flaw_pieces **out, const uint8_t *bytes, size_t size, int vocab, const char *name,
                                     flaw_error *err)
{
    /* A piece takes nine bytes at least: a lying count is found before memory is asked for. */
    if (vocab < SPECIALS || vocab > FLAW_PIECES_LIMIT || (size_t)vocab > size / 9)
        return flaw_fail(err, FLAW_BAD_DATA, "%s: %d pieces in %zu bytes, allowed are %d to %zu", name, vocab, size,
                         SPECIALS, size / 9);
    flaw_cursor c = flaw_cursor_over(bytes, size);
    flaw_cursor_u32le(&c); /* size of the longest piece: nothing here needs it */
    flaw_arena arena;
    flaw_arena_init(&arena, 0);
    flaw_piece *piece = flaw_arena_alloc(&arena, (size_t)vocab, sizeof *piece);
    flaw_status status = piece ? FLAW_OK : flaw_fail(err, FLAW_NO_MEMORY, "%s: no memory for %d pieces", name, vocab);
    for (int i = 0; i < vocab && !status; i++) status = read_piece(&piece[i], i, &c, &arena, name, err);
    if (!status && flaw_cursor_left(&c) > 0)
        status = flaw_fail(err, FLAW_BAD_DATA, "%s: %zu bytes are left after %d pieces, expected is none", name,
                           flaw_cursor_left(&c), vocab);
    if (!status) status = flaw_pieces_from_list(out, piece, (size_t)vocab, BOS, EOS, UNKNOWN, true, name, err);
    flaw_arena_release(&arena);
    return status;
}
