/* Floats to small whole numbers: names of x86/whole_avx512.h, see there. */
#ifndef FLAW_KERNEL_ARM_WHOLE_NEON_H
#define FLAW_KERNEL_ARM_WHOLE_NEON_H

#include <string.h>

VEC_INLINE vf vf_to_whole(vf x)
{
    return vreinterpretq_f32_s32(vcvtnq_s32_f32(x));
}

VEC_INLINE vf vf_whole_add(vf a, vf b)
{
    return vreinterpretq_f32_s32(vaddq_s32(vreinterpretq_s32_f32(a), vreinterpretq_s32_f32(b)));
}

VEC_INLINE vf vf_join_bytes(const vf q[4])
{
    uint32x4_t r = vreinterpretq_u32_f32(q[3]);
    for (int i = 2; i >= 0; i--) r = vsliq_n_u32(vreinterpretq_u32_f32(q[i]), r, 8);
    return vreinterpretq_f32_u32(r);
}

VEC_INLINE void vf_store_two_bytes(void *high, void *low, vf q)
{
    uint16x4_t half = vmovn_u32(vreinterpretq_u32_f32(q));
    uint16x8_t twice = vcombine_u16(half, half);
    uint32x2_t first = vreinterpret_u32_u8(vmovn_u16(twice)), second = vreinterpret_u32_u8(vshrn_n_u16(twice, 8));
    memcpy(low, &first, VEC);
    memcpy(high, &second, VEC);
}

#endif
