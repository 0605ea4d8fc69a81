/* The rate of vpdpbusd in registers. In assembly: from the intrinsic the compiler makes a copy of every sum, and half the
 * speed. What the registers hold does not matter. The includer defines LIMIT (the function), CHAIN(n) (one instruction that
 * adds to register n) and LANES (sums of a register). */
#include "../limit.h"

enum { ROUNDS = 20000, CHAINS = 14 };

double LIMIT(void)
{
    for (int i = 0; i < ROUNDS; i++)
        __asm__ volatile(CHAIN(0) CHAIN(1) CHAIN(2) CHAIN(3) CHAIN(4) CHAIN(5) CHAIN(6) CHAIN(7) CHAIN(8) CHAIN(9)
                         CHAIN(10) CHAIN(11) CHAIN(12) CHAIN(13)
                         :
                         :
                         : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10",
                           "xmm11", "xmm12", "xmm13", "xmm15");
    return 8.0 * LANES * CHAINS * ROUNDS;
}
