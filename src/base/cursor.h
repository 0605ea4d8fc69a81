/* Byte cursor: the only way foreign bytes are read. A read past the end sets `failed` and returns 0; it never
 * touches memory outside [begin, end). Check `failed` once at the end of a group of reads. */
#ifndef FLAW_BASE_CURSOR_H
#define FLAW_BASE_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct flaw_cursor {
    const uint8_t *begin, *at, *end;
    bool failed;
} flaw_cursor;

flaw_cursor flaw_cursor_over(const void *bytes, size_t size);
size_t flaw_cursor_left(const flaw_cursor *c);
size_t flaw_cursor_offset(const flaw_cursor *c);
bool flaw_cursor_seek(flaw_cursor *c, size_t offset);
uint8_t flaw_cursor_u8(flaw_cursor *c);
uint16_t flaw_cursor_u16le(flaw_cursor *c);
uint32_t flaw_cursor_u32le(flaw_cursor *c);
uint64_t flaw_cursor_u64le(flaw_cursor *c);
uint16_t flaw_cursor_u16be(flaw_cursor *c);
uint32_t flaw_cursor_u32be(flaw_cursor *c);
/* `size` bytes in place, or NULL (and failed) when fewer are left. */
const uint8_t *flaw_cursor_bytes(flaw_cursor *c, size_t size);

#endif
