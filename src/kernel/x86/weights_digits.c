/* Compact weights with vectors in fixed point, for machines with AVX512-VNNI and VBMI.
 *
 * A group of 32 numbers of a vector x becomes d X, X whole numbers of 24 bits, written with three signed digits of 8 bits:
 * X = 65536 X2 + 256 X1 + X0. A step of a weight is 4, 6 or 8 bits, so vpdpbusd sums step times digit exactly, 64 of them at
 * a time, and the only rounding is that of float32 sums, as it would be with x in float32. Unpacking costs what bytes cost,
 * not what floats cost: that is what makes one thread wait for memory and not memory for the thread.
 *
 * Weights and vectors meet in chunks of four groups. The steps of a chunk are two registers, the first halves of the groups
 * (elements 0 .. 15) and the second ones: lane 4j + b has elements 4j .. 4j + 3 of that half of group b, so that four
 * scales are broadcast to their lanes by the load itself. What is subtracted from the steps (8, 32, 128) is taken off the
 * sums beforehand, as so many times the sum of the digits. */
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "kernel/x86/levels.h"
#include "kernel/x86/vec_avx512.h"

enum {
    GROUP = 32,
    CHUNK = 4 * GROUP,
    SUPER = 256,             /* elements of a Q4_K or Q6_K block */
    STRETCH = 64,            /* groups whose scales are prepared together */
    DIGITS = 3,
    LARGEST = 127 * 0x10101 - 15, /* of the numbers with three digits up to 127; 15 less, because x / d is rounded twice */
    ROWS_OF_ONE = 4,         /* at once, with one vector and with several */
    ROWS_OF_SEVERAL = 2,
    VECTORS_AT_ONCE = 4,
    AHEAD = 3072,            /* bytes of weights asked for ahead of time */
};

/* A chunk of a vector. */
typedef struct chunk {
    __m512i digit[DIGITS][2];  /* [X0, X1, X2][half] */
    __m512i high[2], low[2]; /* negated sums of a lane's 256 X2 + X1, and of its X0: of both halves, of the first */
} chunk;

/* A vector: its chunks, behind them of each group d, d times the sum of X, and that of the first half alone; padded with
 * zeros to whole stretches. */
typedef struct vector {
    const chunk *chunks;
    const float *scale, *sum, *first_sum;
} vector;

static int stretches_of(int n)
{
    return (n + STRETCH * GROUP - 1) / (STRETCH * GROUP);
}

static size_t chunks_size(int n)
{
    return (size_t)stretches_of(n) * (STRETCH * GROUP / CHUNK) * sizeof(chunk);
}

static size_t digits_size(int n)
{
    return chunks_size(n) + 3 * sizeof(float) * STRETCH * (size_t)stretches_of(n);
}

static vector vector_at(int n, const void *digits)
{
    const float *floats = (const float *)(const void *)((const char *)digits + chunks_size(n));
    const size_t groups = STRETCH * (size_t)stretches_of(n);
    return (vector){.chunks = digits, .scale = floats, .sum = floats + groups, .first_sum = floats + 2 * groups};
}

/* ---- vectors ---- */

/* Digits of a chunk as the groups have them: element i of group b in byte 16 b + i of its half. */
typedef struct plain_digits {
    int8_t of[DIGITS][2][64];
} plain_digits;

/* Group b. Numbers that are not finite make d one that is none; below 1e-30 everything is taken as 0. */
static void put_group(const float *x, int b, plain_digits *out, float *scale, float *sum, float *first_sum)
{
    const vf half[2] = {vf_load(x), vf_load(x + VEC)};
    const int not_finite = 0x99; /* quiet and signalling NaN, both infinities */
    const bool bad = _mm512_fpclass_ps_mask(half[0], not_finite) || _mm512_fpclass_ps_mask(half[1], not_finite);
    const float top = bad ? 0.0f : vf_top(vf_max(vf_abs(half[0]), vf_abs(half[1])));
    const bool zero = top < 1e-30f;
    const float d = bad ? NAN : zero ? 0.0f : top / LARGEST, each = zero ? 0.0f : LARGEST / top;
    int total[2] = {0};
    for (int h = 0; h < 2 && !zero; h++) {
        __m512i whole = _mm512_cvtps_epi32(vf_mul(half[h], vf_set(each)));
        total[h] = _mm512_reduce_add_epi32(whole); /* 16 times 23 bits */
        for (int i = 0; i < DIGITS; i++) {
            __m128i digit = _mm512_cvtepi32_epi8(whole);
            _mm_storeu_si128((__m128i *)(void *)(out->of[i][h] + 16 * b), digit);
            whole = _mm512_srai_epi32(_mm512_sub_epi32(whole, _mm512_cvtepi8_epi32(digit)), 8);
        }
    }
    *scale = d;
    *first_sum = d * (float)total[0];
    *sum = d * ((float)total[0] + (float)total[1]);
}

