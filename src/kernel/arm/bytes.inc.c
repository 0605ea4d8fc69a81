/* int8 products of both levels: a step is four k, all of them signed, so a row's values of 0 .. 255 are kept less 128. The
 * includer defines LEVEL_ENGINE and tile_lane_step. */

#define FINISH flaw_neon_finish_int8
#define TILE_HEADER "kernel/arm/tile_neon.h"
enum { TILE_GROUP = 4 };
typedef int8_t tile_value;

/* Rounded to nearest, ties to even; what is beyond a byte becomes its largest or smallest. */
VEC_INLINE void store_row(tile_value *out, vf x, int zero)
{
    int16x4_t q = vqmovn_s32(vaddq_s32(vcvtnq_s32_f32(x), vdupq_n_s32(zero - 128)));
    int32x2_t bytes = vreinterpret_s32_s8(vqmovn_s16(vcombine_s16(q, q)));
    memcpy(out, &bytes, VEC);
}

VEC_INLINE void copy_row(tile_value *out, int n, const uint8_t *q, int zero)
{
    for (int i = 0; i < n; i++) out[i] = (tile_value)(q[i] - 128);
}

VEC_INLINE vf join_group(const vf *q)
{
    return vf_join_bytes(q);
}

#include "kernel/simd/product_int8.inc.c"

/* The columns' sums stand behind their scales. */
VEC_INLINE vf tile_first(const flaw_tile *t, int i, int h)
{
    const flaw_int8_row *row = t->a_head;
    const int32_t *sums = (const int32_t *)t->b_head + (TILE_VECS + h) * VEC;
    return vreinterpretq_f32_s32(vmulq_n_s32(vld1q_s32(sums), 128 - row[i].zero));
}
