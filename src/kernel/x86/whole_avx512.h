/* Floats to small whole numbers, nearest, ties to even. Include after vec_avx512.h; whole_avx2.h has the same names. */
#ifndef FLAW_KERNEL_X86_WHOLE_AVX512_H
#define FLAW_KERNEL_X86_WHOLE_AVX512_H

/* With `zero` added, which makes them at least 0, as bytes without a sign, at most 255. */
VEC_INLINE void vf_store_unsigned(void *p, vf x, int zero)
{
    _mm_storeu_si128(p, _mm512_cvtusepi32_epi8(_mm512_add_epi32(_mm512_cvtps_epi32(x), _mm512_set1_epi32(zero))));
}

/* VEC lanes, at most `most`, as 16 bits. */
VEC_INLINE void vf_store_shorts(void *p, vf x, int most)
{
    _mm256_storeu_si256(p, _mm512_cvtepi32_epi16(_mm512_min_epi32(_mm512_cvtps_epi32(x), _mm512_set1_epi32(most))));
}

/* Lanes of 32 bits, nearest; their sum; of lanes below 2^16 the higher and the lower bytes. */
VEC_INLINE vf vf_to_whole(vf x)
{
    return _mm512_castsi512_ps(_mm512_cvtps_epi32(x));
}

VEC_INLINE vf vf_whole_add(vf a, vf b)
{
    return _mm512_castsi512_ps(_mm512_add_epi32(_mm512_castps_si512(a), _mm512_castps_si512(b)));
}

VEC_INLINE void vf_store_two_bytes(void *high, void *low, vf q)
{
    __m512i whole = _mm512_castps_si512(q);
    _mm_storeu_si128(low, _mm512_cvtepi32_epi8(whole));
    _mm_storeu_si128(high, _mm512_cvtepi32_epi8(_mm512_srli_epi32(whole, 8)));
}

/* The lowest 8 bits of the lanes of four vectors into the bytes of one, or the lowest 16 of two. */
VEC_INLINE vf vf_join_bytes(const vf q[4])
{
    const __m512i byte = _mm512_set1_epi32(0xff);
    __m512i r = _mm512_slli_epi32(_mm512_castps_si512(q[3]), 8);
    enum { A_OR_B_AND_C = 0xf8 };
    r = _mm512_slli_epi32(_mm512_ternarylogic_epi32(r, _mm512_castps_si512(q[2]), byte, A_OR_B_AND_C), 8);
    r = _mm512_slli_epi32(_mm512_ternarylogic_epi32(r, _mm512_castps_si512(q[1]), byte, A_OR_B_AND_C), 8);
    return _mm512_castsi512_ps(_mm512_ternarylogic_epi32(r, _mm512_castps_si512(q[0]), byte, A_OR_B_AND_C));
}

VEC_INLINE vf vf_join_shorts(const vf q[2])
{
    __m512i high = _mm512_slli_epi32(_mm512_castps_si512(q[1]), 16);
    return _mm512_castsi512_ps(_mm512_mask_blend_epi16(0xaaaaaaaa, _mm512_castps_si512(q[0]), high));
}

/* Whole lanes times x. */
VEC_INLINE vf vf_whole_times(const void *p, int x)
{
    return _mm512_castsi512_ps(_mm512_mullo_epi32(_mm512_loadu_si512(p), _mm512_set1_epi32(x)));
}

#endif
