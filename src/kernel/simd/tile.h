/* The register tile of the vector levels: TILE_ROWS rows by TILE_VECS vectors of columns of sums, in registers for a whole
 * k block. The includer defines TILE_ROWS, TILE_VECS, TILE_DEPTH (steps of a k block), tile_step(a, b, sum) and
 * tile_first(t, i, h), what the sums of row i and the h-th vector of columns start with. A step is 4 bytes of A: one k of
 * float32, a pair of k of bf16, four of int8.
 *
 * A panel of A is kept as it comes, to spare a transposition: [TILE_ROWS][TILE_STRIDE] steps, or, when A is
 * transposed, [steps][TILE_ROWS]. */
#ifndef FLAW_KERNEL_SIMD_TILE_H
#define FLAW_KERNEL_SIMD_TILE_H

enum {
    TILE_COLS = TILE_VECS * VEC,
    TILE_STRIDE = TILE_DEPTH + 16,           /* no power of two: the rows fall into different sets of the cache */
    TILE_PANEL = TILE_ROWS * TILE_STRIDE * 4 /* bytes */
};

VEC_INLINE void tile_one_step(int rows, int vecs, ptrdiff_t a_i, const float *a, const float *b, vf s[TILE_ROWS][TILE_VECS])
{
    vf columns[TILE_VECS];
#pragma GCC unroll 4
    for (int h = 0; h < vecs; h++) columns[h] = vf_load(b + h * VEC);
#pragma GCC unroll 16
    for (int i = 0; i < rows; i++) {
        vf x = vf_set(a[i * a_i]);
#pragma GCC unroll 4
        for (int h = 0; h < vecs; h++) s[i][h] = tile_step(x, columns[h], s[i][h]);
    }
}

/* A row of C that will be written: its lines come from far while the sum runs. */
VEC_INLINE void ask_for(const float *out, int vecs)
{
#pragma GCC unroll 4
    for (int h = 0; h < vecs; h++) __builtin_prefetch(out + h * VEC, 1, 3);
}

/* a_i, a_p: distance of rows and of steps in A. rows, vecs, a_i, a_p are constants where this is inlined. */
VEC_INLINE void tile_sum(const flaw_tile *t, int steps, int rows, int vecs, ptrdiff_t a_i, ptrdiff_t a_p)
{
    const float *a = t->a, *b = t->b;
    const char *ahead = t->ahead ? t->ahead : t->b; /* asking for the same line again and again costs nothing */
    const int ahead_step = t->ahead ? t->ahead_step : 0;
    const float *out = t->out;
    float *c = t->c;
    vf s[TILE_ROWS][TILE_VECS];
#pragma GCC unroll 16
    for (int i = 0; i < rows; i++)
#pragma GCC unroll 4
        for (int h = 0; h < vecs; h++) s[i][h] = t->resume ? vf_load(c + i * t->c_row + h * VEC) : tile_first(t, i, h);
    int p = 0;
    if (t->out) {
#pragma GCC unroll 16
        for (int i = 0; i < rows; i++) ask_for(out + i * t->out_row, vecs);
    }
    for (; p + 4 <= steps; p += 4, ahead += ahead_step) {
        __builtin_prefetch(ahead, 0, 2);
#pragma GCC unroll 4
        for (int q = 0; q < 4; q++, a += a_p, b += TILE_COLS) tile_one_step(rows, vecs, a_i, a, b, s);
    }
    for (; p < steps; p++, a += a_p, b += TILE_COLS) tile_one_step(rows, vecs, a_i, a, b, s);
#pragma GCC unroll 16
    for (int i = 0; i < rows; i++)
#pragma GCC unroll 4
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
    if (TILE_VECS > 2 && t->live_cols > 3 * VEC) tile_sum_wide(t, steps, rows, TILE_VECS);
    else if (TILE_VECS > 2 && t->live_cols > 2 * VEC) tile_sum_wide(t, steps, rows, TILE_VECS > 2 ? 3 : 1);
    else if (t->live_cols > VEC) tile_sum_wide(t, steps, rows, 2);
    else tile_sum_wide(t, steps, rows, 1);
}

VEC_INLINE void tile_sum_live(const flaw_tile *t, int steps)
{
    if (t->live_rows > TILE_ROWS / 3 * 2) tile_sum_rows(t, steps, TILE_ROWS);
    else if (t->live_rows > TILE_ROWS / 3) tile_sum_rows(t, steps, TILE_ROWS / 3 * 2);
    else if (t->live_rows > 1) tile_sum_rows(t, steps, TILE_ROWS / 3);
    else tile_sum_rows(t, steps, 1);
}

#endif
