/* Kernels on rows. Sums over a row run in four chains (so that they do not wait for each other's latency) that are
 * added in a fixed order: the bits depend on the row's length only. */

enum { CHAINS = 4, NORM_ROWS = 8, SOFTMAX_ROWS = 8 };

VEC_INLINE float chains_sum(const vf s[CHAINS])
{
    return vf_sum(vf_add(vf_add(s[0], s[1]), vf_add(s[2], s[3])));
}

static float row_sum(int d, const float *x)
{
    vf s[CHAINS] = {vf_zero(), vf_zero(), vf_zero(), vf_zero()};
    int j = 0;
    for (; j + CHAINS * VEC <= d; j += CHAINS * VEC)
        for (int c = 0; c < CHAINS; c++) s[c] = vf_add(s[c], vf_load(x + j + c * VEC));
    for (; j + VEC <= d; j += VEC) s[0] = vf_add(s[0], vf_load(x + j));
    if (j < d) s[1] = vf_add(s[1], vf_load_some(x + j, d - j));
    return chains_sum(s);
}

/* Sum of (x - m)^2. */
static float row_spread(int d, const float *x, float m)
{
    vf s[CHAINS] = {vf_zero(), vf_zero(), vf_zero(), vf_zero()}, mean = vf_set(m);
    int j = 0;
    for (; j + CHAINS * VEC <= d; j += CHAINS * VEC) {
        for (int c = 0; c < CHAINS; c++) {
            vf h = vf_sub(vf_load(x + j + c * VEC), mean);
            s[c] = vf_fma(h, h, s[c]);
        }
    }
    for (; j + VEC <= d; j += VEC) {
        vf h = vf_sub(vf_load(x + j), mean);
        s[0] = vf_fma(h, h, s[0]);
    }
    if (j < d) {
        vf h = vf_keep(vf_sub(vf_load_some(x + j, d - j), mean), d - j, vf_zero());
        s[1] = vf_fma(h, h, s[1]);
    }
    return chains_sum(s);
}

VEC_INLINE void norm_lanes(vf mean, vf rstd, const float *x, const float *w, const float *b, float *y, int n)
{
    vf h = vf_mul(vf_sub(vf_load_some(x, n), mean), rstd);
    vf_store_some(y, vf_fma(h, vf_load_some(w, n), vf_load_some(b, n)), n);
}

void LEVEL(layer_norm)(int rows, int d, float eps, const float *x, const float *w, const float *b, float *y,
                       float *mean, float *rstd)
{
    for (int i = 0; i < rows; i++, x += d, y += d) {
        float m = row_sum(d, x) / (float)d;
        float r = 1.0f / sqrtf(row_spread(d, x, m) / (float)d + eps);
        vf vm = vf_set(m), vr = vf_set(r);
        int j = 0;
        for (; j + VEC <= d; j += VEC) norm_lanes(vm, vr, x + j, w + j, b + j, y + j, VEC);
        if (j < d) norm_lanes(vm, vr, x + j, w + j, b + j, y + j, d - j);
        if (mean) mean[i] = m;
        if (rstd) rstd[i] = r;
    }
}

/* sum[0] += e, sum[1] += e h with e = w dy, h = (x - mean) rstd. */
VEC_INLINE void norm_sums_lanes(vf mean, vf rstd, const float *x, const float *w, const float *dy, vf sum[2], int n)
{
    vf h = vf_mul(vf_sub(vf_load_some(x, n), mean), rstd); /* finite in the missing lanes, where e is 0 */
    vf e = vf_mul(vf_load_some(w, n), vf_load_some(dy, n));
    sum[0] = vf_add(sum[0], e);
    sum[1] = vf_fma(e, h, sum[1]);
}

