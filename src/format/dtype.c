/* Element types: names as safetensors spells them, sizes, and conversion to float32. */
#include <string.h>

#include "base/half.h"
#include "format/tensors.h"

/* The blocks are those of kernel/weights.h; a test compares the two. */
static const struct {
    const char *name;
    size_t size, block;
} dtypes[] = {
    [FLAW_DTYPE_F32] = {"F32", 4, 1},       [FLAW_DTYPE_F16] = {"F16", 2, 1},
    [FLAW_DTYPE_BF16] = {"BF16", 2, 1},     [FLAW_DTYPE_F64] = {"F64", 8, 1},
    [FLAW_DTYPE_I8] = {"I8", 1, 1},         [FLAW_DTYPE_U8] = {"U8", 1, 1},
    [FLAW_DTYPE_I16] = {"I16", 2, 1},       [FLAW_DTYPE_I32] = {"I32", 4, 1},
    [FLAW_DTYPE_I64] = {"I64", 8, 1},       [FLAW_DTYPE_BOOL] = {"BOOL", 1, 1},
    [FLAW_DTYPE_Q8_0] = {"Q8_0", 34, 32},   [FLAW_DTYPE_Q4_0] = {"Q4_0", 18, 32},
    [FLAW_DTYPE_Q4_1] = {"Q4_1", 20, 32},   [FLAW_DTYPE_Q4_K] = {"Q4_K", 144, 256},
    [FLAW_DTYPE_Q6_K] = {"Q6_K", 210, 256},
};

const char *flaw_dtype_name(flaw_dtype dtype)
{
    return dtypes[dtype].name;
}

size_t flaw_dtype_size(flaw_dtype dtype)
{
    return dtypes[dtype].size;
}

size_t flaw_dtype_block(flaw_dtype dtype)
{
    return dtypes[dtype].block;
}

bool flaw_dtype_parse(flaw_dtype *out, const char *name)
{
    for (size_t i = 0; i < sizeof dtypes / sizeof dtypes[0]; i++)
        if (dtypes[i].block == 1 && strcmp(dtypes[i].name, name) == 0) {
            *out = (flaw_dtype)i;
            return true;
        }
    return false;
}

uint16_t flaw_half_of(float x)
{
    return flaw_half_from_float(x);
}

static void convert(flaw_dtype dtype, const uint8_t *in, size_t count, float *out)
{
    switch (dtype) {
    case FLAW_DTYPE_F32: memcpy(out, in, count * sizeof *out); break;
    case FLAW_DTYPE_F16:
        for (size_t i = 0; i < count; i++) out[i] = flaw_half_read(in + 2 * i);
        break;
    case FLAW_DTYPE_BF16:
        for (size_t i = 0; i < count; i++) {
            uint16_t h;
            memcpy(&h, in + 2 * i, sizeof h);
            out[i] = flaw_float_of_bits((uint32_t)h << 16);
        }
        break;
    default: /* F64 */
        for (size_t i = 0; i < count; i++) {
            double d;
            memcpy(&d, in + 8 * i, sizeof d);
            out[i] = (float)d;
        }
    }
}

/* The first of `count` values that is not finite, or `count`. */
static size_t first_infinite(const float *x, size_t count)
{
    uint32_t bad = 0;
    for (size_t i = 0; i < count; i++) {
        uint32_t bits;
        memcpy(&bits, x + i, sizeof bits);
        bad |= (bits & 0x7f800000u) == 0x7f800000u;
    }
    if (!bad) return count;
    size_t at = 0;
    while (x[at] - x[at] == 0.0f) at++; /* NaN and infinity are the floats that differ from themselves by NaN */
    return at;
}

/* x: elements from `first` on. */
static flaw_status check_part(const float *x, size_t first, size_t count, const char *tensor, const char *path,
                              flaw_error *err)
{
    const size_t at = first_infinite(x, count);
    if (at == count) return FLAW_OK;
    return flaw_fail(err, FLAW_BAD_DATA, "%s: tensor '%s': element %zu is %s, only finite numbers are allowed", path,
                     tensor, first + at, x[at] != x[at] ? "not a number" : "infinite or too large for float32");
}

flaw_status flaw_floats_check(const float *x, size_t count, const char *tensor, const char *path, flaw_error *err)
{
    return check_part(x, 0, count, tensor, path, err);
}

flaw_status flaw_tensor_part_to_f32(const flaw_tensors *t, const flaw_tensor *tensor, size_t first, size_t count,
                                    float *out, flaw_error *err)
{
    if (tensor->dtype > FLAW_DTYPE_F64)
        return flaw_fail(err, FLAW_BAD_DATA, "%s: tensor '%s' is %s, expected F32, F16, BF16 or F64", t->path,
                         tensor->name, flaw_dtype_name(tensor->dtype));
    convert(tensor->dtype, tensor->data + first * flaw_dtype_size(tensor->dtype), count, out);
    return check_part(out, first, count, tensor->name, t->path, err);
}

flaw_status flaw_tensor_to_f32(const flaw_tensors *t, const flaw_tensor *tensor, float *out, flaw_error *err)
{
    return flaw_tensor_part_to_f32(t, tensor, 0, tensor->count, out, err);
}