static void put_chunk(const plain_digits *in, chunk *out)
{
    const __m512i turn = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
    const __m512i ones = _mm512_set1_epi8(1), none = _mm512_setzero_si512();
    __m512i sum[DIGITS][2];
    for (int d = 0; d < DIGITS; d++) {
        for (int h = 0; h < 2; h++) {
            out->digit[d][h] = _mm512_permutexvar_epi32(turn, _mm512_loadu_si512(in->of[d][h]));
            sum[d][h] = _mm512_dpbusd_epi32(h ? sum[d][0] : none, ones, out->digit[d][h]);
        }
    }
    for (int h = 0; h < 2; h++) { /* of the first half, then of both */
        out->high[!h] = _mm512_sub_epi32(none, _mm512_add_epi32(_mm512_slli_epi32(sum[2][h], 8), sum[1][h]));
        out->low[!h] = _mm512_sub_epi32(none, sum[0][h]);
    }
}

static void prepare(int n, const float *x, void *digits)
{
    const int stretches = stretches_of(n), groups = n / GROUP;
    const size_t all = (size_t)stretches * STRETCH;
    chunk *chunks = digits;
    float *scale = (float *)(void *)((char *)digits + chunks_size(n)), *sum = scale + all, *first_sum = sum + all;
    memset(scale, 0, 3 * all * sizeof *scale);
    for (int c = 0; 4 * c < groups; c++) {
        plain_digits plain = {0};
        for (int g = 4 * c; g < 4 * c + 4 && g < groups; g++)
            put_group(x + (ptrdiff_t)g * GROUP, g % 4, &plain, scale + g, sum + g, first_sum + g);
        put_chunk(&plain, &chunks[c]);
    }
}

/* ---- weights ---- */

VEC_INLINE int bytes_of_chunk(flaw_weight_type type)
{
    switch (type) {
    case FLAW_WEIGHT_Q8_0: return 4 * 34;
    case FLAW_WEIGHT_Q4_0: return 4 * 18;
    case FLAW_WEIGHT_Q4_1: return 4 * 20;
    case FLAW_WEIGHT_Q4_K: return 144 / 2;
    default: return 210 / 2; /* Q6_K */
    }
}

/* For vpermb: bytes 4j .. 4j + 3 behind `first` to lanes 4j + b of even b, those behind `second` to odd b. */
VEC_INLINE __m512i to_lanes(int first, int second)
{
    const __m512i row = _mm512_setr_epi32(0x03020100, 0x03020100, 0x03020100, 0x03020100, 0x07060504, 0x07060504,
                                          0x07060504, 0x07060504, 0x0b0a0908, 0x0b0a0908, 0x0b0a0908, 0x0b0a0908,
                                          0x0f0e0d0c, 0x0f0e0d0c, 0x0f0e0d0c, 0x0f0e0d0c);
    const int even = first * 0x01010101, odd = second * 0x01010101;
    return _mm512_add_epi8(row, _mm512_setr_epi32(even, odd, even, odd, even, odd, even, odd, even, odd, even, odd, even,
                                                  odd, even, odd));
}

/* 16 bytes each of four blocks: two lie within 64 bytes from `front` on, two within 64 bytes from `back` on. */
VEC_INLINE __m512i four_blocks(const uint8_t *front, __m512i front_lanes, const uint8_t *back, __m512i back_lanes)
{
    const __mmask64 last_two = 0xff00ff00ff00ff00u;
    __m512i q = _mm512_permutexvar_epi8(front_lanes, _mm512_loadu_si512(front));
    return _mm512_mask_permutexvar_epi8(q, last_two, back_lanes, _mm512_loadu_si512(back));
}

