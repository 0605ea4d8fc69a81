/* Compact weights with many vectors (a prompt) in fixed point, for machines with AVX512-VNNI.
 *
 * A span of 128 numbers of a vector becomes d X, X whole numbers of 16 bits; steps of weights are widened to 16 bits as
 * well, and vpdpwssd multiplies 32 pairs. (Two digits of 8 bits and vpdpbusd would take as many instructions, and some more
 * to bring the digits together.) A tile of 10 vectors by 32 rows of whole sums lives in registers through a group of 32,
 * which has a scale of its own in each row; float32 sums lie in the first cache, since loads and stores come for free. Rows
 * are unpacked a span at a time, once for all vectors, 16 rows to a register, pairs of elements to a lane: 4 i + odd and
 * 4 i + odd + 2 of a group are pair 2 i + odd, which is how shifts and masks separate them.
 */
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "kernel/x86/levels.h"
#include "kernel/x86/vec_avx512.h"

enum {
    GROUP = 32,
    PAIRS = GROUP / 2,
    GROUPS = 4, /* of a span */
    SPAN = GROUPS * GROUP,
    LARGEST = 32767,
    SIDE = 2, /* registers of rows of a tile */
    TILE_ROWS = SIDE * VEC,
    TILE_VECTORS = 10,
    SUPER = 256, /* elements of a Q4_K block */
    LINE = 64,
};

/* A span of the vectors of a tile: X, sums of X in each group, d. Whole lines. */
typedef struct span {
    int32_t pair[GROUPS][PAIRS][TILE_VECTORS];
    float sum[GROUPS][TILE_VECTORS];
    float scale[TILE_VECTORS];
    float unused[14];
} span;

/* A span of a tile of rows: x = scale * step + offset. */
typedef struct panel {
    __m512i step[GROUPS][PAIRS][SIDE];
    vf scale[GROUPS][SIDE], offset[GROUPS][SIDE];
} panel;

static int spans_of(int n)
{
    return (n + SPAN - 1) / SPAN;
}

/* ---- vectors ---- */

static size_t bundle_size(int n)
{
    return (size_t)spans_of(n) * sizeof(span);
}

VEC_INLINE __m256i whole_16(vf x, vf each)
{
    return _mm512_cvtepi32_epi16(_mm512_cvtps_epi32(vf_mul(x, each)));
}

/* A group of vector v. */
static void put_group(const float *x, float each, int v, int group, span *out)
{
    const __m512i turn = _mm512_setr_epi32(0x00020000, 0x00030001, 0x00060004, 0x00070005, 0x000a0008, 0x000b0009,
                                           0x000e000c, 0x000f000d, 0x00120010, 0x00130011, 0x00160014, 0x00170015,
                                           0x001a0018, 0x001b0019, 0x001e001c, 0x001f001d);
    const __m256i first = whole_16(vf_load(x), vf_set(each)), second = whole_16(vf_load(x + VEC), vf_set(each));
    const __m512i all = _mm512_inserti64x4(_mm512_castsi256_si512(first), second, 1);
    const __m512i sums = _mm512_madd_epi16(all, _mm512_set1_epi16(1));
    int32_t pair[PAIRS];
    _mm512_storeu_si512(pair, _mm512_permutexvar_epi16(turn, all));
    for (int p = 0; p < PAIRS; p++) out->pair[group][p][v] = pair[p];
    out->sum[group][v] = (float)_mm512_reduce_add_epi32(sums);
}

/* The first `groups` groups of a span of vector v. Numbers that are not finite make a scale that is none; below 1e-30
 * everything is taken as 0. */
static void put_span(const float *x, int groups, int v, span *out)
{
    const int not_finite = 0x99; /* quiet and signalling NaN, both infinities */
    bool bad = false;
    vf largest = vf_zero();
    for (int i = 0; i < groups * GROUP; i += VEC) {
        bad |= _mm512_fpclass_ps_mask(vf_load(x + i), not_finite) != 0;
        largest = vf_max(largest, vf_abs(vf_load(x + i)));
    }
    const float top = bad ? 0.0f : vf_top(largest);
    const bool zero = top < 1e-30f;
    out->scale[v] = bad ? NAN : zero ? 0.0f : top / LARGEST;
    for (int g = 0; g < groups && !zero; g++) put_group(x + (ptrdiff_t)g * GROUP, LARGEST / top, v, g, out);
}

static void prepare(int n, int count, const float *x, ptrdiff_t x_row, void *bundle)
{
    span *out = bundle;
    memset(bundle, 0, bundle_size(n));
    for (int v = 0; v < count; v++) {
        for (int i = 0; i < n; i += SPAN)
            put_span(x + v * x_row + i, n - i < SPAN ? (n - i) / GROUP : GROUPS, v, out + i / SPAN);
    }
}

/* ---- weights ---- */

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
typedef struct rows {
    const uint8_t *at[VEC];
    int groups;
} rows;

