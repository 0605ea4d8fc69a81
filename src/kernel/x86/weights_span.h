/* Compact weights for many vectors: how 32 rows are unpacked, a span of 128 elements at a time.
 *
 * 16 rows come to a register, pairs of elements to a lane: 4 i + odd and 4 i + odd + 2 of a group of 32 are pair 2 i + odd,
 * which is how shifts and masks separate them. Steps become 16 bits, whole numbers or bf16; both hold them exactly. */
#ifndef FLAW_KERNEL_X86_WEIGHTS_SPAN_H
#define FLAW_KERNEL_X86_WEIGHTS_SPAN_H

#include <string.h>

#include "kernel/weights.h"
#include "kernel/x86/vec_avx512.h"

enum {
    GROUP = 32,
    PAIRS = GROUP / 2,
    GROUPS = 4, /* of a span */
    SPAN = GROUPS * GROUP,
    SIDE = 2, /* registers of rows of a tile */
    TILE_ROWS = SIDE * VEC,
    SUPER = 256, /* elements of a Q4_K block */
    LINE = 64,
};

VEC_INLINE int spans_of(int n)
{
    return (n + SPAN - 1) / SPAN;
}

/* Where element 2 p + h of the pairs of a group lies: two registers of 16 bits each as one. */
VEC_INLINE __m512i in_pairs(__m512i group)
{
    const __m512i turn = _mm512_setr_epi32(0x00020000, 0x00030001, 0x00060004, 0x00070005, 0x000a0008, 0x000b0009,
                                           0x000e000c, 0x000f000d, 0x00120010, 0x00130011, 0x00160014, 0x00170015,
                                           0x001a0018, 0x001b0019, 0x001e001c, 0x001f001d);
    return _mm512_permutexvar_epi16(turn, group);
}

VEC_INLINE size_t bytes_of(flaw_weight_type type, int n)
{
    switch (type) {
    case FLAW_WEIGHT_Q8_0: return (size_t)n / GROUP * 34;
    case FLAW_WEIGHT_Q4_0: return (size_t)n / GROUP * 18;
    case FLAW_WEIGHT_Q4_1: return (size_t)n / GROUP * 20;
    default: return (size_t)n / SUPER * 144; /* Q4_K */
    }
}

VEC_INLINE bool has_offsets(flaw_weight_type type)
{
    return type == FLAW_WEIGHT_Q4_1 || type == FLAW_WEIGHT_Q4_K;
}

/* 16 rows where a span begins in them, which has `groups` groups. Rows and groups that do not exist are others again. */
typedef struct row_set {
    const uint8_t *at[VEC];
    int groups;
} row_set;

/* 16 bytes of each row, `from` bytes behind its beginning: lane r of word[c] is bytes 4 c .. 4 c + 3 of row r. */
VEC_INLINE void words_of(const row_set *r, size_t from, __m512i word[4])
{
    __m512i q[4], pairs[4];
#pragma GCC unroll 4
    for (int i = 0; i < 4; i++) { /* rows i, i + 4, i + 8, i + 12 */
        q[i] = _mm512_castsi128_si512(_mm_loadu_si128((const __m128i *)(r->at[i] + from)));
        q[i] = _mm512_inserti32x4(q[i], _mm_loadu_si128((const __m128i *)(r->at[i + 4] + from)), 1);
        q[i] = _mm512_inserti32x4(q[i], _mm_loadu_si128((const __m128i *)(r->at[i + 8] + from)), 2);
        q[i] = _mm512_inserti32x4(q[i], _mm_loadu_si128((const __m128i *)(r->at[i + 12] + from)), 3);
    }
#pragma GCC unroll 2
    for (int i = 0; i < 4; i += 2) {
        pairs[i] = _mm512_unpacklo_epi32(q[i], q[i + 1]);
        pairs[i + 1] = _mm512_unpackhi_epi32(q[i], q[i + 1]);
    }
#pragma GCC unroll 2
    for (int i = 0; i < 2; i++) {
        word[2 * i] = _mm512_unpacklo_epi64(pairs[i], pairs[2 + i]);
        word[2 * i + 1] = _mm512_unpackhi_epi64(pairs[i], pairs[2 + i]);
    }
}

/* What the scales of 16 rows are made of, gathered before the steps are unpacked and used behind it: a load that spans
 * several stores waits until these are done. Two F16, or one and something else; scales and offsets of Q4_K. */
typedef struct heads {
    uint32_t two[GROUPS][VEC];
    float scale[GROUPS][VEC], least[GROUPS][VEC];
} heads;

