/* A vocabulary as tokenizer.model; the field numbers are in pieces_model.c. */
#include <string.h>

#include "model/text/pieces_impl.h"

static void put_varint(flaw_buffer *b, uint64_t value)
{
    char bytes[10];
    size_t size = 0;
    for (; value >= 0x80; value >>= 7) bytes[size++] = (char)(value | 0x80);
    bytes[size++] = (char)value;
    flaw_buffer_append(b, bytes, size);
}

static void put_number(flaw_buffer *b, int tag, uint64_t value)
{
    put_varint(b, (uint64_t)tag << 3);
    put_varint(b, value);
}

static void put_bytes(flaw_buffer *b, int tag, const void *bytes, size_t size)
{
    put_varint(b, (uint64_t)tag << 3 | 2);
    put_varint(b, size);
    flaw_buffer_append(b, bytes, size);
}

static void put_message(flaw_buffer *out, int tag, flaw_buffer *message)
{
    put_bytes(out, tag, message->data, message->size);
    if (message->failed) out->failed = true;
    flaw_buffer_release(message);
}

static void put_piece(flaw_buffer *out, const flaw_piece *x)
{
    union {
        float f;
        uint32_t u;
    } score = {.f = x->score};
    const uint8_t bits[4] = {(uint8_t)score.u, (uint8_t)(score.u >> 8), (uint8_t)(score.u >> 16),
                             (uint8_t)(score.u >> 24)};
    flaw_buffer b;
    flaw_buffer_init(&b, FLAW_PIECE_LIMIT + 64);
    put_bytes(&b, 1, x->text, x->size);
    put_varint(&b, 2 << 3 | 5);
    flaw_buffer_append(&b, bits, sizeof bits);
    if (x->kind != FLAW_PIECE_NORMAL) put_number(&b, 3, (uint64_t)x->kind);
    put_message(out, 1, &b);
}

/* An id that is not there is -1, ten bytes long, and has an empty text: no piece has that. */
static void put_special(flaw_buffer *b, const flaw_pieces *p, int id, int id_tag, int text_tag)
{
    put_number(b, id_tag, (uint64_t)(int64_t)id);
    put_bytes(b, text_tag, id < 0 ? "" : p->piece[id].text, id < 0 ? 0 : p->piece[id].size);
}

void flaw_pieces_write(const flaw_pieces *p, flaw_buffer *out)
{
    flaw_buffer b;
    for (int i = 0; i < p->count; i++) put_piece(out, &p->piece[i]);
    flaw_buffer_init(&b, 4 * FLAW_PIECE_LIMIT);
    put_number(&b, 3, 2); /* BPE */
    put_number(&b, 4, (uint64_t)p->count);
    put_number(&b, 35, p->rules.bytes);
    put_special(&b, p, p->rules.unknown, 40, 45);
    put_special(&b, p, p->rules.bos, 41, 46);
    put_special(&b, p, p->rules.eos, 42, 47);
    put_message(out, 2, &b);
    flaw_buffer_init(&b, 256);
    put_bytes(&b, 1, "identity", 8);
    put_bytes(&b, 2, "", 0);
    put_number(&b, 3, p->rules.dummy_prefix);
    put_number(&b, 4, p->rules.collapse);
    put_number(&b, 5, !p->rules.plain_spaces);
    put_message(out, 3, &b);
}
