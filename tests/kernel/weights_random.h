/* Rows of compact weights with random contents, every bit pattern of their steps and scales included; only the F16
 * scales are kept moderate. Shared by the tests of kernels and layers. */
#ifndef FLAW_TESTS_KERNEL_WEIGHTS_RANDOM_H
#define FLAW_TESTS_KERNEL_WEIGHTS_RANDOM_H

#include <string.h>

#include "base/half.h"
#include "base/random.h"
#include "kernel/weights.h"

static inline void put_random_half(flaw_random *r, uint8_t *at, double size)
{
    uint16_t h = flaw_half_from_float((float)(size * flaw_random_normal(r)));
    memcpy(at, &h, sizeof h);
}

/* `rows` rows of n elements at `out`, of about unit size. */
static inline void weights_random(flaw_random *r, flaw_weight_type type, size_t rows, size_t n, uint8_t *out)
{
    size_t size = rows * flaw_weight_row_bytes(type, n), block = flaw_weight_block_bytes(type);
    for (size_t i = 0; i < size; i++) out[i] = (uint8_t)flaw_random_u64(r);
    for (size_t i = 0; i < size; i += block) {
        float x = (float)flaw_random_normal(r);
        switch (type) {
        case FLAW_WEIGHT_F32: memcpy(out + i, &x, sizeof x); break;
        case FLAW_WEIGHT_F16: put_random_half(r, out + i, 1.0); break;
        case FLAW_WEIGHT_BF16: memcpy(out + i, (uint8_t *)&x + 2, 2); break;
        case FLAW_WEIGHT_Q8_0: put_random_half(r, out + i, 1.0 / 64); break;
        case FLAW_WEIGHT_Q4_0: put_random_half(r, out + i, 1.0 / 4); break;
        case FLAW_WEIGHT_Q4_1:
        case FLAW_WEIGHT_Q4_K:
            put_random_half(r, out + i, type == FLAW_WEIGHT_Q4_1 ? 1.0 / 4 : 1.0 / 128);
            put_random_half(r, out + i + 2, type == FLAW_WEIGHT_Q4_1 ? 1.0 : 1.0 / 32);
            break;
        default: put_random_half(r, out + i + 208, 1.0 / 1024); break;
        }
    }
}

#endif
