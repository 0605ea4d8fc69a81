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

/* Whole sums that did not begin with the share of the zero points get it here: of a row, of VEC columns. */
#ifndef WHOLE_SUM
#define WHOLE_SUM(x, row, columns) (x)
#endif

/* A cheaper activation for what bytes have lost anyway; FINISH_NEAR: for all that is finished here. */
#ifndef ACTIVATION_NEAR
#define ACTIVATION_NEAR vf_activation
#endif
#ifndef FINISH_NEAR
#define FINISH_NEAR false
#endif

/* What is the same in all rows of at most VEC columns of a tile. */
typedef struct column_terms {
    vf scale, sums, bias;
} column_terms;

VEC_INLINE column_terms terms_of(const flaw_summed *t, scales s, int h, int n)
{
    column_terms c = {.bias = t->p->bias ? vf_load_some(t->p->bias + t->j + h, n) : vf_set(-0.0f)}; /* which changes nothing */
    if (!s.row) return c;
    c.scale = vf_load_some(s.column + h, n);
    c.sums = vf_load_some(s.column + TILE_COLS + h, n);
    return c;
}

/* Sums of row r with their bias. */
VEC_INLINE vf biased_sum(const flaw_summed *t, scales s, column_terms c, int r, int h, int n)
{
    vf x = vf_load_some(t->sum + r * t->sum_row + h, n);
    if (s.row) x = vf_mul(vf_mul(vf_from_whole(WHOLE_SUM(x, s.row[r], c.sums)), vf_set(s.row[r].scale)), c.scale);
    return vf_add(x, c.bias);
}

/* Rows r0 .. r1 of n columns. `rare`: the product asks for more than an activation or a residual. */
VEC_INLINE void finish_columns(const flaw_summed *t, flaw_activation act, bool residual, bool rare, int r0, int r1, scales s,
                               int h, int n)
{
    const flaw_product *p = t->p;
    const column_terms c = terms_of(t, s, h, n);
    const ptrdiff_t row = p->c_row;
    ptrdiff_t at = (t->i + r0) * row + t->j + h;
    for (int r = r0; r < r1; r++, at += row) {
        vf x = biased_sum(t, s, c, r, h, n);
        if (rare && p->pre) store_far(p->pre + at, x, n); /* only the backward pass reads it */
        x = s.row || FINISH_NEAR ? ACTIVATION_NEAR(act, x) : vf_activation(act, x);
        if (residual) x = vf_add(x, vf_load_some(p->residual + at, n));
        if (rare && p->far) store_far(p->c + at, x, n);
        else vf_store_some(p->c + at, x, n);
    }
}

VEC_INLINE void finish_tile(const flaw_summed *t, flaw_activation act, bool residual, bool rare, int r0, int r1, scales s)
{
    int h = 0;
    for (; h + VEC <= t->cols; h += VEC) finish_columns(t, act, residual, rare, r0, r1, s, h, VEC);
    if (h < t->cols) finish_columns(t, act, residual, rare, r0, r1, s, h, t->cols - h);
}

VEC_INLINE void finish_rows(const flaw_summed *t, flaw_activation act, int r0, int r1, scales s)
{
    if (t->p->pre || t->p->far) {
        if (t->p->residual) finish_tile(t, act, true, true, r0, r1, s);
        else finish_tile(t, act, false, true, r0, r1, s);
    } else {
        if (t->p->residual) finish_tile(t, act, true, false, r0, r1, s);
        else finish_tile(t, act, false, false, r0, r1, s);
    }
}

/* The rows of a tile into the lists of the largest. Hardly any value gets past the last of its list. */
VEC_INLINE void keep_largest(const flaw_summed *t, int r0, int r1, scales s)
{
    const flaw_largest *l = t->p->largest;
    for (int h = 0; h < t->cols; h += VEC) {
        int n = t->cols - h < VEC ? t->cols - h : VEC;
        const column_terms c = terms_of(t, s, h, n);
        for (int r = r0; r < r1; r++) {
            flaw_ranked *list = l->list + (ptrdiff_t)(t->i + r) * l->keep;
            vf x = vf_keep(biased_sum(t, s, c, r, h, n), n, vf_set(-INFINITY));
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
