#include <immintrin.h>

#include "../limit.h"

enum { ROUNDS = 20000, CHAINS = 10 };

double limit_avx2_int8(void)
{
    __m256i s[CHAINS], x = _mm256_set1_epi8(1);
    for (int c = 0; c < CHAINS; c++) s[c] = _mm256_setzero_si256();
    for (int i = 0; i < ROUNDS; i++) {
#pragma GCC unroll 10
        for (int c = 0; c < CHAINS; c++) s[c] = _mm256_dpbusd_avx_epi32(s[c], x, x);
        __asm__ volatile("" : "+x"(x)); /* keeps the loop from being computed once */
    }
    for (int c = 0; c < CHAINS; c++) __asm__ volatile("" : : "x"(s[c]));
    return 8.0 * 8 * CHAINS * ROUNDS;
}
