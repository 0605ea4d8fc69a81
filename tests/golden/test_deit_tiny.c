/* ../shared/models/deit-tiny (real weights) on four photographs, on every kernel level: the same top five in the same
 * order, logits within 5e-3 (JPEG decoders differ a little), blocks within the bar. */
#include "golden.h"

#include <jansson.h>

#define BAR_LOGITS 5e-3

static void check_top(const json_t *top, const float *logits, size_t classes)
{
    bool taken[1000] = {false};
    assert_int_equal(json_array_size(top), 5);
    for (size_t rank = 0; rank < 5; rank++) {
        const json_t *pair = json_array_get(top, rank);
        size_t best = 0;
        while (taken[best]) best++;
        for (size_t i = best; i < classes; i++)
            if (!taken[i] && logits[i] > logits[best]) best = i;
        taken[best] = true;
        assert_int_equal(best, json_integer_value(json_array_get(pair, 0)));
        assert_true(fabs((double)logits[best] - json_number_value(json_array_get(pair, 1))) <= BAR_LOGITS);
    }
}

static void check_picture(flaw_compute *c, const flaw_clip *m, const flaw_tensors *expected, const json_t *entry)
{
    static const int blocks[] = {2, 5, 8, 11};
    const char *file = json_string_value(json_object_get(entry, "file"));
    char data[1024], path[1200], name[128];
    if (!golden_path(data, true, "data")) skip();
    snprintf(path, sizeof path, "%s/%s", data, file);
    image_results r = run_picture(c, m, path);
    for (size_t i = 0; i < 4; i++) {
        snprintf(name, sizeof name, "%s.block%d", file, blocks[i]);
        check_tensor(expected, name, r.out.block + (size_t)blocks[i] * 197 * 192, 197 * 192, true, BAR_RELATIVE);
    }
    snprintf(name, sizeof name, "%s.logits", file);
    check_tensor(expected, name, r.out.logits, 1000, false, BAR_LOGITS);
    check_top(json_object_get(entry, "top5"), r.out.logits, 1000);
    free_results(&r);
}

static void test_photographs(void **state)
{
    char folder[1024], path[1200];
    if (!golden_path(folder, true, "models/deit-tiny")) skip();
    snprintf(path, sizeof path, "%s/expected.json", folder);
    json_t *root = json_load_file(path, 0, NULL);
    assert_non_null(root);
    const json_t *images = json_object_get(root, "images");
    assert_int_equal(json_array_size(images), 4);
    snprintf(path, sizeof path, "%s/expected.safetensors", folder);
    flaw_tensors expected = open_expected(path);
    AT_EVERY_KIND_OF_VECTOR(level)
    {
        flaw_compute c = open_compute(level);
        flaw_clip *m = open_clip(folder, &c);
        print_message("%s\n", c.kernels->name);
        assert_null(m->tokenizer);
        size_t pictures = level == FLAW_LEVEL_REF ? 1 : 4; /* the plain kernels take a second for each */
        for (size_t i = 0; i < pictures; i++) check_picture(&c, m, &expected, json_array_get(images, i));
        flaw_clip_close(m);
        flaw_compute_close(&c);
    }
    flaw_tensors_close(&expected);
    json_decref(root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_photographs)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
