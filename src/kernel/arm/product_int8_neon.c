/* int8 products without instructions for them: 16 products of bytes (at most 128 * 127 each, so that pairs of them fit 16
 * bits), then sums of pairs, which are exact. */
#include <string.h>

#include "kernel/arm/levels.h"
#include "kernel/arm/vec_neon.h"
#include "kernel/arm/whole_neon.h"
#include "kernel/int8.h"
#include "kernel/simd/engine.h"

#define LEVEL_ENGINE flaw_neon_engine_int8

/* Four columns of four bytes of k each, times the four bytes of a lane of A. */
VEC_INLINE vf tile_bytes(vf sum, int8x8_t a, vf b)
{
    int8x16_t bytes = vreinterpretq_s8_f32(b);
    int16x8_t low = vmull_s8(vget_low_s8(bytes), a), high = vmull_s8(vget_high_s8(bytes), a);
    return vreinterpretq_f32_s32(vpadalq_s16(vreinterpretq_s32_f32(sum), vpaddq_s16(low, high)));
}

#define tile_lane_step(sum, a, lane, b) tile_bytes(sum, vreinterpret_s8_f32(vdup_lane_f32(a, lane)), b)

#include "kernel/arm/bytes.inc.c"
