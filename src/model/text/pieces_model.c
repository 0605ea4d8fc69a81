/* tokenizer.model of sentencepiece: a protocol buffer. ModelProto: 1 pieces {1 text, 2 score, 3 kind}, 2 trainer
 * {3 model type, 24 suffix spaces, 35 byte fallback, 46 bos text, 47 eos text}, 3 and 5 (de)normaliser {1 name,
 * 2 character map, 3 dummy prefix, 4 remove extra spaces, 5 escape spaces}. What else there is, is passed over. */
#include <inttypes.h>
#include <string.h>

#include "base/cursor.h"
#include "model/text/pieces_impl.h"

enum { VARINT = 0, FIXED64 = 1, BYTES = 2, FIXED32 = 5 };
enum { TYPE_UNIGRAM = 1, TYPE_BPE = 2 };

/* One field of a message: `number` for varints and fixed widths, `inside` for strings and messages. */
typedef struct field {
    size_t at; /* offset in its message */
    uint64_t tag, number;
    flaw_cursor inside;
    int wire;
} field;

/* At most ten bytes of seven bits; more, or bits past the 64th, is no number. */
static uint64_t read_varint(flaw_cursor *c)
{
    uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
        const uint8_t byte = flaw_cursor_u8(c);
        if (shift == 63 && byte > 1) break;
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80)) return value;
    }
    c->failed = true;
    return 0;
}

static flaw_cursor read_inside(flaw_cursor *c)
{
    uint64_t size = read_varint(c);
    const uint8_t *bytes = size <= flaw_cursor_left(c) ? flaw_cursor_bytes(c, (size_t)size) : NULL;
    if (!bytes) c->failed = true;
    return flaw_cursor_over(bytes, bytes ? (size_t)size : 0);
}

/* Next field of a message. False at its end, and (c->failed) where the bytes are no field. */
static bool next_field(flaw_cursor *c, field *f)
{
    if (c->failed || flaw_cursor_left(c) == 0) return false;
    *f = (field){.at = flaw_cursor_offset(c)};
    uint64_t key = read_varint(c);
    f->tag = key >> 3;
    f->wire = (int)(key & 7);
    switch (f->wire) {
    case VARINT: f->number = read_varint(c); break;
    case FIXED64: f->number = flaw_cursor_u64le(c); break;
    case FIXED32: f->number = flaw_cursor_u32le(c); break;
    case BYTES: f->inside = read_inside(c); break;
    default: c->failed = true;
    }
    if (f->tag == 0) c->failed = true;
    return !c->failed;
}

/* The whole of what a model file says; texts lie in the file's bytes. */
typedef struct model {
    const char *name;
    flaw_piece *piece;
    size_t count, room;
    uint64_t type;
    bool bytes, suffix_spaces;
    flaw_piece bos, eos; /* their texts */
    size_t map_size;     /* bytes of character maps */
    flaw_pieces_rules rules;
} model;

static flaw_status wrong_wire(const model *m, const char *what, const field *f, flaw_error *err)
{
    return flaw_fail(err, FLAW_BAD_DATA, "%s: %s, field %" PRIu64 " has wire type %d, which is not its own", m->name,
                     what, f->tag, f->wire);
}

static flaw_status read_piece(model *m, flaw_cursor c, flaw_error *err)
{
    union {
        uint32_t u;
        float f;
    } score = {0};
    flaw_piece x = {.text = "", .kind = FLAW_PIECE_NORMAL};
    field f = {0};
    while (next_field(&c, &f)) {
        static const int wire[4] = {0, BYTES, FIXED32, VARINT};
        if (f.tag > 3) continue;
        if (f.wire != wire[f.tag]) return wrong_wire(m, "a piece", &f, err);
        if (f.tag == 1) x.text = (const char *)f.inside.begin, x.size = flaw_cursor_left(&f.inside);
        else if (f.tag == 2) score.u = (uint32_t)f.number;
        else x.kind = f.number > FLAW_PIECE_BYTE ? (flaw_piece_kind)0 : (flaw_piece_kind)f.number;
    }
    if (c.failed)
        return flaw_fail(err, FLAW_BAD_DATA, "%s: piece %zu is broken at its byte %zu", m->name, m->count, f.at);
    x.score = score.f;
    m->piece[m->count++] = x;
    return FLAW_OK;
}

static flaw_status read_trainer(model *m, flaw_cursor c, flaw_error *err)
{
    field f = {0};
    while (next_field(&c, &f)) {
        const bool number = f.tag == 3 || f.tag == 24 || f.tag == 35, text = f.tag == 46 || f.tag == 47;
        if ((number && f.wire != VARINT) || (text && f.wire != BYTES)) return wrong_wire(m, "trainer", &f, err);
        if (f.tag == 3) m->type = f.number;
        if (f.tag == 24) m->suffix_spaces = f.number != 0;
        if (f.tag == 35) m->bytes = f.number != 0;
        if (text) {
            flaw_piece *named = f.tag == 46 ? &m->bos : &m->eos;
            *named = (flaw_piece){.text = (const char *)f.inside.begin, .size = flaw_cursor_left(&f.inside)};
        }
    }
    if (c.failed)
        return flaw_fail(err, FLAW_BAD_DATA, "%s: trainer's settings are broken at their byte %zu", m->name, f.at);
    return FLAW_OK;
}