/* Means over the row of e and of e h. */
VEC_INLINE void norm_means(int d, const float *x, const float *w, float mean, float rstd, const float *dy, float *e,
                           float *eh)
{
    vf even[2] = {vf_zero(), vf_zero()}, odd[2] = {vf_zero(), vf_zero()}, m = vf_set(mean), r = vf_set(rstd);
    int j = 0;
    for (; j + 2 * VEC <= d; j += 2 * VEC) {
        norm_sums_lanes(m, r, x + j, w + j, dy + j, even, VEC);
        norm_sums_lanes(m, r, x + j + VEC, w + j + VEC, dy + j + VEC, odd, VEC);
    }
    if (j + VEC <= d) {
        norm_sums_lanes(m, r, x + j, w + j, dy + j, even, VEC);
        j += VEC;
    }
    if (j < d) norm_sums_lanes(m, r, x + j, w + j, dy + j, odd, d - j);
    *e = vf_sum(vf_add(even[0], odd[0])) / (float)d;
    *eh = vf_sum(vf_add(even[1], odd[1])) / (float)d;
}

/* What the second pass over a few rows needs of each. A norm without mean has 0 for mean and e. */
typedef struct norm_rows {
    int rows, d;
    const float *x, *w, *rstd, *dy;
    float *dx, *dw, *db;
    float mean[NORM_ROWS], e[NORM_ROWS], eh[NORM_ROWS];
} norm_rows;

/* Columns j .. j + n of all rows: dw and db stay in registers meanwhile. */
VEC_INLINE void norm_columns(const norm_rows *g, int j, int n)
{
    vf w = vf_load_some(g->w + j, n), dw = vf_zero(), db = vf_zero();
    if (g->dw) dw = vf_load_some(g->dw + j, n);
    if (g->db) db = vf_load_some(g->db + j, n);
    for (int i = 0; i < g->rows; i++) {
        size_t at = (size_t)i * (size_t)g->d + (size_t)j;
        vf r = vf_set(g->rstd[i]), dy = vf_load_some(g->dy + at, n);
        vf h = vf_mul(vf_sub(vf_load_some(g->x + at, n), vf_set(g->mean[i])), r);
        dw = vf_fma(dy, h, dw);
        db = vf_add(db, dy);
        vf slope = vf_fnma(h, vf_set(g->eh[i]), vf_sub(vf_mul(w, dy), vf_set(g->e[i])));
        vf_store_some(g->dx + at, vf_fma(r, slope, vf_load_some(g->dx + at, n)), n);
    }
    if (g->dw) vf_store_some(g->dw + j, dw, n);
    if (g->db) vf_store_some(g->db + j, db, n);
}

/* mean NULL: RMS norm. */
static void norm_backward(int rows, int d, const float *x, const float *w, const float *mean, const float *rstd,
                          const float *dy, float *dx, float *dw, float *db)
{
    for (int i0 = 0; i0 < rows; i0 += NORM_ROWS) {
        size_t at = (size_t)i0 * (size_t)d;
        norm_rows g = {.rows = rows - i0 < NORM_ROWS ? rows - i0 : NORM_ROWS,
                       .d = d,
                       .x = x + at,
                       .w = w,
                       .rstd = rstd + i0,
                       .dy = dy + at,
                       .dx = dx + at,
                       .dw = dw,
                       .db = db};
        for (int i = 0; i < g.rows; i++) {
            size_t row = (size_t)i * (size_t)d;
            g.mean[i] = mean ? mean[i0 + i] : 0.0f;
            norm_means(d, g.x + row, w, g.mean[i], g.rstd[i], g.dy + row, &g.e[i], &g.eh[i]);
            if (!mean) g.e[i] = 0.0f;
        }
        int j = 0;
        for (; j + VEC <= d; j += VEC) norm_columns(&g, j, VEC);
        if (j < d) norm_columns(&g, j, d - j);
    }
}

/* See flaw_ref_layer_norm_backward. */
void LEVEL(layer_norm_backward)(int rows, int d, const float *x, const float *w, const float *mean, const float *rstd,
                                const float *dy, float *dx, float *dw, float *db)
{
    norm_backward(rows, d, x, w, mean, rstd, dy, dx, dw, db);
}

