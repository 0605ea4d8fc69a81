/* Compact weights: their sizes, unpacking, and the reference of their products. */
#include "kernel/weights.h"

#include <string.h>

#include "base/half.h"
#include "kernel/bf16.h"
#include "kernel/ref/ref.h"

enum { BLOCK = 32, SUPER = 256 /* elements of a Q4_K or Q6_K block */ };

static const struct {
    const char *name;
    size_t block, bytes;
} types[FLAW_WEIGHT_TYPES] = {
    [FLAW_WEIGHT_F32] = {"F32", 1, 4},
    [FLAW_WEIGHT_F16] = {"F16", 1, 2},
    [FLAW_WEIGHT_BF16] = {"BF16", 1, 2},
    [FLAW_WEIGHT_Q8_0] = {"Q8_0", BLOCK, 2 + 32},
    [FLAW_WEIGHT_Q4_0] = {"Q4_0", BLOCK, 2 + 16},
    [FLAW_WEIGHT_Q4_1] = {"Q4_1", BLOCK, 2 + 2 + 16},
    [FLAW_WEIGHT_Q4_K] = {"Q4_K", SUPER, 2 + 2 + 12 + 128},
    [FLAW_WEIGHT_Q6_K] = {"Q6_K", SUPER, 128 + 64 + 16 + 2},
};

size_t flaw_weight_block(flaw_weight_type type)
{
    return types[type].block;
}

size_t flaw_weight_block_bytes(flaw_weight_type type)
{
    return types[type].bytes;
}

size_t flaw_weight_row_bytes(flaw_weight_type type, size_t n)
{
    return n / types[type].block * types[type].bytes;
}

const char *flaw_weight_name(flaw_weight_type type)
{
    return types[type].name;
}

static void unpack_q8_0(const uint8_t *in, float *out)
{
    float d = flaw_half_read(in);
    for (int i = 0; i < BLOCK; i++) out[i] = d * (float)(int8_t)in[2 + i];
}

static void unpack_q4_0(const uint8_t *in, float *out)
{
    float d = flaw_half_read(in);
    for (int i = 0; i < BLOCK / 2; i++) {
        out[i] = d * (float)((in[2 + i] & 15) - 8);
        out[BLOCK / 2 + i] = d * (float)((in[2 + i] >> 4) - 8);
    }
}

static void unpack_q4_1(const uint8_t *in, float *out)
{
    float d = flaw_half_read(in), m = flaw_half_read(in + 2);
    for (int i = 0; i < BLOCK / 2; i++) {
        out[i] = d * (float)(in[4 + i] & 15) + m;
        out[BLOCK / 2 + i] = d * (float)(in[4 + i] >> 4) + m;
    }
}

/* F16 d, F16 dmin, 12 bytes of 6-bit scales and minima of 8 groups of 32, then 4 bits an element: x = d s q - dmin m.
 * Groups 0 .. 3 have their scale in the low 6 bits of byte j and their minimum in those of byte j + 4; of groups
 * 4 .. 7 byte j + 4 holds the low 4 bits of both, and the upper 2 bits of bytes j - 4 and j the rest. The nibbles of
 * group 2c are the low ones of bytes 32c .. 32c + 31, those of group 2c + 1 the high ones. */
static void unpack_q4_k(const uint8_t *in, float *out)
{
    float d = flaw_half_read(in), dmin = flaw_half_read(in + 2);
    const uint8_t *s = in + 4, *q = in + 16;
    for (int j = 0; j < SUPER / BLOCK; j++) {
        int scale = j < 4 ? s[j] & 63 : (s[j + 4] & 15) | s[j - 4] >> 6 << 4;
        int least = j < 4 ? s[j + 4] & 63 : s[j + 4] >> 4 | s[j] >> 6 << 4;
        float ds = d * (float)scale, dm = dmin * (float)least;
        const uint8_t *nibbles = q + j / 2 * BLOCK;
        for (int i = 0; i < BLOCK; i++) out[j * BLOCK + i] = ds * (float)(nibbles[i] >> j % 2 * 4 & 15) - dm;
    }
}

/* 128 bytes of low nibbles, 64 bytes of upper pairs of bits, int8 scales of 16 groups of 16, F16 d: x = d s (q - 32).
 * Each half of the block (128 elements) has 64 of those bytes, 32 of these and 8 scales. Of its quarters of 32, the
 * first two have the low nibbles of bytes 0 .. 31 and 32 .. 63, the last two the high ones; quarter r has bits 2r,
 * 2r + 1 of the upper bytes. */
static void unpack_q6_k(const uint8_t *in, float *out)
{
    float d = flaw_half_read(in + 208);
    for (int j = 0; j < SUPER / BLOCK; j++) {
        int half = j / 4, quarter = j % 4;
        const uint8_t *low = in + half * 64 + quarter % 2 * BLOCK, *high = in + 128 + half * BLOCK;
        const int8_t *scale = (const int8_t *)in + 192 + 2 * j;
        for (int i = 0; i < BLOCK; i++) {
            int q = (low[i] >> quarter / 2 * 4 & 15) | (high[i] >> quarter * 2 & 3) << 4;
            out[j * BLOCK + i] = d * (float)scale[i / 16] * (float)(q - 32);
        }
    }
}

void flaw_weight_unpack(flaw_weight_type type, size_t n, const void *row, float *out)
{
    static void (*const of_block[FLAW_WEIGHT_TYPES])(const uint8_t *in, float *out) = {
        [FLAW_WEIGHT_Q8_0] = unpack_q8_0, [FLAW_WEIGHT_Q4_0] = unpack_q4_0, [FLAW_WEIGHT_Q4_1] = unpack_q4_1,
        [FLAW_WEIGHT_Q4_K] = unpack_q4_k, [FLAW_WEIGHT_Q6_K] = unpack_q6_k,
    };
    const uint8_t *in = row;
    size_t block = types[type].block, bytes = types[type].bytes;
    if (type == FLAW_WEIGHT_F32) {
        memcpy(out, in, n * sizeof *out);
    } else if (type == FLAW_WEIGHT_F16) {
        for (size_t i = 0; i < n; i++) out[i] = flaw_half_read(in + 2 * i);
    } else if (type == FLAW_WEIGHT_BF16) {
        for (size_t i = 0; i < n; i++) {
            uint16_t h;
            memcpy(&h, in + 2 * i, sizeof h);
            out[i] = flaw_bf16_to_float(h);
        }
    } else {
        for (size_t i = 0; i < n; i += block, in += bytes) of_block[type](in, out + i);
    }
}

/* Summed in double. A stretch of the row is unpacked once and meets all vectors. */
void flaw_ref_weight_product(const flaw_weight_product *p)
{
    const uint8_t *row = p->w;
    size_t n = (size_t)p->n, bytes = flaw_weight_row_bytes(p->type, n);
    for (int r = 0; r < p->rows; r++, row += bytes) {
        double sum[FLAW_WEIGHT_VECTORS] = {0};
        float w[SUPER];
        for (size_t i = 0; i < n; i += SUPER) {
            size_t some = n - i < SUPER ? n - i : SUPER;
            flaw_weight_unpack(p->type, some, row + flaw_weight_row_bytes(p->type, i), w);
            for (int t = 0; t < p->vectors; t++) {
                const float *x = p->x + t * p->x_row + i;
                for (size_t j = 0; j < some; j++) sum[t] += (double)w[j] * (double)x[j];
            }
        }
        for (int t = 0; t < p->vectors; t++) p->y[t * p->y_row + r] = (float)sum[t];
    }
}
