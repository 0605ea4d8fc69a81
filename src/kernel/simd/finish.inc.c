/* The finish of a tile of sums: bias, activation, residual. Rows of sums lie sum_row apart. int8: the sums are whole numbers
 * that the scales of their row and column make floats of. */

/* Past the caches where memory allows: without the read of what is overwritten it takes half the time. */
VEC_INLINE void store_far(float *p, vf v, int n)
{
    if (n == VEC && (uintptr_t)p % sizeof v == 0) vf_stream(p, v);
    else vf_store_some(p, v, n);
}

/* What scales whole sums; for floats a NULL that is a constant where this is inlined. */
typedef struct scales {
    const flaw_int8_row *row;
    const float *column;
} scales;

/* n sums from column h of a row r of a tile. */
VEC_INLINE vf finish_sum(const float *sum, scales s, int r, int h, int n)
{
    vf x = vf_load_some(sum + h, n);
    return s.row ? vf_mul(vf_mul(vf_from_whole(x), vf_set(s.row[r].scale)), vf_load_some(s.column + h, n)) : x;
}

VEC_INLINE void finish_lanes(const flaw_product *p, flaw_activation act, int i, int j, vf x, int n)
{
    ptrdiff_t at = i * p->c_row + j;
    if (p->bias) x = vf_add(x, vf_load_some(p->bias + j, n));
    if (p->pre) store_far(p->pre + at, x, n); /* only the backward pass reads it */
    x = vf_activation(act, x);
    if (p->residual) x = vf_add(x, vf_load_some(p->residual + at, n));
    if (p->far) store_far(p->c + at, x, n);
    else vf_store_some(p->c + at, x, n);
}

VEC_INLINE void finish_tile(const flaw_product *p, flaw_activation act, int i, int j, int rows, int cols, const float *sum,
                            ptrdiff_t sum_row, scales s)
{
    for (int r = 0; r < rows; r++, sum += sum_row) {
        int h = 0;
        for (; h + VEC <= cols; h += VEC) finish_lanes(p, act, i + r, j + h, finish_sum(sum, s, r, h, VEC), VEC);
        if (h < cols) finish_lanes(p, act, i + r, j + h, finish_sum(sum, s, r, h, cols - h), cols - h);
    }
}

/* n values of a row of sums with their bias, -infinity behind them. */
VEC_INLINE vf biased(const flaw_product *p, int j, vf x, int n)
{
    if (p->bias) x = vf_add(x, vf_load_some(p->bias + j, n));
    return vf_keep(x, n, vf_set(-INFINITY));
}

/* The rows of a tile into the lists of the largest. Hardly any value gets past the last of its list. */
VEC_INLINE void keep_largest(const flaw_product *p, int i, int j, int rows, int cols, const float *sum, ptrdiff_t sum_row,
                             scales s)
{
    const flaw_largest *l = p->largest;
    for (int r = 0; r < rows; r++, sum += sum_row) {
        flaw_ranked *list = l->list + (ptrdiff_t)(i + r) * l->keep;
        for (int h = 0; h < cols; h += VEC) {
            int n = cols - h < VEC ? cols - h : VEC;
            vf x = biased(p, j + h, finish_sum(sum, s, r, h, n), n);
            if (!vf_reaches(x, list[l->keep - 1].value)) continue;
            float value[VEC];
            vf_store(value, x);
            for (int q = 0; q < n; q++)
                flaw_largest_put(list, l->keep, (flaw_ranked){value[q], l->from + j + h + q});
        }
    }
}

VEC_INLINE void finish_any(const flaw_product *p, int i, int j, int rows, int cols, const float *sum, ptrdiff_t sum_row,
                           scales s)
{
    if (p->largest) {
        keep_largest(p, i, j, rows, cols, sum, sum_row, s);
        return;
    }
    switch (p->act) {
    case FLAW_ACT_NONE: finish_tile(p, FLAW_ACT_NONE, i, j, rows, cols, sum, sum_row, s); break;
    case FLAW_ACT_GELU: finish_tile(p, FLAW_ACT_GELU, i, j, rows, cols, sum, sum_row, s); break;
    case FLAW_ACT_QUICK_GELU: finish_tile(p, FLAW_ACT_QUICK_GELU, i, j, rows, cols, sum, sum_row, s); break;
    case FLAW_ACT_SILU: finish_tile(p, FLAW_ACT_SILU, i, j, rows, cols, sum, sum_row, s); break;
    }
}

void LEVEL(finish)(const flaw_product *p, int i, int j, int rows, int cols, const float *sum, ptrdiff_t sum_row,
                   const void *a_head, const void *b_head)
{
    if (!p->accumulate) {
        finish_any(p, i, j, rows, cols, sum, sum_row, (scales){NULL, NULL});
        return;
    }
    for (int r = 0; r < rows; r++) /* the sums started from C */
        memcpy(p->c + (i + r) * p->c_row + j, sum + r * sum_row, (size_t)cols * sizeof *sum);
}

/* a_head, b_head: as int8.inc.c writes them. */
void LEVEL(finish_int8)(const flaw_product *p, int i, int j, int rows, int cols, const float *sum, ptrdiff_t sum_row,
                        const void *a_head, const void *b_head)
{
    finish_any(p, i, j, rows, cols, sum, sum_row, (scales){a_head, b_head});
}
