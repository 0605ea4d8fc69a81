#include <immintrin.h>

#include "../limit.h"

enum { ROUNDS = 20000, CHAINS = 20 };

double limit_avx512_int8(void)
{
    __m512i s[CHAINS], x = _mm512_set1_epi8(1);
    for (int c = 0; c < CHAINS; c++) s[c] = _mm512_setzero_si512();
    for (int i = 0; i < ROUNDS; i++) {
#pragma GCC unroll 20
        for (int c = 0; c < CHAINS; c++) s[c] = _mm512_dpbusd_epi32(s[c], x, x);
        __asm__ volatile("" : "+v"(x)); /* keeps the loop from being computed once */
    }
    for (int c = 0; c < CHAINS; c++) __asm__ volatile("" : : "v"(s[c]));
    return 8.0 * 16 * CHAINS * ROUNDS;
}
