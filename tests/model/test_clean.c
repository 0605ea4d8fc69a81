/* Cleaning of text against what Python's html.unescape, str.lower and str.split give (checked with Python 3.11). */
#include "../check.h"

#include "model/text/unicode.h"

typedef size_t (*step)(uint32_t *text, size_t count);

static void check(step run, const char *text, const char *want)
{
    uint32_t codes[256];
    char out[512] = "";
    size_t length = 0, count = run(codes, flaw_unicode_decode(codes, text, strlen(text)));
    for (size_t i = 0; i < count; i++) length += flaw_unicode_encode(out + length, codes[i]);
    out[length] = '\0';
    if (strcmp(out, want)) fail_msg("'%s' became '%s', not '%s'", text, out, want);
}

static void test_unescape(void **state)
{
    static const char *const rows[][2] = {
        {"&amp;lt;", "&lt;"},
        {"&lt;b&gt;", "<b>"},
        {"&notit;", "\u00acit;"},
        {"&not;", "\u00ac"},
        {"&no", "&no"},
        {"&amp", "&"},
        {"&ampx;", "&x;"},
        {"&eacutex", "\u00e9x"},
        {"&#65;&#x41;&#X41", "AAA"},
        {"&#128;&#129;&#0;", "\u20ac\xc2\x81\ufffd"},
        {"&#xD800;&#1114112;&#99999999999999999999;", "\ufffd\ufffd\ufffd"},
        {"&#11;x&#xfffe;", "x"},
        {"&;&#;&#x;&", "&;&#;&#x;&"},
        {"&nGt;", "\u226b\u20d2"},
        {"&CounterClockwiseContourIntegral;", "\u2233"},
        {"&aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa;", "&aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa;"},
        {"&gt&lt", "><"},
        {"&fjlig;", "fj"},
        {"&amp;amp;amp;", "&amp;amp;"},
        {"&\u00e9;&amp\u00e9", "&\u00e9;&\u00e9"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) check(flaw_text_unescape, rows[i][0], rows[i][1]);
}

static void test_lower(void **state)
{
    static const char *const rows[][2] = {
        {"ABC xyz 12", "abc xyz 12"},
        {"\u0391\u03a3 \u03a3\u0391\u03a3. \u03a3", "\u03b1\u03c2 \u03c3\u03b1\u03c2. \u03c3"}, /* final sigma */
        {"\u0130I", "i\u0307i"},
        {"\u1e9e \u01c5 \ufb00 \u212b", "\u00df \u01c6 \ufb00 \u00e5"},
        {"\u00c0\u00c9\u00ce", "\u00e0\u00e9\u00ee"},
        {"\u0401\u0416", "\u0451\u0436"},
        {"\u2167\uff21", "\u2177\uff41"},
        {"\u0130\u0130\u0130\u0130", "i\u0307i\u0307i\u0307i\u0307"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) check(flaw_text_lower, rows[i][0], rows[i][1]);
}

static void test_collapse(void **state)
{
    check(flaw_text_collapse, "  a \t\n b\u00a0\u3000c\u2028", "a b c");
    check(flaw_text_collapse, "", "");
    check(flaw_text_collapse, " \t ", "");
    check(flaw_text_collapse, "a\u200bb", "a\u200bb"); /* a zero-width space is no space */
}

static void test_classes(void **state)
{
    static const uint32_t letters[] = {'a',   'Z',   0xaa,  0xb5,   0xd6,   0xd8,   0x3c9,  0x416,   0x5d0,
                                       0x627, 0x905, 0xe01, 0x3042, 0x4e00, 0x9fff, 0xac00, 0x10400, 0x20000};
    static const uint32_t numbers[] = {'0', '9', 0xb2, 0xbd, 0x663, 0x966, 0x2167, 0x3007, 0xff15, 0x1d7ce};
    static const uint32_t neither[] = {'!',   '_',    ' ',    0xa0,   0xd7,    0xf7,
                                       0x301, 0x2014, 0x20ac, 0xfffd, 0x1f529, 0x10ffff};
    size_t count[2] = {0, 0};
    for (size_t i = 0; i < sizeof letters / sizeof letters[0]; i++) assert_true(flaw_unicode_letter(letters[i]));
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) assert_true(flaw_unicode_number(numbers[i]));
    for (size_t i = 0; i < sizeof neither / sizeof neither[0]; i++)
        assert_false(flaw_unicode_letter(neither[i]) || flaw_unicode_number(neither[i]));
    for (uint32_t code = 0; code < 0x110000; code++) {
        assert_false(flaw_unicode_letter(code) && flaw_unicode_number(code));
        count[0] += flaw_unicode_letter(code);
        count[1] += flaw_unicode_number(code);
    }
    assert_int_equal(count[0], 131756); /* of Unicode 14, counted with unicodedata */
    assert_int_equal(count[1], 1791);
}

static void test_utf8(void **state)
{
    static const uint32_t codes[] = {0, 0x7f, 0x80, 0x7ff, 0x800, 0xffff, 0x10000, 0x10ffff};
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        char bytes[4];
        uint32_t back[4];
        size_t length = flaw_unicode_encode(bytes, codes[i]);
        assert_int_equal(length, 1 + i / 2);
        assert_int_equal(flaw_unicode_decode(back, bytes, length), 1);
        assert_int_equal(back[0], codes[i]);
    }
    uint32_t broken[8];
    assert_int_equal(flaw_unicode_decode(broken, "\xc3(\xff\xed\xa0\x80", 6), 6);
    assert_int_equal(broken[0], 0xfffd);
    assert_int_equal(broken[1], '(');
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_unescape), cmocka_unit_test(test_lower), cmocka_unit_test(test_collapse),
        cmocka_unit_test(test_classes),  cmocka_unit_test(test_utf8),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
