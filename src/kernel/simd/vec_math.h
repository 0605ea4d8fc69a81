/* Functions of a vector of floats. Include after one of the vec_*.h headers.
 * Every lane is computed alone, so a value gives the same bits wherever it stands in an array. */
#ifndef FLAW_KERNEL_SIMD_VEC_MATH_H
#define FLAW_KERNEL_SIMD_VEC_MATH_H

#include "kernel/kernel.h"

/* e^x for x <= 89 (or NaN): x = n ln 2 + r, |r| <= ln 2 / 2, and the polynomial of degree 6 of Cephes' expf for e^r
 * (1 ULP). Below -104 it is 0. */
VEC_INLINE vf vf_exp_bounded(vf x)
{
    const vf shift = vf_set(0x1.8p23f); /* adding it rounds to a whole number */
    x = vf_max(vf_set(-104.0f), x);
    vf n = vf_sub(vf_fma(x, vf_set(1.44269504f), shift), shift);
    vf r = vf_fnma(n, vf_set(0x1.62e4p-1f), x); /* the upper bits of ln 2: n times it is exact */
    r = vf_fnma(n, vf_set(1.42860677e-6f), r);
    vf p = vf_set(1.9875691500e-4f);
    p = vf_fma(p, r, vf_set(1.3981999507e-3f));
    p = vf_fma(p, r, vf_set(8.3334519073e-3f));
    p = vf_fma(p, r, vf_set(4.1665795894e-2f));
    p = vf_fma(p, r, vf_set(1.6666665459e-1f));
    p = vf_fma(p, r, vf_set(5.0000001201e-1f));
    p = vf_fma(vf_mul(r, r), p, r);
    return vf_times_pow2(vf_add(p, vf_set(1.0f)), n);
}

/* 2^t for t <= 126 (or NaN), within 2e-7 of it: t = n + r, |r| <= 1/2, and the minimax polynomial of degree 5 for 2^r that is
 * 1 at 0. Below -150 it is 0. For the softmax, where it takes half the time of vf_exp. */
VEC_INLINE vf vf_exp2_below(vf t)
{
    const vf shift = vf_set(0x1.8p23f);
    t = vf_max(vf_set(-150.0f), t);
    vf n = vf_sub(vf_add(t, shift), shift), r = vf_sub(t, n);
    vf p = vf_set(0x1.5bba14p-10f);
    p = vf_fma(p, r, vf_set(0x1.3cea88p-7f));
    p = vf_fma(p, r, vf_set(0x1.c6b752p-5f));
    p = vf_fma(p, r, vf_set(0x1.ebf9bcp-3f));
    p = vf_fma(p, r, vf_set(0x1.62e42ap-1f));
    p = vf_fma(p, r, vf_set(1.0f));
    return vf_times_pow2(p, n);
}

/* 2^t for t <= 126, within 1e-4 of it, 0 below -60: enough for a number of 8 bits. As above with degree 3. */
VEC_INLINE vf vf_exp2_rough(vf t)
{
    const vf shift = vf_set(0x1.8p23f);
    t = vf_max(vf_set(-60.0f), t);
    vf n = vf_sub(vf_add(t, shift), shift), r = vf_sub(t, n);
    vf p = vf_fma(vf_set(0x1.c3f75cp-5f), r, vf_set(0x1.f0de1ap-3f));
    p = vf_fma(p, r, vf_set(0x1.62f31ap-1f));
    p = vf_fma(p, r, vf_set(0x1.fff692p-1f));
    return vf_times_pow2(p, n);
}

/* e^x; infinite above 88.8. */
VEC_INLINE vf vf_exp(vf x)
{
    return vf_exp_bounded(vf_min(vf_set(89.0f), x));
}

/* c[0] + c[1] t + ... + c[n-1] t^(n-1) */
VEC_INLINE vf vf_polynomial(const float *c, int n, vf t)
{
    vf y = vf_set(c[n - 1]);
#pragma GCC unroll 8
    for (int i = n - 2; i >= 0; i--) y = vf_fma(y, t, vf_set(c[i]));
    return y;
}

/* The standard normal's Phi(x) = 1/2 + x P(x^2) / Q(x^2). Rational minimax fit on |x| <= 5.5, beyond which Phi is 0 or
 * 1 in float32; error of the fit 3e-8, with rounding 2e-7. */
VEC_INLINE vf vf_normal_cdf(vf x)
{
    static const float top[] = {0.398942164f,    0.0348760208f,   0.00474431794f,
                                0.000179853461f, 6.47987577e-06f, 2.22596287e-08f};
    static const float bottom[] = {1.0f, 0.254086147f, 0.0292429298f, 0.00194632917f, 7.74658298e-05f, 1.19274613e-06f};
    vf a = vf_min(vf_set(5.5f), vf_abs(x)), t = vf_mul(a, a);
    vf h = vf_mul(vf_mul(a, vf_polynomial(top, 6, t)), vf_recip(vf_polynomial(bottom, 6, t)));
    return vf_add(vf_set(0.5f), vf_with_sign(vf_min(vf_set(0.5f), h), x));
}

