/* Vectors of 8 floats: the same names as vec_avx512.h, see there. */
#ifndef FLAW_KERNEL_X86_VEC_AVX2_H
#define FLAW_KERNEL_X86_VEC_AVX2_H

#include <immintrin.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef __m256 vf;
enum { VEC = 8 };

#define VEC_INLINE static inline __attribute__((always_inline, unused))

VEC_INLINE vf vf_set(float x)
{
    return _mm256_set1_ps(x);
}

VEC_INLINE vf vf_zero(void)
{
    return _mm256_setzero_ps();
}

VEC_INLINE vf vf_load(const float *p)
{
    return _mm256_loadu_ps(p);
}

VEC_INLINE void vf_store(float *p, vf v)
{
    _mm256_storeu_ps(p, v);
}

VEC_INLINE void vf_stream(float *p, vf v)
{
    _mm256_stream_ps(p, v);
}

VEC_INLINE __m256i vf_lanes(int n)
{
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}

VEC_INLINE vf vf_load_some(const float *p, int n)
{
    if (__builtin_constant_p(n) && n == VEC) return vf_load(p);
    return _mm256_maskload_ps(p, vf_lanes(n));
}

VEC_INLINE void vf_store_some(float *p, vf v, int n)
{
    if (__builtin_constant_p(n) && n == VEC) vf_store(p, v);
    else _mm256_maskstore_ps(p, vf_lanes(n), v);
}

VEC_INLINE vf vf_load_twice(const float *p, int n)
{
    return _mm256_permutevar8x32_ps(vf_load_some(p, n / 2), _mm256_setr_epi32(0, 0, 1, 1, 2, 2, 3, 3));
}

VEC_INLINE vf vf_swap_pairs(vf v)
{
    return _mm256_permute_ps(v, 0xb1);
}

VEC_INLINE vf vf_keep(vf v, int n, vf rest)
{
    return _mm256_blendv_ps(rest, v, _mm256_castsi256_ps(vf_lanes(n)));
}

VEC_INLINE vf vf_add(vf a, vf b)
{
    return _mm256_add_ps(a, b);
}

VEC_INLINE vf vf_sub(vf a, vf b)
{
    return _mm256_sub_ps(a, b);
}

VEC_INLINE vf vf_mul(vf a, vf b)
{
    return _mm256_mul_ps(a, b);
}

VEC_INLINE vf vf_div(vf a, vf b)
{
    return _mm256_div_ps(a, b);
}

VEC_INLINE vf vf_fma(vf a, vf b, vf c)
{
    return _mm256_fmadd_ps(a, b, c);
}

VEC_INLINE vf vf_fnma(vf a, vf b, vf c)
{
    return _mm256_fnmadd_ps(a, b, c);
}

VEC_INLINE vf vf_min(vf a, vf b)
{
    return _mm256_min_ps(a, b);
}

VEC_INLINE vf vf_max(vf a, vf b)
{
    return _mm256_max_ps(a, b);
}

VEC_INLINE vf vf_sqrt(vf a)
{
    return _mm256_sqrt_ps(a);
}

/* Here a division is as cheap as an estimate with two steps of Newton. */
VEC_INLINE vf vf_recip(vf a)
{
    return vf_div(vf_set(1.0f), a);
}

/* In two halves, because 2^n alone may be denormal or infinite where a 2^n is not. |n| <= 250. */
VEC_INLINE vf vf_times_pow2(vf a, vf n)
{
    __m256i whole = _mm256_cvtps_epi32(n), half = _mm256_srai_epi32(whole, 1);
    __m256i bias = _mm256_set1_epi32(127);
    __m256i first = _mm256_slli_epi32(_mm256_add_epi32(half, bias), 23);
    __m256i second = _mm256_slli_epi32(_mm256_add_epi32(_mm256_sub_epi32(whole, half), bias), 23);
    return vf_mul(vf_mul(a, _mm256_castsi256_ps(first)), _mm256_castsi256_ps(second));
}

VEC_INLINE vf vf_abs(vf a)
{
    return _mm256_andnot_ps(vf_set(-0.0f), a);
}

VEC_INLINE vf vf_with_sign(vf a, vf s)
{
    return _mm256_or_ps(a, _mm256_and_ps(s, vf_set(-0.0f)));
}

VEC_INLINE vf vf_round_bf16(vf a)
{
    __m256i u = _mm256_castps_si256(a);
    __m256i odd = _mm256_and_si256(_mm256_srli_epi32(u, 16), _mm256_set1_epi32(1));
    __m256i r = _mm256_add_epi32(u, _mm256_add_epi32(odd, _mm256_set1_epi32(0x7fff)));
    __m256i quiet = _mm256_or_si256(u, _mm256_set1_epi32(0x400000));
    __m256i nan = _mm256_castps_si256(_mm256_cmp_ps(a, a, _CMP_UNORD_Q));
    r = _mm256_blendv_epi8(r, quiet, nan);
    return _mm256_castsi256_ps(_mm256_and_si256(r, _mm256_set1_epi32((int)0xffff0000u)));
}