VEC_INLINE void halves_of_nibbles(__m512i q, __m512i half[2])
{
    const __m512i low4 = _mm512_set1_epi8(15);
    half[0] = _mm512_and_si512(q, low4);
    half[1] = _mm512_and_si512(_mm512_srli_epi16(q, 4), low4);
}

/* 64 bytes that hold four groups: `neighbours`, each 32 bytes two of them, the first in the low nibbles (Q4_K); else the
 * first two in the low nibbles and the last two in the high ones (Q6_K). */
VEC_INLINE void halves_of_pairs(__m512i q, bool neighbours, __m512i half[2])
{
    __m512i nibbles[2];
    halves_of_nibbles(q, nibbles);
    const int b1 = neighbours ? 16 : 8, b2 = neighbours ? 8 : 16; /* lane of group 1, of group 2 */
    const __m512i first = _mm512_setr_epi32(0, b1, b2, 24, 1, b1 + 1, b2 + 1, 25, 2, b1 + 2, b2 + 2, 26, 3, b1 + 3,
                                            b2 + 3, 27);
    half[0] = _mm512_permutex2var_epi32(nibbles[0], first, nibbles[1]);
    half[1] = _mm512_permutex2var_epi32(nibbles[0], _mm512_add_epi32(first, _mm512_set1_epi32(4)), nibbles[1]);
}

/* The upper pairs of bits of 4 x 32 elements of Q6_K, above the nibbles: byte i of 32 has those of element i of each group,
 * lowest bits first. `half` 0: bytes 0 .. 15. */
VEC_INLINE __m512i with_upper_bits(__m512i nibbles, const uint8_t *upper, int half)
{
    const __m512i rows = _mm512_setr_epi32(0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3);
    const __m512i left = _mm512_setr_epi32(4, 2, 0, 30, 4, 2, 0, 30, 4, 2, 0, 30, 4, 2, 0, 30);
    __m512i u = _mm512_castsi128_si512(_mm_loadu_si128((const __m128i *)(upper + 16 * half)));
    u = _mm512_rolv_epi32(_mm512_permutexvar_epi32(rows, u), left);
    return _mm512_or_si512(nibbles, _mm512_and_si512(u, _mm512_set1_epi8(0x30)));
}

/* The steps of chunk c, as unsigned bytes. `in`: the row's first byte of this stretch. */
VEC_INLINE void steps_of(flaw_weight_type type, const uint8_t *in, int c, __m512i half[2])
{
    const uint8_t *p = in + c * bytes_of_chunk(type);
    const uint8_t *block = in + c / 2 * (type == FLAW_WEIGHT_Q4_K ? 144 : 210); /* of the types with large ones */
    switch (type) {
    case FLAW_WEIGHT_Q8_0:
#pragma GCC unroll 2
        for (int h = 0; h < 2; h++)
            half[h] = _mm512_xor_si512(
                four_blocks(p + 16 * h, to_lanes(2, 36), p + 56 + 16 * h, to_lanes(14, 48)), _mm512_set1_epi8(-128));
        break;
    case FLAW_WEIGHT_Q4_0: halves_of_nibbles(four_blocks(p, to_lanes(2, 20), p + 8, to_lanes(30, 48)), half); break;
    case FLAW_WEIGHT_Q4_1: halves_of_nibbles(four_blocks(p, to_lanes(4, 24), p + 16, to_lanes(28, 48)), half); break;
    case FLAW_WEIGHT_Q4_K: halves_of_pairs(_mm512_loadu_si512(block + 16 + c % 2 * 64), true, half); break;
    default:
        halves_of_pairs(_mm512_loadu_si512(block + c % 2 * 64), false, half);
#pragma GCC unroll 2
        for (int h = 0; h < 2; h++) half[h] = with_upper_bits(half[h], block + 128 + c % 2 * 32, h);
    }
}

/* log2 of what is subtracted from a step. */
VEC_INLINE int offset_bits(flaw_weight_type type)
{
    switch (type) {
    case FLAW_WEIGHT_Q8_0: return 7;
    case FLAW_WEIGHT_Q4_0: return 3;
    case FLAW_WEIGHT_Q6_K: return 5;
    default: return -1;
    }
}

/* ---- scales ---- */

