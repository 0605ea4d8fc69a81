#include "base/random.h"

#include <math.h>

/* The finaliser of splitmix64 (Steele, Lea, Flood 2014; constants of Vigna's splitmix64.c). mix(0) = 0. */
static uint64_t mix(uint64_t z)
{
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

/* Stream 0 is splitmix64 started at `seed`, as the authors of xoshiro advise; other streams start elsewhere. */
void flaw_random_init(flaw_random *r, uint64_t seed, uint64_t stream)
{
    uint64_t x = seed + mix(stream);
    for (int i = 0; i < 4; i++) r->s[i] = mix(x += 0x9e3779b97f4a7c15u);
}

static uint64_t rotate(uint64_t x, int bits)
{
    return x << bits | x >> (64 - bits);
}

/* xoshiro256** 1.0 (Blackman, Vigna 2018). */
uint64_t flaw_random_u64(flaw_random *r)
{
    uint64_t *s = r->s;
    const uint64_t result = rotate(s[1] * 5, 7) * 9;
    const uint64_t t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate(s[3], 45);
    return result;
}

int flaw_random_below(flaw_random *r, int n)
{
    if (n <= 1) return 0;
    /* The top 32 bits, without the last part-filled round of n values, which would favour the small ones. */
    const uint32_t range = (uint32_t)n;
    const uint32_t refuse_from = (uint32_t)(UINT64_C(0x100000000) - UINT64_C(0x100000000) % range);
    uint32_t x;
    do {
        x = (uint32_t)(flaw_random_u64(r) >> 32);
    } while (refuse_from != 0 && x >= refuse_from);
    return (int)(x % range);
}

double flaw_random_uniform(flaw_random *r)
{
    return (double)(flaw_random_u64(r) >> 11) * 0x1p-53;
}

double flaw_random_range(flaw_random *r, double lo, double hi)
{
    return lo + (hi - lo) * flaw_random_uniform(r);
}

double flaw_random_normal(flaw_random *r)
{
    const double radius = sqrt(-2.0 * log(1.0 - flaw_random_uniform(r))); /* 1 - u is never 0 */
    return radius * cos(6.283185307179586 * flaw_random_uniform(r));
}
