#include "../check.h"

#include "base/cursor.h"

static const uint8_t bytes[] = {0x01, 0x82, 0x03, 0x84, 0x05, 0x86, 0x07, 0x88, 0x09};

static void test_numbers(void **state)
{
    flaw_cursor c = flaw_cursor_over(bytes, sizeof bytes);
    assert_int_equal(flaw_cursor_u8(&c), 0x01);
    assert_int_equal(flaw_cursor_u16le(&c), 0x0382);
    assert_int_equal(flaw_cursor_u16be(&c), 0x8405);
    assert_int_equal(flaw_cursor_u32le(&c), 0x09880786);
    assert_int_equal(flaw_cursor_left(&c), 0);
    assert_true(flaw_cursor_seek(&c, 1));
    assert_int_equal(flaw_cursor_u32be(&c), 0x82038405);
    assert_true(flaw_cursor_seek(&c, 0));
    assert_true(flaw_cursor_u64le(&c) == UINT64_C(0x8807860584038201));
    assert_int_equal(flaw_cursor_offset(&c), 8);
    assert_false(c.failed);
}

/* Every reader, one byte short: 0, failed, and not one byte further. The block is exactly as long as told, so the
 * address-sanitizer build sees a read past it. */
static void test_past_the_end(void **state)
{
    for (size_t size = 0; size < 8; size++) {
        uint8_t *exact = malloc(size ? size : 1);
        assert_non_null(exact);
        memset(exact, 0xff, size);
        const flaw_cursor start = flaw_cursor_over(exact, size);
        flaw_cursor c = start;
        assert_true(flaw_cursor_u64le(&c) == 0 && c.failed && c.at == start.at);
        c = start;
        assert_true((flaw_cursor_u32le(&c) == 0) == (size < 4) && c.failed == (size < 4));
        c = start;
        assert_true((flaw_cursor_u32be(&c) == 0) == (size < 4) && c.failed == (size < 4));
        c = start;
        assert_true((flaw_cursor_u16le(&c) == 0) == (size < 2) && c.failed == (size < 2));
        c = start;
        assert_true((flaw_cursor_u16be(&c) == 0) == (size < 2) && c.failed == (size < 2));
        c = start;
        assert_true((flaw_cursor_u8(&c) == 0) == (size < 1) && c.failed == (size < 1));
        free(exact);
    }
}

static void test_failure_stays(void **state)
{
    flaw_cursor c = flaw_cursor_over(bytes, sizeof bytes);
    assert_null(flaw_cursor_bytes(&c, sizeof bytes + 1));
    assert_true(c.failed);
    assert_int_equal(flaw_cursor_u8(&c), 0); /* a byte is left, but what it means is lost */
    assert_int_equal(flaw_cursor_offset(&c), 0);
}

static void test_lying_lengths(void **state)
{
    flaw_cursor c = flaw_cursor_over(bytes, sizeof bytes);
    flaw_cursor_u8(&c);
    assert_null(flaw_cursor_bytes(&c, SIZE_MAX));
    c = flaw_cursor_over(bytes, sizeof bytes);
    assert_false(flaw_cursor_seek(&c, sizeof bytes + 1));
    assert_true(c.failed);
    c = flaw_cursor_over(bytes, sizeof bytes);
    assert_false(flaw_cursor_seek(&c, SIZE_MAX));
    c = flaw_cursor_over(bytes, sizeof bytes);
    assert_true(flaw_cursor_seek(&c, sizeof bytes));
    assert_non_null(flaw_cursor_bytes(&c, 0)); /* nothing, in place */
    assert_false(c.failed);
}

static void test_nothing_at_all(void **state)
{
    flaw_cursor c = flaw_cursor_over(NULL, 0);
    assert_int_equal(flaw_cursor_left(&c), 0);
    assert_int_equal(flaw_cursor_u8(&c), 0);
    assert_true(c.failed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers),        cmocka_unit_test(test_past_the_end),
        cmocka_unit_test(test_failure_stays),  cmocka_unit_test(test_lying_lengths),
        cmocka_unit_test(test_nothing_at_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