/* Of one stretch of one row: what multiplies the sums of each group, d of the weights times d of the vector; Q6_K: of its
 * first half, of its second half. */
typedef struct scales {
    float of[2][STRETCH];
} scales;

/* The F16 that begin four blocks of 32, at `in`, into quarter c of `of`: scales in the lower half of it, offsets of Q4_1 in
 * the upper one. By permutations and not number by number: a load that spans several stores would wait for them. */
VEC_INLINE __m512i four_halves(flaw_weight_type type, const uint8_t *in, int c, __m512i of)
{
    const int each = bytes_of_chunk(type) / 4;
    const uint64_t two = 0x0100u | (uint64_t)(each | (each + 1) << 8) << 16, skip = (uint64_t)(2 * each) * 0x01010101u;
    if (type == FLAW_WEIGHT_Q8_0) { /* two blocks within 64 bytes */
        const __m512i places = _mm512_set1_epi32((int)two);
        of = _mm512_mask_permutexvar_epi8(of, (__mmask64)0x0f << 8 * c, places, _mm512_loadu_si512(in));
        return _mm512_mask_permutexvar_epi8(of, (__mmask64)0xf0 << 8 * c, places, _mm512_loadu_si512(in + 2 * each));
    }
    const uint64_t four = two | (two + skip) << 32;
    const __m512i places = _mm512_mask_set1_epi64(_mm512_set1_epi64((long long)four), 0xf0,
                                                  (long long)(four + 0x0202020202020202u));
    const __mmask64 quarter = type == FLAW_WEIGHT_Q4_1 ? (__mmask64)0xff000000ffu << 8 * c : (__mmask64)0xff << 8 * c;
    return _mm512_mask_permutexvar_epi8(of, quarter, places, _mm512_loadu_si512(in));
}

/* Of 16 groups; `offsets` gathers offset times sum of the vector, group by group. */
VEC_INLINE void scales_of_16(flaw_weight_type type, __m512i halves, const vector *v, int group, float *out, vf *offsets)
{
    const vf d = _mm512_cvtph_ps(_mm512_castsi512_si256(halves));
    vf_store(out, vf_mul(d, vf_load(v->scale + group)));
    if (type != FLAW_WEIGHT_Q4_1) return;
    const vf m = _mm512_cvtph_ps(_mm512_extracti64x4_epi64(halves, 1));
    *offsets = vf_fma(m, vf_load(v->sum + group), *offsets);
}

VEC_INLINE vf half_at(const uint8_t *in)
{
    uint16_t h;
    memcpy(&h, in, sizeof h);
    return _mm512_cvtph_ps(_mm256_set1_epi16((short)h));
}

/* 8 scales, then 8 offsets, of 6 bits, see unpack_q4_k of the reference. With a, b, c the three words that hold them, the
 * words of the result are a, (c, a), b, (c, b): the low 6 bits of each byte of a and b, and below the upper 2 of these the
 * low or high 4 bits of c. */
VEC_INLINE __m128i six_bits(const uint8_t *in)
{
    const int low6 = 0x3f3f3f3f, low4 = 0x0f0f0f0f, high2 = 0x30303030;
    __m128i abc = _mm_loadu_si128((const __m128i *)in);
    __m128i low = _mm_srlv_epi32(_mm_shuffle_epi32(abc, 0x98), _mm_setr_epi32(0, 0, 0, 4));
    __m128i high = _mm_srli_epi32(_mm_shuffle_epi32(abc, 0x50), 2);
    return _mm_or_si128(_mm_and_si128(low, _mm_setr_epi32(low6, low4, low6, low4)),
                        _mm_and_si128(high, _mm_setr_epi32(0, high2, 0, high2)));
}

/* 8 groups of a block of Q4_K: scales in the lower lanes, offsets in the upper ones, which alone go to `offsets`. */
VEC_INLINE void scales_of_q4_k(const uint8_t *block, const vector *v, int group, float *out, vf *offsets)
{
    const vf d = _mm512_mask_blend_ps(0xff00, half_at(block), half_at(block + 2));
    const vf both = vf_mul(_mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(six_bits(block + 4))), d);
    const __m256 sums = _mm256_loadu_ps(v->sum + group);
    _mm256_storeu_ps(out, _mm256_mul_ps(_mm512_castps512_ps256(both), _mm256_loadu_ps(v->scale + group)));
    *offsets = _mm512_mask3_fnmadd_ps(both, _mm512_broadcast_f32x8(sums), *offsets, 0xff00);
}