void LEVEL(rms_norm_backward)(int rows, int d, const float *x, const float *w, const float *rstd, const float *dy,
                              float *dx, float *dw)
{
    norm_backward(rows, d, x, w, NULL, rstd, dy, dx, dw, NULL);
}

VEC_INLINE void rms_lanes(vf rstd, const float *x, const float *w, float *y, int n)
{
    vf_store_some(y, vf_mul(vf_mul(vf_load_some(x, n), rstd), vf_load_some(w, n)), n);
}

void LEVEL(rms_norm)(int rows, int d, float eps, const float *x, const float *w, float *y, float *rstd)
{
    for (int i = 0; i < rows; i++, x += d, y += d) {
        float r = 1.0f / sqrtf(row_spread(d, x, 0.0f) / (float)d + eps);
        vf vr = vf_set(r);
        int j = 0;
        for (; j + VEC <= d; j += VEC) rms_lanes(vr, x + j, w + j, y + j, VEC);
        if (j < d) rms_lanes(vr, x + j, w + j, y + j, d - j);
        if (rstd) rstd[i] = r;
    }
}

/* Pairs j, j + half; `sign` is -1 to turn back. */
VEC_INLINE void turn_halves(vf sign, const float *table, float *x, int half, int n)
{
    vf cosine = vf_load_some(table, n), sine = vf_mul(sign, vf_load_some(table + half, n));
    vf a = vf_load_some(x, n), b = vf_load_some(x + half, n);
    vf_store_some(x, vf_fnma(b, sine, vf_mul(a, cosine)), n);
    vf_store_some(x + half, vf_fma(a, sine, vf_mul(b, cosine)), n);
}

/* Neighbours: `signs` is - + - + ..., or + - + - to turn back. */
VEC_INLINE void turn_pairs(vf signs, const float *table, float *x, int half, int n)
{
    vf cosine = vf_load_twice(table, n), sine = vf_mul(signs, vf_load_twice(table + half, n)), v = vf_load_some(x, n);
    vf_store_some(x, vf_fma(vf_swap_pairs(v), sine, vf_mul(v, cosine)), n);
}

VEC_INLINE void turn_head(bool halves, vf signs, const float *table, float *x, int half)
{
    int j = 0;
    if (halves) {
        for (; j + VEC <= half; j += VEC) turn_halves(signs, table + j, x + j, half, VEC);
        if (j < half) turn_halves(signs, table + j, x + j, half, half - j);
    } else {
        for (; j + VEC <= 2 * half; j += VEC) turn_pairs(signs, table + j / 2, x + j, half, VEC);
        if (j < 2 * half) turn_pairs(signs, table + j / 2, x + j, half, 2 * half - j);
    }
}

void LEVEL(rotate)(int rows, int heads, int width, bool halves, bool back, const float *table, float *x, ptrdiff_t x_row)
{
    float sign[VEC];
    for (int j = 0; j < VEC; j++) sign[j] = (halves || j % 2) == back ? -1.0f : 1.0f;
    vf signs = vf_load(sign);
    for (int i = 0; i < rows; i++, x += x_row, table += width)
        for (int head = 0; head < heads; head++) turn_head(halves, signs, table, x + head * width, width / 2);
}

/* The largest of x. */
static float row_top(int n, const float *x)
{
    vf s[CHAINS] = {vf_set(-INFINITY), vf_set(-INFINITY), vf_set(-INFINITY), vf_set(-INFINITY)};
    int j = 0;
    for (; j + CHAINS * VEC <= n; j += CHAINS * VEC)
        for (int c = 0; c < CHAINS; c++) s[c] = vf_max(s[c], vf_load(x + j + c * VEC));
    for (; j + VEC <= n; j += VEC) s[0] = vf_max(s[0], vf_load(x + j));
    if (j < n) s[1] = vf_max(s[1], vf_keep(vf_load_some(x + j, n - j), n - j, vf_set(-INFINITY)));
    return vf_top(vf_max(vf_max(s[0], s[1]), vf_max(s[2], s[3])));
}

