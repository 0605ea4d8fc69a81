/* The little of Unicode that CLIP's tokenizer needs, on code points. Tables: tools/make_unicode_tables.py. */
#ifndef FLAW_MODEL_UNICODE_H
#define FLAW_MODEL_UNICODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

bool flaw_unicode_letter(uint32_t code); /* categories L* */
bool flaw_unicode_number(uint32_t code); /* categories N* */
bool flaw_unicode_space(uint32_t code);  /* as Python's str.isspace */
/* UTF-8 -> code points; every byte that is not part of a character becomes U+FFFD. out holds `size`; the number read. */
size_t flaw_unicode_decode(uint32_t *out, const char *text, size_t size);
/* One code point -> UTF-8, the number of bytes (1 to 4). */
size_t flaw_unicode_encode(char out[4], uint32_t code);

/* In place, as the steps of CLIP's cleaning; each returns the new length, which is never larger except for lower case,
 * where U+0130 becomes two code points: text[] must hold 2 * count. */
size_t flaw_text_unescape(uint32_t *text, size_t count); /* HTML characters, as Python's html.unescape */
size_t flaw_text_collapse(uint32_t *text, size_t count); /* runs of white space to one space, none at the ends */
size_t flaw_text_lower(uint32_t *text, size_t count);    /* as Python's str.lower */

typedef struct flaw_code_range {
    uint32_t first, last;
} flaw_code_range;
typedef struct flaw_lower_range {
    uint32_t first, last, step; /* first, first + step, ... last */
    int32_t distance;
} flaw_lower_range;
typedef struct flaw_entity {
    const char *name; /* without '&' and ';' */
    uint32_t code, second;
    uint8_t bare; /* also valid without ';' */
} flaw_entity;

extern const flaw_code_range flaw_unicode_letters[], flaw_unicode_numbers[];
extern const flaw_lower_range flaw_unicode_lower[];
extern const flaw_entity flaw_entities[];
extern const size_t flaw_unicode_letters_count, flaw_unicode_numbers_count, flaw_unicode_lower_count,
    flaw_entities_count;

#endif
