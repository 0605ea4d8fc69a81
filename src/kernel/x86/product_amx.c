/* Products with AMX tiles: 2 x 2 tiles of 16 x 16 sums; a step is 64 bytes of k, 32 of bf16 or 64 of int8. bf16: denormals
 * are taken as 0. B is packed as for vdpbf16ps and vpdpbusd: 16 rows of groups of k by 32 columns are two tiles side by
 * side. */
#include <string.h>

#include "kernel/int8.h"
#include "kernel/simd/engine.h"
#include "kernel/x86/levels.h"
#include "kernel/x86/pack_bf16.h"
#include "kernel/x86/tile_config.h"
#include "kernel/x86/whole_avx512.h"
#include "kernel/simd/vec_math.h"
#include "kernel/x86/activation_avx512.h"

enum { TILE_ROWS = 32, TILE_COLS = 32, TILE_UNIT = 64 }; /* for int8.inc.c */

#include "kernel/x86/byte_values.inc.c"
#include "kernel/simd/int8.inc.c"

enum {
    TILE = 16,
    STEP_K = 32, /* bf16 */
    STEP_BYTES = 64,
    TILE_BYTES = 1024,
    STEPS = 16, /* of a k block */
    PANEL = STEPS * 2 * TILE_BYTES,
    A_BLOCK = 3 << 19 /* bytes */
};

static const flaw_tile_config eight_tiles = {.palette = 1,
                                             .row_bytes = {64, 64, 64, 64, 64, 64, 64, 64},
                                             .rows = {TILE, TILE, TILE, TILE, TILE, TILE, TILE, TILE}};

/* The registers belong to the thread; every call sets and releases them, so that nothing is kept between calls and a
 * switch of threads need not save them. */
static void begin(void)
{
    flaw_tiles_begin(&eight_tiles);
}

static void end(void)
{
    _tile_release();
}

/* A panel: [steps][2 tiles][16 rows][32 k]. */
static void pack_rows(const float *a, ptrdiff_t a_row, int live, int k, unsigned char *out)
{
    for (int q = 0; q < k; q += STEP_K, out += 2 * TILE_BYTES) {
        for (int i = 0; i < live; i++)
            vf_store((float *)(void *)(out + 64 * i), vf_neighbours(a + i * a_row + q, k - q));
        memset(out + 64 * live, 0, (size_t)(2 * TILE - live) * 64);
    }
}

/* A transposed: 16 rows lie along memory. 16 rows of pairs are transposed into a tile. */
static void pack_tile_transposed(const float *a, ptrdiff_t a_col, int live, int k, unsigned char *out)
{
    vf r[TILE];
#pragma GCC unroll 16
    for (int q = 0; q < TILE; q++) {
        vf first = 2 * q < k ? vf_load_some(a + 2 * q * a_col, live) : vf_zero();
        vf second = 2 * q + 1 < k ? vf_load_some(a + (2 * q + 1) * a_col, live) : vf_zero();
        r[q] = vf_pairs(first, second);
    }
    vf_transpose(r);
#pragma GCC unroll 16
    for (int i = 0; i < TILE; i++) vf_store((float *)(void *)(out + 64 * i), r[i]);
}

static void pack_a_bf16(const flaw_product *p, int i0, int live, int p0, int k, void *head, void *panel)
{
    const float *a = p->a + i0 * p->a_row + p0 * p->a_col;
    unsigned char *out = panel;
    if (p->a_col == 1) {
        pack_rows(a, p->a_row, live, k, out);
        return;
    }
    for (int q = 0; q < k; q += STEP_K, out += 2 * TILE_BYTES) {
        pack_tile_transposed(a + q * p->a_col, p->a_col, live < TILE ? live : TILE, k - q, out);
        if (live > TILE) pack_tile_transposed(a + TILE + q * p->a_col, p->a_col, live - TILE, k - q, out + TILE_BYTES);
        else memset(out + TILE_BYTES, 0, TILE_BYTES);
    }
}

/* Rows of 64 values; head as in int8.inc.c. */
static void pack_a_int8(const flaw_product *p, int i0, int live, int p0, int k, void *head, void *panel)
{
    flaw_int8_row *s = head;
    for (int i = 0; i < 2 * TILE; i++) {
        unsigned char *out = (unsigned char *)panel + STEP_BYTES * i;
        if (p0 == 0) s[i] = i < live ? scale_of_row(p, i0 + i) : (flaw_int8_row){0.0f, 0.0f, 0};
        for (int q = 0; q < k; q += STEP_BYTES, out += 2 * TILE_BYTES) {
            if (k - q < STEP_BYTES || i >= live) memset(out, 0, STEP_BYTES);
            if (i < live) pack_row(p, i0 + i, p0 + q, k - q < STEP_BYTES ? k - q : STEP_BYTES, s[i], out);
        }
    }
}

/* The sums of the columns times the zero points of the rows are subtracted as the sums are finished. */
VEC_INLINE vf without_zero(vf sum, flaw_int8_row row, vf columns)
{
    __m512i share = _mm512_mullo_epi32(_mm512_castps_si512(columns), _mm512_set1_epi32(row.zero));
    return _mm512_castsi512_ps(_mm512_sub_epi32(_mm512_castps_si512(sum), share));
}

#define LEVEL(name) flaw_amx_##name
#define WHOLE_SUM without_zero
#define ACTIVATION_NEAR vf_activation_near
#define FINISH_NEAR true
#include "kernel/simd/finish.inc.c"

VEC_INLINE void finish(const flaw_summed *t, int r0, int r1, bool whole)
{
    if (whole) flaw_amx_finish_int8(t, r0, r1);
    else flaw_amx_finish(t, r0, r1);
}

