/* Vectors of 4 floats: the same names as x86/vec_avx512.h, see there. Every aarch64 machine has them. Here vf_min and vf_max
 * pass a NaN on from either side. */
#ifndef FLAW_KERNEL_ARM_VEC_NEON_H
#define FLAW_KERNEL_ARM_VEC_NEON_H

#include <arm_neon.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef float32x4_t vf;
enum { VEC = 4 };

#define VEC_INLINE static inline __attribute__((always_inline, unused))

VEC_INLINE vf vf_set(float x)
{
    return vdupq_n_f32(x);
}

VEC_INLINE vf vf_zero(void)
{
    return vdupq_n_f32(0.0f);
}

VEC_INLINE vf vf_load(const float *p)
{
    return vld1q_f32(p);
}

VEC_INLINE void vf_store(float *p, vf v)
{
    vst1q_f32(p, v);
}

/* A plain store: what these machines have instead of stores past the caches is a hint for pairs of registers. */
VEC_INLINE void vf_stream(float *p, vf v)
{
    vst1q_f32(p, v);
}

VEC_INLINE uint32x4_t vf_lanes(int n)
{
    return vcgtq_s32(vdupq_n_s32(n), vcombine_s32(vcreate_s32(0x100000000), vcreate_s32(0x300000002)));
}

/* There are no masked loads: lane by lane. */
VEC_INLINE vf vf_load_some(const float *p, int n)
{
    if (n >= VEC) return vf_load(p);
    vf v = vf_zero();
    if (n > 0) v = vld1q_lane_f32(p, v, 0);
    if (n > 1) v = vld1q_lane_f32(p + 1, v, 1);
    if (n > 2) v = vld1q_lane_f32(p + 2, v, 2);
    return v;
}

VEC_INLINE void vf_store_some(float *p, vf v, int n)
{
    if (n >= VEC) {
        vf_store(p, v);
        return;
    }
    if (n > 0) vst1q_lane_f32(p, v, 0);
    if (n > 1) vst1q_lane_f32(p + 1, v, 1);
    if (n > 2) vst1q_lane_f32(p + 2, v, 2);
}

VEC_INLINE vf vf_load_twice(const float *p, int n)
{
    vf v = vf_load_some(p, n / 2);
    return vzip1q_f32(v, v);
}

VEC_INLINE vf vf_swap_pairs(vf v)
{
    return vrev64q_f32(v);
}

VEC_INLINE vf vf_keep(vf v, int n, vf rest)
{
    return vbslq_f32(vf_lanes(n), v, rest);
}

VEC_INLINE vf vf_add(vf a, vf b)
{
    return vaddq_f32(a, b);
}

VEC_INLINE vf vf_sub(vf a, vf b)
{
    return vsubq_f32(a, b);
}

VEC_INLINE vf vf_mul(vf a, vf b)
{
    return vmulq_f32(a, b);
}

VEC_INLINE vf vf_div(vf a, vf b)
{
    return vdivq_f32(a, b);
}

VEC_INLINE vf vf_fma(vf a, vf b, vf c)
{
    return vfmaq_f32(c, a, b);
}

VEC_INLINE vf vf_fnma(vf a, vf b, vf c)
{
    return vfmsq_f32(c, a, b);
}

VEC_INLINE vf vf_min(vf a, vf b)
{
    return vminq_f32(a, b);
}

VEC_INLINE vf vf_max(vf a, vf b)
{
    return vmaxq_f32(a, b);
}

VEC_INLINE vf vf_sqrt(vf a)
{
    return vsqrtq_f32(a);
}

/* The estimate has 8 bits; two steps of Newton are no cheaper than the division. */
VEC_INLINE vf vf_recip(vf a)
{
    return vf_div(vf_set(1.0f), a);
}

/* In two halves, because 2^n alone may be denormal or infinite where a 2^n is not. |n| <= 250. */
VEC_INLINE vf vf_times_pow2(vf a, vf n)
{
    const int32x4_t bias = vdupq_n_s32(127);
    int32x4_t whole = vcvtnq_s32_f32(n), half = vshrq_n_s32(whole, 1);
    int32x4_t first = vshlq_n_s32(vaddq_s32(half, bias), 23);
    int32x4_t second = vshlq_n_s32(vaddq_s32(vsubq_s32(whole, half), bias), 23);
    return vf_mul(vf_mul(a, vreinterpretq_f32_s32(first)), vreinterpretq_f32_s32(second));
}

