/* Packing rows of float32 into compact types: done once when a model is converted, so in plain C for every level. */
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/half.h"
#include "kernel/bf16.h"
#include "kernel/weights.h"

enum { BLOCK = 32 };

#define HALF_MAX 65504.0f

/* The F16 nearest to x that is finite, written at `out`; its value. */
static float put_half(uint8_t *out, float x)
{
    uint16_t h = flaw_half_from_float(fminf(fmaxf(x, -HALF_MAX), HALF_MAX));
    memcpy(out, &h, sizeof h);
    return flaw_half_to_float(h);
}

/* The whole number nearest to x (ties to even), at least `from` and at most `to`. Adding 1.5 * 2^23 rounds. */
static float whole(float x, float from, float to)
{
    const float shift = 0x1.8p23f;
    return fminf(fmaxf(x, from), to) + shift - shift;
}

static float inverse(float d)
{
    return d != 0.0f ? 1.0f / d : 0.0f;
}

static void pack_q8_0(const float *x, uint8_t *out)
{
    float top = 0.0f;
    for (int i = 0; i < BLOCK; i++) top = fmaxf(top, fabsf(x[i]));
    float each = inverse(put_half(out, top / 127.0f));
    for (int i = 0; i < BLOCK; i++) out[2 + i] = (uint8_t)(int8_t)whole(x[i] * each, -127.0f, 127.0f);
}

/* Nibbles of q[0 .. 31]: element i low, element 16 + i high in byte i. */
static void put_nibbles(const float *q, uint8_t *out)
{
    for (int i = 0; i < BLOCK / 2; i++) out[i] = (uint8_t)((int)q[i] | (int)q[BLOCK / 2 + i] << 4);
}

/* The value of largest magnitude becomes -8: that side has one step more. */
static void pack_q4_0(const float *x, uint8_t *out)
{
    float top = 0.0f, q[BLOCK];
    for (int i = 0; i < BLOCK; i++)
        if (fabsf(x[i]) > fabsf(top)) top = x[i];
    float each = inverse(put_half(out, top / -8.0f));
    for (int i = 0; i < BLOCK; i++) q[i] = whole(x[i] * each + 8.0f, 0.0f, 15.0f);
    put_nibbles(q, out + 2);
}

/* One block of Q4_1 being fitted. */
typedef struct fit {
    float d, m;
    float q[BLOCK];
    float error; /* sum of squares */
} fit;

/* The nearest steps for scale d and offset m, both rounded as they will be kept. */
static fit fit_steps(const float *x, float d, float m)
{
    uint8_t room[2];
    fit f = {.d = put_half(room, d), .m = put_half(room, m)};
    float each = inverse(f.d);
    for (int i = 0; i < BLOCK; i++) {
        f.q[i] = whole((x[i] - f.m) * each, 0.0f, 15.0f);
        float off = f.d * f.q[i] + f.m - x[i];
        f.error += off * off;
    }
    return f;
}

/* The line through (q, x) with the least squares of errors; false when all q are equal. */
static bool fit_line(const float *x, const float *q, float *d, float *m)
{
    float sum_q = 0.0f, sum_x = 0.0f, top = 0.0f, bottom = 0.0f;
    for (int i = 0; i < BLOCK; i++) {
        sum_q += q[i];
        sum_x += x[i];
    }
    for (int i = 0; i < BLOCK; i++) {
        float h = q[i] - sum_q / BLOCK;
        top += h * (x[i] - sum_x / BLOCK);
        bottom += h * h;
    }
    if (bottom == 0.0f) return false;
    *d = top / bottom;
    *m = (sum_x - *d * sum_q) / BLOCK;
    return true;
}

/* Start from the whole range and from ranges drawn in a little at both ends (the outermost values are then clipped),
 * and improve each by turns: steps for a line, a line for the steps. The best of all is kept. */
static void pack_q4_1(const float *x, uint8_t *out)
{
    static const float drawn_in[] = {0.0f, 0.04f, 0.08f};
    enum { TURNS = 3 };
    float least = x[0], most = x[0];
    for (int i = 1; i < BLOCK; i++) {
        least = fminf(least, x[i]);
        most = fmaxf(most, x[i]);
    }
    fit best = {.error = INFINITY};
    for (size_t s = 0; s < sizeof drawn_in / sizeof drawn_in[0]; s++) {
        float in = drawn_in[s] * (most - least), d = (most - least - 2.0f * in) / 15.0f, m = least + in;
        for (int turn = 0; turn < TURNS; turn++) {
            fit f = fit_steps(x, d, m);
            if (f.error < best.error || (s == 0 && turn == 0)) best = f;
            if (!fit_line(x, f.q, &d, &m)) break;
        }
    }
    put_half(out, best.d);
    put_half(out + 2, best.m);
    put_nibbles(best.q, out + 4);
}

void flaw_weight_pack(flaw_weight_type type, size_t n, const float *x, void *row)
{
    uint8_t *out = row;
    size_t block = flaw_weight_block(type), bytes = flaw_weight_block_bytes(type);
    if (type == FLAW_WEIGHT_F32) {
        memcpy(out, x, n * sizeof *x);
        return;
    }
    for (size_t i = 0; i < n; i += block, out += bytes) {
        uint16_t h;
        switch (type) {
        case FLAW_WEIGHT_F16:
            h = flaw_half_from_float(x[i]);
            memcpy(out, &h, sizeof h);
            break;
        case FLAW_WEIGHT_BF16:
            h = flaw_bf16_from_float(x[i]);
            memcpy(out, &h, sizeof h);
            break;
        case FLAW_WEIGHT_Q8_0: pack_q8_0(x + i, out); break;
        case FLAW_WEIGHT_Q4_0: pack_q4_0(x + i, out); break;
        case FLAW_WEIGHT_Q4_1: pack_q4_1(x + i, out); break;
        default: return; /* read only */
        }
    }
}
