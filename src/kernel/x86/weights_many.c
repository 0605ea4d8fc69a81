/* Compact weights with many vectors (a prompt) in fixed point, for machines with AVX512-VNNI.
 *
 * A span of 128 numbers of a vector becomes d X, X whole numbers of 16 bits; steps of weights are widened to 16 bits as
 * well, and vpdpwssd multiplies 32 pairs. (Two digits of 8 bits and vpdpbusd would take as many instructions, and some more
 * to bring the digits together.) A tile of 10 vectors by 32 rows of whole sums lives in registers through a group of 32,
 * which has a scale of its own in each row; float32 sums lie in the first cache, since loads and stores come for free. Rows
 * are unpacked a span at a time, once for all vectors (weights_span.h). */
#include <math.h>
#include <string.h>

#include "kernel/x86/levels.h"
#include "kernel/x86/weights_span.h"

enum {
    LARGEST = 32767,
    TILE_VECTORS = 10,
};

/* A span of the vectors of a tile: X, sums of X in each group, d. Whole lines. */
typedef struct span {
    int32_t pair[GROUPS][PAIRS][TILE_VECTORS];
    float sum[GROUPS][TILE_VECTORS];
    float scale[TILE_VECTORS];
    float unused[14];
} span;

/* ---- vectors ---- */

static int vectors_of_tile(int vectors)
{
    (void)vectors;
    return TILE_VECTORS;
}

VEC_INLINE __m256i whole_16(vf x, vf each)
{
    return _mm512_cvtepi32_epi16(_mm512_cvtps_epi32(vf_mul(x, each)));
}

/* A group of vector v. */
static void put_group(const float *x, float each, int v, int group, span *out)
{
    const __m256i first = whole_16(vf_load(x), vf_set(each)), second = whole_16(vf_load(x + VEC), vf_set(each));
    const __m512i all = _mm512_inserti64x4(_mm512_castsi256_si512(first), second, 1);
    const __m512i sums = _mm512_madd_epi16(all, _mm512_set1_epi16(1));
    int32_t pair[PAIRS];
    _mm512_storeu_si512(pair, in_pairs(all));
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
    memset(bundle, 0, (size_t)spans_of(n) * sizeof *out);
    for (int v = 0; v < count; v++) {
        for (int i = 0; i < n; i += SPAN)
            put_span(x + v * x_row + i, n - i < SPAN ? (n - i) / GROUP : GROUPS, v, out + i / SPAN);
    }
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

static size_t scratch_size(int rows, int vectors)
{
    (void)rows;
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
            unpack_of(false, type, w, p->n, s, count, &at->w);
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

#include "kernel/x86/weights_each.inc.c"

const flaw_weight_many flaw_vnni_many = {
    .reads = READS_EACH,
    .bundle = vectors_of_tile,
    .size = bundle_size,
    .prepare = prepare,
    .scratch = scratch_size,
    .product = product_any};
