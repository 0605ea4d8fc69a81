#include "base/sha256_blocks.h"

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>

bool flaw_sha256_has_x86(void)
{
    unsigned a, b, c, d;
    const unsigned need = bit_SSSE3 | bit_SSE4_1;
    if (!__get_cpuid(1, &a, &b, &c, &d) || (c & need) != need) return false;
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & bit_SHA) != 0;
}

/* Two registers hold the state as SHA256RNDS2 wants it, highest lane first: A B E F and C D G H. The instruction does
 * two rounds and returns the new A B E F; the old one then is C D G H, so the two change places twice in four rounds.
 */
__attribute__((target("sha,sse4.1,ssse3"))) void flaw_sha256_blocks_x86(uint32_t state[8], const uint8_t *bytes,
                                                                        size_t blocks)
{
    const __m128i big_endian = _mm_set_epi8(12, 13, 14, 15, 8, 9, 10, 11, 4, 5, 6, 7, 0, 1, 2, 3);
    const __m128i *in = (const __m128i *)bytes, *k = (const __m128i *)flaw_sha256_constants;
    __m128i abef = _mm_set_epi32((int)state[0], (int)state[1], (int)state[4], (int)state[5]);
    __m128i cdgh = _mm_set_epi32((int)state[2], (int)state[3], (int)state[6], (int)state[7]);
    for (; blocks > 0; blocks--, in += 4) {
        const __m128i abef_before = abef, cdgh_before = cdgh;
        __m128i w[4]; /* the last 16 words of the schedule, as a ring */
        for (int i = 0; i < 16; i++) {
            __m128i *now = &w[i % 4];
            if (i < 4) {
                *now = _mm_shuffle_epi8(_mm_loadu_si128(in + i), big_endian);
            } else {
                const __m128i last = w[(i + 3) % 4], w_minus_7 = _mm_alignr_epi8(last, w[(i + 2) % 4], 4);
                const __m128i sum = _mm_add_epi32(_mm_sha256msg1_epu32(*now, w[(i + 1) % 4]), w_minus_7);
                *now = _mm_sha256msg2_epu32(sum, last);
            }
            const __m128i keyed = _mm_add_epi32(*now, _mm_loadu_si128(k + i));
            cdgh = _mm_sha256rnds2_epu32(cdgh, abef, keyed);
            abef = _mm_sha256rnds2_epu32(abef, cdgh, _mm_shuffle_epi32(keyed, 0x0e));
        }
        abef = _mm_add_epi32(abef, abef_before);
        cdgh = _mm_add_epi32(cdgh, cdgh_before);
    }
    uint32_t lane[8];
    _mm_storeu_si128((__m128i *)lane, abef);
    _mm_storeu_si128((__m128i *)(lane + 4), cdgh);
    state[0] = lane[3], state[1] = lane[2], state[4] = lane[1], state[5] = lane[0];
    state[2] = lane[7], state[3] = lane[6], state[6] = lane[5], state[7] = lane[4];
}

#else

bool flaw_sha256_has_x86(void)
{
    return false;
}

void flaw_sha256_blocks_x86(uint32_t state[8], const uint8_t *bytes, size_t blocks)
{
    flaw_sha256_blocks_plain(state, bytes, blocks);
}

#endif