static flaw_status read_normaliser(model *m, flaw_cursor c, bool texts, flaw_error *err)
{
    field f = {0};
    while (next_field(&c, &f)) {
        if ((f.tag == 2 && f.wire != BYTES) || (f.tag >= 3 && f.tag <= 5 && f.wire != VARINT))
            return wrong_wire(m, "normaliser", &f, err);
        if (f.tag == 2) m->map_size += flaw_cursor_left(&f.inside);
        if (!texts) continue;
        if (f.tag == 3) m->rules.dummy_prefix = f.number != 0;
        if (f.tag == 4) m->rules.collapse = f.number != 0;
        if (f.tag == 5) m->rules.plain_spaces = f.number == 0;
    }
    if (c.failed) return flaw_fail(err, FLAW_BAD_DATA, "%s: normaliser is broken at its byte %zu", m->name, f.at);
    return FLAW_OK;
}

/* With `m->piece` NULL only counts the pieces and finds out whether the file is a row of fields at all. */
static flaw_status read_file(model *m, const uint8_t *bytes, size_t size, flaw_error *err)
{
    flaw_cursor c = flaw_cursor_over(bytes, size);
    flaw_status status = FLAW_OK;
    field f = {0};
    while (!status && next_field(&c, &f)) {
        if (f.tag > 5 || f.tag == 4) continue;
        if (f.wire != BYTES) return wrong_wire(m, "model", &f, err);
        if (f.tag == 1 && !m->piece) m->room++;
        if (!m->piece) continue;
        if (f.tag == 1) status = read_piece(m, f.inside, err);
        else if (f.tag == 2) status = read_trainer(m, f.inside, err);
        else status = read_normaliser(m, f.inside, f.tag == 3, err);
    }
    if (!status && c.failed)
        return flaw_fail(err, FLAW_BAD_DATA, "%s: not a SentencePiece model, or cut short: no field at byte %zu of %zu",
                         m->name, f.at, size);
    return status;
}

static flaw_status check_model(const model *m, flaw_error *err)
{
    static const char *const type[] = {"", "unigram", "BPE", "word", "character"};
    if (m->type != TYPE_BPE)
        return flaw_fail(err, FLAW_UNAVAILABLE,
                         "%s: SentencePiece model of type %" PRIu64 " (%s), this program reads type 2 (BPE)", m->name,
                         m->type, m->type < 5 ? type[m->type] : "unknown");
    if (m->map_size > 0)
        return flaw_fail(err, FLAW_UNAVAILABLE,
                         "%s: a map of characters (%zu bytes), this program reads the identity only", m->name,
                         m->map_size);
    if (m->suffix_spaces)
        return flaw_fail(err, FLAW_UNAVAILABLE, "%s: spaces stand behind words, this program reads them before words",
                         m->name);
    int bytes = 0;
    for (size_t i = 0; i < m->count; i++) bytes += m->piece[i].kind == FLAW_PIECE_BYTE;
    if (m->bytes != (bytes > 0))
        return flaw_fail(err, FLAW_BAD_DATA, "%s: byte fallback is %s, yet there are %d byte pieces", m->name,
                         m->bytes ? "on" : "off", bytes);
    return FLAW_OK;
}

/* Id of the control piece of that text, -1 when there is none: as sentencepiece finds its own. */
static int control_id(const model *m, const flaw_piece *named)
{
    for (size_t i = 0; i < m->count; i++) {
        const flaw_piece *x = &m->piece[i];
        if (x->kind == FLAW_PIECE_CONTROL && x->size == named->size && memcmp(x->text, named->text, x->size) == 0)
            return (int)i;
    }
    return -1;
}

flaw_status flaw_pieces_from_model(flaw_pieces **out, const uint8_t *bytes, size_t size, const char *name,
                                   flaw_error *err)
{
    model m = {
        .name = name,
        .type = TYPE_UNIGRAM,
        .bos = {.text = "<s>", .size = 3},
        .eos = {.text = "</s>", .size = 4},
        .rules = {.bos = -1, .eos = -1, .unknown = -1, .dummy_prefix = true, .collapse = true},
    };
    flaw_status status = read_file(&m, bytes, size, err);
    if (status) return status;
    if (m.room < 1 || m.room > FLAW_PIECES_LIMIT)
        return flaw_fail(err, FLAW_BAD_DATA, "%s: %zu pieces, allowed are 1 to %d", name, m.room, FLAW_PIECES_LIMIT);
    flaw_arena arena;
    flaw_arena_init(&arena, 0);
    m.piece = flaw_arena_alloc(&arena, m.room, sizeof *m.piece);
    status = m.piece ? read_file(&m, bytes, size, err)
                     : flaw_fail(err, FLAW_NO_MEMORY, "%s: no memory for %zu pieces", name, m.room);
    if (!status) status = check_model(&m, err);
    if (!status) {
        m.rules.bos = control_id(&m, &m.bos);
        m.rules.eos = control_id(&m, &m.eos);
        status = flaw_pieces_build(out, m.piece, m.count, &m.rules, name, err);
    }
    flaw_arena_release(&arena);
    return status;
}
