/* Eight bits of a column of B, symmetric: x is about scale * q, q = round(x / scale) in -127 .. 127, scale = largest |x| / 127.
 * Of a row of A, which behind an activation lies mostly on one side of 0: x is about scale * (q - zero), q = round(x / scale)
 * + zero in 0 .. 255, scale = (largest - smallest) / 255 with 0 among the values, zero = round(-smallest / scale). Rounding is
 * to nearest, ties to even. Every level does these operations on float32 and no others, so all have the same q and the same
 * scale. Conversions for plain C code; the vector levels have their own. */
#ifndef FLAW_KERNEL_INT8_H
#define FLAW_KERNEL_INT8_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define FLAW_INT8_MOST 127.0f
#define FLAW_INT8_STEPS 255.0f
#define FLAW_INT8_MINUS_ZERO 0x80000000u
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

/* q - zero = round(x * inverse), at most 255 - zero. Where a value is not finite, or the range is not, the scale is NaN. */
typedef struct flaw_int8_row {
    float scale, inverse;
    int zero;
} flaw_int8_row;

/* Bits of the largest value >= 0 as a signed number, and of the smallest <= 0 as an unsigned one: both orders have infinity
 * and then NaNs of their sign behind all numbers. */
static inline flaw_int8_row flaw_int8_row_of(size_t n, const float *x, ptrdiff_t step)
{
    int32_t top = 0;
    uint32_t bottom = FLAW_INT8_MINUS_ZERO;
    for (size_t i = 0; i < n; i++) {
        int32_t u;
        memcpy(&u, x + (ptrdiff_t)i * step, sizeof u);
        top = u > top ? u : top;
        bottom = (uint32_t)u > bottom ? (uint32_t)u : bottom;
    }
    float high, low;
    memcpy(&high, &top, sizeof high);
    memcpy(&low, &bottom, sizeof low);
    float range = high - low;
    if (!(range < INFINITY)) return (flaw_int8_row){NAN, 0.0f, 0};
    if (range < 0x1p-100f) return (flaw_int8_row){0.0f, 0.0f, 0};
    float inverse = FLAW_INT8_STEPS / range, shift = 0x1.8p23f;
    return (flaw_int8_row){range / FLAW_INT8_STEPS, inverse, (int)(shift - low * inverse - shift)};
}

/* q - zero */
static inline int flaw_int8_row_round(float x, flaw_int8_row s)
{
    const float shift = 0x1.8p23f;
    if (s.inverse == 0.0f) return 0; /* x may be a NaN */
    int q = (int)(x * s.inverse + shift - shift);
    return q < 255 - s.zero ? q : 255 - s.zero;
}

#endif
