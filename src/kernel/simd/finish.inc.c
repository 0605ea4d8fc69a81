/* The finish of a tile of sums: bias, activation, residual. Sums lie TILE_COLS apart. */

/* Past the caches where memory allows: without the read of what is overwritten it takes half the time. */
VEC_INLINE void store_far(float *p, vf v, int n)
{
    if (n == VEC && (uintptr_t)p % sizeof v == 0) vf_stream(p, v);
    else vf_store_some(p, v, n);
}

VEC_INLINE void finish_lanes(const flaw_product *p, flaw_activation act, int i, int j, const float *sum, int n)
{
    ptrdiff_t at = i * p->c_row + j;
    vf x = vf_load_some(sum, n);
    if (p->bias) x = vf_add(x, vf_load_some(p->bias + j, n));
    if (p->pre) store_far(p->pre + at, x, n); /* only the backward pass reads it */
    x = vf_activation(act, x);
    if (p->residual) x = vf_add(x, vf_load_some(p->residual + at, n));
    if (p->far) store_far(p->c + at, x, n);
    else vf_store_some(p->c + at, x, n);
}

VEC_INLINE void finish_tile(const flaw_product *p, flaw_activation act, int i, int j, int rows, int cols,
                            const float *sum)
{
    for (int r = 0; r < rows; r++, sum += TILE_COLS) {
        int h = 0;
        for (; h + VEC <= cols; h += VEC) finish_lanes(p, act, i + r, j + h, sum + h, VEC);
        if (h < cols) finish_lanes(p, act, i + r, j + h, sum + h, cols - h);
    }
}

/* n values of a row of sums with their bias; -infinity behind them. */
VEC_INLINE vf biased(const flaw_product *p, int j, const float *sum, int n)
{
    if (n <= 0) return vf_set(-INFINITY);
    vf x = vf_load_some(sum, n);
    if (p->bias) x = vf_add(x, vf_load_some(p->bias + j, n));
    return vf_keep(x, n, vf_set(-INFINITY));
}

/* The rows of a tile into the lists of the largest. Hardly any value gets past the last of its list. */
static void keep_largest(const flaw_product *p, int i, int j, int rows, int cols, const float *sum)
{
    const flaw_largest *l = p->largest;
    int left = cols < VEC ? cols : VEC;
    for (int r = 0; r < rows; r++, sum += TILE_COLS) {
        flaw_ranked *list = l->list + (ptrdiff_t)(i + r) * l->keep;
        vf x = biased(p, j, sum, left), y = biased(p, j + VEC, sum + VEC, cols - left);
        if (vf_top(vf_max(x, y)) < list[l->keep - 1].value) continue;
        float value[TILE_COLS];
        vf_store(value, x);
        vf_store(value + VEC, y);
        for (int q = 0; q < cols; q++)
            flaw_largest_put(list, l->keep, (flaw_ranked){value[q], l->from + j + q});
    }
}

void LEVEL(finish)(const flaw_product *p, int i, int j, int rows, int cols, const float *sum)
{
    if (p->largest) {
        keep_largest(p, i, j, rows, cols, sum);
        return;
    }
    if (p->accumulate) { /* the sums started from C */
        for (int r = 0; r < rows; r++)
            memcpy(p->c + (i + r) * p->c_row + j, sum + r * TILE_COLS, (size_t)cols * sizeof *sum);
        return;
    }
    switch (p->act) {
    case FLAW_ACT_NONE: finish_tile(p, FLAW_ACT_NONE, i, j, rows, cols, sum); break;
    case FLAW_ACT_GELU: finish_tile(p, FLAW_ACT_GELU, i, j, rows, cols, sum); break;
    case FLAW_ACT_QUICK_GELU: finish_tile(p, FLAW_ACT_QUICK_GELU, i, j, rows, cols, sum); break;
    case FLAW_ACT_SILU: finish_tile(p, FLAW_ACT_SILU, i, j, rows, cols, sum); break;
    }
}