/* Q4_K, see unpack_q4_k of the reference; `second_half`: of a block. */
VEC_INLINE void gather_heads(flaw_weight_type type, const row_set *r, bool second_half, heads *out)
{
    const size_t block = bytes_of(type, GROUP);
    for (int i = 0; i < VEC; i++) {
        const uint8_t *row = r->at[i];
        if (type == FLAW_WEIGHT_Q4_K) row -= second_half ? 16 + 64 : 16;
#pragma GCC unroll 4
        for (int g = 0; g < GROUPS; g++) {
            if (type != FLAW_WEIGHT_Q4_K) {
                memcpy(&out->two[g][i], row + (size_t)(g < r->groups ? g : 0) * block, sizeof(uint32_t));
                continue;
            }
            const uint8_t *s = row + 4;
            memcpy(&out->two[g][i], row, sizeof(uint32_t));
            out->scale[g][i] = (float)(second_half ? (s[g + 8] & 15) | s[g] >> 6 << 4 : s[g] & 63);
            out->least[g][i] = (float)(second_half ? s[g + 8] >> 4 | s[g + 4] >> 6 << 4 : s[g + 4] & 63);
        }
    }
}

/* Scales of group g, and offsets where the type has some. */
VEC_INLINE void scales_of(flaw_weight_type type, const heads *in, int g, vf *scale, vf *offset)
{
    const __m512i two = _mm512_loadu_si512(in->two[g]);
    *scale = _mm512_cvtph_ps(_mm512_cvtepi32_epi16(two));
    if (!has_offsets(type)) return;
    *offset = _mm512_cvtph_ps(_mm512_cvtepi32_epi16(_mm512_srli_epi32(two, 16)));
    if (type != FLAW_WEIGHT_Q4_K) return;
    *scale = vf_mul(*scale, vf_load(in->scale[g]));
    *offset = vf_sub(vf_zero(), vf_mul(*offset, vf_load(in->least[g])));
}

/* Bytes before the steps or scales of span s in a row. */
VEC_INLINE size_t span_at(flaw_weight_type type, int s)
{
    if (type == FLAW_WEIGHT_Q4_K) return (size_t)s / 2 * 144 + 16 + (size_t)s % 2 * 64;
    return bytes_of(type, SPAN) * (size_t)s;
}

/* 16 rows of span s: side `side` of `count`. */
VEC_INLINE void rows_at(flaw_weight_type type, const uint8_t *w, int n, int s, int count, int side, row_set *out)
{
    out->groups = n - s * SPAN < SPAN ? (n - s * SPAN) / GROUP : GROUPS;
    for (int i = 0; i < VEC; i++) {
        const int row = side * VEC + i;
        out->at[i] = w + (size_t)(row < count ? row : 0) * bytes_of(type, n) + span_at(type, s);
    }
}

/* A span of a tile of rows: x = scale * step + offset. */
typedef struct panel {
    __m512i step[GROUPS][PAIRS][SIDE];
    vf scale[GROUPS][SIDE], offset[GROUPS][SIDE];
} panel;

/* Whole numbers as bf16, which holds 8 bits exactly. `small`: -16 .. 15, for which 5 bits are looked up. */
VEC_INLINE __m512i as_bf16(__m512i pairs, bool small)
{
    const __m512i of_5_bits = _mm512_setr_epi32(
        0x3f800000, 0x40404000, 0x40a04080, 0x40e040c0, 0x41104100, 0x41304120, 0x41504140, 0x41704160, (int)0xc170c180,
        (int)0xc150c160, (int)0xc130c140, (int)0xc110c120, (int)0xc0e0c100, (int)0xc0a0c0c0, (int)0xc040c080, (int)0xbf80c000);
    if (small) return _mm512_permutexvar_epi16(pairs, of_5_bits);
    const __m512i even = _mm512_castps_si512(_mm512_cvtepi32_ps(_mm512_srai_epi32(_mm512_slli_epi32(pairs, 16), 16)));
    const __m512i odd = _mm512_castps_si512(_mm512_cvtepi32_ps(_mm512_srai_epi32(pairs, 16)));
    return _mm512_mask_blend_epi16(0xaaaaaaaa, _mm512_srli_epi32(even, 16), odd);
}

/* Elements 4 i .. 4 i + 3 of a group of each row, as pairs 2 i and 2 i + 1. `q` holds them in bytes. */
VEC_INLINE void put_bytes(__m512i q, __m512i *even, __m512i *odd)
{
    *even = _mm512_srai_epi16(_mm512_slli_epi16(q, 8), 8);
    *odd = _mm512_srai_epi16(q, 8);
}

