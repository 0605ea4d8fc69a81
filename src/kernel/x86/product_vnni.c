/* int8 products with vpdpbusd of AVX-512: a step is four k, A unsigned. */
#include <string.h>

#include "kernel/int8.h"
#include "kernel/simd/engine.h"
#include "kernel/x86/levels.h"
#include "kernel/x86/vec_avx512.h"
#include "kernel/x86/whole_avx512.h"

#define LEVEL_ENGINE flaw_avx512_engine_vnni
#define FINISH flaw_avx512_finish_int8
enum { TILE_ROWS = 6, TILE_VECS = 4, TILE_DEPTH = 256 };

VEC_INLINE vf tile_step(vf a, vf b, vf sum)
{
    __m512i s = _mm512_castps_si512(sum);
    return _mm512_castsi512_ps(_mm512_dpbusd_epi32(s, _mm512_castps_si512(a), _mm512_castps_si512(b)));
}

#include "kernel/x86/bytes.inc.c"
