/* UTF-8 as RFC 3629 has it: no overlong forms, no surrogates, nothing above U+10FFFF. */
#ifndef FLAW_BASE_UTF8_H
#define FLAW_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/* Bytes of the character `text` starts with (1 to 4), or 0 when it starts with none; reads at most `size` bytes. */
size_t flaw_utf8_length(const char *text, size_t size);
bool flaw_utf8_valid(const char *text, size_t size);

#endif
