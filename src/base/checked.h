/* Checked arithmetic for sizes. Every size that depends on foreign bytes goes through here. */
#ifndef FLAW_BASE_CHECKED_H
#define FLAW_BASE_CHECKED_H

#include <stdbool.h>
#include <stddef.h>

/* *out = a * b (or a + b); false on overflow, and then *out is untouched. */
static inline bool flaw_mul_ok(size_t *out, size_t a, size_t b)
{
    size_t r;
    if (__builtin_mul_overflow(a, b, &r)) return false;
    *out = r;
    return true;
}

static inline bool flaw_add_ok(size_t *out, size_t a, size_t b)
{
    size_t r;
    if (__builtin_add_overflow(a, b, &r)) return false;
    *out = r;
    return true;
}

#endif
