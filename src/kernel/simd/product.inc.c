/* float32 products, and bf16 products where the machine has no bf16 instructions: inputs are rounded to bf16 when they
 * are packed, and multiplied and added as float32. */

VEC_INLINE vf maybe_round(bool round, vf x)
{
    return round ? vf_round_bf16(x) : x;
}

VEC_INLINE void copy_row(bool round, int k, const float *x, float *out)
{
    int p = 0;
    for (; p + VEC <= k; p += VEC) vf_store(out + p, maybe_round(round, vf_load(x + p)));
    if (p < k) vf_store(out + p, maybe_round(round, vf_load_some(x + p, k - p))); /* the stride has room */
}

VEC_INLINE void pack_a(bool round, const flaw_product *p, int i0, int live, int p0, int k, float *out)
{
    const float *a = p->a + i0 * p->a_row + p0 * p->a_col;
    if (p->a_col != 1) { /* each step writes whole vectors, of which the next step overwrites what is beyond TILE_ROWS */
        for (int q = 0; q < k; q++, a += p->a_col, out += TILE_ROWS)
            for (int h = 0; h < TILE_ROWS; h += VEC)
                vf_store(out + h, h < live ? maybe_round(round, vf_load_some(a + h, live - h)) : vf_zero());
        return;
    }
    for (int i = 0; i < live; i++) copy_row(round, k, a + i * p->a_row, out + i * TILE_STRIDE);
    if (live < TILE_ROWS) memset(out + live * TILE_STRIDE, 0, (size_t)(TILE_ROWS - live) * TILE_STRIDE * sizeof *out);
}

static void pack_a_f32(const flaw_product *p, int i0, int live, int p0, int k, void *head, void *panel)
{
    pack_a(false, p, i0, live, p0, k, panel);
}

static void pack_a_rounded(const flaw_product *p, int i0, int live, int p0, int k, void *head, void *panel)
{
    pack_a(true, p, i0, live, p0, k, panel);
}

static void sum_f32(const flaw_tile *t)
{
    tile_sum_live(t, t->k);
}

/* One panel of B, k from p0 to p1, whose rows lie along memory. `live` columns exist. */
VEC_INLINE void pack_rows(bool round, int p0, int p1, int live, const float *b, ptrdiff_t b_row, float *out)
{
    for (int p = p0; p < p1; p++) {
        const float *row = b + p * b_row;
        for (int h = 0; h < TILE_COLS; h += VEC) {
            int n = live - h < VEC ? live - h : VEC;
            vf_store(out + p * TILE_COLS + h, n > 0 ? maybe_round(round, vf_load_some(row + h, n)) : vf_zero());
        }
    }
}

/* The same where the columns lie along memory: squares are transposed. */
VEC_INLINE void pack_columns(bool round, int p0, int p1, int live, const float *b, ptrdiff_t b_col, float *out)
{
    for (int p = p0; p < p1; p += VEC) {
        int depth = p1 - p < VEC ? p1 - p : VEC;
        for (int h = 0; h < TILE_COLS; h += VEC) {
            vf r[VEC];
            for (int c = 0; c < VEC; c++)
                r[c] = h + c < live ? maybe_round(round, vf_load_some(b + (h + c) * b_col + p, depth)) : vf_zero();
            vf_transpose(r);
            for (int q = 0; q < depth; q++) vf_store(out + (p + q) * TILE_COLS + h, r[q]);
        }
    }
}

/* Any strides. */
static void pack_slowly(bool round, int p0, int p1, int live, const float *b, ptrdiff_t b_row, ptrdiff_t b_col,
                        float *out)
{
    for (int p = p0; p < p1; p++) {
        for (int c = 0; c < TILE_COLS; c++) {
            float x = c < live ? b[p * b_row + c * b_col] : 0.0f;
            out[p * TILE_COLS + c] = round ? flaw_bf16_round(x) : x;
        }
    }
}

/* Blocks of k outside, so that the rows read by one panel are still near for the next. */
VEC_INLINE void pack_b(bool round, int k, int n, const float *b, ptrdiff_t b_row, ptrdiff_t b_col, int n0, int n1,
                       float *out)
{
    enum { NEAR = 64 };
    for (int p0 = 0; p0 < k; p0 += NEAR) {
        int p1 = p0 + NEAR < k ? p0 + NEAR : k;
        for (int j = n0; j < n1; j += TILE_COLS) {
            int live = n - j < TILE_COLS ? n - j : TILE_COLS;
            float *panel = out + (size_t)j * (size_t)k;
            const float *from = b + j * b_col;
            if (b_col == 1) pack_rows(round, p0, p1, live, from, b_row, panel);
            else if (b_row == 1) pack_columns(round, p0, p1, live, from, b_col, panel);
            else pack_slowly(round, p0, p1, live, from, b_row, b_col, panel);
        }
    }
}

static void pack_b_f32(int k, int n, const float *b, ptrdiff_t b_row, ptrdiff_t b_col, int n0, int n1, void *out)
{
    pack_b(false, k, n, b, b_row, b_col, n0, n1, out);
}

static void pack_b_rounded(int k, int n, const float *b, ptrdiff_t b_row, ptrdiff_t b_col, int n0, int n1, void *out)
{
    pack_b(true, k, n, b, b_row, b_col, n0, n1, out);
}

/* The two engines differ in the packing alone. */
#define ENGINE(pack_a_function, pack_b_function)                                                                       \
    {                                                                                                                  \
        .rows = TILE_ROWS, .cols = TILE_COLS, .block_rows = FLAW_TILE_ROWS, .across = TILE_ACROSS, .k_unit = 1,        \
        .k_block = TILE_DEPTH, \
        .element = sizeof(float), .a_panel = TILE_PANEL, .pack_cols = pack_b_function, .pack_a = pack_a_function,      \
        .sum = sum_f32, .finish = LEVEL(finish), .column_sum = LEVEL(column_sum)                                       \
    }

const flaw_engine LEVEL(engine_f32) = ENGINE(pack_a_f32, pack_b_f32);
const flaw_engine LEVEL(engine_rounded) = ENGINE(pack_a_rounded, pack_b_rounded);