/* 16 bytes of each row, `from` bytes behind its beginning: lane r of word[c] is bytes 4 c .. 4 c + 3 of row r. */
VEC_INLINE void words_of(const rows *r, size_t from, __m512i word[4])
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

/* The steps of 16 rows into register `side` of the panel. */
VEC_INLINE void unpack_bytes(const rows *r, int side, panel *out)
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
        }
    }
}

VEC_INLINE void unpack_nibbles(flaw_weight_type type, const rows *r, int side, panel *out)
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
        }
    }
}

/* What the scales of 16 rows are made of, gathered before the steps are unpacked and used behind it: a load that spans
 * several stores waits until these are done. Two F16, or one and something else; scales and offsets of Q4_K. */
typedef struct heads {
    uint32_t two[GROUPS][VEC];
    float scale[GROUPS][VEC], least[GROUPS][VEC];
} heads;

/* Q4_K, see unpack_q4_k of the reference; `second_half`: of a block. */
VEC_INLINE void gather_heads(flaw_weight_type type, const rows *r, bool second_half, heads *out)
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

VEC_INLINE void unpack_scales(flaw_weight_type type, const heads *in, int side, panel *out)
{
#pragma GCC unroll 4
    for (int g = 0; g < GROUPS; g++) {
        const __m512i two = _mm512_loadu_si512(in->two[g]);
        vf scale = _mm512_cvtph_ps(_mm512_cvtepi32_epi16(two));
        if (has_offsets(type)) {
            vf offset = _mm512_cvtph_ps(_mm512_cvtepi32_epi16(_mm512_srli_epi32(two, 16)));
            if (type == FLAW_WEIGHT_Q4_K) {
                scale = vf_mul(scale, vf_load(in->scale[g]));
                offset = vf_sub(vf_zero(), vf_mul(offset, vf_load(in->least[g])));
            }
            out->offset[g][side] = offset;
        }
        out->scale[g][side] = scale;
    }
}

/* Bytes before the steps or scales of span s in a row. */
VEC_INLINE size_t span_at(flaw_weight_type type, int s)
{
    if (type == FLAW_WEIGHT_Q4_K) return (size_t)s / 2 * 144 + 16 + (size_t)s % 2 * 64;
    return bytes_of(type, SPAN) * (size_t)s;
}

