/* int8 values as tiles of bytes hold them: four k together, A unsigned with its zero point. See simd/int8.inc.c. */

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