VEC_INLINE float vf_sum(vf v)
{
    __m128 q = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
    q = _mm_add_ps(q, _mm_movehl_ps(q, q));
    return _mm_cvtss_f32(_mm_add_ss(q, _mm_movehdup_ps(q)));
}

/* Whether a lane is `least` or larger. */
VEC_INLINE bool vf_reaches(vf v, float least)
{
    return _mm256_movemask_ps(_mm256_cmp_ps(v, vf_set(least), _CMP_GE_OQ)) != 0;
}

VEC_INLINE float vf_top(vf v)
{
    __m128 q = _mm_max_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
    q = _mm_max_ps(q, _mm_movehl_ps(q, q));
    return _mm_cvtss_f32(_mm_max_ss(q, _mm_movehdup_ps(q)));
}

VEC_INLINE vf vf_sums(int n, const vf v[8])
{
    vf z[4];
#pragma GCC unroll 4
    for (int i = 0; i < 4; i++) {
        vf a = n > i ? v[i] : vf_zero(), b = n > i + 4 ? v[i + 4] : vf_zero();
        z[i] = vf_add(_mm256_permute2f128_ps(a, b, 0x20), _mm256_permute2f128_ps(a, b, 0x31));
    }
    __m256d s = _mm256_castps_pd(vf_add(_mm256_unpacklo_ps(z[0], z[1]), _mm256_unpackhi_ps(z[0], z[1])));
    __m256d t = _mm256_castps_pd(vf_add(_mm256_unpacklo_ps(z[2], z[3]), _mm256_unpackhi_ps(z[2], z[3])));
    return vf_add(_mm256_castpd_ps(_mm256_unpacklo_pd(s, t)), _mm256_castpd_ps(_mm256_unpackhi_pd(s, t)));
}

typedef struct vf_double {
    __m256d half[2];
} vf_double;

VEC_INLINE vf_double vf_double_zero(void)
{
    return (vf_double){{_mm256_setzero_pd(), _mm256_setzero_pd()}};
}

VEC_INLINE void vf_double_add_product(vf_double *sum, vf a, vf b)
{
    __m256d a0 = _mm256_cvtps_pd(_mm256_castps256_ps128(a)), b0 = _mm256_cvtps_pd(_mm256_castps256_ps128(b));
    __m256d a1 = _mm256_cvtps_pd(_mm256_extractf128_ps(a, 1)), b1 = _mm256_cvtps_pd(_mm256_extractf128_ps(b, 1));
    sum->half[0] = _mm256_fmadd_pd(a0, b0, sum->half[0]);
    sum->half[1] = _mm256_fmadd_pd(a1, b1, sum->half[1]);
}

VEC_INLINE double vf_double_sum(vf_double s)
{
    double lane[4];
    _mm256_storeu_pd(lane, _mm256_add_pd(s.half[0], s.half[1]));
    return lane[0] + lane[1] + lane[2] + lane[3];
}

/* Lanes that hold whole numbers of 32 bits, as floats. */
VEC_INLINE vf vf_from_whole(vf v)
{
    return _mm256_cvtepi32_ps(_mm256_castps_si256(v));
}

/* Transposes a square of 8 x 8 lanes of 4 bytes, in place. */
VEC_INLINE void vf_transpose(vf r[8])
{
    vf t[8];
#pragma GCC unroll 8
    for (int i = 0; i < 8; i += 2) {
        t[i] = _mm256_unpacklo_ps(r[i], r[i + 1]);
        t[i + 1] = _mm256_unpackhi_ps(r[i], r[i + 1]);
    }
#pragma GCC unroll 8
    for (int i = 0; i < 8; i += 4) {
        for (int h = 0; h < 2; h++) {
            __m256d x = _mm256_castps_pd(t[i + h]), y = _mm256_castps_pd(t[i + 2 + h]);
            r[i + 2 * h] = _mm256_castpd_ps(_mm256_unpacklo_pd(x, y));
            r[i + 2 * h + 1] = _mm256_castpd_ps(_mm256_unpackhi_pd(x, y));
        }
    }
#pragma GCC unroll 8
    for (int c = 0; c < 4; c++) {
        t[c] = _mm256_permute2f128_ps(r[c], r[c + 4], 0x20);
        t[c + 4] = _mm256_permute2f128_ps(r[c], r[c + 4], 0x31);
    }
#pragma GCC unroll 8
    for (int i = 0; i < 8; i++) r[i] = t[i];
}

#endif
