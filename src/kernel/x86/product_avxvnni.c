/* int8 products with vpdpbusd of AVX-VNNI: a step is four k, A unsigned. */
#include <string.h>

#include "kernel/int8.h"
#include "kernel/simd/engine.h"
#include "kernel/x86/levels.h"
#include "kernel/x86/vec_avx2.h"
#include "kernel/x86/whole_avx2.h"

#define LEVEL_ENGINE flaw_avx2_engine_vnni
#define FINISH flaw_avx2_finish_int8
enum { TILE_ROWS = 6, TILE_VECS = 2, TILE_DEPTH = 256 };

VEC_INLINE vf tile_step(vf a, vf b, vf sum)
{
    __m256i s = _mm256_castps_si256(sum);
    return _mm256_castsi256_ps(_mm256_dpbusd_avx_epi32(s, _mm256_castps_si256(a), _mm256_castps_si256(b)));
}

#include "kernel/x86/bytes.inc.c"
