/* Vectors of 16 floats for the bodies shared by the levels (*.inc.c). vec_avx2.h defines the same names for 8 floats.
 * Operations that pass a NaN on: vf_min and vf_max return their SECOND operand when either is a NaN, so the value that
 * may be a NaN is always passed second. */
#ifndef FLAW_KERNEL_X86_VEC_AVX512_H
#define FLAW_KERNEL_X86_VEC_AVX512_H

#include <immintrin.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef __m512 vf;
enum { VEC = 16 };

#define VEC_INLINE static inline __attribute__((always_inline, unused))

VEC_INLINE vf vf_set(float x)
{
    return _mm512_set1_ps(x);
}

VEC_INLINE vf vf_zero(void)
{
    return _mm512_setzero_ps();
}

VEC_INLINE vf vf_load(const float *p)
{
    return _mm512_loadu_ps(p);
}

VEC_INLINE void vf_store(float *p, vf v)
{
    _mm512_storeu_ps(p, v);
}

/* p on a multiple of the vector's size; not seen by other threads before a fence. */
VEC_INLINE void vf_stream(float *p, vf v)
{
    _mm512_stream_ps(p, v);
}

VEC_INLINE __mmask16 vf_lanes(int n)
{
    return (__mmask16)((1u << n) - 1u);
}

/* The first n lanes, 0 < n <= VEC; the others are zero and their memory is not touched. */
VEC_INLINE vf vf_load_some(const float *p, int n)
{
    if (__builtin_constant_p(n) && n == VEC) return vf_load(p);
    return _mm512_maskz_loadu_ps(vf_lanes(n), p);
}

VEC_INLINE void vf_store_some(float *p, vf v, int n)
{
    if (__builtin_constant_p(n) && n == VEC) vf_store(p, v);
    else _mm512_mask_storeu_ps(p, vf_lanes(n), v);
}

/* p[0] p[0] p[1] p[1] ... in the first n lanes, n even. */
VEC_INLINE vf vf_load_twice(const float *p, int n)
{
    const __m512i each = _mm512_setr_epi32(0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7);
    return _mm512_permutexvar_ps(each, vf_load_some(p, n / 2));
}

/* Lanes 1 0 3 2 ... */
VEC_INLINE vf vf_swap_pairs(vf v)
{
    return _mm512_permute_ps(v, 0xb1);
}

/* v with `rest` in the lanes from n on. */
VEC_INLINE vf vf_keep(vf v, int n, vf rest)
{
    return _mm512_mask_mov_ps(rest, vf_lanes(n), v);
}

VEC_INLINE vf vf_add(vf a, vf b)
{
    return _mm512_add_ps(a, b);
}

VEC_INLINE vf vf_sub(vf a, vf b)
{
    return _mm512_sub_ps(a, b);
}

VEC_INLINE vf vf_mul(vf a, vf b)
{
    return _mm512_mul_ps(a, b);
}

VEC_INLINE vf vf_div(vf a, vf b)
{
    return _mm512_div_ps(a, b);
}

/* a b + c */
VEC_INLINE vf vf_fma(vf a, vf b, vf c)
{
    return _mm512_fmadd_ps(a, b, c);
}

/* c - a b */
VEC_INLINE vf vf_fnma(vf a, vf b, vf c)
{
    return _mm512_fnmadd_ps(a, b, c);
}

VEC_INLINE vf vf_min(vf a, vf b)
{
    return _mm512_min_ps(a, b);
}

VEC_INLINE vf vf_max(vf a, vf b)
{
    return _mm512_max_ps(a, b);
}

VEC_INLINE vf vf_sqrt(vf a)
{
    return _mm512_sqrt_ps(a);
}

/* 1/a within 2^-23 relative for a in [2^-60, 2^60]: 14 bits and one step of Newton, cheaper than a division. */
VEC_INLINE vf vf_recip(vf a)
{
    vf r = _mm512_rcp14_ps(a);
    return vf_mul(r, vf_fnma(a, r, vf_set(2.0f)));
}

/* a 2^n for a whole n; rounds once into the denormals, overflows to infinity. */
VEC_INLINE vf vf_times_pow2(vf a, vf n)
{
    return _mm512_scalef_ps(a, n);
}

