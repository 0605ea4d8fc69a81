#include <string.h>

#include "kernel/bf16.h"
#include "kernel/int8.h"
#include "kernel/simd/engine.h"
#include "kernel/x86/levels.h"
#include "kernel/x86/vec_avx512.h"
#include "kernel/simd/vec_math.h"
#include "kernel/x86/activation_avx512.h"

#define LEVEL(name) flaw_avx512_##name
/* 24 of 32 registers hold sums, 4 hold B, the rest the values of A on their way. Of the shapes with 24 sums this one loads
 * least: 10 loads a step, 14 with 12 rows by 2 vectors. */
enum { TILE_ROWS = 6, TILE_VECS = 4, TILE_DEPTH = 1024, TILE_ACROSS = 64 };

VEC_INLINE vf tile_step(vf a, vf b, vf sum)
{
    return vf_fma(a, b, sum);
}

VEC_INLINE vf tile_first(const flaw_tile *t, int i, int h)
{
    return vf_zero();
}

#include "kernel/simd/tile.h"

#define ACTIVATION_NEAR vf_activation_near
#include "kernel/simd/finish.inc.c"
#include "kernel/simd/product.inc.c"
