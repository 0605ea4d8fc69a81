/* int8 products with sdot (ARMv8.2): four products of bytes into each of four sums, the lane of A by its number. */
#include <string.h>

#include "kernel/arm/levels.h"
#include "kernel/arm/vec_neon.h"
#include "kernel/arm/whole_neon.h"
#include "kernel/int8.h"
#include "kernel/simd/engine.h"

#define LEVEL_ENGINE flaw_neon_engine_dot

#define tile_lane_step(sum, a, lane, b)                                                                                \
    vreinterpretq_f32_s32(                                                                                             \
        vdotq_lane_s32(vreinterpretq_s32_f32(sum), vreinterpretq_s8_f32(b), vreinterpret_s8_f32(a), lane))

#include "kernel/arm/bytes.inc.c"