VEC_INLINE vf vf_abs(vf a)
{
    return _mm512_abs_ps(a);
}

/* |a| with the sign of s; a must be >= 0 or NaN. */
VEC_INLINE vf vf_with_sign(vf a, vf s)
{
    const __m512i sign = _mm512_set1_epi32((int)0x80000000u);
    enum { A_OR_B_AND_C = 0xf8 };
    return _mm512_castsi512_ps(
        _mm512_ternarylogic_epi32(_mm512_castps_si512(a), _mm512_castps_si512(s), sign, A_OR_B_AND_C));
}

/* Each lane rounded to the nearest bf16 (ties to even), still as float32; a NaN stays a NaN. */
VEC_INLINE vf vf_round_bf16(vf a)
{
    __m512i u = _mm512_castps_si512(a);
    __m512i odd = _mm512_and_si512(_mm512_srli_epi32(u, 16), _mm512_set1_epi32(1));
    __m512i r = _mm512_add_epi32(u, _mm512_add_epi32(odd, _mm512_set1_epi32(0x7fff)));
    __mmask16 nan = _mm512_cmp_ps_mask(a, a, _CMP_UNORD_Q);
    r = _mm512_mask_or_epi32(r, nan, u, _mm512_set1_epi32(0x400000));
    return _mm512_castsi512_ps(_mm512_and_si512(r, _mm512_set1_epi32((int)0xffff0000u)));
}

/* Sums and maxima over the lanes in a fixed order (halves, then quarters ...). */
VEC_INLINE float vf_sum(vf v)
{
    __m256 h =
        _mm256_add_ps(_mm512_castps512_ps256(v), _mm256_castpd_ps(_mm512_extractf64x4_pd(_mm512_castps_pd(v), 1)));
    __m128 q = _mm_add_ps(_mm256_castps256_ps128(h), _mm256_extractf128_ps(h, 1));
    q = _mm_add_ps(q, _mm_movehl_ps(q, q));
    return _mm_cvtss_f32(_mm_add_ss(q, _mm_movehdup_ps(q)));
}

/* Whether a lane is `least` or larger. */
VEC_INLINE bool vf_reaches(vf v, float least)
{
    return _mm512_cmp_ps_mask(v, vf_set(least), _CMP_GE_OQ) != 0;
}

VEC_INLINE float vf_top(vf v)
{
    __m256 h =
        _mm256_max_ps(_mm512_castps512_ps256(v), _mm256_castpd_ps(_mm512_extractf64x4_pd(_mm512_castps_pd(v), 1)));
    __m128 q = _mm_max_ps(_mm256_castps256_ps128(h), _mm256_extractf128_ps(h, 1));
    q = _mm_max_ps(q, _mm_movehl_ps(q, q));
    return _mm_cvtss_f32(_mm_max_ss(q, _mm_movehdup_ps(q)));
}

/* Lane i: the sum over the lanes of v[i], for the first n; n is a constant. Halves are added, then quarters, then lanes;
 * each step brings two vectors into one, so that it takes 30 shuffles and not 64. */
VEC_INLINE vf vf_sums(int n, const vf v[16])
{
    vf z[4];
#pragma GCC unroll 4
    for (int i = 0; i < 4; i++) {
        vf a = n > i ? v[i] : vf_zero(), b = n > i + 4 ? v[i + 4] : vf_zero(), ab, cd = vf_zero();
        ab = vf_add(_mm512_shuffle_f32x4(a, b, 0x44), _mm512_shuffle_f32x4(a, b, 0xee));
        if (n > i + 8) {
            vf c = v[i + 8], d = n > i + 12 ? v[i + 12] : vf_zero();
            cd = vf_add(_mm512_shuffle_f32x4(c, d, 0x44), _mm512_shuffle_f32x4(c, d, 0xee));
        }
        z[i] = vf_add(_mm512_shuffle_f32x4(ab, cd, 0x88), _mm512_shuffle_f32x4(ab, cd, 0xdd));
    }
    __m512d s = _mm512_castps_pd(vf_add(_mm512_unpacklo_ps(z[0], z[1]), _mm512_unpackhi_ps(z[0], z[1])));
    __m512d t = _mm512_castps_pd(vf_add(_mm512_unpacklo_ps(z[2], z[3]), _mm512_unpackhi_ps(z[2], z[3])));
    return vf_add(_mm512_castpd_ps(_mm512_unpacklo_pd(s, t)), _mm512_castpd_ps(_mm512_unpackhi_pd(s, t)));
}

