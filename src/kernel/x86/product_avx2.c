#include <string.h>

#include "kernel/bf16.h"
#include "kernel/int8.h"
#include "kernel/simd/engine.h"
#include "kernel/x86/levels.h"
#include "kernel/x86/vec_avx2.h"
#include "kernel/simd/vec_math.h"

#define LEVEL(name) flaw_avx2_##name
/* 12 of 16 registers hold sums, 2 hold B. */
enum { TILE_ROWS = 6, TILE_VECS = 2, TILE_DEPTH = 256, TILE_ACROSS = FLAW_TILE_COLS };

VEC_INLINE vf tile_step(vf a, vf b, vf sum)
{
    return vf_fma(a, b, sum);
}

VEC_INLINE vf tile_first(const flaw_tile *t, int i, int h)
{
    return vf_zero();
}

#include "kernel/simd/tile.h"

#include "kernel/simd/finish.inc.c"
#include "kernel/simd/product.inc.c"