VEC_INLINE vf vf_abs(vf a)
{
    return vabsq_f32(a);
}

VEC_INLINE vf vf_with_sign(vf a, vf s)
{
    return vbslq_f32(vdupq_n_u32(0x80000000u), s, a);
}

VEC_INLINE vf vf_round_bf16(vf a)
{
    uint32x4_t u = vreinterpretq_u32_f32(a);
    uint32x4_t odd = vandq_u32(vshrq_n_u32(u, 16), vdupq_n_u32(1));
    uint32x4_t r = vaddq_u32(u, vaddq_u32(odd, vdupq_n_u32(0x7fff)));
    uint32x4_t quiet = vorrq_u32(u, vdupq_n_u32(0x400000));
    r = vbslq_u32(vceqq_f32(a, a), r, quiet);
    return vreinterpretq_f32_u32(vandq_u32(r, vdupq_n_u32(0xffff0000u)));
}

VEC_INLINE float vf_sum(vf v)
{
    float32x2_t half = vadd_f32(vget_low_f32(v), vget_high_f32(v));
    return vget_lane_f32(half, 0) + vget_lane_f32(half, 1);
}

/* Whether a lane is `least` or larger. */
VEC_INLINE bool vf_reaches(vf v, float least)
{
    return vmaxvq_u32(vcgeq_f32(v, vf_set(least))) != 0;
}

VEC_INLINE float vf_top(vf v)
{
    return vmaxvq_f32(v);
}

/* Pairs of lanes, then halves; each step brings two vectors into one. */
VEC_INLINE vf vf_sums(int n, const vf v[4])
{
    vf a = vpaddq_f32(v[0], n > 1 ? v[1] : vf_zero()), b = vf_zero();
    if (n > 2) b = vpaddq_f32(v[2], n > 3 ? v[3] : vf_zero());
    return vpaddq_f32(a, b);
}

typedef struct vf_double {
    float64x2_t half[2];
} vf_double;

VEC_INLINE vf_double vf_double_zero(void)
{
    return (vf_double){{vdupq_n_f64(0.0), vdupq_n_f64(0.0)}};
}

VEC_INLINE void vf_double_add_product(vf_double *sum, vf a, vf b)
{
    sum->half[0] = vfmaq_f64(sum->half[0], vcvt_f64_f32(vget_low_f32(a)), vcvt_f64_f32(vget_low_f32(b)));
    sum->half[1] = vfmaq_f64(sum->half[1], vcvt_high_f64_f32(a), vcvt_high_f64_f32(b));
}

VEC_INLINE double vf_double_sum(vf_double s)
{
    float64x2_t both = vaddq_f64(s.half[0], s.half[1]);
    return vgetq_lane_f64(both, 0) + vgetq_lane_f64(both, 1);
}

/* Lanes that hold whole numbers of 32 bits, as floats. */
VEC_INLINE vf vf_from_whole(vf v)
{
    return vcvtq_f32_s32(vreinterpretq_s32_f32(v));
}

/* Transposes a square of 4 x 4 lanes of 4 bytes, in place. */
VEC_INLINE void vf_transpose(vf r[4])
{
    float64x2_t even0 = vreinterpretq_f64_f32(vtrn1q_f32(r[0], r[1])), odd0 = vreinterpretq_f64_f32(vtrn2q_f32(r[0], r[1]));
    float64x2_t even1 = vreinterpretq_f64_f32(vtrn1q_f32(r[2], r[3])), odd1 = vreinterpretq_f64_f32(vtrn2q_f32(r[2], r[3]));
    r[0] = vreinterpretq_f32_f64(vtrn1q_f64(even0, even1));
    r[1] = vreinterpretq_f32_f64(vtrn1q_f64(odd0, odd1));
    r[2] = vreinterpretq_f32_f64(vtrn2q_f64(even0, even1));
    r[3] = vreinterpretq_f32_f64(vtrn2q_f64(odd0, odd1));
}

#endif
