/* HTML characters, by the rules of the HTML standard as Python's html.unescape applies them. */
#include <string.h>

#include "model/text/unicode.h"

#define LONGEST_NAME 32

/* Numbers 0x80 to 0x9f mean what they meant in Windows-1252; 0: as the number says. */
static const uint16_t windows[32] = {
    0x20ac, 0,      0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160,
    0x2039, 0x0152, 0,      0x017d, 0,      0,      0x2018, 0x2019, 0x201c, 0x201d, 0x2022,
    0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0,      0x017e, 0x0178,
};

/* Code points a number may not name: they vanish. */
static bool vanishes(uint32_t code)
{
    if (code == 0xb || (code >= 1 && code <= 8) || (code >= 0xe && code <= 0x1f) || code == 0x7f) return true;
    return (code >= 0xfdd0 && code <= 0xfdef) || (code & 0xfffe) == 0xfffe;
}

static size_t write_number(uint32_t *out, uint32_t code)
{
    if (code >= 0x80 && code <= 0x9f) code = windows[code - 0x80] ? windows[code - 0x80] : code;
    else if (code == 0 || (code >= 0xd800 && code <= 0xdfff) || code > 0x10ffff) code = 0xfffd;
    else if (vanishes(code)) return 0;
    out[0] = code;
    return 1;
}

static int digit_of(uint32_t code, uint32_t base)
{
    if (code >= '0' && code <= '9') return (int)(code - '0');
    uint32_t letter = code | 32;
    return base == 16 && letter >= 'a' && letter <= 'f' ? (int)(letter - 'a' + 10) : -1;
}

/* text[0] is '&', text[1] is '#'. Length of the reference (0: none); *out_count code points written. */
static size_t read_number(uint32_t *out, size_t *out_count, const uint32_t *text, size_t count)
{
    uint32_t base = count > 2 && (text[2] | 32) == 'x' ? 16 : 10, code = 0;
    size_t first = base == 16 ? 3 : 2, at = first;
    for (; at < count && digit_of(text[at], base) >= 0; at++)
        if (code <= 0x10ffff) code = code * base + (uint32_t)digit_of(text[at], base);
    if (at == first) return 0;
    *out_count = write_number(out, code);
    return at < count && text[at] == ';' ? at + 1 : at;
}

static const flaw_entity *find_entity(const char *name)
{
    size_t low = 0, high = flaw_entities_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = strcmp(flaw_entities[middle].name, name);
        if (order == 0) return &flaw_entities[middle];
        if (order < 0) low = middle + 1;
        else high = middle;
    }
    return NULL;
}

/* All names are ASCII. */
static bool is_name_part(uint32_t code)
{
    return code < 128 && !strchr("\t\n\f <&#;", (int)code);
}

/* text[0] is '&'. The longest name that is known; a name in the middle of a longer word counts only where HTML knows
 * it without ';'. Length of the reference, 0 when there is none. */
static size_t read_name(uint32_t *out, size_t *out_count, const uint32_t *text, size_t count)
{
    char name[LONGEST_NAME + 1];
    size_t length = 0;
    while (length < LONGEST_NAME && 1 + length < count && is_name_part(text[1 + length])) {
        name[length] = (char)text[1 + length];
        length++;
    }
    bool closed = 1 + length < count && text[1 + length] == ';';
    for (size_t use = length; use >= 1; use--) {
        name[use] = '\0';
        const flaw_entity *e = find_entity(name);
        bool whole = use == length && closed;
        if (!e || !(whole || (e->bare && use >= 2))) continue;
        out[0] = e->code;
        out[1] = e->second;
        *out_count = e->second ? 2 : 1;
        return 1 + use + whole;
    }
    return 0;
}

size_t flaw_text_unescape(uint32_t *text, size_t count)
{
    size_t out = 0;
    for (size_t at = 0; at < count;) {
        uint32_t code[2];
        size_t written = 0, used = 0;
        if (text[at] == '&' && at + 1 < count)
            used = text[at + 1] == '#' ? read_number(code, &written, text + at, count - at)
                                       : read_name(code, &written, text + at, count - at);
        if (used == 0) {
            text[out++] = text[at++];
            continue;
        }
        for (size_t i = 0; i < written; i++) text[out++] = code[i];
        at += used;
    }
    return out;
}
