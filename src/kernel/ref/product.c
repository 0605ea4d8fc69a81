/* Reference product. Packed B is plain rows [k, n], as float32 or as bf16. */
#include "kernel/bf16.h"
#include "kernel/ref/ref.h"

enum { BLOCK = 64 }; /* columns summed at a time, so that B is read along its rows */

size_t flaw_ref_pack_size(flaw_precision prec, int k, int n)
{
    return (size_t)k * (size_t)n * (prec == FLAW_BF16 ? sizeof(uint16_t) : sizeof(float));
}

void flaw_ref_pack_cols(flaw_precision prec, int k, int n, const float *b, ptrdiff_t b_row, ptrdiff_t b_col, int n0,
                        int n1, void *out)
{
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

size_t flaw_ref_product_scratch(flaw_precision prec, int k)
{
    return 64; /* unused, but never an empty allocation */
}

/* sum[0 .. columns) += row i of A times columns j0 .. of B. */
static void sum_row(flaw_precision prec, const flaw_product *p, int i, int j0, int columns, float *sum)
{
    for (int q = 0; q < p->k; q++) {
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
    if (!p->accumulate) {
        if (p->bias) x += p->bias[j];
        if (p->pre) p->pre[at] = x;
        x = flaw_ref_activation(p->act, x);
        if (p->residual) x += p->residual[at];
    }
    p->c[at] = x;
}

void flaw_ref_product(flaw_precision prec, const flaw_product *p, int m0, int m1, int n0, int n1, void *scratch)
{
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
