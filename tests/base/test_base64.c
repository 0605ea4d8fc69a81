#include "../check.h"

#include "base/base64.h"

/* RFC 4648, section 10. */
static void test_vectors(void **state)
{
    static const char *const pair[][2] = {{"", ""},         {"f", "Zg=="},         {"fo", "Zm8="},        {"foo", "Zm9v"},
                                          {"foob", "Zm9vYg=="}, {"fooba", "Zm9vYmE="}, {"foobar", "Zm9vYmFy"}};
    for (size_t i = 0; i < sizeof pair / sizeof *pair; i++) {
        char text[16], back[8] = {0};
        size_t size = strlen(pair[i][0]);
        flaw_base64_encode(text, pair[i][0], size);
        assert_string_equal(text, pair[i][1]);
        assert_int_equal(strlen(text), flaw_base64_length(size));
        assert_true(flaw_base64_decode(back, size, text, strlen(text)));
        assert_string_equal(back, pair[i][0]);
    }
}

static void test_every_byte(void **state)
{
    uint8_t bytes[256], back[256];
    char text[400];
    for (int i = 0; i < 256; i++) bytes[i] = (uint8_t)(i * 167);
    for (size_t size = 0; size <= 256; size++) {
        flaw_base64_encode(text, bytes, size);
        assert_true(flaw_base64_decode(back, size, text, strlen(text)));
        assert_memory_equal(back, bytes, size);
        assert_false(flaw_base64_decode(back, size + 3, text, strlen(text)));
    }
}

static void test_refused(void **state)
{
    static const struct {
        const char *text;
        size_t size;
    } bad[] = {{"Zg=", 1},   {"Zg==", 2}, {"Zg==", 3}, {"Zm8=", 1}, {"Zh==", 1}, /* bits behind the last byte */
               {"Zm9=", 2},  {"Zm9!", 3}, {"Z===", 1}, {"====", 1}, {"Zm9v\n", 3}, {" Zm9", 3},
               {"Zm9vZg", 4}};
    uint8_t out[8];
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (flaw_base64_decode(out, bad[i].size, bad[i].text, strlen(bad[i].text))) fail_msg("%s", bad[i].text);
    assert_false(flaw_base64_decode(out, 3, "Zm\0v", 4));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors),
        cmocka_unit_test(test_every_byte),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
