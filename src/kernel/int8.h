/* Symmetric int8 of a row of A or a column of B: x is about scale * q, q = round(x / scale) in -127 .. 127 (nearest,
 * ties to even), scale = largest |x| / 127. Every level does these operations on float32 and no others, so all have the
 * same q and the same scale. Conversions for plain C code; the vector levels have their own. */
#ifndef FLAW_KERNEL_INT8_H
#define FLAW_KERNEL_INT8_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define FLAW_INT8_MOST 127.0f
/* |x| as its bits is ordered like |x|, with infinity and then NaNs above all numbers. */
enum { FLAW_INT8_SIGN_OFF = 0x7fffffff, FLAW_INT8_INFINITY = 0x7f800000, FLAW_INT8_TINY = 0x0d800000 /* 2^-100 */ };

/* q = round(x * inverse). Where the largest is not finite no value can be told: the scale is NaN, which spoils the whole
 * row or column of C, and q is 0. Below 2^-100 all of it is taken as 0. */
typedef struct flaw_int8_scale {
    float scale, inverse;
} flaw_int8_scale;

static inline flaw_int8_scale flaw_int8_scale_of(uint32_t largest)
{
    float x;
    memcpy(&x, &largest, sizeof x);
    if (largest >= FLAW_INT8_INFINITY) return (flaw_int8_scale){NAN, 0.0f};
    if (largest < FLAW_INT8_TINY) return (flaw_int8_scale){0.0f, 0.0f};
    return (flaw_int8_scale){x / FLAW_INT8_MOST, FLAW_INT8_MOST / x};
}

/* Bits of the largest |x| of n values, `step` floats apart. */
static inline uint32_t flaw_int8_largest(size_t n, const float *x, ptrdiff_t step)
{
    uint32_t largest = 0;
    for (size_t i = 0; i < n; i++) {
        uint32_t u;
        memcpy(&u, x + (ptrdiff_t)i * step, sizeof u);
        u &= FLAW_INT8_SIGN_OFF;
        largest = u > largest ? u : largest;
    }
    return largest;
}

/* Adding 1.5 * 2^23 rounds to a whole number, ties to even. */
static inline int8_t flaw_int8_round(float x, flaw_int8_scale s)
{
    const float shift = 0x1.8p23f;
    if (s.inverse == 0.0f) return 0; /* x may be a NaN */
    return (int8_t)(int)(x * s.inverse + shift - shift);
}

#endif
