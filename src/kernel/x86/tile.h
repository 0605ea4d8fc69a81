/* The register tile of the vector levels: TILE_ROWS rows by two vectors of columns of sums, in registers for a whole
 * k block. The includer defines TILE_ROWS, TILE_DEPTH (steps of a k block) and tile_step(a, b, sum): a step is one k
 * for float32, one pair of k for bf16, both 4 bytes.
 *
 * A panel of A is kept as it comes, to spare a transposition: [TILE_ROWS][TILE_STRIDE] steps, or, when A is
 * transposed, [steps][TILE_ROWS]. */
#ifndef FLAW_KERNEL_X86_TILE_H
#define FLAW_KERNEL_X86_TILE_H

enum {
    TILE_COLS = 2 * VEC,
    TILE_STRIDE = TILE_DEPTH + 16,           /* no power of two: the rows fall into different sets of the cache */
    TILE_PANEL = TILE_ROWS * TILE_STRIDE * 4 /* bytes */
};

/* a_i, a_p: distance of rows and of steps in A. All but steps and pointers are constants where this is inlined. */
VEC_INLINE void tile_sum(int rows, int vecs, ptrdiff_t a_i, ptrdiff_t a_p, int steps, const float *a, const float *b,
                         float *c, ptrdiff_t c_row, bool resume)
{
    vf s[TILE_ROWS][2];
#pragma GCC unroll 16
    for (int i = 0; i < rows; i++)
#pragma GCC unroll 2
        for (int h = 0; h < vecs; h++) s[i][h] = resume ? vf_load(c + i * c_row + h * VEC) : vf_zero();
    for (int p = 0; p < steps; p++, a += a_p, b += TILE_COLS) {
        vf b0 = vf_load(b), b1 = vecs > 1 ? vf_load(b + VEC) : b0;
#pragma GCC unroll 16
        for (int i = 0; i < rows; i++) {
            vf x = vf_set(a[i * a_i]);
            s[i][0] = tile_step(x, b0, s[i][0]);
            if (vecs > 1) s[i][1] = tile_step(x, b1, s[i][1]);
        }
    }
#pragma GCC unroll 16
    for (int i = 0; i < rows; i++)
#pragma GCC unroll 2
        for (int h = 0; h < vecs; h++) vf_store(c + i * c_row + h * VEC, s[i][h]);
}

VEC_INLINE void tile_sum_wide(int rows, int vecs, int steps, bool a_transposed, const float *a, const float *b,
                              float *c, ptrdiff_t c_row, bool resume)
{
    if (a_transposed) tile_sum(rows, vecs, 1, TILE_ROWS, steps, a, b, c, c_row, resume);
    else tile_sum(rows, vecs, TILE_STRIDE, 1, steps, a, b, c, c_row, resume);
}

/* Edges use a smaller tile. An element's sum is the same chain of steps in each. */
VEC_INLINE void tile_sum_rows(int rows, int live_cols, int steps, bool a_transposed, const float *a, const float *b,
                              float *c, ptrdiff_t c_row, bool resume)
{
    if (live_cols > VEC) tile_sum_wide(rows, 2, steps, a_transposed, a, b, c, c_row, resume);
    else tile_sum_wide(rows, 1, steps, a_transposed, a, b, c, c_row, resume);
}

VEC_INLINE void tile_sum_live(int live_rows, int live_cols, int steps, bool a_transposed, const float *a,
                              const float *b, float *c, ptrdiff_t c_row, bool resume)
{
    if (live_rows > TILE_ROWS / 2) tile_sum_rows(TILE_ROWS, live_cols, steps, a_transposed, a, b, c, c_row, resume);
    else if (live_rows > 1) tile_sum_rows(TILE_ROWS / 2, live_cols, steps, a_transposed, a, b, c, c_row, resume);
    else tile_sum_rows(1, live_cols, steps, a_transposed, a, b, c, c_row, resume);
}

#endif
