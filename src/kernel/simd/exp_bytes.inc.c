/* Scores to probabilities as whole numbers of two bytes, for attention in whole numbers. Included behind rows.inc.c; needs
 * int8.h and whole_*.h. */

#define WHOLE_TOP 65280.0f /* the largest probability of a row; with the error of the power below 2^16 */

/* The largest of x; *spoil is not 0 where one is not finite. */
static float row_top_finite(int n, const float *x, float *spoil)
{
    vf s[2] = {vf_set(-INFINITY), vf_set(-INFINITY)}, off[2] = {vf_zero(), vf_zero()};
    int j = 0;
    for (; j + 2 * VEC <= n; j += 2 * VEC) {
        for (int c = 0; c < 2; c++) {
            vf v = vf_load(x + j + c * VEC);
            s[c] = vf_max(s[c], v);
            off[c] = vf_fma(v, vf_zero(), off[c]);
        }
    }
    for (; j < n; j += VEC) {
        int some = n - j < VEC ? n - j : VEC;
        vf v = vf_load_some(x + j, some);
        s[0] = vf_max(s[0], vf_keep(v, some, vf_set(-INFINITY)));
        off[0] = vf_fma(v, vf_zero(), off[0]);
    }
    *spoil = vf_sum(vf_add(off[0], off[1]));
    return vf_top(vf_max(s[0], s[1]));
}

VEC_INLINE vf exp_whole_lanes(vf scale2, vf minus_top2, const float *x, int n, uint8_t *high, uint8_t *low)
{
    vf e = vf_exp2_rough(vf_fma(scale2, vf_load_some(x, n), minus_top2));
    vf q = vf_to_whole(vf_keep(e, n, vf_zero()));
    vf_store_two_bytes(high, low, q);
    return q;
}

void LEVEL(exp_bytes)(int rows, int n, float scale, const float *x, ptrdiff_t x_row, uint8_t *high, uint8_t *low,
                      ptrdiff_t q_row, flaw_int8_row *high_scale, flaw_int8_row *low_scale)
{
    for (int i = 0; i < rows; i++, x += x_row, high += q_row, low += q_row) {
        float spoil, top = row_top_finite(n, x, &spoil);
        vf scale2 = vf_set(scale * LOG2_E), minus_top2 = vf_set(log2f(WHOLE_TOP) - scale * LOG2_E * top);
        vf sum[2] = {vf_zero(), vf_zero()};
        int j = 0;
        for (; j + 2 * VEC <= n; j += 2 * VEC)
            for (int c = 0, at = j; c < 2; c++, at += VEC)
                sum[c] = vf_whole_add(sum[c], exp_whole_lanes(scale2, minus_top2, x + at, VEC, high + at, low + at));
        for (; j < n; j += VEC) {
            int some = n - j < VEC ? n - j : VEC;
            sum[0] = vf_whole_add(sum[0], exp_whole_lanes(scale2, minus_top2, x + j, some, high + j, low + j));
        }
        float total = vf_sum(vf_add(vf_from_whole(sum[0]), vf_from_whole(sum[1])));
        low_scale[i] = (flaw_int8_row){spoil == 0.0f ? 1.0f / total : NAN, 1.0f, 0};
        high_scale[i] = (flaw_int8_row){256.0f * low_scale[i].scale, 1.0f, 0};
    }
}
