#include <immintrin.h>

#include "../limit.h"

enum { ROUNDS = 20000, CHAINS = 10 };

double limit_avx2_f32(void)
{
    __m256 s[CHAINS], x = _mm256_set1_ps(1e-3f);
    for (int c = 0; c < CHAINS; c++) s[c] = _mm256_setzero_ps();
    for (int i = 0; i < ROUNDS; i++) {
#pragma GCC unroll 10
        for (int c = 0; c < CHAINS; c++) s[c] = _mm256_fmadd_ps(x, x, s[c]);
        __asm__ volatile("" : "+x"(x)); /* keeps the loop from being computed once */
    }
    for (int c = 0; c < CHAINS; c++) __asm__ volatile("" : : "x"(s[c]));
    return 2.0 * 8 * CHAINS * ROUNDS;
}
