/* bf16 products with vdpbf16ps: a step is a pair of k. The instruction takes denormals as 0 and rounds to nearest. */
#include <string.h>

#include "kernel/bf16.h"
#include "kernel/simd/engine.h"
#include "kernel/x86/levels.h"
#include "kernel/x86/pack_bf16.h"

enum { TILE_ROWS = 12, TILE_VECS = 2, TILE_DEPTH = 256 };

VEC_INLINE vf tile_step(vf a, vf b, vf sum)
{
    return _mm512_dpbf16_ps(sum, (__m512bh)a, (__m512bh)b);
}

VEC_INLINE vf tile_first(const flaw_tile *t, int i, int h)
{
    return vf_zero();
}

#include "kernel/simd/tile.h"

/* k is padded to whole rows of an AMX tile, because both levels read the same packed B. */
enum { K_UNIT = 32 };

/* Pairs p, p + 1 of `live` rows that lie along memory. */
VEC_INLINE vf pair_of_rows(const float *x, ptrdiff_t row, int p, int k, int live)
{
    vf first = vf_load_some(x + p * row, live);
    return vf_pairs(first, p + 1 < k ? vf_load_some(x + (p + 1) * row, live) : vf_zero());
}

static void pack_a(const flaw_product *p, int i0, int live, int p0, int k, void *head, void *panel)
{
    const float *a = p->a + i0 * p->a_row + p0 * p->a_col;
    float *out = panel;
    if (p->a_col != 1) {
        for (int q = 0; q < k; q += 2) vf_store(out + q / 2 * TILE_ROWS, pair_of_rows(a, p->a_col, q, k, live));
        return;
    }
    for (int i = 0; i < live; i++)
        for (int q = 0; q < k; q += 2 * VEC)
            vf_store(out + i * TILE_STRIDE + q / 2, vf_neighbours(a + i * p->a_row + q, k - q));
    if (live < TILE_ROWS) memset(out + live * TILE_STRIDE, 0, (size_t)(TILE_ROWS - live) * TILE_STRIDE * sizeof *out);
}

static void sum(const flaw_tile *t)
{
    tile_sum_live(t, (t->k + 1) / 2);
}

const flaw_engine flaw_avx512_engine_bf16 = {.rows = TILE_ROWS,
                                             .cols = TILE_COLS,
                                             .block_rows = FLAW_TILE_ROWS,
                                             .k_unit = K_UNIT,
                                             .k_block = 2 * TILE_DEPTH,
                                             .element = sizeof(uint16_t),
                                             .a_panel = TILE_PANEL,
                                             .pack_cols = flaw_avx512_pack_bf16,
                                             .pack_a = pack_a,
                                             .sum = sum,
                                             .finish = flaw_avx512_finish,
                                             .column_sum = flaw_avx512_column_sum};

/* 32 k from p on of one panel of B, as 16 rows of pairs. */
static void pack_rows(int p, int k, int live, const float *b, ptrdiff_t b_row, float *out)
{
    int left = live < VEC ? live : VEC, right = live - left;
    for (int q = p; q < p + K_UNIT; q += 2, out += TILE_COLS) {
        vf_store(out, q < k ? pair_of_rows(b, b_row, q, k, left) : vf_zero());
        vf_store(out + VEC, q < k && right ? pair_of_rows(b + VEC, b_row, q, k, right) : vf_zero());
    }
}

static void pack_columns(int p, int k, int live, const float *b, ptrdiff_t b_col, float *out)
{
    for (int h = 0; h < TILE_COLS; h += VEC) {
        vf r[VEC];
#pragma GCC unroll 16
        for (int c = 0; c < VEC; c++) r[c] = h + c < live ? vf_neighbours(b + (h + c) * b_col + p, k - p) : vf_zero();
        vf_transpose(r);
#pragma GCC unroll 16
        for (int q = 0; q < VEC; q++) vf_store(out + q * TILE_COLS + h, r[q]);
    }
}

static void pack_slowly(int p, int k, int live, const float *b, ptrdiff_t b_row, ptrdiff_t b_col, uint16_t *out)
{
    for (int q = p; q < p + K_UNIT; q++)
        for (int c = 0; c < TILE_COLS; c++)
            out[((q - p) / 2 * TILE_COLS + c) * 2 + q % 2] =
                q < k && c < live ? flaw_bf16_from_float(b[q * b_row + c * b_col]) : 0;
}

void flaw_avx512_pack_bf16(int k, int n, const float *b, ptrdiff_t b_row, ptrdiff_t b_col, int n0, int n1, void *out)
{
    size_t panel = flaw_engine_panel_size(&flaw_avx512_engine_bf16, k);
    for (int p = 0; p < k; p += K_UNIT) {
        for (int j = n0; j < n1; j += TILE_COLS) {
            int live = n - j < TILE_COLS ? n - j : TILE_COLS;
            const float *from = b + j * b_col;
            unsigned char *at =
                (unsigned char *)out + (size_t)(j / TILE_COLS) * panel + (size_t)p * TILE_COLS * sizeof(uint16_t);
            if (b_col == 1) pack_rows(p, k, live, from, b_row, (float *)(void *)at);
            else if (b_row == 1) pack_columns(p, k, live, from, b_col, (float *)(void *)at);
            else pack_slowly(p, k, live, from, b_row, b_col, (uint16_t *)(void *)at);
        }
    }
}
