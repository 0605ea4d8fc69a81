/* int8 products with vpdpbusd: a step is four k, A unsigned. The includer defines LEVEL_ENGINE, FINISH and tile_step. */

enum { TILE_GROUP = 4 };
typedef int8_t tile_value;

VEC_INLINE void store_row(tile_value *out, vf x, int zero)
{
    vf_store_unsigned(out, x, zero);
}

VEC_INLINE void copy_row(tile_value *out, int n, const uint8_t *q, int zero)
{
    memcpy(out, q, (size_t)n);
}

VEC_INLINE vf join_group(const vf *q)
{
    return vf_join_bytes(q);
}

/* The columns' sums stand behind their scales. */
VEC_INLINE vf tile_first(const flaw_tile *t, int i, int h)
{
    const flaw_int8_row *row = t->a_head;
    return vf_whole_times((const int32_t *)t->b_head + (TILE_VECS + h) * VEC, -row[i].zero);
}

#include "kernel/simd/product_int8.inc.c"
