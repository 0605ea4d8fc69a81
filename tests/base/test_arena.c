#include "../check.h"

#include "base/arena.h"
#include "base/random.h"

static bool all_are(const unsigned char *at, size_t size, unsigned char value)
{
    for (size_t i = 0; i < size; i++) {
        if (at[i] != value) return false;
    }
    return true;
}

/* Many blocks of any size: aligned, zeroed, apart from each other, and still there at the end. */
static void test_blocks_do_not_move_or_overlap(void **state)
{
    enum { BLOCKS = 2000 };
    static unsigned char *block[BLOCKS];
    static size_t size[BLOCKS];
    flaw_arena arena;
    flaw_random r;
    flaw_arena_init(&arena, 0);
    flaw_random_init(&r, 1, 0);
    for (int i = 0; i < BLOCKS; i++) {
        size[i] = (size_t)flaw_random_below(&r, i % 100 == 0 ? 300000 : 500);
        block[i] = flaw_arena_alloc(&arena, size[i], 1);
        assert_non_null(block[i]);
        assert_int_equal((uintptr_t)block[i] % 64, 0);
        assert_true(all_are(block[i], size[i], 0));
        memset(block[i], i % 251, size[i]);
    }
    for (int i = 0; i < BLOCKS; i++) assert_true(all_are(block[i], size[i], (unsigned char)(i % 251)));
    flaw_arena_release(&arena);
}

static void test_empty_blocks_are_valid_and_distinct(void **state)
{
    flaw_arena arena;
    flaw_arena_init(&arena, 0);
    void *a = flaw_arena_alloc(&arena, 0, 8), *b = flaw_arena_alloc(&arena, 8, 0);
    assert_non_null(a);
    assert_non_null(b);
    assert_ptr_not_equal(a, b);
    flaw_arena_release(&arena);
}

/* What was handed out stays where it is; the giver is empty and goes on. */
static void test_adopt(void **state)
{
    flaw_arena to, from;
    flaw_arena_init(&to, 0);
    flaw_arena_init(&from, 1 << 20);
    char *kept = flaw_arena_copy_string(&to, "kept", 4), *first = flaw_arena_copy_string(&from, "first", 5);
    unsigned char *large = flaw_arena_alloc(&from, 300000, 1);
    const size_t used = to.used + from.used;
    flaw_arena_adopt(&to, &from);
    assert_int_equal(to.used, used);
    assert_int_equal(from.used, 0);
    assert_int_equal(from.limit, 1 << 20);
    flaw_arena_adopt(&to, &from); /* of nothing */
    char *after = flaw_arena_copy_string(&from, "after", 5), *more = flaw_arena_copy_string(&to, "more", 4);
    flaw_arena_release(&from);
    flaw_arena_init(&from, 0);
    flaw_arena_adopt(&from, &to); /* into an empty one */
    assert_string_equal(kept, "kept");
    assert_string_equal(first, "first");
    assert_string_equal(more, "more");
    assert_true(all_are(large, 300000, 0));
    assert_non_null(after);
    flaw_arena_release(&from);
    flaw_arena_release(&to);
}

static void test_overflow_and_refusal(void **state)
{
    flaw_arena arena;
    flaw_arena_init(&arena, 0);
    assert_null(flaw_arena_alloc(&arena, SIZE_MAX / 2 + 1, 2));
    assert_null(flaw_arena_alloc(&arena, SIZE_MAX, 1));
    assert_null(flaw_arena_alloc(&arena, SIZE_MAX - 62, 1)); /* overflows only when rounded up to 64 */
    assert_null(flaw_arena_alloc(&arena, (size_t)1 << 62, 1));
    assert_null(flaw_arena_copy_string(&arena, "x", SIZE_MAX));
    assert_int_equal(arena.used, 0);
    assert_non_null(flaw_arena_alloc(&arena, 1, 1));
    flaw_arena_release(&arena);
}

static void test_limit(void **state)
{
    flaw_arena arena;
    flaw_arena_init(&arena, 1024);
    assert_null(flaw_arena_alloc(&arena, 1025, 1));
    assert_non_null(flaw_arena_alloc(&arena, 960, 1));
    assert_null(flaw_arena_alloc(&arena, 65, 1));
    assert_non_null(flaw_arena_alloc(&arena, 64, 1));
    assert_null(flaw_arena_alloc(&arena, 1, 1));
    flaw_arena_release(&arena);
    assert_int_equal(arena.limit, 1024);
}

static void test_copy_string(void **state)
{
    flaw_arena arena;
    flaw_arena_init(&arena, 0);
    assert_string_equal(flaw_arena_copy_string(&arena, "hazelnut, cut", 8), "hazelnut");
    assert_string_equal(flaw_arena_copy_string(&arena, NULL, 0), "");
    flaw_arena_release(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_blocks_do_not_move_or_overlap),
        cmocka_unit_test(test_empty_blocks_are_valid_and_distinct),
        cmocka_unit_test(test_adopt),
        cmocka_unit_test(test_overflow_and_refusal),
        cmocka_unit_test(test_limit),
        cmocka_unit_test(test_copy_string),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
