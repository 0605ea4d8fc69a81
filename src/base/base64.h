/* Base64 of bytes (RFC 4648, section 4: with padding, no line breaks). */
#ifndef FLAW_BASE_BASE64_H
#define FLAW_BASE_BASE64_H

#include <stdbool.h>
#include <stddef.h>

/* Characters of `size` bytes, without a NUL. */
static inline size_t flaw_base64_length(size_t size)
{
    return (size + 2) / 3 * 4;
}

/* flaw_base64_length(size) characters and a NUL. */
void flaw_base64_encode(char *out, const void *bytes, size_t size);
/* Exactly `size` bytes out of a text of exactly their length; false for any other length, character or padding, and
 * where the bits behind the last byte are not 0. */
bool flaw_base64_decode(void *out, size_t size, const char *text, size_t length);

#endif
