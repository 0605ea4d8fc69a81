/* The register tile of 4-float vectors, in the place of simd/tile.h: 12 rows by 2 vectors of columns, that is 24 of 32 registers
 * for sums. A panel of A is laid out as there, but its steps are not spread over vectors one by one: a multiplication takes
 * one lane of a register for all (fmla and sdot by element), so that a load brings two steps of a row, or two rows of a step
 * when A is transposed. Of the 8 registers left 4 hold B and the others A on its way.
 *
 * The includer defines tile_lane_step(sum, a, lane, b): sum + a[lane] b, where a is two floats, lane a constant; and
 * tile_first(t, i, h), what the sums of row i and the h-th vector of columns start with. */
#ifndef FLAW_KERNEL_ARM_TILE_NEON_H
#define FLAW_KERNEL_ARM_TILE_NEON_H

enum {
    TILE_ROWS = 12,
    TILE_VECS = 2,
    TILE_DEPTH = 256,
    TILE_COLS = TILE_VECS * VEC,
    TILE_STRIDE = TILE_DEPTH + 16,           /* no power of two: the rows fall into different sets of the cache */
    TILE_PANEL = TILE_ROWS * TILE_STRIDE * 4 /* bytes */
};

VEC_INLINE vf tile_first(const flaw_tile *t, int i, int h);

/* One row and step for both vectors of columns. */
#define TILE_ROW_STEP(sum, a, lane, b, vecs)                                                                           \
    do {                                                                                                               \
        (sum)[0] = tile_lane_step((sum)[0], a, lane, (b)[0]);                                                          \
        if (vecs > 1) (sum)[1] = tile_lane_step((sum)[1], a, lane, (b)[1]);                                            \
    } while (0)

/* Two neighbours in one register. Without the barrier gcc loads each lane by itself, and has too few registers then. */
VEC_INLINE float32x2_t tile_pair(const float *a)
{
    float32x2_t x = vld1_f32(a);
    __asm__("" : "+w"(x));
    return x;
}

/* Two steps of all rows, which lie TILE_STRIDE apart. */
VEC_INLINE void tile_two_steps(int rows, int vecs, const float *a, const float *b, vf s[TILE_ROWS][TILE_VECS])
{
    vf b0[2] = {vf_load(b), vecs > 1 ? vf_load(b + VEC) : vf_zero()};
    vf b1[2] = {vf_load(b + TILE_COLS), vecs > 1 ? vf_load(b + TILE_COLS + VEC) : vf_zero()};
#pragma GCC unroll 16
    for (int i = 0; i < rows; i++) {
        float32x2_t x = tile_pair(a + i * TILE_STRIDE);
        TILE_ROW_STEP(s[i], x, 0, b0, vecs);
        TILE_ROW_STEP(s[i], x, 1, b1, vecs);
    }
}

/* One step of an odd depth, or of a transposed A, whose rows lie a_i apart. */
VEC_INLINE void tile_one_step(int rows, int vecs, ptrdiff_t a_i, const float *a, const float *b,
                              vf s[TILE_ROWS][TILE_VECS])
{
    vf b0[2] = {vf_load(b), vecs > 1 ? vf_load(b + VEC) : vf_zero()};
    int i = 0;
    if (a_i == 1) {
#pragma GCC unroll 8
        for (; i + 2 <= rows; i += 2) {
            float32x2_t x = tile_pair(a + i);
            TILE_ROW_STEP(s[i], x, 0, b0, vecs);
            TILE_ROW_STEP(s[i + 1], x, 1, b0, vecs);
        }
    }
#pragma GCC unroll 16
    for (; i < rows; i++) {
        float32x2_t x = vld1_dup_f32(a + i * a_i);
        TILE_ROW_STEP(s[i], x, 0, b0, vecs);
    }
}

/* rows, vecs, transposed are constants where this is inlined. */
VEC_INLINE void tile_sum(const flaw_tile *t, int steps, int rows, int vecs, bool transposed)
{
    const float *a = t->a, *b = t->b;
    const char *ahead = t->ahead;
    float *c = t->c;
    vf s[TILE_ROWS][TILE_VECS];
#pragma GCC unroll 16
    for (int i = 0; i < rows; i++)
#pragma GCC unroll 2
        for (int h = 0; h < vecs; h++) s[i][h] = t->resume ? vf_load(c + i * t->c_row + h * VEC) : tile_first(t, i, h);
    int p = 0;
    for (; p + 2 <= steps; p += 2, a += transposed ? 2 * TILE_ROWS : 2, b += 2 * TILE_COLS) {
        /* A panel of B is 32 bytes a step and shared by 8 panels of A: a line of 64 every 16th step will do. */
        if (ahead && p % 16 == 0) __builtin_prefetch(ahead + p * 4, 0, 2);
        if (transposed) {
            tile_one_step(rows, vecs, 1, a, b, s);
            tile_one_step(rows, vecs, 1, a + TILE_ROWS, b + TILE_COLS, s);
        } else {
            tile_two_steps(rows, vecs, a, b, s);
        }
    }
    if (p < steps) tile_one_step(rows, vecs, transposed ? 1 : TILE_STRIDE, a, b, s);
#pragma GCC unroll 16
    for (int i = 0; i < rows; i++)
#pragma GCC unroll 2
        for (int h = 0; h < vecs; h++) vf_store(c + i * t->c_row + h * VEC, s[i][h]);
}

VEC_INLINE void tile_sum_wide(const flaw_tile *t, int steps, int rows, int vecs)
{
    if (t->a_transposed) tile_sum(t, steps, rows, vecs, true);
    else tile_sum(t, steps, rows, vecs, false);
}

/* Edges use a smaller tile. An element's sum is the same chain of steps in each. */
VEC_INLINE void tile_sum_rows(const flaw_tile *t, int steps, int rows)
{
    if (t->live_cols > VEC) tile_sum_wide(t, steps, rows, 2);
    else tile_sum_wide(t, steps, rows, 1);
}

VEC_INLINE void tile_sum_live(const flaw_tile *t, int steps)
{
    if (t->live_rows > TILE_ROWS / 2) tile_sum_rows(t, steps, TILE_ROWS);
    else if (t->live_rows > 1) tile_sum_rows(t, steps, TILE_ROWS / 2);
    else tile_sum_rows(t, steps, 1);
}

#endif
