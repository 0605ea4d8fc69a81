/* Reference product. Packed B is plain rows [k, n], as float32, as bf16, or as int8 behind the scales [n] of its columns.
 * Packed A is the rows as they are, or as int8 each behind its scale. */
#include <string.h>

#include "kernel/bf16.h"
#include "kernel/int8.h"
#include "kernel/ref/ref.h"

enum { BLOCK = 64 }; /* columns summed at a time, so that B is read along its rows */

size_t flaw_ref_pack_size(flaw_precision prec, int k, int n)
{
    size_t values = (size_t)k * (size_t)n;
    if (prec == FLAW_INT8) return (size_t)n * sizeof(float) + values;
    return values * (prec == FLAW_BF16 ? sizeof(uint16_t) : sizeof(float));
}

static void pack_int8(int k, int n, const float *b, ptrdiff_t b_row, ptrdiff_t b_col, int n0, int n1, void *out)
{
    float *scale = out;
    int8_t *q = (int8_t *)(scale + n);
    for (int j = n0; j < n1; j++) {
        const float *column = b + j * b_col;
        flaw_int8_scale s = flaw_int8_scale_of(flaw_int8_largest((size_t)k, column, b_row));
        scale[j] = s.scale;
        for (int p = 0; p < k; p++) q[(size_t)p * (size_t)n + (size_t)j] = flaw_int8_round(column[p * b_row], s);
    }
}

void flaw_ref_pack_cols(flaw_precision prec, int k, int n, const float *b, ptrdiff_t b_row, ptrdiff_t b_col, int n0,
                        int n1, void *out)
{
    if (prec == FLAW_INT8) {
        pack_int8(k, n, b, b_row, b_col, n0, n1, out);
        return;
    }
    for (int p = 0; p < k; p++) {
        for (int j = n0; j < n1; j++) {
            float x = b[p * b_row + j * b_col];
            size_t at = (size_t)p * (size_t)n + (size_t)j;
            if (prec == FLAW_BF16) ((uint16_t *)out)[at] = flaw_bf16_from_float(x);
            else ((float *)out)[at] = x;
        }
    }
}

void flaw_ref_pack(flaw_precision prec, int k, int n, const float *b, ptrdiff_t b_row, ptrdiff_t b_col, void *out)
{
    flaw_ref_pack_cols(prec, k, n, b, b_row, b_col, 0, n, out);
}

int flaw_ref_panel(flaw_precision prec)
{
    return FLAW_TILE_COLS; /* B of more columns is one panel all the same; nobody packs such a one by chunks */
}

int flaw_ref_row_panel(flaw_precision prec)
{
    return 1;
}

/* A row of A: its scale and its values without their zero point, padded to whole floats; or just floats. */
static size_t row_size(flaw_precision prec, int k)
{
    return prec == FLAW_INT8 ? sizeof(float) + ((size_t)k + 1) / 2 * sizeof(float) : (size_t)k * sizeof(float);
}

size_t flaw_ref_rows_size(flaw_precision prec, int m, int k)
{
    return (size_t)m * row_size(prec, k);
}

static void pack_row_int8(int k, const float *a, ptrdiff_t a_col, void *out)
{
    flaw_int8_row s = flaw_int8_row_of((size_t)k, a, a_col);
    int16_t *q = (int16_t *)((float *)out + 1);
    *(float *)out = s.scale;
    for (int p = 0; p < k; p++) q[p] = (int16_t)flaw_int8_row_round(a[p * a_col], s);
}

static void copy_row_int8(const flaw_product *p, int i, void *out)
{
    const uint8_t *from = p->a_whole + i * p->a_row;
    int16_t *q = (int16_t *)((float *)out + 1);
    *(float *)out = p->a_scales[i].scale;
    for (int j = 0; j < p->k; j++) q[j] = (int16_t)(from[j] - p->a_scales[i].zero);
}

void flaw_ref_pack_rows(flaw_precision prec, int m, int k, const float *a, ptrdiff_t a_row, void *out)
{
    unsigned char *at = out;
    for (int i = 0; i < m; i++, at += row_size(prec, k)) {
        if (prec == FLAW_INT8) pack_row_int8(k, a + i * a_row, 1, at);
        else memcpy(at, a + i * a_row, row_size(prec, k));
    }
}

size_t flaw_ref_product_scratch(flaw_precision prec, int k)
{
    size_t row = prec == FLAW_INT8 ? row_size(prec, k) : 0;
    return row > 64 ? row : 64; /* never an empty allocation */
}

/* Four rows of B at a time, in the same order of sums: the sums are fetched and put back a fourth as often. Most of the time of
 * the sanitizers' tests went there. */