/* GELU x Phi(x). The factor is kept above -8 so that -infinity gives -0 and not NaN. */
VEC_INLINE vf vf_gelu(vf x)
{
    return vf_mul(vf_max(vf_set(-8.0f), x), vf_normal_cdf(x));
}

/* GELU' = Phi(x) + x phi(x) = 1/2 + x P(x^2) / Q(x^2). The same kind of fit on |x| <= 6; error 2.3e-8, with rounding
 * 3e-7. */
VEC_INLINE vf vf_gelu_slope(vf x)
{
    static const float top[] = {0.79788456f,    -0.0178109826f, 0.0136862305f,  0.00028532373f,
                                3.4223982e-05f, 1.1497812e-06f, 1.90445363e-08f};
    static const float bottom[] = {
        1.0f,           0.311010039f, 0.0458248545f, 0.00420931856f, 0.000266540695f, 1.14243496e-05f, 4.04341096e-07f,
        1.39610302e-09f};
    vf a = vf_min(vf_set(6.0f), vf_abs(x)), t = vf_mul(a, a);
    vf h = vf_mul(vf_mul(a, vf_polynomial(top, 7, t)), vf_recip(vf_polynomial(bottom, 8, t)));
    return vf_add(vf_set(0.5f), vf_with_sign(h, x));
}

/* 1 / (1 + e^-x), and e^-x, bounded so that both and their product are finite. */
VEC_INLINE vf vf_sigmoid(vf x, vf *e)
{
    vf bounded = vf_max(vf_set(-87.0f), vf_min(vf_set(87.0f), x));
    *e = vf_exp(vf_sub(vf_zero(), bounded));
    return vf_div(vf_set(1.0f), vf_add(vf_set(1.0f), *e));
}

/* CLIP's QuickGELU x sigmoid(1.702 x) = x / (1 + 2^(-1.702 x log2 e)). The power is bounded where its inverse still is a
 * normal number; the reciprocal takes half the time of a division. */
VEC_INLINE vf vf_quick_gelu(vf x)
{
    vf e = vf_exp2_below(vf_min(vf_set(125.0f), vf_mul(vf_set(-2.45546696f), x)));
    return vf_mul(vf_max(vf_set(-60.0f), x), vf_recip(vf_add(vf_set(1.0f), e)));
}

/* QuickGELU' = s (1 + z (1 - s)) with z = 1.702 x, s = sigmoid(z) and 1 - s = e^-z s. */
VEC_INLINE vf vf_quick_gelu_slope(vf x)
{
    vf bounded = vf_max(vf_set(-60.0f), vf_min(vf_set(60.0f), x));
    vf e, z = vf_mul(vf_set(1.702f), bounded), s = vf_sigmoid(z, &e);
    return vf_mul(s, vf_fma(z, vf_mul(e, s), vf_set(1.0f)));
}

/* LLaMA's SiLU x sigmoid(x). */
VEC_INLINE vf vf_silu(vf x)
{
    vf e;
    return vf_mul(vf_max(vf_set(-87.0f), x), vf_sigmoid(x, &e));
}

VEC_INLINE vf vf_silu_slope(vf x)
{
    vf e, z = vf_max(vf_set(-87.0f), vf_min(vf_set(87.0f), x)), s = vf_sigmoid(z, &e);
    return vf_mul(s, vf_fma(z, vf_mul(e, s), vf_set(1.0f)));
}

/* Both at once, with the same bits as each alone. */
VEC_INLINE vf vf_silu_both(vf x, vf *slope)
{
    vf e, z = vf_max(vf_set(-87.0f), vf_min(vf_set(87.0f), x)), s = vf_sigmoid(z, &e);
    *slope = vf_mul(s, vf_fma(z, vf_mul(e, s), vf_set(1.0f)));
    return vf_mul(vf_max(vf_set(-87.0f), x), s);
}

/* The callers' loops have `act` as a constant. */
VEC_INLINE vf vf_activation(flaw_activation act, vf x)
{
    if (act == FLAW_ACT_GELU) return vf_gelu(x);
    if (act == FLAW_ACT_QUICK_GELU) return vf_quick_gelu(x);
    return act == FLAW_ACT_SILU ? vf_silu(x) : x;
}

VEC_INLINE vf vf_activation_slope(flaw_activation act, vf x)
{
    if (act == FLAW_ACT_GELU) return vf_gelu_slope(x);
    if (act == FLAW_ACT_QUICK_GELU) return vf_quick_gelu_slope(x);
    return act == FLAW_ACT_SILU ? vf_silu_slope(x) : vf_set(1.0f);
}

#endif
