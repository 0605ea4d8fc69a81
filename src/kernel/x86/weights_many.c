/* Compact weights with many vectors (a prompt) in fixed point, for machines with AVX512-VNNI.
 *
 * As for words one by one (weights_digits.c) a group of 32 numbers of a vector becomes d X, here with X of two signed digits,
 * 16 bits: a hundred times finer than bf16. 32 rows of weights at a time become unsigned bytes, 16 rows to a register,
 * groups of four elements to a lane; a tile of 6 vectors by 32 rows of whole sums lives in registers through a group, and
 * the float32 sums of the tile through the row. Unpacking is paid once for all vectors. */
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "kernel/x86/levels.h"
#include "kernel/x86/vec_avx512.h"

enum {
    GROUP = 32,
    STEPS = GROUP / 4, /* of vpdpbusd in a group */
    DIGITS = 2,
    LARGEST = 127 * 0x101,
    SIDE = 2,          /* registers of rows of a tile */
    TILE_ROWS = SIDE * VEC,
    TILE_VECTORS = 6,
    SUPER = 256, /* elements of a Q4_K block */
};

/* A group of a vector: its digits, upper ones first, what they are multiplied with, and that times their sum. */
typedef struct group {
    int32_t digit[DIGITS][STEPS]; /* four signed bytes each */
} group;

typedef struct factors {
    float scale, sum;
} factors;

/* A group of a tile of rows: steps as unsigned bytes, and x = scale * step + offset. */
typedef struct panel {
    __m512i step[STEPS][SIDE];
    vf scale[SIDE], offset[SIDE];
} panel;

static size_t whole_lines(size_t size)
{
    return (size + 63) / 64 * 64;
}

/* ---- vectors ---- */

static size_t vector_size(int n)
{
    return whole_lines((size_t)(n / GROUP) * (sizeof(group) + sizeof(factors)));
}

/* Numbers that are not finite make scale and sum ones that are none; below 1e-30 everything is taken as 0. */
static void put_group(const float *x, group *out, factors *f)
{
    const vf half[2] = {vf_load(x), vf_load(x + VEC)};
    const int not_finite = 0x99; /* quiet and signalling NaN, both infinities */
    const bool bad = _mm512_fpclass_ps_mask(half[0], not_finite) || _mm512_fpclass_ps_mask(half[1], not_finite);
    const float top = bad ? 0.0f : vf_top(vf_max(vf_abs(half[0]), vf_abs(half[1])));
    const bool zero = top < 1e-30f;
    const float d = bad ? NAN : zero ? 0.0f : top / LARGEST, each = zero ? 0.0f : LARGEST / top;
    int total = 0;
    for (int h = 0; h < 2; h++) {
        __m512i whole = _mm512_cvtps_epi32(vf_mul(zero ? vf_zero() : half[h], vf_set(each)));
        total += _mm512_reduce_add_epi32(whole);
        __m128i low = _mm512_cvtepi32_epi8(whole);
        __m128i high = _mm512_cvtepi32_epi8(_mm512_srai_epi32(_mm512_sub_epi32(whole, _mm512_cvtepi8_epi32(low)), 8));
        _mm_storeu_si128((__m128i *)(void *)(out->digit[0] + 4 * h), high);
        _mm_storeu_si128((__m128i *)(void *)(out->digit[1] + 4 * h), low);
    }
    *f = (factors){.scale = d, .sum = d * (float)total};
}

static void prepare(int n, const float *x, void *out)
{
    group *groups = out;
    factors *f = (factors *)(void *)(groups + n / GROUP);
    for (int g = 0; g < n / GROUP; g++) put_group(x + (ptrdiff_t)g * GROUP, groups + g, f + g);
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

VEC_INLINE __m512i two_halves(const void *first, const void *second)
{
    return _mm512_inserti64x4(_mm512_castsi256_si512(_mm256_loadu_si256(first)), _mm256_loadu_si256(second), 1);
}

/* The steps of groups g and g + 1 of a row, g even, in order; `both` is false where the row ends behind the first. */
VEC_INLINE __m512i steps_of(flaw_weight_type type, const uint8_t *row, int g, bool both)
{
    const __m512i low4 = _mm512_set1_epi8(15);
    const size_t block = bytes_of(type, GROUP);
    const uint8_t *p = row + (size_t)g * block, *q = both ? p + block : p;
    if (type == FLAW_WEIGHT_Q8_0) return _mm512_xor_si512(two_halves(p + 2, q + 2), _mm512_set1_epi8(-128));
    if (type == FLAW_WEIGHT_Q4_K) {
        const __m512i shift = _mm512_setr_epi64(0, 0, 0, 0, 4, 4, 4, 4);
        p = row + (size_t)g / 8 * 144 + 16 + (size_t)g % 8 / 2 * 32;
        return _mm512_and_si512(_mm512_srlv_epi64(two_halves(p, p), shift), low4);
    }
    const __m512i shift = _mm512_setr_epi64(0, 0, 4, 4, 0, 0, 4, 4);
    const size_t front = block - 16;
    const __m256i first = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)(p + front)));
    const __m256i second = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)(q + front)));
    const __m512i nibbles = _mm512_inserti64x4(_mm512_castsi256_si512(first), second, 1);
    return _mm512_and_si512(_mm512_srlv_epi64(nibbles, shift), low4);
}

