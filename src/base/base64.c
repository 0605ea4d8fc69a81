#include "base/base64.h"

#include <stdint.h>
#include <string.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void flaw_base64_encode(char *out, const void *bytes, size_t size)
{
    const uint8_t *in = bytes;
    for (size_t i = 0; i < size; i += 3, out += 4) {
        size_t left = size - i;
        uint32_t three = (uint32_t)in[i] << 16 | (uint32_t)(left > 1 ? in[i + 1] : 0) << 8 | (left > 2 ? in[i + 2] : 0);
        out[0] = alphabet[three >> 18];
        out[1] = alphabet[three >> 12 & 63];
        out[2] = left > 1 ? alphabet[three >> 6 & 63] : '=';
        out[3] = left > 2 ? alphabet[three & 63] : '=';
    }
    *out = '\0';
}

/* 0 .. 63, or -1. */
static int value_of(char c)
{
    const char *at = c ? strchr(alphabet, c) : NULL;
    return at ? (int)(at - alphabet) : -1;
}

bool flaw_base64_decode(void *out, size_t size, const char *text, size_t length)
{
    uint8_t *to = out;
    if (length != flaw_base64_length(size)) return false;
    for (size_t i = 0; i < size; i += 3, text += 4) {
        size_t bytes = size - i < 3 ? size - i : 3;
        uint32_t three = 0;
        for (size_t c = 0; c < 4; c++) {
            int value = c <= bytes ? value_of(text[c]) : text[c] == '=' ? 0 : -1;
            if (value < 0) return false;
            three = three << 6 | (uint32_t)value;
        }
        if (three & (0xffffffu >> 8 * bytes)) return false;
        for (size_t b = 0; b < bytes; b++) to[i + b] = (uint8_t)(three >> (16 - 8 * b));
    }
    return true;
}
