/* Narrow numbers as vectors of 16 floats. Include after vec_avx512.h; narrow_avx2.h has the same names for 8. */
#ifndef FLAW_KERNEL_X86_NARROW_AVX512_H
#define FLAW_KERNEL_X86_NARROW_AVX512_H

VEC_INLINE vf vf_from_half(const void *p)
{
    return _mm512_cvtph_ps(_mm256_loadu_si256(p));
}

VEC_INLINE vf vf_from_bf16(const void *p)
{
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm256_loadu_si256(p)), 16));
}

VEC_INLINE vf vf_from_i8(const void *p)
{
    return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128(p)));
}

/* As many of the lowest bytes of q as there are lanes. */
VEC_INLINE vf vf_of_u8(__m128i q)
{
    return _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(q));
}

/* What each of the 16 values of 4 bits stands for: a table in a register. */
typedef struct vf_bits {
    vf table;
} vf_bits;

/* d (q - 8) */
VEC_INLINE vf_bits vf_four_bits(vf d)
{
    return (vf_bits){vf_mul(d, _mm512_setr_ps(-8, -7, -6, -5, -4, -3, -2, -1, 0, 1, 2, 3, 4, 5, 6, 7))};
}

/* d q + m */
VEC_INLINE vf_bits vf_four_bits_from(vf d, vf m)
{
    return (vf_bits){vf_fma(d, _mm512_setr_ps(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15), m)};
}

/* The permutation looks at the lowest 4 bits only. */
VEC_INLINE vf vf_look_up(__m512i q, vf_bits bits)
{
    return _mm512_permutexvar_ps(q, bits.table);
}

/* 32 elements of 16 bytes: low halves of the bytes, then high halves. */
VEC_INLINE void vf_nibbles(const void *p, vf_bits bits, vf w[2])
{
    __m512i q = _mm512_cvtepu8_epi32(_mm_loadu_si128(p));
    w[0] = vf_look_up(q, bits);
    w[1] = vf_look_up(_mm512_srli_epi32(q, 4), bits);
}

/* 32 elements of 32 bytes: bits `shift` to shift + 3 of each. */
VEC_INLINE void vf_half_bytes(const uint8_t *p, int shift, vf_bits bits, vf w[2])
{
    for (int i = 0; i < 2; i++) {
        __m512i q = _mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i *)(p + 16 * i)));
        w[i] = vf_look_up(shift ? _mm512_srli_epi32(q, 4) : q, bits);
    }
}

#endif
