/* Floats to small whole numbers: the same names as whole_avx512.h, see there. */
#ifndef FLAW_KERNEL_X86_WHOLE_AVX2_H
#define FLAW_KERNEL_X86_WHOLE_AVX2_H

VEC_INLINE __m128i vf_to_shorts(__m256i q)
{
    return _mm_packs_epi32(_mm256_castsi256_si128(q), _mm256_extracti128_si256(q, 1));
}

VEC_INLINE void vf_store_unsigned(void *p, vf x, int zero)
{
    __m128i q = vf_to_shorts(_mm256_add_epi32(_mm256_cvtps_epi32(x), _mm256_set1_epi32(zero)));
    _mm_storel_epi64(p, _mm_packus_epi16(q, q));
}

VEC_INLINE void vf_store_shorts(void *p, vf x, int most)
{
    _mm_storeu_si128(p, vf_to_shorts(_mm256_min_epi32(_mm256_cvtps_epi32(x), _mm256_set1_epi32(most))));
}

VEC_INLINE vf vf_to_whole(vf x)
{
    return _mm256_castsi256_ps(_mm256_cvtps_epi32(x));
}

VEC_INLINE vf vf_whole_add(vf a, vf b)
{
    return _mm256_castsi256_ps(_mm256_add_epi32(_mm256_castps_si256(a), _mm256_castps_si256(b)));
}

VEC_INLINE void vf_store_two_bytes(void *high, void *low, vf q)
{
    __m256i whole = _mm256_castps_si256(q);
    __m128i first = vf_to_shorts(_mm256_and_si256(whole, _mm256_set1_epi32(255)));
    __m128i second = vf_to_shorts(_mm256_srli_epi32(whole, 8));
    _mm_storel_epi64(low, _mm_packus_epi16(first, first));
    _mm_storel_epi64(high, _mm_packus_epi16(second, second));
}

VEC_INLINE vf vf_join_bytes(const vf q[4])
{
    const __m256i byte = _mm256_set1_epi32(0xff);
    __m256i r = _mm256_castps_si256(q[3]);
    for (int i = 2; i >= 0; i--)
        r = _mm256_or_si256(_mm256_slli_epi32(r, 8), _mm256_and_si256(_mm256_castps_si256(q[i]), byte));
    return _mm256_castsi256_ps(r);
}

VEC_INLINE vf vf_join_shorts(const vf q[2])
{
    __m256i high = _mm256_slli_epi32(_mm256_castps_si256(q[1]), 16);
    return _mm256_castsi256_ps(_mm256_blend_epi16(_mm256_castps_si256(q[0]), high, 0xaa));
}

VEC_INLINE vf vf_whole_times(const void *p, int x)
{
    return _mm256_castsi256_ps(_mm256_mullo_epi32(_mm256_loadu_si256(p), _mm256_set1_epi32(x)));
}

#endif