/* e^(scale x - top) = 2^(scale2 x - top2) */
#define LOG2_E 1.44269504f

VEC_INLINE vf exp_below_lanes(vf scale2, vf minus_top2, float *x, int n)
{
    vf e = vf_exp2_below(vf_fma(scale2, vf_load_some(x, n), minus_top2));
    vf_store_some(x, e, n);
    return e;
}

/* x = exp(scale x - top); their sum. */
static float row_exp(int n, float scale, float top, float *x)
{
    vf s = vf_set(scale * LOG2_E), t = vf_set(-top * LOG2_E);
    vf sum[CHAINS] = {vf_zero(), vf_zero(), vf_zero(), vf_zero()};
    int j = 0;
    for (; j + CHAINS * VEC <= n; j += CHAINS * VEC)
        for (int c = 0; c < CHAINS; c++) sum[c] = vf_add(sum[c], exp_below_lanes(s, t, x + j + c * VEC, VEC));
    for (; j + VEC <= n; j += VEC) sum[0] = vf_add(sum[0], exp_below_lanes(s, t, x + j, VEC));
    if (j < n) sum[1] = vf_add(sum[1], vf_keep(exp_below_lanes(s, t, x + j, n - j), n - j, vf_zero()));
    return chains_sum(sum);
}

/* A few rows at a time go through each pass together: the passes of one row wait for each other, those of several
 * rows do not. */
void LEVEL(exp_rows)(int rows, int n, int grow, float scale, float *x, ptrdiff_t x_row, float *stats)
{
    for (int i0 = 0; i0 < rows; i0 += SOFTMAX_ROWS) {
        int end = rows - i0 < SOFTMAX_ROWS ? rows : i0 + SOFTMAX_ROWS;
        for (int i = i0; i < end; i++) stats[2 * i] = scale * row_top(n + grow * i, x + i * x_row);
        for (int i = i0; i < end; i++) stats[2 * i + 1] = row_exp(n + grow * i, scale, stats[2 * i], x + i * x_row);
        for (int i = i0; i < end; i++) stats[2 * i + 1] = 1.0f / stats[2 * i + 1];
    }
}

VEC_INLINE void times_lanes(vf alpha, const float *x, float *y, int n)
{
    vf_store_some(y, vf_mul(alpha, vf_load_some(x, n)), n);
}

void LEVEL(norm_rows)(int rows, int n, int grow, const float *x, ptrdiff_t x_row, const float *stats, float *y,
                      ptrdiff_t y_row)
{
    for (int i = 0; i < rows; i++, x += x_row, y += y_row, n += grow) {
        vf a = vf_set(stats[2 * i + 1]);
        int j = 0;
        for (; j + VEC <= n; j += VEC) times_lanes(a, x + j, y + j, VEC);
        if (j < n) times_lanes(a, x + j, y + j, n - j);
    }
}

VEC_INLINE void exp_again_lanes(vf scale2, vf minus_top2, vf share, float *x, int n)
{
    vf e = vf_exp2_below(vf_fma(scale2, vf_load_some(x, n), minus_top2));
    vf_store_some(x, vf_mul(share, e), n);
}

void LEVEL(exp_again)(int rows, int n, int grow, float scale, float *x, ptrdiff_t x_row, const float *stats)
{
    vf s = vf_set(scale * LOG2_E);
    for (int i = 0; i < rows; i++, x += x_row, n += grow) {
        vf top = vf_set(-stats[2 * i] * LOG2_E), share = vf_set(stats[2 * i + 1]);
        int j = 0;
        for (; j + VEC <= n; j += VEC) exp_again_lanes(s, top, share, x + j, VEC);
        if (j < n) exp_again_lanes(s, top, share, x + j, n - j);
    }
}

