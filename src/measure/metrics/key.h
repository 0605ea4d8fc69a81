/* Scores as whole numbers that order as they do: keys. */
#ifndef FLAW_MEASURE_KEY_H
#define FLAW_MEASURE_KEY_H

#include <stdint.h>
#include <string.h>

/* Keys between these two (inclusive) are numbers and infinities; all NaN lie outside. */
#define FLAW_KEY_LOWEST 0x007fffffu  /* -infinity */
#define FLAW_KEY_HIGHEST 0xff800000u /* +infinity */

/* Ascending; -0 is 0. */
static inline uint32_t flaw_key_of(float score)
{
    float positive_zero = score + 0.0f; /* -0 + 0 = +0 */
    uint32_t bits;
    memcpy(&bits, &positive_zero, sizeof bits);
    return bits ^ ((uint32_t)((int32_t)bits >> 31) | 0x80000000u);
}

static inline float flaw_key_score(uint32_t key)
{
    uint32_t bits = key >> 31 ? key ^ 0x80000000u : ~key;
    float score;
    memcpy(&score, &bits, sizeof score);
    return score;
}

/* Sums of shares of regions, and of products of counts. */
__extension__ typedef unsigned __int128 flaw_wide;

#endif
