/* F16 (IEEE 754 binary16) for plain C code. */
#ifndef FLAW_BASE_HALF_H
#define FLAW_BASE_HALF_H

#include <stdint.h>
#include <string.h>

static inline float flaw_float_of_bits(uint32_t bits)
{
    float f;
    memcpy(&f, &bits, sizeof f);
    return f;
}

static inline uint32_t flaw_bits_of_float(float f)
{
    uint32_t bits;
    memcpy(&bits, &f, sizeof bits);
    return bits;
}

/* The half's exponent and mantissa, moved to float32's place, are the value times 2^-112, subnormals included.
 * Infinities and NaNs have all exponent bits set and keep them. */
static inline float flaw_half_to_float(uint16_t h)
{
    uint32_t sign = (uint32_t)(h & 0x8000u) << 16, rest = (uint32_t)(h & 0x7fffu) << 13;
    if (rest >= 0x0f800000u) return flaw_float_of_bits(sign | 0x7f800000u | rest);
    return flaw_float_of_bits(flaw_bits_of_float(flaw_float_of_bits(rest) * 0x1p112f) | sign);
}

/* Nearest, ties to even; magnitudes from 65520 on become infinity. */
static inline uint16_t flaw_half_from_float(float x)
{
    uint32_t bits = flaw_bits_of_float(x), sign = bits >> 16 & 0x8000u, magnitude = bits & 0x7fffffffu;
    if (magnitude > 0x7f800000u) return (uint16_t)(sign | 0x7e00u);  /* NaN */
    if (magnitude >= 0x477ff000u) return (uint16_t)(sign | 0x7c00u); /* 65520 */
    if (magnitude < 0x38800000u) /* below 2^-14: adding 0.5 leaves units of 2^-24 in the low bits, rounded to even */
        return (uint16_t)(sign | (flaw_bits_of_float(flaw_float_of_bits(magnitude) + 0.5f) - 0x3f000000u));
    uint32_t odd = magnitude >> 13 & 1;
    return (uint16_t)(sign | ((magnitude - 0x38000000u + 0xfffu + odd) >> 13));
}

/* Little endian, any alignment. */
static inline float flaw_half_read(const void *at)
{
    uint16_t h;
    memcpy(&h, at, sizeof h);
    return flaw_half_to_float(h);
}

#endif
