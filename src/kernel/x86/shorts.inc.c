/* Exact int8 products without an instruction for bytes: a step is two k as 16 bits (vpmaddwd). The includer defines
 * LEVEL_ENGINE, FINISH and tile_step. Rows are kept less their zero point, so sums begin with 0. */

enum { TILE_GROUP = 2 };
typedef int16_t tile_value;

VEC_INLINE void store_row(tile_value *out, vf x, int zero)
{
    vf_store_shorts(out, x, 255 - zero);
}

VEC_INLINE void copy_row(tile_value *out, int n, const uint8_t *q, int zero)
{
    for (int i = 0; i < n; i++) out[i] = (tile_value)(q[i] - zero);
}

VEC_INLINE vf join_group(const vf *q)
{
    return vf_join_shorts(q);
}

VEC_INLINE vf tile_first(const flaw_tile *t, int i, int h)
{
    return vf_zero();
}

#include "kernel/simd/product_int8.inc.c"