/* 16 scales of half groups of Q6_K. */
VEC_INLINE void scales_of_q6_k(const uint8_t *block, const vector *v, int group, float *first, float *second)
{
    const __m512i apart = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 1, 3, 5, 7, 9, 11, 13, 15);
    const __m128i steps = _mm_loadu_si128((const __m128i *)(block + 192));
    const vf both = vf_mul(_mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(steps)), half_at(block + 208));
    const vf halves = vf_mul(_mm512_permutexvar_ps(apart, both), _mm512_broadcast_f32x8(_mm256_loadu_ps(v->scale + group)));
    _mm256_storeu_ps(first, _mm512_castps512_ps256(halves));
    _mm256_storeu_ps(second, _mm512_extractf32x8_ps(halves, 1));
}

/* Of the blocks of 32 of a stretch. `rest`: the groups behind the last whole chunk, padded to one, or NULL. */
VEC_INLINE void scales_of_blocks(flaw_weight_type type, int vectors, const uint8_t *in, int count, const uint8_t *rest,
                                 const vector v[], int group, scales s[][ROWS_OF_ONE], int r, vf offsets[])
{
    const int whole = count / 4, bytes = bytes_of_chunk(type);
    for (int c = 0; 4 * c < count; c += 4) {
        __m512i halves = _mm512_setzero_si512();
        if (c + 4 <= whole) {
#pragma GCC unroll 4
            for (int i = 0; i < 4; i++) halves = four_halves(type, in + (c + i) * bytes, i, halves);
        } else {
            for (int i = 0; c + i < whole; i++) halves = four_halves(type, in + (c + i) * bytes, i, halves);
            if (rest) halves = four_halves(type, rest, whole - c, halves);
        }
#pragma GCC unroll 4
        for (int t = 0; t < vectors; t++)
            scales_of_16(type, halves, &v[t], group + 4 * c, s[t][r].of[0] + 4 * c, &offsets[t]);
    }
}

VEC_INLINE void scales_of(flaw_weight_type type, int vectors, const uint8_t *in, int count, const uint8_t *rest,
                          const vector v[], int group, scales s[][ROWS_OF_ONE], int r, vf offsets[])
{
    if (type < FLAW_WEIGHT_Q4_K) {
        scales_of_blocks(type, vectors, in, count, rest, v, group, s, r, offsets);
        return;
    }
    for (int t = 0; t < vectors; t++) {
        for (int g = 0; g < count; g += SUPER / GROUP) {
            float *first = s[t][r].of[0] + g, *second = s[t][r].of[1] + g;
            if (type == FLAW_WEIGHT_Q4_K) scales_of_q4_k(in + g / 8 * 144, &v[t], group + g, first, &offsets[t]);
            else scales_of_q6_k(in + g / 8 * 210, &v[t], group + g, first, second);
        }
    }
}

/* ---- products ---- */

/* Some rows and the vectors that they meet. A missing row or vector is another one again. */
typedef struct job {
    int rows, vectors, n;
    const uint8_t *in[ROWS_OF_ONE];
    vector v[VECTORS_AT_ONCE];
} job;

typedef struct sums {
    vf groups[ROWS_OF_ONE][VECTORS_AT_ONCE], offsets[ROWS_OF_ONE][VECTORS_AT_ONCE];
} sums;

/* Steps times numbers of the lanes: 256 (high digits) + lowest digit, as float32. */
VEC_INLINE vf meet(const chunk *x, int from, int to, const __m512i half[2], __m512i high, __m512i low)
{
    __m512i top = _mm512_setzero_si512();
#pragma GCC unroll 2
    for (int h = from; h < to; h++) {
        top = _mm512_dpbusd_epi32(top, half[h], x->digit[2][h]);
        high = _mm512_dpbusd_epi32(high, half[h], x->digit[1][h]);
        low = _mm512_dpbusd_epi32(low, half[h], x->digit[0][h]);
    }
    high = _mm512_add_epi32(high, _mm512_slli_epi32(top, 8));
    return vf_fma(_mm512_cvtepi32_ps(high), vf_set(256), _mm512_cvtepi32_ps(low));
}