void LEVEL(softmax)(int rows, int n, float *x)
{
    float stats[2 * SOFTMAX_ROWS];
    for (int i = 0; i < rows; i += SOFTMAX_ROWS) {
        int count = rows - i < SOFTMAX_ROWS ? rows - i : SOFTMAX_ROWS;
        float *first = x + (size_t)i * (size_t)n;
        LEVEL(exp_rows)(count, n, 0, 1.0f, first, n, stats);
        LEVEL(norm_rows)(count, n, 0, first, n, stats, first, n);
    }
}

static float row_product(int n, const float *p, const float *d)
{
    vf s[CHAINS] = {vf_zero(), vf_zero(), vf_zero(), vf_zero()};
    int j = 0;
    for (; j + CHAINS * VEC <= n; j += CHAINS * VEC)
        for (int c = 0; c < CHAINS; c++) s[c] = vf_fma(vf_load(p + j + c * VEC), vf_load(d + j + c * VEC), s[c]);
    for (; j + VEC <= n; j += VEC) s[0] = vf_fma(vf_load(p + j), vf_load(d + j), s[0]);
    if (j < n) s[1] = vf_fma(vf_load_some(p + j, n - j), vf_load_some(d + j, n - j), s[1]);
    return chains_sum(s);
}

VEC_INLINE void row_backward_lanes(vf scale, vf sum, const float *p, float *d, int n)
{
    vf slope = vf_sub(vf_load_some(d, n), sum);
    vf_store_some(d, vf_mul(vf_mul(scale, vf_load_some(p, n)), slope), n);
}

void LEVEL(backward_rows)(int rows, int n, int grow, float scale, const float *p, ptrdiff_t p_row, float *d,
                          ptrdiff_t d_row)
{
    vf a = vf_set(scale);
    for (int i0 = 0; i0 < rows; i0 += SOFTMAX_ROWS) {
        int end = rows - i0 < SOFTMAX_ROWS ? rows : i0 + SOFTMAX_ROWS;
        float sum[SOFTMAX_ROWS];
        for (int i = i0; i < end; i++) sum[i - i0] = row_product(n + grow * i, p + i * p_row, d + i * d_row);
        for (int i = i0; i < end; i++) {
            const float *pi = p + i * p_row;
            float *di = d + i * d_row;
            vf s = vf_set(sum[i - i0]);
            int j = 0, live = n + grow * i;
            for (; j + VEC <= live; j += VEC) row_backward_lanes(a, s, pi + j, di + j, VEC);
            if (j < live) row_backward_lanes(a, s, pi + j, di + j, live - j);
        }
    }
}

/* Columns j .. of all rows, in row order; four vectors of columns at a time use whole cache lines. */
VEC_INLINE void column_sum_lanes(int rows, const float *x, ptrdiff_t x_row, float *out, int n)
{
    vf s = vf_load_some(out, n);
    for (int i = 0; i < rows; i++) s = vf_add(s, vf_load_some(x + i * x_row, n));
    vf_store_some(out, s, n);
}

void LEVEL(column_sum)(int rows, int d, const float *x, ptrdiff_t x_row, float *out)
{
    int j = 0;
    for (; j + CHAINS * VEC <= d; j += CHAINS * VEC) {
        vf s[CHAINS];
        for (int c = 0; c < CHAINS; c++) s[c] = vf_load(out + j + c * VEC);
        for (int i = 0; i < rows; i++)
            for (int c = 0; c < CHAINS; c++) s[c] = vf_add(s[c], vf_load(x + i * x_row + j + c * VEC));
        for (int c = 0; c < CHAINS; c++) vf_store(out + j + c * VEC, s[c]);
    }
    for (; j + VEC <= d; j += VEC) column_sum_lanes(rows, x + j, x_row, out + j, VEC);
    if (j < d) column_sum_lanes(rows, x + j, x_row, out + j, d - j);
}
