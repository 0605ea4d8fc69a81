#include "model/text/unicode.h"

#include <string.h>

#include "base/utf8.h"

static bool in_ranges(const flaw_code_range *range, size_t count, uint32_t code)
{
    size_t low = 0, high = count; /* first range that ends at or after the code */
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (range[middle].last < code) low = middle + 1;
        else high = middle;
    }
    return low < count && range[low].first <= code;
}

bool flaw_unicode_letter(uint32_t code)
{
    if (code < 128) return (code | 32) >= 'a' && (code | 32) <= 'z';
    return in_ranges(flaw_unicode_letters, flaw_unicode_letters_count, code);
}

bool flaw_unicode_number(uint32_t code)
{
    if (code < 128) return code >= '0' && code <= '9';
    return in_ranges(flaw_unicode_numbers, flaw_unicode_numbers_count, code);
}

bool flaw_unicode_space(uint32_t code)
{
    if (code < 128) return (code >= 9 && code <= 13) || (code >= 28 && code <= 32);
    return code == 0x85 || code == 0xa0 || code == 0x1680 || (code >= 0x2000 && code <= 0x200a) || code == 0x2028 ||
           code == 0x2029 || code == 0x202f || code == 0x205f || code == 0x3000;
}

size_t flaw_unicode_decode(uint32_t *out, const char *text, size_t size)
{
    static const uint8_t mask[5] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    size_t count = 0;
    for (size_t at = 0; at < size;) {
        size_t length = flaw_utf8_length(text + at, size - at);
        if (length == 0) {
            out[count++] = 0xfffd;
            at++;
            continue;
        }
        uint32_t code = (uint8_t)text[at] & mask[length];
        for (size_t i = 1; i < length; i++) code = code << 6 | ((uint8_t)text[at + i] & 0x3fu);
        out[count++] = code;
        at += length;
    }
    return count;
}

size_t flaw_unicode_encode(char out[4], uint32_t code)
{
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    size_t length = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    for (size_t i = length - 1; i > 0; i--, code >>= 6) out[i] = (char)(0x80 | (code & 0x3f));
    out[0] = (char)((0xf00u >> length) | code); /* 110xxxxx, 1110xxxx, 11110xxx */
    return length;
}

size_t flaw_text_collapse(uint32_t *text, size_t count)
{
    size_t out = 0;
    for (size_t i = 0; i < count; i++) {
        if (!flaw_unicode_space(text[i])) text[out++] = text[i];
        else if (out && text[out - 1] != ' ') text[out++] = ' ';
    }
    return out && text[out - 1] == ' ' ? out - 1 : out;
}

static uint32_t lower_of(uint32_t code)
{
    size_t low = 0, high = flaw_unicode_lower_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (flaw_unicode_lower[middle].last < code) low = middle + 1;
        else high = middle;
    }
    if (low == flaw_unicode_lower_count) return code;
    const flaw_lower_range *r = &flaw_unicode_lower[low];
    if (code < r->first || (code - r->first) % r->step) return code;
    return (uint32_t)((int32_t)code + r->distance);
}

/* Final sigma: after a letter and not before one (Unicode 3.13, without its rule for marks in between). */
static bool is_final(const uint32_t *text, size_t count, size_t at)
{
    return at > 0 && flaw_unicode_letter(text[at - 1]) && !(at + 1 < count && flaw_unicode_letter(text[at + 1]));
}

size_t flaw_text_lower(uint32_t *text, size_t count)
{
    uint32_t *source = text + count; /* the upper half, so that the lower one can grow over it from the left */
    memmove(source, text, count * sizeof *text);
    size_t out = 0;
    for (size_t i = 0; i < count; i++) {
        uint32_t code = source[i];
        if (code == 0x3a3) {
            text[out++] = is_final(source, count, i) ? 0x3c2 : 0x3c3;
        } else if (code == 0x130) {
            text[out++] = 'i';
            text[out++] = 0x307;
        } else {
            text[out++] = lower_of(code);
        }
    }
    return out;
}
