#include "../check.h"

#include "base/utf8.h"

static size_t length_of(const char *text)
{
    return flaw_utf8_length(text, strlen(text));
}

static void test_lengths(void **state)
{
    assert_int_equal(length_of("a"), 1);
    assert_int_equal(length_of("\xc3\xa4"), 2);
    assert_int_equal(length_of("\xe2\x82\xac"), 3);
    assert_int_equal(length_of("\xf0\x9f\x98\x80"), 4);
    assert_int_equal(length_of("\xf4\x8f\xbf\xbf"), 4); /* U+10FFFF, the last */
    assert_int_equal(flaw_utf8_length("\0", 1), 1);
    assert_int_equal(flaw_utf8_length("a", 0), 0);
}

static void test_refused(void **state)
{
    static const char *const bad[] = {
        "\x80",
        "\xbf",
        "\xc0\x80",
        "\xc1\xbf", /* stray, overlong */
        "\xe0\x80\x80",
        "\xe0\x9f\xbf",
        "\xf0\x80\x80\x80",
        "\xf0\x8f\xbf\xbf", /* overlong */
        "\xed\xa0\x80",
        "\xed\xbf\xbf", /* surrogates */
        "\xf4\x90\x80\x80",
        "\xf8\x88\x80\x80",
        "\xff",
        "\xfe", /* too large, no lead byte */
        "\xc3",
        "\xe2\x82",
        "\xf0\x9f\x98",
        "\xe2(\xa1", /* cut, broken inside */
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(length_of(bad[i]), 0);
        assert_false(flaw_utf8_valid(bad[i], strlen(bad[i])));
    }
}

/* Every code point, encoded here by the table of RFC 3629, has its length; one byte less has none. */
static void test_all_code_points(void **state)
{
    for (unsigned code = 0x80; code <= 0x10ffff; code++) {
        char c[4];
        size_t n = 0;
        if (code < 0x800) {
            c[n++] = (char)(0xc0 | code >> 6);
        } else if (code < 0x10000) {
            c[n++] = (char)(0xe0 | code >> 12);
            c[n++] = (char)(0x80 | (code >> 6 & 0x3f));
        } else {
            c[n++] = (char)(0xf0 | code >> 18);
            c[n++] = (char)(0x80 | (code >> 12 & 0x3f));
            c[n++] = (char)(0x80 | (code >> 6 & 0x3f));
        }
        c[n++] = (char)(0x80 | (code & 0x3f));
        const bool surrogate = code >= 0xd800 && code <= 0xdfff;
        if (flaw_utf8_length(c, n) != (surrogate ? 0 : n)) fail_msg("U+%04X", code);
        if (flaw_utf8_length(c, n - 1) != 0) fail_msg("U+%04X, cut", code);
    }
}

static void test_texts(void **state)
{
    assert_true(flaw_utf8_valid("", 0));
    assert_true(flaw_utf8_valid("Stra\xc3\x9f"
                                "e 7 \xe2\x82\xac",
                                14));
    assert_false(flaw_utf8_valid("abc\xe2\x82", 5));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lengths),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_all_code_points),
        cmocka_unit_test(test_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
