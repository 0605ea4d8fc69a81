/* int8 operands as the register tile of tile.h reads them. The includer has defined the tile, and
 *   TILE_GROUP    values of k in a step (4 bytes), of type tile_value: four bytes, or two of 16 bits;
 *   store_row     values of A: bytes with their zero point, 16 bits without it;
 *   copy_row      the same of bytes that are quantised already;
 *   store_column  values of B.
 *
 * Head of a panel of A: flaw_int8_row [TILE_ROWS]. Head of a panel of B: the columns' scales, then the sums of their values,
 * which times the zero point of a row is what its sums with a zero point have too much. */

enum {
    STRIP = VEC * TILE_GROUP, /* values of k that fill a vector */
    A_HEAD = (TILE_ROWS * (int)sizeof(flaw_int8_row) + 63) / 64 * 64,
    B_HEAD = (TILE_COLS * 8 + 63) / 64 * 64
};

/* n values of a row along memory; up to a whole vector behind them is written, too. */
VEC_INLINE void quantise_row(int n, const float *x, flaw_int8_row s, void *out)
{
    tile_value *to = out;
    vf inverse = vf_set(s.inverse);
    int q = 0;
    for (; q + VEC <= n; q += VEC) store_row(to + q, s.scale != s.scale ? vf_zero() : vf_mul(vf_load(x + q), inverse), s.zero);
    if (q < n) store_row(to + q, s.scale != s.scale ? vf_zero() : vf_mul(vf_load_some(x + q, n - q), inverse), s.zero);
}

/* Of row i of A: its scale, and n values from p0 on. */
VEC_INLINE flaw_int8_row scale_of_row(const flaw_product *p, int i)
{
    return p->a_whole ? p->a_scales[i] : flaw_int8_row_of((size_t)p->k, p->a + i * p->a_row, 1);
}

VEC_INLINE void pack_row(const flaw_product *p, int i, int p0, int n, flaw_int8_row s, void *out)
{
    if (p->a_whole) copy_row(out, n, p->a_whole + i * p->a_row + p0, s.zero);
    else quantise_row(n, p->a + i * p->a_row + p0, s, out);
}

VEC_INLINE void quantise_column(int n, const float *x, flaw_int8_scale s, tile_value *out)
{
    vf inverse = vf_set(s.inverse);
    for (int q = 0; q < n; q += VEC)
        store_column(out + q, s.scale != s.scale ? vf_zero() : vf_mul(vf_load_some(x + q, n - q < VEC ? n - q : VEC), inverse));
}

/* The same values with k along memory. */
static void columns_along(int n, int live, const float *b, ptrdiff_t b_row, ptrdiff_t b_col, float along[VEC][STRIP])
{
    for (int p = 0; p < n; p += VEC) {
        vf r[VEC];
        if (b_col == 1) {
            for (int i = 0; i < VEC; i++) r[i] = live && p + i < n ? vf_load_some(b + (p + i) * b_row, live) : vf_zero();
            vf_transpose(r);
            for (int c = 0; c < VEC; c++) vf_store(along[c] + p, r[c]);
        } else {
            for (int c = 0; c < live; c++)
                for (int i = p; i < n && i < p + VEC; i++) along[c][i] = b[c * b_col + i * b_row];
        }
    }
}

/* At most STRIP values of k of VEC columns, `live` of which exist: groups of k below each other, each vector a group of
 * all columns. */
static void pack_square(int n, int live, const float *b, ptrdiff_t b_row, ptrdiff_t b_col, const flaw_int8_scale *s,
                        int32_t *sum, int groups, tile_value *out)
{
    _Alignas(64) tile_value q[VEC][STRIP];
    float along[VEC][STRIP];
    vf r[VEC];
    memset(q, 0, sizeof q);
    if (b_row != 1) columns_along(n, live, b, b_row, b_col, along);
    for (int c = 0; c < live; c++) {
        quantise_column(n, b_row == 1 ? b + c * b_col : along[c], s[c], q[c]);
        for (int p = 0; p < STRIP; p++) sum[c] += q[c][p];
    }
#pragma GCC unroll 16
    for (int c = 0; c < VEC; c++) r[c] = vf_load((const float *)(const void *)q[c]);
    vf_transpose(r);
    for (int g = 0; g < groups; g++) vf_store((float *)(void *)(out + g * TILE_COLS * TILE_GROUP), r[g]);
}

/* flaw_int8_largest of columns that lie side by side. */
static void largest_of_columns(int k, int live, const float *b, ptrdiff_t b_row, uint32_t *largest)
{
    for (int p = 0; p < k; p++, b += b_row) {
        for (int c = 0; c < live; c++) {
            uint32_t u;
            memcpy(&u, b + c, sizeof u);
            u &= FLAW_INT8_SIGN_OFF;
            largest[c] = u > largest[c] ? u : largest[c];
        }
    }
}

static void pack_panel(int k, int live, const float *b, ptrdiff_t b_row, ptrdiff_t b_col, unsigned char *out)
{
    flaw_int8_scale s[TILE_COLS];
    float *scale = (float *)(void *)out;
    int32_t *sum = (int32_t *)(void *)(scale + TILE_COLS);
    tile_value *at = (tile_value *)(void *)(out + B_HEAD);
    uint32_t largest[TILE_COLS] = {0};
    for (int c = 0; c < live && b_col != 1; c++) largest[c] = flaw_int8_largest((size_t)k, b + c * b_col, b_row);
    if (b_col == 1) largest_of_columns(k, live, b, b_row, largest);
    for (int c = 0; c < TILE_COLS; c++) {
        s[c] = flaw_int8_scale_of(largest[c]);
        scale[c] = s[c].scale;
        sum[c] = 0;
    }
    for (int p = 0; p < k; p += STRIP, at += STRIP * TILE_COLS) {
        int n = k - p < STRIP ? k - p : STRIP, groups = (n + TILE_UNIT - 1) / TILE_UNIT * TILE_UNIT / TILE_GROUP;
        for (int h = 0; h < TILE_COLS; h += VEC) {
            int columns = live - h < 0 ? 0 : live - h < VEC ? live - h : VEC;
            pack_square(n, columns, b + p * b_row + h * b_col, b_row, b_col, s + h, sum + h, groups, at + h * TILE_GROUP);
        }
    }
}

static void pack_cols(int k, int n, const float *b, ptrdiff_t b_row, ptrdiff_t b_col, int n0, int n1, void *out)
{
    size_t panel = B_HEAD + (size_t)((k + TILE_UNIT - 1) / TILE_UNIT * TILE_UNIT) * TILE_COLS * sizeof(tile_value);
    for (int j = n0; j < n1; j += TILE_COLS)
        pack_panel(k, n - j < TILE_COLS ? n - j : TILE_COLS, b + j * b_col, b_row, b_col,
                   (unsigned char *)out + (size_t)(j / TILE_COLS) * panel);
}