VEC_INLINE vf four_scales(const float *scale)
{
    return _mm512_broadcast_f32x4(_mm_loadu_ps(scale));
}

/* A chunk of one vector and all rows; c: its place in the stretch. */
VEC_INLINE void add_chunk(flaw_weight_type type, int rows, const chunk *x, __m512i half[][2], const scales s[], int c,
                          vf groups[][VECTORS_AT_ONCE], int t)
{
    const int bits = offset_bits(type);
    const bool halves = type == FLAW_WEIGHT_Q6_K; /* each with its scale */
    __m512i high[2], low[2];
#pragma GCC unroll 2
    for (int h = 0; h < 2; h++) {
        high[h] = bits < 0 ? _mm512_setzero_si512() : _mm512_slli_epi32(x->high[h], (unsigned)bits);
        low[h] = bits < 0 ? _mm512_setzero_si512() : _mm512_slli_epi32(x->low[h], (unsigned)bits);
    }
#pragma GCC unroll 4
    for (int r = 0; r < rows; r++) {
        vf *sum = &groups[r][t];
        if (!halves) {
            *sum = vf_fma(meet(x, 0, 2, half[r], high[0], low[0]), four_scales(s[r].of[0] + 4 * c), *sum);
            continue;
        }
        const __m512i rest_high = _mm512_sub_epi32(high[0], high[1]), rest_low = _mm512_sub_epi32(low[0], low[1]);
        *sum = vf_fma(meet(x, 0, 1, half[r], high[1], low[1]), four_scales(s[r].of[0] + 4 * c), *sum);
        *sum = vf_fma(meet(x, 1, 2, half[r], rest_high, rest_low), four_scales(s[r].of[1] + 4 * c), *sum);
    }
}

VEC_INLINE void ask_ahead(flaw_weight_type type, const uint8_t *in, int c)
{
    const int bytes = bytes_of_chunk(type);
    for (int line = 0; line < bytes; line += 64) _mm_prefetch((const char *)in + c * bytes + AHEAD + line, _MM_HINT_T0);
}

/* What is to be done with a stretch: its place in the rows, its groups, and of the rows those behind its last whole chunk,
 * padded with zeros to a chunk. */
typedef struct stretch {
    const uint8_t *in[ROWS_OF_ONE];
    int group, count;
    uint8_t rest[ROWS_OF_ONE][4 * 34];
} stretch;

VEC_INLINE void begin_stretch(flaw_weight_type type, int rows, const job *j, int group, stretch *s)
{
    const int groups = j->n / GROUP, bytes = bytes_of_chunk(type);
    s->group = group;
    s->count = groups - group < STRETCH ? groups - group : STRETCH;
    const int whole = s->count / 4, left = s->count % 4;
    for (int r = 0; r < rows; r++) {
        s->in[r] = j->in[r] + (size_t)group / 4 * (size_t)bytes;
        if (!left || type >= FLAW_WEIGHT_Q4_K) continue;
        memset(s->rest[r], 0, sizeof s->rest[r]);
        memcpy(s->rest[r], s->in[r] + whole * bytes, (size_t)(left * (bytes / 4)));
    }
}

VEC_INLINE void add_stretch(flaw_weight_type type, int rows, int vectors, const job *j, const stretch *p,
                            scales s[][ROWS_OF_ONE], sums *sum)
{
    __m512i half[ROWS_OF_ONE][2];
    const int whole = p->count / 4, first = p->group / 4;
    for (int c = 0; c < whole; c++) {
#pragma GCC unroll 4
        for (int r = 0; r < rows; r++) {
            ask_ahead(type, p->in[r], c);
            steps_of(type, p->in[r], c, half[r]);
        }
#pragma GCC unroll 4
        for (int t = 0; t < vectors; t++) add_chunk(type, rows, j->v[t].chunks + first + c, half, s[t], c, sum->groups, t);
    }
    if (p->count % 4 == 0 || type >= FLAW_WEIGHT_Q4_K) return;
    for (int r = 0; r < rows; r++) steps_of(type, p->rest[r], 0, half[r]);
    for (int t = 0; t < vectors; t++)
        add_chunk(type, rows, j->v[t].chunks + first + whole, half, s[t], whole, sum->groups, t);
}

