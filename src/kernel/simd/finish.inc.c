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

/* Whole sums that did not begin with the share of the zero points get it here. */
#ifndef WHOLE_SUM
#define WHOLE_SUM(x, s, r, h, n) (x)
#endif

/* n sums from column h of a row r of a tile. */
VEC_INLINE vf finish_sum(const float *sum, scales s, int r, int h, int n)
{
    vf x = vf_load_some(sum + h, n);
    return s.row ? vf_mul(vf_mul(vf_from_whole(WHOLE_SUM(x, s, r, h, n)), vf_set(s.row[r].scale)), vf_load_some(s.column + h, n)) : x;
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

VEC_INLINE void finish_rows(const flaw_summed *t, flaw_activation act, int r0, int r1, scales s)
{
    for (int r = r0; r < r1; r++) {
        const float *sum = t->sum + r * t->sum_row;
        int h = 0;
        for (; h + VEC <= t->cols; h += VEC)
            finish_lanes(t->p, act, t->i + r, t->j + h, finish_sum(sum, s, r, h, VEC), VEC);
        if (h < t->cols) finish_lanes(t->p, act, t->i + r, t->j + h, finish_sum(sum, s, r, h, t->cols - h), t->cols - h);
    }
}

/* n values of a row of sums with their bias, -infinity behind them. */
VEC_INLINE vf biased(const flaw_product *p, int j, vf x, int n)
{
    if (p->bias) x = vf_add(x, vf_load_some(p->bias + j, n));
    return vf_keep(x, n, vf_set(-INFINITY));
}

/* The rows of a tile into the lists of the largest. Hardly any value gets past the last of its list. */
VEC_INLINE void keep_largest(const flaw_summed *t, int r0, int r1, scales s)
{
    const flaw_largest *l = t->p->largest;
    for (int r = r0; r < r1; r++) {
        const float *sum = t->sum + r * t->sum_row;
        flaw_ranked *list = l->list + (ptrdiff_t)(t->i + r) * l->keep;
        for (int h = 0; h < t->cols; h += VEC) {
            int n = t->cols - h < VEC ? t->cols - h : VEC;
            vf x = biased(t->p, t->j + h, finish_sum(sum, s, r, h, n), n);
            if (!vf_reaches(x, list[l->keep - 1].value)) continue;
            float value[VEC];
            vf_store(value, x);
            for (int q = 0; q < n; q++)
                flaw_largest_put(list, l->keep, (flaw_ranked){value[q], l->from + t->j + h + q});
        }
    }
}

VEC_INLINE void finish_any(const flaw_summed *t, int r0, int r1, scales s)
{
    if (t->p->largest) {
        keep_largest(t, r0, r1, s);
        return;
    }
    switch (t->p->act) {
    case FLAW_ACT_NONE: finish_rows(t, FLAW_ACT_NONE, r0, r1, s); break;
    case FLAW_ACT_GELU: finish_rows(t, FLAW_ACT_GELU, r0, r1, s); break;
    case FLAW_ACT_QUICK_GELU: finish_rows(t, FLAW_ACT_QUICK_GELU, r0, r1, s); break;
    case FLAW_ACT_SILU: finish_rows(t, FLAW_ACT_SILU, r0, r1, s); break;
    }
}

void LEVEL(finish)(const flaw_summed *t, int r0, int r1)
{
    if (!t->p->accumulate) {
        finish_any(t, r0, r1, (scales){NULL, NULL});
        return;
    }
    for (int r = r0; r < r1; r++) /* the sums started from C */
        memcpy(t->p->c + (t->i + r) * t->p->c_row + t->j, t->sum + r * t->sum_row, (size_t)t->cols * sizeof *t->sum);
}

/* The heads of the tile: as int8.inc.c writes them. */
void LEVEL(finish_int8)(const flaw_summed *t, int r0, int r1)
{
    finish_any(t, r0, r1, (scales){t->a_head, t->b_head});
}
