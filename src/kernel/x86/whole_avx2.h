/* Floats to small whole numbers: the same names as whole_avx512.h, see there. */
#ifndef FLAW_KERNEL_X86_WHOLE_AVX2_H
#define FLAW_KERNEL_X86_WHOLE_AVX2_H

VEC_INLINE __m128i vf_to_shorts(__m256i q)
{
    return _mm_packs_epi32(_mm256_castsi256_si128(q), _mm256_extracti128_si256(q, 1));
}

VEC_INLINE void vf_store_bytes(void *p, vf x, int offset)
{
    __m128i q = vf_to_shorts(_mm256_cvtps_epi32(x));
    q = _mm_and_si128(_mm_add_epi16(q, _mm_set1_epi16((short)offset)), _mm_set1_epi16(255));
    _mm_storel_epi64(p, _mm_packus_epi16(q, q));
}

VEC_INLINE void vf_store_shorts(void *p, vf x)
{
    _mm_storeu_si128(p, vf_to_shorts(_mm256_cvtps_epi32(x)));
}

#endif
