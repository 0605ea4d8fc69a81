/* int8 products with vpdpbusd: a step is four k, A unsigned. The includer defines LEVEL_ENGINE, FINISH and tile_step. */

#include "kernel/x86/byte_values.inc.c"

/* The columns' sums stand behind their scales. */
VEC_INLINE vf tile_first(const flaw_tile *t, int i, int h)
{
    const flaw_int8_row *row = t->a_head;
    return vf_whole_times((const int32_t *)t->b_head + (TILE_VECS + h) * VEC, -row[i].zero);
}

#include "kernel/simd/product_int8.inc.c"
