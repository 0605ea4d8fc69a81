/* The small Vicuna of ../shared/golden/anomalygpt-small (F16 matrices, a head of its own, a row more than the tokenizer
 * has pieces) against numbers that tools/make_language_golden.py computed with PyTorch: ids of a prompt, logits, greedy
 * ids. */
#include "golden.h"

#include <jansson.h>

#include "model/language/language.h"

static void check_first(const flaw_language *m, const json_t *expected, flaw_reading *r)
{
    const json_t *prompt = json_object_get(expected, "prompt"), *top = json_object_get(expected, "top");
    const double largest = json_real_value(json_object_get(expected, "largest"));
    int32_t ids[16] = {m->bos};
    size_t count;
    flaw_error err = {0};
    assert_ok(flaw_pieces_encode(m->pieces, "The part is", 11, ids + 1, 15, &count, &err));
    assert_int_equal(count + 1, json_array_size(prompt));
    for (size_t i = 0; i <= count; i++) assert_int_equal(ids[i], json_integer_value(json_array_get(prompt, i)));
    assert_ok(flaw_reading_ids(r, ids, (int)count + 1, &err));
    const float *logits = flaw_reading_logits(r);
    double worst = 0, peak = 0;
    for (int i = 0; i < m->shape.vocab; i++) peak = fmax(peak, fabs((double)logits[i]));
    for (size_t i = 0; i < json_array_size(top); i++) {
        const json_t *pair = json_array_get(top, i);
        const double want = json_real_value(json_array_get(pair, 1));
        worst = fmax(worst, fabs((double)logits[json_integer_value(json_array_get(pair, 0))] - want) / largest);
    }
    print_message("  largest logits: %.2g (bar %.0e)\n", worst, BAR_RELATIVE);
    assert_true(worst <= BAR_RELATIVE);
    assert_true(fabs(peak - largest) <= BAR_RELATIVE * largest);
}

static void check_model(const char *path, flaw_keep keep, flaw_compute *c, const json_t *expected)
{
    const json_t *want = json_object_get(expected, "ids");
    flaw_language *m = NULL;
    flaw_reading *r;
    flaw_written w;
    flaw_error err = {0};
    assert_ok(flaw_language_open(&m, path, keep, NULL, c, &err));
    assert_int_equal(m->token.type, keep == FLAW_KEEP_FILE ? FLAW_WEIGHT_F16 : FLAW_WEIGHT_F32);
    assert_int_equal(flaw_pieces_count(m->pieces), 32000);
    assert_int_equal(m->shape.vocab, 32001);
    assert_ok(flaw_reading_open(&r, m, c, &err));
    check_first(m, expected, r);
    assert_ok(flaw_language_write(r, &(flaw_writing){.max_tokens = (int)json_array_size(want)}, &w, &err));
    for (int i = 0; i < w.count; i++) assert_int_equal(w.ids[i], json_integer_value(json_array_get(want, (size_t)i)));
    flaw_written_release(&w);
    flaw_reading_close(r);
    flaw_language_close(m);
}

static void test_vicuna(void **state)
{
    char folder[1024], path[1024];
    if (!golden_path(folder, true, "golden/anomalygpt-small/vicuna")) skip();
    assert_non_null(golden_path(path, false, "language.json"));
    json_t *expected = json_load_file(path, 0, NULL);
    assert_non_null(expected);
    AT_EVERY_KIND_OF_VECTOR(level)
    {
        flaw_compute c = open_compute(level);
        check_model(folder, FLAW_KEEP_FILE, &c, expected);
        check_model(folder, FLAW_KEEP_F32, &c, expected);
        flaw_compute_close(&c);
    }
    json_decref(expected);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_vicuna)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
