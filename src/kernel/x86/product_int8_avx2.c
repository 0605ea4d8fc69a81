/* int8 products without instructions for them: pairs of k as 16 bits (vpmaddwd), whose sums of 32 bits are exact; the one
 * for bytes (vpmaddubsw) saturates. */
#include <string.h>

#include "kernel/int8.h"
#include "kernel/simd/engine.h"
#include "kernel/x86/levels.h"
#include "kernel/x86/vec_avx2.h"
#include "kernel/x86/whole_avx2.h"

#define LEVEL_ENGINE flaw_avx2_engine_int8
#define FINISH flaw_avx2_finish_int8
enum { TILE_ROWS = 6, TILE_VECS = 2, TILE_DEPTH = 256 };

VEC_INLINE vf tile_step(vf a, vf b, vf sum)
{
    __m256i s = _mm256_castps_si256(sum), ab = _mm256_madd_epi16(_mm256_castps_si256(a), _mm256_castps_si256(b));
    return _mm256_castsi256_ps(_mm256_add_epi32(s, ab));
}

#include "kernel/x86/shorts.inc.c"
