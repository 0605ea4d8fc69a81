/* Floats to small whole numbers, nearest, ties to even. Include after vec_avx512.h; whole_avx2.h has the same names. */
#ifndef FLAW_KERNEL_X86_WHOLE_AVX512_H
#define FLAW_KERNEL_X86_WHOLE_AVX512_H

/* VEC lanes with `offset` added, as bytes. */
VEC_INLINE void vf_store_bytes(void *p, vf x, int offset)
{
    __m512i q = _mm512_add_epi32(_mm512_cvtps_epi32(x), _mm512_set1_epi32(offset));
    _mm_storeu_si128(p, _mm512_cvtepi32_epi8(q));
}

/* VEC lanes as 16 bits. */
VEC_INLINE void vf_store_shorts(void *p, vf x)
{
    _mm256_storeu_si256(p, _mm512_cvtepi32_epi16(_mm512_cvtps_epi32(x)));
}

#endif
