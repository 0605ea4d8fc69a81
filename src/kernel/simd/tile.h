/* The register tile of the vector levels: TILE_ROWS rows by two vectors of columns of sums, in registers for a whole
 * k block. The includer defines TILE_ROWS, TILE_DEPTH (steps of a k block) and tile_step(a, b, sum): a step is one k
 * for float32, one pair of k for bf16, both 4 bytes.
 *
 * A panel of A is kept as it comes, to spare a transposition: [TILE_ROWS][TILE_STRIDE] steps, or, when A is
 * transposed, [steps][TILE_ROWS]. */
#ifndef FLAW_KERNEL_SIMD_TILE_H
#define FLAW_KERNEL_SIMD_TILE_H

enum {
    TILE_COLS = 2 * VEC,
    TILE_STRIDE = TILE_DEPTH + 16,           /* no power of two: the rows fall into different sets of the cache */
    TILE_PANEL = TILE_ROWS * TILE_STRIDE * 4 /* bytes */
};

VEC_INLINE void tile_one_step(int rows, int vecs, ptrdiff_t a_i, const float *a, const float *b, vf s[TILE_ROWS][2])
{
    vf b0 = vf_load(b), b1 = vecs > 1 ? vf_load(b + VEC) : b0;
#pragma GCC unroll 16
    for (int i = 0; i < rows; i++) {
        vf x = vf_set(a[i * a_i]);
        s[i][0] = tile_step(x, b0, s[i][0]);
        if (vecs > 1) s[i][1] = tile_step(x, b1, s[i][1]);
    }
}

/* a_i, a_p: distance of rows and of steps in A. rows, vecs, a_i, a_p are constants where this is inlined. */
VEC_INLINE void tile_sum(const flaw_tile *t, int steps, int rows, int vecs, ptrdiff_t a_i, ptrdiff_t a_p)
{
    const float *a = t->a, *b = t->b;
    const char *ahead = t->ahead;
    float *c = t->c;
    vf s[TILE_ROWS][2];
#pragma GCC unroll 16
    for (int i = 0; i < rows; i++)
#pragma GCC unroll 2
        for (int h = 0; h < vecs; h++) s[i][h] = t->resume ? vf_load(c + i * t->c_row + h * VEC) : vf_zero();
    int p = 0;
    for (; p + 4 <= steps; p += 4) {
        /* A panel of B is TILE_COLS floats a step and shared by 8 or 16 panels of A: a line every fourth step will do.
         */
        if (ahead) __builtin_prefetch(ahead + p * 16, 0, 2);
#pragma GCC unroll 4
        for (int q = 0; q < 4; q++, a += a_p, b += TILE_COLS) tile_one_step(rows, vecs, a_i, a, b, s);
    }
    for (; p < steps; p++, a += a_p, b += TILE_COLS) tile_one_step(rows, vecs, a_i, a, b, s);
#pragma GCC unroll 16
    for (int i = 0; i < rows; i++)
#pragma GCC unroll 2
        for (int h = 0; h < vecs; h++) vf_store(c + i * t->c_row + h * VEC, s[i][h]);
}

VEC_INLINE void tile_sum_wide(const flaw_tile *t, int steps, int rows, int vecs)
{
    if (t->a_transposed) tile_sum(t, steps, rows, vecs, 1, TILE_ROWS);
    else tile_sum(t, steps, rows, vecs, TILE_STRIDE, 1);
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
