/* Narrow numbers as vectors of 8 floats: the same names as narrow_avx512.h, see there. */
#ifndef FLAW_KERNEL_X86_NARROW_AVX2_H
#define FLAW_KERNEL_X86_NARROW_AVX2_H

VEC_INLINE vf vf_from_half(const void *p)
{
    return _mm256_cvtph_ps(_mm_loadu_si128(p));
}

VEC_INLINE vf vf_from_bf16(const void *p)
{
    return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(_mm_loadu_si128(p)), 16));
}

VEC_INLINE vf vf_from_i8(const void *p)
{
    return _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_loadl_epi64(p)));
}

VEC_INLINE vf vf_of_u8(__m128i q)
{
    return _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(q));
}

VEC_INLINE __m256i vf_bytes(const void *p)
{
    return _mm256_cvtepu8_epi32(_mm_loadl_epi64(p));
}

/* A value q of 4 bits stands for d (q + shift) + m: no register holds a table of 16 here. */
typedef struct vf_bits {
    vf d, m;
    int shift; /* -8 or 0, a constant */
} vf_bits;

VEC_INLINE vf_bits vf_four_bits(vf d)
{
    return (vf_bits){d, vf_zero(), -8};
}

VEC_INLINE vf_bits vf_four_bits_from(vf d, vf m)
{
    return (vf_bits){d, m, 0};
}

VEC_INLINE vf vf_look_up(__m256i q, vf_bits bits)
{
    if (bits.shift) return vf_mul(bits.d, _mm256_cvtepi32_ps(_mm256_add_epi32(q, _mm256_set1_epi32(bits.shift))));
    return vf_fma(bits.d, _mm256_cvtepi32_ps(q), bits.m);
}

VEC_INLINE void vf_nibbles(const uint8_t *p, vf_bits bits, vf w[4])
{
    for (int i = 0; i < 2; i++) {
        __m256i q = vf_bytes(p + 8 * i);
        w[i] = vf_look_up(_mm256_and_si256(q, _mm256_set1_epi32(15)), bits);
        w[2 + i] = vf_look_up(_mm256_srli_epi32(q, 4), bits);
    }
}

VEC_INLINE void vf_half_bytes(const uint8_t *p, int shift, vf_bits bits, vf w[4])
{
    for (int i = 0; i < 4; i++) {
        __m256i q = vf_bytes(p + 8 * i);
        w[i] = vf_look_up(shift ? _mm256_srli_epi32(q, 4) : _mm256_and_si256(q, _mm256_set1_epi32(15)), bits);
    }
}

#endif
