#include "base/utf8.h"

#include <stdint.h>

size_t flaw_utf8_length(const char *text, size_t size)
{
    /* Smallest code point that needs 2, 3, 4 bytes: anything smaller is an overlong form. */
    static const uint32_t smallest[5] = {0, 0, 0x80, 0x800, 0x10000};
    if (size == 0) return 0;
    const uint8_t lead = (uint8_t)text[0];
    if (lead < 0x80) return 1;
    const size_t length = (lead & 0xe0) == 0xc0 ? 2 : (lead & 0xf0) == 0xe0 ? 3 : (lead & 0xf8) == 0xf0 ? 4 : 0;
    if (length == 0 || length > size) return 0;
    uint32_t code = lead & (0x7fu >> length);
    for (size_t i = 1; i < length; i++) {
        const uint8_t byte = (uint8_t)text[i];
        if ((byte & 0xc0) != 0x80) return 0;
        code = code << 6 | (byte & 0x3f);
    }
    if (code < smallest[length] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) return 0;
    return length;
}

bool flaw_utf8_valid(const char *text, size_t size)
{
    for (size_t i = 0; i < size;) {
        const size_t length = flaw_utf8_length(text + i, size - i);
        if (length == 0) return false;
        i += length;
    }
    return true;
}
