/* bfloat16: the upper half of a float32. Conversions for plain C code; the vector levels have their own. */
#ifndef FLAW_KERNEL_BF16_H
#define FLAW_KERNEL_BF16_H

#include <stdint.h>
#include <string.h>

/* Round to nearest, ties to even; a NaN stays a (quiet) NaN. */
static inline uint16_t flaw_bf16_from_float(float x)
{
    uint32_t u;
    memcpy(&u, &x, 4);
    if ((u & 0x7fffffffu) > 0x7f800000u) return (uint16_t)(u >> 16 | 0x40);
    return (uint16_t)((u + 0x7fffu + (u >> 16 & 1u)) >> 16);
}

static inline float flaw_bf16_to_float(uint16_t h)
{
    uint32_t u = (uint32_t)h << 16;
    float x;
    memcpy(&x, &u, 4);
    return x;
}

/* The value that a bf16 product sees instead of x. */
static inline float flaw_bf16_round(float x)
{
    return flaw_bf16_to_float(flaw_bf16_from_float(x));
}

#endif
