#include "../check.h"

#include "base/path.h"

static void test_join(void **state)
{
    flaw_arena arena;
    flaw_arena_init(&arena, 0);
    assert_string_equal(flaw_path_join(&arena, "models", "config.json"), "models/config.json");
    assert_string_equal(flaw_path_join(&arena, "models/", "config.json"), "models/config.json");
    assert_string_equal(flaw_path_join(&arena, "/", "a"), "/a");
    flaw_arena_release(&arena);
}

static void test_name(void **state)
{
    static const struct {
        const char *path, *name;
    } rows[] = {{"a/b/c", "c"}, {"c", "c"}, {"a/c//", "c"}, {"/", ""}, {"", ""}, {"/c", "c"}};
    char out[128], wide[301];
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        flaw_path_name(out, sizeof out, rows[i].path);
        assert_string_equal(out, rows[i].name);
    }
    memset(wide, 'x', 300);
    wide[300] = 0;
    flaw_path_name(out, sizeof out, wide);
    assert_int_equal(strlen(out), 100);
    flaw_path_name(out, 4, "abcdef");
    assert_string_equal(out, "abc");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_join), cmocka_unit_test(test_name)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