/* 16 rows, `bytes` apart, of which `live` exist; groups g and g + 1 into register `side` of two panels. */
VEC_INLINE void pack_steps(flaw_weight_type type, const uint8_t *row, size_t bytes, int live, int g, bool both, int side,
                           panel *out)
{
    vf r[VEC];
#pragma GCC unroll 16
    for (int i = 0; i < VEC; i++)
        r[i] = _mm512_castsi512_ps(steps_of(type, row + (size_t)(i < live ? i : 0) * bytes, g, both));
    vf_transpose(r);
#pragma GCC unroll 16
    for (int i = 0; i < VEC; i++)
        if (i < STEPS || both) out[i / STEPS].step[i % STEPS][side] = _mm512_castps_si512(r[i]);
}

VEC_INLINE vf vf_of_halves(const uint16_t h[VEC])
{
    return _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)(const void *)h));
}

/* Scales and offsets of group g of 16 rows. Q4_K, see unpack_q4_k of the reference. */
VEC_INLINE void pack_scales(flaw_weight_type type, const uint8_t *row, size_t bytes, int live, int g, int side, panel *out)
{
    uint16_t d[VEC], m[VEC];
    float scale[VEC], least[VEC];
    const size_t block = bytes_of(type, GROUP);
    const int j = g % 8;
    for (int i = 0; i < VEC; i++) {
        const uint8_t *p = row + (size_t)(i < live ? i : 0) * bytes;
        p += type == FLAW_WEIGHT_Q4_K ? (size_t)g / 8 * 144 : (size_t)g * block;
        memcpy(&d[i], p, 2);
        memcpy(&m[i], p + 2, 2);
        if (type != FLAW_WEIGHT_Q4_K) continue;
        const uint8_t *s = p + 4;
        scale[i] = (float)(j < 4 ? s[j] & 63 : (s[j + 4] & 15) | s[j - 4] >> 6 << 4);
        least[i] = (float)(j < 4 ? s[j + 4] & 63 : s[j + 4] >> 4 | s[j] >> 6 << 4);
    }
    const vf factor = vf_of_halves(d);
    switch (type) {
    case FLAW_WEIGHT_Q8_0: out->offset[side] = vf_mul(factor, vf_set(-128)); break;
    case FLAW_WEIGHT_Q4_0: out->offset[side] = vf_mul(factor, vf_set(-8)); break;
    case FLAW_WEIGHT_Q4_1: out->offset[side] = vf_of_halves(m); break;
    default: out->offset[side] = vf_sub(vf_zero(), vf_mul(vf_of_halves(m), vf_load(least))); break;
    }
    out->scale[side] = type == FLAW_WEIGHT_Q4_K ? vf_mul(factor, vf_load(scale)) : factor;
}

VEC_INLINE void pack_of(flaw_weight_type type, const uint8_t *w, int n, int rows, panel *out)
{
    const size_t bytes = bytes_of(type, n);
    for (int side = 0; side < SIDE; side++) {
        const int left = rows - side * VEC, live = left < 1 ? 1 : left < VEC ? left : VEC;
        const uint8_t *row = left < 1 ? w : w + (size_t)(side * VEC) * bytes;
        for (int g = 0; g < n / GROUP; g++) {
            if (g % 2 == 0) pack_steps(type, row, bytes, live, g, g + 1 < n / GROUP, side, out + g);
            pack_scales(type, row, bytes, live, g, side, out + g);
        }
    }
}

static void pack(flaw_weight_type type, const uint8_t *w, int n, int rows, panel *out)
{
    switch (type) {
    case FLAW_WEIGHT_Q8_0: pack_of(FLAW_WEIGHT_Q8_0, w, n, rows, out); break;
    case FLAW_WEIGHT_Q4_0: pack_of(FLAW_WEIGHT_Q4_0, w, n, rows, out); break;
    case FLAW_WEIGHT_Q4_1: pack_of(FLAW_WEIGHT_Q4_1, w, n, rows, out); break;
    default: pack_of(FLAW_WEIGHT_Q4_K, w, n, rows, out); break;
    }
}

/* ---- products ---- */

typedef struct tile {
    int groups;
    const panel *panels;
    const group *x[TILE_VECTORS];
    const factors *f[TILE_VECTORS];
} tile;

