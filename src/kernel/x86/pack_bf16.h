/* Packing for the bf16 instructions of AVX-512 (vdpbf16ps and the tiles read the same B).
 * The conversions take denormals as 0: a difference of at most 1e-38 to the reference. */
#ifndef FLAW_KERNEL_X86_PACK_BF16_H
#define FLAW_KERNEL_X86_PACK_BF16_H

#include "kernel/x86/vec_avx512.h"

/* 16 pairs: (x[0], y[0]), (x[1], y[1]) ..., rounded to bf16. */
VEC_INLINE vf vf_pairs(vf x, vf y)
{
    const __m512i zip = _mm512_set_epi16(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8, 23, 7, 22, 6, 21,
                                         5, 20, 4, 19, 3, 18, 2, 17, 1, 16, 0);
    return _mm512_castsi512_ps(_mm512_permutexvar_epi16(zip, (__m512i)_mm512_cvtne2ps_pbh(y, x)));
}

/* 32 adjacent values as bf16, that is 16 pairs of neighbours. The first n exist, the others are 0. */
VEC_INLINE vf vf_neighbours(const float *x, int n)
{
    if (n >= 2 * VEC) return (vf)_mm512_cvtne2ps_pbh(vf_load(x + VEC), vf_load(x));
    if (n > VEC) return (vf)_mm512_cvtne2ps_pbh(vf_load_some(x + VEC, n - VEC), vf_load(x));
    return (vf)_mm512_cvtne2ps_pbh(vf_zero(), vf_load_some(x, n));
}

#endif
