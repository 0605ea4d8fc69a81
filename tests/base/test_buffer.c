#include "../check.h"

#include "base/buffer.h"

static void test_grows(void **state)
{
    flaw_buffer b;
    flaw_buffer_init(&b, 1 << 20);
    for (int i = 0; i < 10000; i++) flaw_buffer_printf(&b, "%d,", i % 10);
    flaw_buffer_text(&b, "end");
    assert_false(b.failed);
    assert_int_equal(b.size, 20003);
    assert_int_equal(strlen(b.data), b.size);
    for (int i = 0; i < 10000; i++) assert_int_equal(b.data[2 * i], '0' + i % 10);
    assert_string_equal(b.data + 20000, "end");
    flaw_buffer_release(&b);
    assert_null(b.data);
    assert_int_equal(b.maximum, 1 << 20);
}

/* The maximum is exact; what passes it changes nothing, and nothing is taken any more afterwards. */
static void test_maximum(void **state)
{
    flaw_buffer b;
    flaw_buffer_init(&b, 5);
    flaw_buffer_text(&b, "12345");
    assert_false(b.failed);
    flaw_buffer_text(&b, "6");
    assert_true(b.failed);
    assert_string_equal(b.data, "12345");
    flaw_buffer_release(&b);
    assert_false(b.failed);

    flaw_buffer_text(&b, "123");
    flaw_buffer_printf(&b, "%d", 456);
    assert_true(b.failed);
    flaw_buffer_text(&b, "4"); /* would fit, but the text would have a hole */
    assert_string_equal(b.data, "123");
    flaw_buffer_release(&b);
}

static void test_overflow(void **state)
{
    flaw_buffer b;
    flaw_buffer_init(&b, SIZE_MAX);
    flaw_buffer_text(&b, "x");
    flaw_buffer_append(&b, "y", SIZE_MAX);
    assert_true(b.failed);
    assert_int_equal(b.size, 1);
    flaw_buffer_release(&b);
    flaw_buffer_append(&b, "y", SIZE_MAX); /* size fits, size + NUL does not */
    assert_true(b.failed);
    flaw_buffer_release(&b);
    flaw_buffer_append(&b, "y", SIZE_MAX / 2); /* the system refuses */
    assert_true(b.failed);
    assert_null(b.data);
    flaw_buffer_release(&b);
}

static void test_bytes_with_zeros(void **state)
{
    flaw_buffer b;
    flaw_buffer_init(&b, 100);
    flaw_buffer_append(&b, "a\0b", 3);
    flaw_buffer_append(&b, NULL, 0);
    assert_int_equal(b.size, 3);
    assert_memory_equal(b.data, "a\0b", 4);
    flaw_buffer_release(&b);
}

static void test_empty_has_text(void **state)
{
    flaw_buffer b;
    flaw_buffer_init(&b, 0);
    flaw_buffer_text(&b, "");
    assert_false(b.failed);
    assert_string_equal(b.data, "");
    flaw_buffer_release(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_grows),          cmocka_unit_test(test_maximum),
        cmocka_unit_test(test_overflow),       cmocka_unit_test(test_bytes_with_zeros),
        cmocka_unit_test(test_empty_has_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