/* Whole sums of one group: the upper digits' times 256, then the lower ones'. */
VEC_INLINE void sum_group(const panel *w, const tile *t, int g, __m512i whole[TILE_VECTORS][SIDE])
{
#pragma GCC unroll 6
    for (int i = 0; i < TILE_VECTORS; i++)
#pragma GCC unroll 2
        for (int s = 0; s < SIDE; s++) whole[i][s] = _mm512_setzero_si512();
#pragma GCC unroll 2
    for (int d = 0; d < DIGITS; d++) {
        if (d > 0)
#pragma GCC unroll 6
            for (int i = 0; i < TILE_VECTORS; i++)
#pragma GCC unroll 2
                for (int s = 0; s < SIDE; s++) whole[i][s] = _mm512_slli_epi32(whole[i][s], 8);
#pragma GCC unroll 8
        for (int k = 0; k < STEPS; k++) {
#pragma GCC unroll 6
            for (int i = 0; i < TILE_VECTORS; i++) {
                const __m512i x = _mm512_set1_epi32(t->x[i][g].digit[d][k]);
#pragma GCC unroll 2
                for (int s = 0; s < SIDE; s++) whole[i][s] = _mm512_dpbusd_epi32(whole[i][s], w->step[k][s], x);
            }
        }
    }
}

/* y of 6 vectors and 32 rows. */
static void sum_tile(const tile *t, vf y[TILE_VECTORS][SIDE])
{
    vf sum[TILE_VECTORS][SIDE];
#pragma GCC unroll 6
    for (int i = 0; i < TILE_VECTORS; i++)
#pragma GCC unroll 2
        for (int s = 0; s < SIDE; s++) sum[i][s] = vf_zero();
    for (int g = 0; g < t->groups; g++) {
        const panel *w = t->panels + g;
        __m512i whole[TILE_VECTORS][SIDE];
        sum_group(w, t, g, whole);
#pragma GCC unroll 6
        for (int i = 0; i < TILE_VECTORS; i++) {
            const vf scale = vf_set(t->f[i][g].scale), total = vf_set(t->f[i][g].sum);
#pragma GCC unroll 2
            for (int s = 0; s < SIDE; s++) {
                sum[i][s] = vf_fma(w->offset[s], total, sum[i][s]);
                sum[i][s] = vf_fma(_mm512_cvtepi32_ps(whole[i][s]), vf_mul(w->scale[s], scale), sum[i][s]);
            }
        }
    }
#pragma GCC unroll 6
    for (int i = 0; i < TILE_VECTORS; i++)
#pragma GCC unroll 2
        for (int s = 0; s < SIDE; s++) y[i][s] = sum[i][s];
}

static size_t scratch_size(int n)
{
    return (size_t)(n / GROUP) * sizeof(panel);
}

/* The last vectors of a tile that are missing are its first one again. */
static void product_tile(const flaw_weight_product *p, int first, int row, int rows, const panel *panels)
{
    tile t = {.groups = p->n / GROUP, .panels = panels};
    vf y[TILE_VECTORS][SIDE];
    const int live = p->vectors - first < TILE_VECTORS ? p->vectors - first : TILE_VECTORS;
    for (int i = 0; i < TILE_VECTORS; i++) {
        const char *at = (const char *)p->digits + (size_t)(first + (i < live ? i : 0)) * p->digits_size;
        t.x[i] = (const group *)(const void *)at;
        t.f[i] = (const factors *)(const void *)(t.x[i] + t.groups);
    }
    sum_tile(&t, y);
    for (int i = 0; i < live; i++) {
        float *out = p->y + (first + i) * p->y_row + row;
        for (int s = 0, left = rows; s < SIDE && left > 0; s++, left -= VEC)
            vf_store_some(out + s * VEC, y[i][s], left < VEC ? left : VEC);
    }
}

static void product(const flaw_weight_product *p, void *scratch)
{
    const size_t bytes = bytes_of(p->type, p->n);
    for (int row = 0; row < p->rows; row += TILE_ROWS) {
        const int rows = p->rows - row < TILE_ROWS ? p->rows - row : TILE_ROWS;
        pack(p->type, (const uint8_t *)p->w + (size_t)row * bytes, p->n, rows, scratch);
        for (int first = 0; first < p->vectors; first += TILE_VECTORS) product_tile(p, first, row, rows, scratch);
    }
}

const flaw_weight_many flaw_vnni_many = {
    .reads = {[FLAW_WEIGHT_Q8_0] = true, [FLAW_WEIGHT_Q4_0] = true, [FLAW_WEIGHT_Q4_1] = true, [FLAW_WEIGHT_Q4_K] = true},
    .size = vector_size,
    .prepare = prepare,
    .scratch = scratch_size,
    .product = product};
