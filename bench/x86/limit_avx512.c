#include <immintrin.h>

#include "../limit.h"

enum { ROUNDS = 20000, CHAINS = 20 };

double limit_avx512_f32(void)
{
    __m512 s[CHAINS], x = _mm512_set1_ps(1e-3f);
    for (int c = 0; c < CHAINS; c++) s[c] = _mm512_setzero_ps();
    for (int i = 0; i < ROUNDS; i++) {
#pragma GCC unroll 20
        for (int c = 0; c < CHAINS; c++) s[c] = _mm512_fmadd_ps(x, x, s[c]);
        __asm__ volatile("" : "+v"(x)); /* keeps the loop from being computed once */
    }
    for (int c = 0; c < CHAINS; c++) __asm__ volatile("" : : "v"(s[c]));
    return 2.0 * 16 * CHAINS * ROUNDS;
}