/* y[t][r] = row r . vector t. The sum of a row and a vector runs over the chunks in order, lane by lane, whatever else is
 * computed beside it. */
VEC_INLINE void product_of_job(flaw_weight_type type, int rows, int vectors, const job *j, float y[][ROWS_OF_ONE])
{
    stretch p;
    scales s[VECTORS_AT_ONCE][ROWS_OF_ONE];
    sums sum;
    for (int r = 0; r < rows; r++)
        for (int t = 0; t < vectors; t++) sum.groups[r][t] = sum.offsets[r][t] = vf_zero();
    for (int g = 0; g < j->n / GROUP; g += STRETCH) {
        begin_stretch(type, rows, j, g, &p);
        for (int r = 0; r < rows; r++)
            scales_of(type, vectors, p.in[r], p.count, p.count % 4 ? p.rest[r] : NULL, j->v, g, s, r, sum.offsets[r]);
        add_stretch(type, rows, vectors, j, &p, s, &sum);
    }
    for (int r = 0; r < rows; r++)
        for (int t = 0; t < vectors; t++) y[t][r] = vf_sum(vf_add(sum.groups[r][t], sum.offsets[r][t]));
}

/* Rows far from each other side by side: memory is read in several long streams, as it likes to be. Vectors from `first`
 * on. */
VEC_INLINE void product_rows(flaw_weight_type type, int rows, int vectors, const flaw_weight_product *p, int first)
{
    const size_t bytes = (size_t)p->n / CHUNK * (size_t)bytes_of_chunk(type) +
                         (size_t)p->n % CHUNK / GROUP * (size_t)(bytes_of_chunk(type) / 4);
    const int part = (p->rows + rows - 1) / rows, live = p->vectors - first < vectors ? p->vectors - first : vectors;
    float y[VECTORS_AT_ONCE][ROWS_OF_ONE];
    job j = {.n = p->n};
    for (int t = 0; t < vectors; t++)
        j.v[t] = vector_at(p->n, (const char *)p->digits + (size_t)(first + (t < live ? t : live - 1)) * p->digits_size);
    for (int row = 0; row < part; row++) {
        int at[ROWS_OF_ONE];
        for (int r = 0; r < rows; r++) {
            at[r] = r * part + row < p->rows ? r * part + row : row;
            j.in[r] = (const uint8_t *)p->w + (size_t)at[r] * bytes;
        }
        product_of_job(type, rows, vectors, &j, y);
        for (int r = 0; r < rows; r++)
            for (int t = 0; t < live; t++) p->y[(first + t) * p->y_row + at[r]] = y[t][r];
    }
}

#define PRODUCT(name, type)                                                                                            \
    static __attribute__((noinline)) void one_##name(const flaw_weight_product *p)                                     \
    {                                                                                                                  \
        product_rows(type, ROWS_OF_ONE, 1, p, 0);                                                                      \
    }                                                                                                                  \
    static __attribute__((noinline)) void several_##name(const flaw_weight_product *p)                                 \
    {                                                                                                                  \
        product_rows(type, ROWS_OF_SEVERAL, VECTORS_AT_ONCE, p, 0);                                                    \
    }

PRODUCT(q8_0, FLAW_WEIGHT_Q8_0)
PRODUCT(q4_0, FLAW_WEIGHT_Q4_0)
PRODUCT(q4_1, FLAW_WEIGHT_Q4_1)
PRODUCT(q4_k, FLAW_WEIGHT_Q4_K)
PRODUCT(q6_k, FLAW_WEIGHT_Q6_K)

static void product(const flaw_weight_product *p)
{
    typedef void of_type(const flaw_weight_product *);
    static of_type *const of[FLAW_WEIGHT_TYPES][2] = {
        [FLAW_WEIGHT_Q8_0] = {one_q8_0, several_q8_0}, [FLAW_WEIGHT_Q4_0] = {one_q4_0, several_q4_0},
        [FLAW_WEIGHT_Q4_1] = {one_q4_1, several_q4_1}, [FLAW_WEIGHT_Q4_K] = {one_q4_k, several_q4_k},
        [FLAW_WEIGHT_Q6_K] = {one_q6_k, several_q6_k},
    };
    of[p->type][p->vectors > 1](p);
}

const flaw_weight_digits flaw_vnni_digits = {.size = digits_size, .prepare = prepare, .product = product};
