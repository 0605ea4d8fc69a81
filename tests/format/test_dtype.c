/* Conversion to float32: every half and bfloat16, F64, and the first bad element by name and index. */
#include "../check.h"

#include <math.h>

#include "format/tensors.h"

/* Value of a half by its definition; infinities and NaNs excluded. */
static float half_value(unsigned h)
{
    int exponent = (int)(h >> 10 & 31), mantissa = (int)(h & 1023);
    float x = exponent ? ldexpf((float)(1024 + mantissa), exponent - 25) : ldexpf((float)mantissa, -24);
    return h & 0x8000 ? -x : x;
}

static void test_all_halves(void **state)
{
    for (unsigned h = 0; h < 65536; h++) {
        flaw_error err = {0};
        flaw_tensors t = {.path = (char *)(uintptr_t) "file"};
        uint8_t bytes[2] = {(uint8_t)h, (uint8_t)(h >> 8)};
        flaw_tensor x = {.name = "h", .dtype = FLAW_DTYPE_F16, .count = 1, .data = bytes};
        float out;
        flaw_status status = flaw_tensor_to_f32(&t, &x, &out, &err);
        if ((h & 0x7c00) == 0x7c00) {
            assert_int_equal(status, FLAW_BAD_DATA);
            continue;
        }
        assert_int_equal(status, FLAW_OK);
        float want = half_value(h);
        assert_memory_equal(&out, &want, sizeof out); /* signs of zeros too */
        assert_int_equal(flaw_half_of(out), h);
    }
}

/* Half-way values go to the even neighbour, all others to the nearer one. */
static void test_half_rounding(void **state)
{
    for (unsigned h = 0; h < 0x7bff; h++) {
        float low = half_value(h), high = half_value(h + 1), middle = low + (high - low) / 2;
        assert_int_equal(flaw_half_of(middle), h % 2 ? h + 1 : h);
        assert_int_equal(flaw_half_of(nextafterf(middle, low)), h);
        assert_int_equal(flaw_half_of(nextafterf(middle, high)), h + 1);
    }
    assert_int_equal(flaw_half_of(65519.99f), 0x7bff);
    assert_int_equal(flaw_half_of(65520.0f), 0x7c00);
    assert_int_equal(flaw_half_of(-INFINITY), 0xfc00);
    assert_true((flaw_half_of(NAN) & 0x7fff) > 0x7c00);
}

static void test_other_types(void **state)
{
    flaw_error err = {0};
    flaw_tensors t = {.path = (char *)(uintptr_t) "file"};
    const uint16_t brain[] = {0x3f80, 0xc000, 0x0001, 0x7f7f};
    const double wide[] = {0.1, -1e-300, 1e38};
    float out[4];
    flaw_tensor x = {.name = "x", .dtype = FLAW_DTYPE_BF16, .count = 4, .data = (const uint8_t *)brain};
    assert_ok(flaw_tensor_to_f32(&t, &x, out, &err));
    assert_true(out[0] == 1 && out[1] == -2 && out[2] == ldexpf(1, -133) && out[3] > 3.38e38f);
    x = (flaw_tensor){.name = "x", .dtype = FLAW_DTYPE_F64, .count = 3, .data = (const uint8_t *)wide};
    assert_ok(flaw_tensor_to_f32(&t, &x, out, &err));
    assert_true(out[0] == 0.1f && out[1] == 0 && out[2] == 1e38f);
}

static void test_bad_element(void **state)
{
    flaw_error err = {0};
    flaw_tensors t = {.path = (char *)(uintptr_t) "folder/file.safetensors"};
    float values[5] = {1, 2, 3, 4, 5};
    double wide[2] = {1, 1e300};
    float out[5];
    flaw_tensor x = {.name = "block.w", .dtype = FLAW_DTYPE_F32, .count = 5, .data = (const uint8_t *)values};
    values[3] = NAN;
    assert_int_equal(flaw_tensor_to_f32(&t, &x, out, &err), FLAW_BAD_DATA);
    assert_contains(err.text, "folder/file.safetensors");
    assert_contains(err.text, "'block.w': element 3 is not a number");
    values[1] = -INFINITY;
    assert_int_equal(flaw_tensor_to_f32(&t, &x, out, &err), FLAW_BAD_DATA);
    assert_contains(err.text, "element 1 is infinite");
    x = (flaw_tensor){.name = "d", .dtype = FLAW_DTYPE_F64, .count = 2, .data = (const uint8_t *)wide};
    assert_int_equal(flaw_tensor_to_f32(&t, &x, out, &err), FLAW_BAD_DATA);
    assert_contains(err.text, "too large");
}

/* Tensors of a file lie at any byte. */
static void test_unaligned(void **state)
{
    flaw_error err = {0};
    flaw_tensors t = {.path = (char *)(uintptr_t) "file"};
    uint8_t bytes[9];
    const float values[2] = {0.25f, -7};
    float out[2];
    memcpy(bytes + 1, values, 8);
    flaw_tensor x = {.name = "x", .dtype = FLAW_DTYPE_F32, .count = 2, .data = bytes + 1};
    assert_ok(flaw_tensor_to_f32(&t, &x, out, &err));
    assert_true(out[0] == 0.25f && out[1] == -7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_halves),  cmocka_unit_test(test_half_rounding), cmocka_unit_test(test_other_types),
        cmocka_unit_test(test_bad_element), cmocka_unit_test(test_unaligned),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
