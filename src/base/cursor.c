#include "base/cursor.h"

flaw_cursor flaw_cursor_over(const void *bytes, size_t size)
{
    const uint8_t *begin = bytes;
    /* NULL + 0 is allowed in practice but not by the C standard. */
    return (flaw_cursor){.begin = begin, .at = begin, .end = size ? begin + size : begin};
}

size_t flaw_cursor_left(const flaw_cursor *c)
{
    return (size_t)(c->end - c->at);
}

size_t flaw_cursor_offset(const flaw_cursor *c)
{
    return (size_t)(c->at - c->begin);
}

bool flaw_cursor_seek(flaw_cursor *c, size_t offset)
{
    if (offset > (size_t)(c->end - c->begin)) {
        c->failed = true;
        return false;
    }
    c->at = c->begin + offset;
    return true;
}

const uint8_t *flaw_cursor_bytes(flaw_cursor *c, size_t size)
{
    if (c->failed || size > flaw_cursor_left(c)) {
        c->failed = true;
        return NULL;
    }
    const uint8_t *bytes = c->at;
    c->at += size;
    return bytes;
}

/* `size` bytes as a number, the first one least (le) or most (be) significant; 0 when fewer are left. */
static uint64_t read_le(flaw_cursor *c, size_t size)
{
    const uint8_t *bytes = flaw_cursor_bytes(c, size);
    uint64_t value = 0;
    for (size_t i = 0; bytes && i < size; i++) value |= (uint64_t)bytes[i] << 8 * i;
    return value;
}

static uint64_t read_be(flaw_cursor *c, size_t size)
{
    const uint8_t *bytes = flaw_cursor_bytes(c, size);
    uint64_t value = 0;
    for (size_t i = 0; bytes && i < size; i++) value = value << 8 | bytes[i];
    return value;
}

uint8_t flaw_cursor_u8(flaw_cursor *c)
{
    return (uint8_t)read_le(c, 1);
}

uint16_t flaw_cursor_u16le(flaw_cursor *c)
{
    return (uint16_t)read_le(c, 2);
}

uint32_t flaw_cursor_u32le(flaw_cursor *c)
{
    return (uint32_t)read_le(c, 4);
}

uint64_t flaw_cursor_u64le(flaw_cursor *c)
{
    return read_le(c, 8);
}

uint16_t flaw_cursor_u16be(flaw_cursor *c)
{
    return (uint16_t)read_be(c, 2);
}

uint32_t flaw_cursor_u32be(flaw_cursor *c)
{
    return (uint32_t)read_be(c, 4);
}
