#include <string.h>

#include "kernel/arm/levels.h"
#include "kernel/arm/vec_neon.h"
#include "kernel/bf16.h"
#include "kernel/int8.h"
#include "kernel/simd/engine.h"
#include "kernel/simd/vec_math.h"

#define LEVEL(name) flaw_neon_##name
enum { TILE_ACROSS = FLAW_TILE_COLS };

#define tile_lane_step(sum, a, lane, b) vfmaq_lane_f32(sum, b, a, lane)

#include "kernel/arm/tile_neon.h"

VEC_INLINE vf tile_first(const flaw_tile *t, int i, int h)
{
    return vf_zero();
}

#include "kernel/simd/finish.inc.c"
#include "kernel/simd/product.inc.c"
