#include "../check.h"

#include "base/utf8.h"
#include "flaw/status.h"

static void test_message(void **state)
{
    flaw_error err = {0};
    assert_int_equal(flaw_fail(&err, FLAW_MISSING, "tensor '%s': found %d, allowed %d", "a.b", 3, 4), FLAW_MISSING);
    assert_int_equal(err.status, FLAW_MISSING);
    assert_string_equal(err.text, "tensor 'a.b': found 3, allowed 4");
    assert_int_equal(flaw_fail(NULL, FLAW_IO, "nobody listens"), FLAW_IO);
}

/* A message cannot break a log line, move the cursor of a terminal or make JSON invalid. */
static void test_control_bytes(void **state)
{
    flaw_error err;
    flaw_fail(&err, FLAW_IO, "%s",
              "a\nb\tc\rd\033[31me\177\xc2\x9b"
              "f\xff\xe2\x82");
    assert_string_equal(err.text, "a\\nb\\tc\\x0dd\\x1b[31me\\x7f\\xc2\\x9bf\\xff\\xe2\\x82");
    flaw_fail(&err, FLAW_IO, "%s",
              "Gr\xc3\xb6\xc3\x9f"
              "e \xe2\x82\xac \xf0\x9f\x98\x80");
    assert_string_equal(err.text, "Gr\xc3\xb6\xc3\x9f"
                                  "e \xe2\x82\xac \xf0\x9f\x98\x80");
}

static void test_wraps_itself(void **state)
{
    flaw_error err;
    flaw_fail(&err, FLAW_BAD_DATA, "inner\n");
    flaw_fail(&err, FLAW_BAD_DATA, "outer: %s", err.text);
    assert_string_equal(err.text, "outer: inner\\n");
}

/* A long path loses its middle; the head (what) and the tail (found, allowed) stay, no character is halved. */
static void test_long_message(void **state)
{
    char path[5001];
    for (int lead = 0; lead < 3; lead++) {
        memset(path, 'p', sizeof path);
        for (int i = lead; i + 3 < 5000; i += 3) memcpy(path + i, "\xe2\x82\xac", 3);
        path[5000] = '\0';
        flaw_error err;
        flaw_fail(&err, FLAW_IO, "cannot open '%s': found 3, allowed 4", path);
        assert_in_range(strlen(err.text), 480, sizeof err.text - 1);
        assert_memory_equal(err.text, "cannot open '", 13);
        assert_string_equal(err.text + strlen(err.text) - 21, "': found 3, allowed 4");
        assert_contains(err.text, " ... ");
        assert_true(flaw_utf8_valid(err.text, strlen(err.text)));
    }
}

static void test_border_of_room(void **state)
{
    char text[600];
    flaw_error err;
    for (size_t size = 490; size < 500; size++) {
        memset(text, 'x', size);
        text[size] = '\0';
        flaw_fail(&err, FLAW_IO, "%s", text);
        assert_int_equal(strlen(err.text), size < 496 ? size : 495);
        assert_int_equal(strstr(err.text, " ... ") != NULL, size >= 496);
    }
}

static void test_names_and_exits(void **state)
{
    static const struct {
        flaw_status status;
        const char *name;
        int exit;
    } expected[] = {
        {FLAW_OK, "ok", 0},
        {FLAW_USAGE, "usage", 2},
        {FLAW_BAD_DATA, "bad data", 65},
        {FLAW_MISSING, "missing", 66},
        {FLAW_UNAVAILABLE, "unavailable", 69},
        {FLAW_INTERNAL, "internal", 70},
        {FLAW_NO_MEMORY, "no memory", 70},
        {FLAW_IO, "input/output", 74},
        {(flaw_status)99, "unknown status", 70},
    };
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        assert_string_equal(flaw_status_name(expected[i].status), expected[i].name);
        assert_int_equal(flaw_status_exit(expected[i].status), expected[i].exit);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_message),        cmocka_unit_test(test_control_bytes),
        cmocka_unit_test(test_wraps_itself),   cmocka_unit_test(test_long_message),
        cmocka_unit_test(test_border_of_room), cmocka_unit_test(test_names_and_exits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