#define TILE_PRODUCT(c, a, b)                                                                                          \
    do {                                                                                                               \
        if (whole) _tile_dpbusd(c, a, b);                                                                              \
        else _tile_dpbf16ps(c, a, b);                                                                                  \
    } while (0)

/* Rows of the tile before that are finished in a step, so that all are when the sum is. */
VEC_INLINE int finish_share(const flaw_tile *t, int steps)
{
    int share = t->before ? (t->before->rows + steps - 1) / steps : 0;
    return share < 8 ? 8 : share;
}

VEC_INLINE void load_sums(const flaw_tile *t, bool low, bool right)
{
    const size_t row = (size_t)t->c_row * sizeof *t->c;
    const float *c = t->c, *c_low = c + TILE * t->c_row;
    _tile_loadd(0, c, row);
    if (right) _tile_loadd(1, c + TILE, row);
    if (low) _tile_loadd(2, c_low, row);
    if (low && right) _tile_loadd(3, c_low + TILE, row);
}

VEC_INLINE void store_sums(const flaw_tile *t, bool low, bool right)
{
    const size_t row = (size_t)t->c_row * sizeof *t->c;
    float *c = t->c, *c_low = c + TILE * t->c_row;
    _tile_stored(0, c, row);
    if (right) _tile_stored(1, c + TILE, row);
    if (low) _tile_stored(2, c_low, row);
    if (low && right) _tile_stored(3, c_low + TILE, row);
}

/* Tiles 0 1 / 2 3: sums; 4 5: A; 6 7: B. `low`: the lower 16 rows are needed; `right`: the right 16 columns. Of A and B the
 * one that passes by is loaded as what is not needed again soon, so that the panel of the other stays in the first cache.
 * Between the steps vectors finish the tile before, not at once, because its sums are still on their way to memory. */
VEC_INLINE void sum_tiles(const flaw_tile *t, bool whole, bool low, bool right)
{
    const int steps = (t->k * (whole ? 1 : 2) + STEP_BYTES - 1) / STEP_BYTES, share = finish_share(t, steps);
    const unsigned char *a = t->a, *b = t->b, *ahead = t->ahead;
    const size_t b_row = 2 * 64;
    const int ahead_step = 4 * t->ahead_step; /* a step is four of those that it is given for */
    const flaw_summed *before = t->before;
    int done = 0, rows = before ? before->rows : 0;
    if (t->resume) {
        load_sums(t, low, right);
    } else {
        _tile_zero(0);
        _tile_zero(1);
        _tile_zero(2);
        _tile_zero(3);
    }
    for (int step = 0; step < steps; step++, a += 2 * TILE_BYTES, b += 2 * TILE_BYTES) {
        if (t->a_passes) _tile_loadd(6, b, b_row);
        else _tile_stream_loadd(6, b, b_row);
        if (t->a_passes) _tile_stream_loadd(4, a, 64);
        else _tile_loadd(4, a, 64);
        TILE_PRODUCT(0, 4, 6);
        if (right && t->a_passes) _tile_loadd(7, b + 64, b_row);
        else if (right) _tile_stream_loadd(7, b + 64, b_row);
        if (right) TILE_PRODUCT(1, 4, 7);
        if (low && t->a_passes) _tile_stream_loadd(5, a + TILE_BYTES, 64);
        else if (low) _tile_loadd(5, a + TILE_BYTES, 64);
        if (low) TILE_PRODUCT(2, 5, 6);
        if (low && right) TILE_PRODUCT(3, 5, 7);
        if (ahead) {
            for (int q = 0; q < ahead_step; q += 64) _mm_prefetch(ahead + q, _MM_HINT_T1);
            ahead += ahead_step;
        }
        if (step > 0 && done < rows) {
            int next = done + share < rows ? done + share : rows;
            finish(before, done, next, whole);
            done = next;
        }
    }
    if (done < rows) finish(before, done, rows, whole);
    store_sums(t, low, right);
}

VEC_INLINE void sum_live(const flaw_tile *t, bool whole)
{
    bool low = t->live_rows > TILE, right = t->live_cols > TILE;
    if (low && right) sum_tiles(t, whole, true, true);
    else if (low) sum_tiles(t, whole, true, false);
    else if (right) sum_tiles(t, whole, false, true);
    else sum_tiles(t, whole, false, false);
}

static void sum_bf16(const flaw_tile *t)
{
    sum_live(t, false);
}

static void sum_int8(const flaw_tile *t)
{
    sum_live(t, true);
}

/* The two engines differ in what a value of k is. */
#define ENGINE(unit, value, a_head_size, b_head_size, pack_b, pack, sum_function, finish_function)                     \
    {                                                                                                                  \
        .rows = 2 * TILE, .cols = 2 * TILE, .block_rows = FLAW_TILE_ROWS, .across = 2 * TILE, .k_unit = (unit),        \
        .k_block = STEPS * (unit), .element = sizeof(value), .a_panel = PANEL, .a_block = A_BLOCK,                     \
        .a_head = (a_head_size), .b_head = (b_head_size), .begin = begin, .end = end, .pack_cols = (pack_b),           \
        .pack_a = (pack), .overlaps = true, .sum = (sum_function), .finish = (finish_function),                        \
        .column_sum = flaw_avx512_column_sum                                                                           \
    }

const flaw_engine flaw_amx_engine_bf16 =
    ENGINE(STEP_K, uint16_t, 0, 0, flaw_avx512_pack_bf16, pack_a_bf16, sum_bf16, flaw_amx_finish);
const flaw_engine flaw_amx_engine_int8 =
    ENGINE(STEP_BYTES, tile_value, A_HEAD, B_HEAD, pack_cols, pack_a_int8, sum_int8, flaw_amx_finish_int8);