/* The same of nibbles, the low or the high ones of bytes; `centred`: as signed numbers of 4 bits. */
VEC_INLINE void put_nibbles(__m512i q, bool centred, bool high, __m512i *even, __m512i *odd)
{
    if (centred) {
        *even = _mm512_srai_epi16(_mm512_slli_epi16(q, high ? 8 : 12), 12);
        *odd = _mm512_srai_epi16(high ? q : _mm512_slli_epi16(q, 4), 12);
    } else {
        const __m512i low4 = _mm512_set1_epi16(15);
        *even = _mm512_and_si512(high ? _mm512_srli_epi16(q, 4) : q, low4);
        *odd = _mm512_and_si512(_mm512_srli_epi16(q, high ? 12 : 8), low4);
    }
}

/* The steps of 16 rows into register `side` of the panel, as whole numbers or as bf16. */
VEC_INLINE void unpack_bytes(bool bf16, const row_set *r, int side, panel *out)
{
    __m512i word[4];
#pragma GCC unroll 8
    for (int i = 0; i < 2 * GROUPS; i++) {
        const int group = i / 2, first = i % 2 * PAIRS / 2;
        words_of(r, (size_t)(group < r->groups ? group : 0) * 34 + 2 + (size_t)(i % 2 * 16), word);
#pragma GCC unroll 4
        for (int c = 0; c < 4; c++) {
            __m512i(*to)[SIDE] = out->step[group] + first + 2 * c;
            put_bytes(word[c], &to[0][side], &to[1][side]);
            for (int k = 0; k < 2 && bf16; k++) to[k][side] = as_bf16(to[k][side], false);
        }
    }
}

VEC_INLINE void unpack_nibbles(bool bf16, flaw_weight_type type, const row_set *r, int side, panel *out)
{
    const size_t block = bytes_of(type, GROUP);
    const bool centred = type == FLAW_WEIGHT_Q4_0, two_groups = type == FLAW_WEIGHT_Q4_K;
    __m512i word[4];
#pragma GCC unroll 4
    for (int i = 0; i < GROUPS; i++) {
        const size_t from = two_groups ? 16 * (size_t)i : (size_t)(i < r->groups ? i : 0) * block + block - 16;
        __m512i(*low)[SIDE] = two_groups ? out->step[i / 2 * 2] + i % 2 * PAIRS / 2 : out->step[i];
        __m512i(*high)[SIDE] = two_groups ? low + PAIRS : low + PAIRS / 2;
        words_of(r, from, word);
#pragma GCC unroll 4
        for (int c = 0; c < 4; c++, low += 2, high += 2) {
            const __m512i q = centred ? _mm512_xor_si512(word[c], _mm512_set1_epi8(-0x78)) : word[c];
            put_nibbles(q, centred, false, &low[0][side], &low[1][side]);
            put_nibbles(q, centred, true, &high[0][side], &high[1][side]);
            for (int k = 0; k < 2 && bf16; k++) {
                low[k][side] = as_bf16(low[k][side], true);
                high[k][side] = as_bf16(high[k][side], true);
            }
        }
    }
}

/* Span s of up to 32 rows. */
VEC_INLINE void unpack_of(bool bf16, flaw_weight_type type, const uint8_t *w, int n, int s, int count, panel *out)
{
    for (int side = 0; side < SIDE; side++) {
        row_set r;
        heads h;
        rows_at(type, w, n, s, count, side, &r);
        gather_heads(type, &r, s % 2, &h);
        if (type == FLAW_WEIGHT_Q8_0) unpack_bytes(bf16, &r, side, out);
        else unpack_nibbles(bf16, type, &r, side, out);
        for (int g = 0; g < GROUPS; g++) scales_of(type, &h, g, &out->scale[g][side], &out->offset[g][side]);
    }
}

/* Asks for what is unpacked behind span s, in these rows or the following ones: rows `from` .. `to` of it. A few at a time,
 * between tiles: more than 16 lines under way stop everything. */
VEC_INLINE void ask_ahead(flaw_weight_type type, const uint8_t *w, int n, int s, int from, int to)
{
    const size_t bytes = bytes_of(type, n), each = bytes_of(type, SUPER) / 2;
    const uint8_t *next = s + 1 < spans_of(n) ? w + span_at(type, s + 1) : w + TILE_ROWS * bytes;
    for (int row = from; row < to; row++)
        for (size_t line = 0; line < each; line += LINE)
            _mm_prefetch((const char *)next + (size_t)row * bytes + line, _MM_HINT_T0);
}

#endif