/* sum += a b in double: lanes 0-7 into sum[0], 8-15 into sum[1]. */
typedef struct vf_double {
    __m512d half[2];
} vf_double;

VEC_INLINE vf_double vf_double_zero(void)
{
    return (vf_double){{_mm512_setzero_pd(), _mm512_setzero_pd()}};
}

VEC_INLINE __m512d vf_upper_double(vf a)
{
    return _mm512_cvtps_pd(_mm256_castpd_ps(_mm512_extractf64x4_pd(_mm512_castps_pd(a), 1)));
}

VEC_INLINE void vf_double_add_product(vf_double *sum, vf a, vf b)
{
    __m512d a0 = _mm512_cvtps_pd(_mm512_castps512_ps256(a)), b0 = _mm512_cvtps_pd(_mm512_castps512_ps256(b));
    sum->half[0] = _mm512_fmadd_pd(a0, b0, sum->half[0]);
    sum->half[1] = _mm512_fmadd_pd(vf_upper_double(a), vf_upper_double(b), sum->half[1]);
}

VEC_INLINE double vf_double_sum(vf_double s)
{
    double lane[8], total = 0.0;
    _mm512_storeu_pd(lane, _mm512_add_pd(s.half[0], s.half[1]));
    for (int i = 0; i < 8; i++) total += lane[i];
    return total;
}

/* Lanes that hold whole numbers of 32 bits, as floats. */
VEC_INLINE vf vf_from_whole(vf v)
{
    return _mm512_cvtepi32_ps(_mm512_castps_si512(v));
}

/* Transposes a square of 16 x 16 lanes of 4 bytes, in place. */
VEC_INLINE void vf_transpose(vf r[16])
{
    vf t[16];
#pragma GCC unroll 16
    for (int i = 0; i < 16; i += 2) { /* pairs of rows: lanes 0 1 of each quarter, then 2 3 */
        t[i] = _mm512_unpacklo_ps(r[i], r[i + 1]);
        t[i + 1] = _mm512_unpackhi_ps(r[i], r[i + 1]);
    }
#pragma GCC unroll 16
    for (int i = 0; i < 16; i += 4) { /* r[i + c] quarter q: column 4 q + c of rows i .. i + 3 */
        for (int h = 0; h < 2; h++) {
            __m512d x = _mm512_castps_pd(t[i + h]), y = _mm512_castps_pd(t[i + 2 + h]);
            r[i + 2 * h] = _mm512_castpd_ps(_mm512_unpacklo_pd(x, y));
            r[i + 2 * h + 1] = _mm512_castpd_ps(_mm512_unpackhi_pd(x, y));
        }
    }
#pragma GCC unroll 16
    for (int c = 0; c < 4; c++) { /* a 4 x 4 transposition of quarters */
        vf even0 = _mm512_shuffle_f32x4(r[c], r[c + 4], 0x88), odd0 = _mm512_shuffle_f32x4(r[c], r[c + 4], 0xdd);
        vf even1 = _mm512_shuffle_f32x4(r[c + 8], r[c + 12], 0x88);
        vf odd1 = _mm512_shuffle_f32x4(r[c + 8], r[c + 12], 0xdd);
        t[c] = _mm512_shuffle_f32x4(even0, even1, 0x88);
        t[c + 4] = _mm512_shuffle_f32x4(odd0, odd1, 0x88);
        t[c + 8] = _mm512_shuffle_f32x4(even0, even1, 0xdd);
        t[c + 12] = _mm512_shuffle_f32x4(odd0, odd1, 0xdd);
    }
#pragma GCC unroll 16
    for (int i = 0; i < 16; i++) r[i] = t[i];
}

#endif
