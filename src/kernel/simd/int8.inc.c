/* int8 operands as the register tile of tile.h reads them. The includer has defined the tile, and
 *   TILE_GROUP    values of k in a step (4 bytes), of type tile_value: four bytes, or two of 16 bits;
 *   store_row     values of A: bytes with their zero point, 16 bits without it;
 *   copy_row      the same of bytes that are quantised already;
 *   join_group    values of B, one vector of whole numbers for each of TILE_GROUP steps of k, as one vector.
 *
 * Head of a panel of A: flaw_int8_row [TILE_ROWS]. Head of a panel of B: the columns' scales, then the sums of their values,
 * which times the zero point of a row is what its sums with a zero point have too much. */

enum {
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

/* VEC rows of k of VEC columns, of which n and `live` exist: r[p] holds a row. */
VEC_INLINE void square_rows(int n, int live, const float *b, ptrdiff_t b_row, ptrdiff_t b_col, vf r[VEC])
{
    if (b_col == 1 || live < 1 || n < 1) {
        for (int p = 0; p < VEC; p++) r[p] = p < n && live > 0 ? vf_load_some(b + p * b_row, live) : vf_zero();
        return;
    }
    for (int c = 0; c < VEC; c++) {
        float along[VEC];
        const float *column = b + c * b_col;
        for (int p = 0; b_row != 1 && c < live && p < n; p++) along[p] = column[p * b_row];
        r[c] = c < live ? vf_load_some(b_row == 1 ? column : along, n) : vf_zero();
    }
    vf_transpose(r);
}

/* Quantises `rows` rows of k (whole groups of TILE_GROUP) and adds them to the sums of the columns. A column without a scale
 * becomes 0: its inverse is 0, and what is no number has 0 for its lowest bytes as a whole number. */
VEC_INLINE vf pack_square(int rows, vf r[VEC], vf inverse, vf sum, tile_value *out)
{
    for (int p = 0; p < rows; p += TILE_GROUP, out += TILE_COLS * TILE_GROUP) {
        for (int q = p; q < p + TILE_GROUP; q++) {
            r[q] = vf_to_whole(vf_mul(r[q], inverse));
            sum = vf_whole_add(sum, r[q]);
        }
        vf_store((float *)(void *)out, join_group(r + p));
    }
    return sum;
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
    uint32_t largest[TILE_COLS] = {0};
    float inverse[TILE_COLS], *scale = (float *)(void *)out, *sums = scale + TILE_COLS;
    tile_value *at = (tile_value *)(void *)(out + B_HEAD);
    const int padded = (k + TILE_UNIT - 1) / TILE_UNIT * TILE_UNIT;
    for (int c = 0; c < live && b_col != 1; c++) largest[c] = flaw_int8_largest((size_t)k, b + c * b_col, b_row);
    if (b_col == 1) largest_of_columns(k, live, b, b_row, largest);
    for (int c = 0; c < TILE_COLS; c++) {
        flaw_int8_scale s = flaw_int8_scale_of(largest[c]);
        scale[c] = s.scale;
        inverse[c] = s.inverse;
        sums[c] = 0.0f;
    }
    for (int p = 0; p < padded; p += VEC) {
        int rows = padded - p < VEC ? padded - p : VEC, n = k - p < VEC ? k - p : VEC;
        for (int h = 0; h < TILE_COLS; h += VEC) {
            vf r[VEC];
            square_rows(n, live - h < VEC ? live - h : VEC, b + p * b_row + h * b_col, b_row, b_col, r);
            tile_value *to = at + (p * TILE_COLS + h * TILE_GROUP);
            vf_store(sums + h, pack_square(rows, r, vf_load(inverse + h), vf_load(sums + h), to));
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
