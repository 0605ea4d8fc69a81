/* The shape of a language model, its list of parameters and the view over them. */
#include "check.h"

#include "model/language/language.h"

/* Numbers of the published 260K-parameter story model: 8 heads over 4 of keys and values, head and table shared. */
static const flaw_language_shape stories = {.block = {.width = 64,
                                                      .heads = 8,
                                                      .hidden = 172,
                                                      .eps = 1e-5f,
                                                      .causal = true,
                                                      .kv_heads = 4,
                                                      .rms = true,
                                                      .gated = true,
                                                      .rotary = FLAW_ROTARY_HALVES,
                                                      .rotary_base = 10000},
                                            .layers = 5,
                                            .vocab = 512,
                                            .context = 512,
                                            .tied = true};

static void test_parameters(void **state)
{
    flaw_arena arena;
    flaw_parameters list;
    flaw_error err;
    flaw_arena_init(&arena, 0);
    assert_ok(flaw_language_parameters(&list, &stories, &arena, &err));
    assert_int_equal(list.count, 1 + 5 * 6 + 1);
    /* 512*64 + 5 (2*64 + 128*64 + 64*64 + 3*172*64) + 64 */
    assert_int_equal(list.total, 260032);
    static const struct {
        size_t at;
        const char *name;
        size_t rows, columns;
    } expected[] = {
        {0, "language.token", 512, 64},         {1, "language.block.0.norm1.w", 64, 1},
        {2, "language.block.0.qkv.w", 128, 64}, {3, "language.block.0.out.w", 64, 64},
        {5, "language.block.0.fc1.w", 344, 64}, {6, "language.block.0.fc2.w", 64, 172},
        {7, "language.block.1.norm1.w", 64, 1}, {31, "language.norm", 64, 1},
    };
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        const flaw_parameter *p = &list.item[expected[i].at];
        assert_string_equal(p->name, expected[i].name);
        assert_int_equal(p->shape[0], expected[i].rows);
        assert_int_equal(p->shape[1], expected[i].columns);
    }
    flaw_language_shape untied = stories;
    untied.tied = false;
    assert_ok(flaw_language_parameters(&list, &untied, &arena, &err));
    assert_int_equal(list.total, 260032 + 512 * 64);
    assert_string_equal(list.item[list.count - 1].name, "language.head");
    flaw_arena_release(&arena);
}

/* Every pointer of the view leads to the place of its parameter; a tied head is the table. */
static void test_view(void **state)
{
    flaw_arena arena;
    flaw_parameters list;
    flaw_language_view v;
    flaw_error err;
    flaw_arena_init(&arena, 0);
    assert_ok(flaw_language_parameters(&list, &stories, &arena, &err));
    float *base = calloc(list.total, sizeof *base);
    assert_non_null(base);
    assert_ok(flaw_language_view_over(&v, &stories, &list, base, &arena, &err));
    assert_ptr_equal(v.token, base);
    assert_ptr_equal(v.head, base);
    assert_ptr_equal(v.norm, base + list.total - 64);
    assert_ptr_equal(v.block[1].norm1_w, base + list.item[7].offset);
    assert_ptr_equal(v.block[4].fc2_w, base + list.item[30].offset);
    assert_null(v.block[0].qkv_b);
    assert_null(v.block[0].norm1_b);
    free(base);
    flaw_arena_release(&arena);
}

static void test_limits(void **state)
{
    flaw_error err;
    assert_ok(flaw_language_shape_check(&stories, "x", &err));
    flaw_language_shape bad[16];
    const char *says[16];
    for (size_t i = 0; i < 16; i++) bad[i] = stories;
    bad[0].block.width = 0, says[0] = "width is 0";
    bad[1].block.heads = 7, says[1] = "width 64 is not an even multiple of its 7 heads";
    bad[2].block.heads = 64, says[2] = "width 64 is not an even multiple of its 64 heads";
    bad[3].block.kv_heads = 3, says[3] = "8 heads are not a multiple of 3";
    bad[4].block.kv_heads = 16, says[4] = "number of key and value heads is 16";
    bad[5].block.hidden = 131073, says[5] = "hidden width of an MLP is 131073";
    bad[6].layers = 513, says[6] = "number of layers is 513";
    bad[7].vocab = 2, says[7] = "vocabulary is 2";
    bad[8].context = 0, says[8] = "context length is 0";
    bad[9].block.eps = 0, says[9] = "epsilon of the norms is 0";
    bad[10].block.rotary_base = 0, says[10] = "base of the rotary positions is 0";
    bad[11].block.causal = false, says[11] = "a language model is causal";
    bad[12].block.rotary = FLAW_ROTARY_NONE, says[12] = "rotary positions";
    bad[14].context = 131073, says[14] = "context length is 131073, allowed are 1 to 131072";
    bad[15].block.width = 16384, says[15] = "width 16384 for 8 heads, allowed are up to 1024";
    bad[13].block.kv_heads = -1, says[13] = "key and value heads is -1";
    for (size_t i = 0; i < 16; i++) {
        assert_int_equal(flaw_language_shape_check(&bad[i], "x", &err), FLAW_BAD_DATA);
        assert_contains(err.text, says[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parameters),
        cmocka_unit_test(test_view),
        cmocka_unit_test(test_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