/* Span s of up to 32 rows. */
VEC_INLINE void unpack_of(flaw_weight_type type, const uint8_t *w, int n, int s, int count, panel *out)
{
    rows r = {.groups = n - s * SPAN < SPAN ? (n - s * SPAN) / GROUP : GROUPS};
    for (int side = 0; side < SIDE; side++) {
        for (int i = 0; i < VEC; i++) {
            const int row = side * VEC + i;
            r.at[i] = w + (size_t)(row < count ? row : 0) * bytes_of(type, n) + span_at(type, s);
        }
        heads h;
        gather_heads(type, &r, s % 2, &h);
        if (type == FLAW_WEIGHT_Q8_0) unpack_bytes(&r, side, out);
        else unpack_nibbles(type, &r, side, out);
        unpack_scales(type, &h, side, out);
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

/* ---- products ---- */

/* Whole sums of group g. */
VEC_INLINE void sum_group(const panel *w, const span *x, int g, __m512i whole[TILE_VECTORS][SIDE])
{
#pragma GCC unroll 10
    for (int t = 0; t < TILE_VECTORS; t++)
#pragma GCC unroll 2
        for (int s = 0; s < SIDE; s++) whole[t][s] = _mm512_setzero_si512();
#pragma GCC unroll 16
    for (int p = 0; p < PAIRS; p++) {
#pragma GCC unroll 10
        for (int t = 0; t < TILE_VECTORS; t++) {
            const __m512i each = _mm512_set1_epi32(x->pair[g][p][t]);
#pragma GCC unroll 2
            for (int s = 0; s < SIDE; s++) whole[t][s] = _mm512_dpwssd_epi32(whole[t][s], w->step[g][p][s], each);
        }
    }
}

/* Adds a group to `part`, the sums of a span in units of X; the last one brings them to `sum`. */
VEC_INLINE void add_group(bool offsets, const panel *w, const span *x, int g, float part[TILE_VECTORS][TILE_ROWS],
                          float sum[TILE_VECTORS][TILE_ROWS])
{
    __m512i whole[TILE_VECTORS][SIDE];
    sum_group(w, x, g, whole);
#pragma GCC unroll 10
    for (int t = 0; t < TILE_VECTORS; t++) {
#pragma GCC unroll 2
        for (int s = 0; s < SIDE; s++) {
            vf y = g > 0 ? vf_load(part[t] + s * VEC) : vf_zero();
            if (offsets) y = vf_fma(w->offset[g][s], vf_set(x->sum[g][t]), y);
            y = vf_fma(_mm512_cvtepi32_ps(whole[t][s]), w->scale[g][s], y);
            if (g < GROUPS - 1) vf_store(part[t] + s * VEC, y);
            else vf_store(sum[t] + s * VEC, vf_fma(y, vf_set(x->scale[t]), vf_load(sum[t] + s * VEC)));
        }
    }
}

/* Adds a span of 10 vectors and 32 rows to their sums. `next`: what will be multiplied then. */
VEC_INLINE void add_tile(bool offsets, const panel *w, const span *x, const span *next, float sum[TILE_VECTORS][TILE_ROWS])
{
    float part[TILE_VECTORS][TILE_ROWS];
    for (int g = 0; g < GROUPS; g++) {
        for (size_t at = 0; at < sizeof(span) / GROUPS; at += LINE)
            _mm_prefetch((const char *)next + (size_t)g * (sizeof(span) / GROUPS) + at, _MM_HINT_T0);
        if (g == 0) add_group(offsets, w, x, 0, part, sum);
        else if (g < GROUPS - 1) add_group(offsets, w, x, g, part, sum);
        else add_group(offsets, w, x, GROUPS - 1, part, sum);
    }
}

/* Never inlined: among the rest of a product the tile would not stay in registers. */
typedef void add_tile_of(const panel *w, const span *x, const span *next, float sum[TILE_VECTORS][TILE_ROWS]);

static __attribute__((noinline)) void add_tile_with_offsets(const panel *w, const span *x, const span *next,
                                                            float sum[TILE_VECTORS][TILE_ROWS])
{
    add_tile(true, w, x, next, sum);
}

static __attribute__((noinline)) void add_tile_without(const panel *w, const span *x, const span *next,
                                                       float sum[TILE_VECTORS][TILE_ROWS])
{
    add_tile(false, w, x, next, sum);
}

/* What lies in scratch: a span of rows, and the sums of all vectors. */
typedef struct work {
    panel w;
    float sum[][TILE_VECTORS][TILE_ROWS];
} work;

static int bundles_of(int vectors)
{
    return (vectors + TILE_VECTORS - 1) / TILE_VECTORS;
}

static size_t scratch_size(int n, int vectors)
{
    (void)n;
    return sizeof(work) + (size_t)bundles_of(vectors) * sizeof(float[TILE_VECTORS][TILE_ROWS]);
}

VEC_INLINE void product_of(flaw_weight_type type, const flaw_weight_product *p, void *scratch)
{
    add_tile_of *const add = has_offsets(type) ? add_tile_with_offsets : add_tile_without;
    work *at = scratch;
    const int bundles = bundles_of(p->vectors);
    const char *digits = p->digits;
    for (int row = 0; row < p->rows; row += TILE_ROWS) {
        const int count = p->rows - row < TILE_ROWS ? p->rows - row : TILE_ROWS;
        const uint8_t *w = (const uint8_t *)p->w + (size_t)row * bytes_of(type, p->n);
        memset(at->sum, 0, (size_t)bundles * sizeof at->sum[0]);
        for (int s = 0; s < spans_of(p->n); s++) {
            unpack_of(type, w, p->n, s, count, &at->w);
            for (int b = 0; b < bundles; b++) {
                const span *x = (const span *)(const void *)(digits + (size_t)b * p->digits_size) + s;
                const span *next = b + 1 < bundles ? (const span *)(const void *)((const char *)x + p->digits_size) : x;
                add(&at->w, x, next, at->sum[b]);
                ask_ahead(type, w, p->n, s, TILE_ROWS * b / bundles, TILE_ROWS * (b + 1) / bundles);
            }
        }
        for (int t = 0; t < p->vectors; t++)
            memcpy(p->y + t * p->y_row + row, at->sum[t / TILE_VECTORS][t % TILE_VECTORS], (size_t)count * sizeof *p->y);
    }
}

#define PRODUCT(name, type)                                                                                            \
    static __attribute__((noinline)) void product_##name(const flaw_weight_product *p, void *scratch)                  \
    {                                                                                                                  \
        product_of(type, p, scratch);                                                                                  \
    }

PRODUCT(q8_0, FLAW_WEIGHT_Q8_0)
PRODUCT(q4_0, FLAW_WEIGHT_Q4_0)
PRODUCT(q4_1, FLAW_WEIGHT_Q4_1)
PRODUCT(q4_k, FLAW_WEIGHT_Q4_K)

static void product(const flaw_weight_product *p, void *scratch)
{
    switch (p->type) {
    case FLAW_WEIGHT_Q8_0: product_q8_0(p, scratch); break;
    case FLAW_WEIGHT_Q4_0: product_q4_0(p, scratch); break;
    case FLAW_WEIGHT_Q4_1: product_q4_1(p, scratch); break;
    default: product_q4_k(p, scratch); break;
    }
}

const flaw_weight_many flaw_vnni_many = {
    .reads = {[FLAW_WEIGHT_Q8_0] = true, [FLAW_WEIGHT_Q4_0] = true, [FLAW_WEIGHT_Q4_1] = true, [FLAW_WEIGHT_Q4_K] = true},
    .bundle = TILE_VECTORS,
    .size = bundle_size,
    .prepare = prepare,
    .scratch = scratch_size,
    .product = product};