static int sum_fours(const flaw_product *p, int i, int j0, int columns, float *sum)
{
    int q = 0;
    for (; q + 4 <= p->k; q += 4) {
        const float *a = p->a + i * p->a_row + q * p->a_col;
        const float x0 = a[0], x1 = a[p->a_col], x2 = a[2 * p->a_col], x3 = a[3 * p->a_col];
        const float *b0 = (const float *)p->b + (size_t)q * (size_t)p->n + (size_t)j0;
        const float *b1 = b0 + p->n, *b2 = b1 + p->n, *b3 = b2 + p->n;
        for (int j = 0; j < columns; j++) sum[j] = sum[j] + x0 * b0[j] + x1 * b1[j] + x2 * b2[j] + x3 * b3[j];
    }
    return q;
}

/* sum[0 .. columns) += row i of A times columns j0 .. of B. */
static void sum_row(flaw_precision prec, const flaw_product *p, int i, int j0, int columns, float *sum)
{
    for (int q = prec == FLAW_F32 ? sum_fours(p, i, j0, columns, sum) : 0; q < p->k; q++) {
        float x = p->a[i * p->a_row + q * p->a_col];
        size_t at = (size_t)q * (size_t)p->n + (size_t)j0;
        if (prec == FLAW_BF16) {
            x = flaw_bf16_round(x);
            const uint16_t *b = (const uint16_t *)p->b + at;
            for (int j = 0; j < columns; j++) sum[j] += x * flaw_bf16_to_float(b[j]);
        } else {
            const float *b = (const float *)p->b + at;
            for (int j = 0; j < columns; j++) sum[j] += x * b[j];
        }
    }
}

/* What becomes of a sum. */
static void finish(const flaw_product *p, int i, int j, float x)
{
    ptrdiff_t at = i * p->c_row + j;
    if (p->largest) {
        const flaw_largest *l = p->largest;
        flaw_ranked found = {p->bias ? x + p->bias[j] : x, l->from + j};
        flaw_largest_put(l->list + (ptrdiff_t)i * l->keep, l->keep, found);
        return;
    }
    if (!p->accumulate) {
        if (p->bias) x += p->bias[j];
        if (p->pre) p->pre[at] = x;
        x = flaw_ref_activation(p->act, x);
        if (p->residual) x += p->residual[at];
    }
    p->c[at] = x;
}

/* Whole sums of columns j0 .. of a quantised row. */
static void sum_whole(const flaw_product *p, const int16_t *row, int j0, int columns, int32_t *sum)
{
    const int8_t *q = (const int8_t *)((const float *)p->b + p->n) + j0;
    for (int j = 0; j < columns; j++) sum[j] = 0;
    for (int k = 0; k < p->k; k++, q += p->n)
        for (int j = 0; j < columns; j++) sum[j] += row[k] * q[j];
}

static void product_int8(const flaw_product *p, int m0, int m1, int n0, int n1, void *scratch)
{
    const float *scale = p->b;
    for (int i = m0; i < m1; i++) {
        const unsigned char *row = (const unsigned char *)p->a_packed + (size_t)i * row_size(FLAW_INT8, p->k);
        if (!p->a_packed) {
            if (p->a_whole) copy_row_int8(p, i, scratch);
            else pack_row_int8(p->k, p->a + i * p->a_row, p->a_col, scratch);
            row = scratch;
        }
        float row_scale = *(const float *)(const void *)row;
        for (int j0 = n0; j0 < n1; j0 += BLOCK) {
            int columns = n1 - j0 < BLOCK ? n1 - j0 : BLOCK;
            int32_t sum[BLOCK];
            sum_whole(p, (const int16_t *)((const float *)(const void *)row + 1), j0, columns, sum);
            for (int j = 0; j < columns; j++) finish(p, i, j0 + j, (float)sum[j] * row_scale * scale[j0 + j]);
        }
    }
}

void flaw_ref_product(flaw_precision prec, const flaw_product *p, int m0, int m1, int n0, int n1, void *scratch)
{
    flaw_product plain = *p;
    if (prec == FLAW_INT8) {
        product_int8(p, m0, m1, n0, n1, scratch);
        return;
    }
    if (p->a_packed) {
        plain.a = p->a_packed;
        plain.a_row = p->k;
        plain.a_col = 1;
        p = &plain;
    }
    for (int i = m0; i < m1; i++) {
        for (int j0 = n0; j0 < n1; j0 += BLOCK) {
            int columns = n1 - j0 < BLOCK ? n1 - j0 : BLOCK;
            float sum[BLOCK];
            for (int j = 0; j < columns; j++) sum[j] = p->accumulate ? p->c[i * p->c_row + j0 + j] : 0.0f;
            sum_row(prec, p, i, j0, columns, sum);
            for (int j = 0; j < columns; j++) finish(p, i, j0 + j, sum[j]);
        }
        for (int q = 0; q < p->k && p->a_sums && n0 == 0; q++) p->a_sums[i] += p->a[i * p->a_row + q * p->a_col];
    }
}
