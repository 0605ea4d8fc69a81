#include "../check.h"

#include "base/checked.h"

static void test_results(void **state)
{
    size_t out = 7;
    assert_true(flaw_mul_ok(&out, 3, 5));
    assert_int_equal(out, 15);
    assert_true(flaw_mul_ok(&out, SIZE_MAX, 1));
    assert_true(out == SIZE_MAX);
    assert_true(flaw_mul_ok(&out, SIZE_MAX, 0));
    assert_int_equal(out, 0);
    assert_true(flaw_add_ok(&out, SIZE_MAX - 1, 1));
    assert_true(out == SIZE_MAX);
}

static void test_overflow_leaves_output(void **state)
{
    size_t out = 7;
    assert_false(flaw_mul_ok(&out, SIZE_MAX, 2));
    assert_false(flaw_mul_ok(&out, SIZE_MAX / 2 + 1, 2)); /* wraps to exactly 0 */
    assert_false(flaw_mul_ok(&out, (size_t)1 << 32, (size_t)1 << 32));
    assert_false(flaw_add_ok(&out, SIZE_MAX, 1));
    assert_false(flaw_add_ok(&out, SIZE_MAX, SIZE_MAX));
    assert_int_equal(out, 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_results),
        cmocka_unit_test(test_overflow_leaves_output),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
