/* Seeded random numbers: xoshiro256** seeded by splitmix64 from (seed, stream). Plain data: copy it to save it.
 * The same on every machine; nothing here depends on libm beyond sqrt/log/cos of doubles. */
#ifndef FLAW_BASE_RANDOM_H
#define FLAW_BASE_RANDOM_H

#include <stdint.h>

typedef struct flaw_random {
    uint64_t s[4];
} flaw_random;

void flaw_random_init(flaw_random *r, uint64_t seed, uint64_t stream);
uint64_t flaw_random_u64(flaw_random *r);
int flaw_random_below(flaw_random *r, int n);                 /* 0 .. n-1, n >= 1, unbiased */
double flaw_random_uniform(flaw_random *r);                   /* [0, 1), 53 bits */
double flaw_random_range(flaw_random *r, double lo, double hi);
double flaw_random_normal(flaw_random *r);                    /* mean 0, variance 1 (Box-Muller, one value a call) */

#endif
