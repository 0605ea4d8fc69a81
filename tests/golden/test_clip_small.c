/* ../shared/golden/clip-small in both forms, on every kernel level: token ids, text embeddings, pixels, every block,
 * image embeddings, patch tokens, window embeddings. */
#include "golden.h"

#include <jansson.h>

static void check_list(const char *what, const json_t *list, float *got, size_t count)
{
    float *want = make_floats(count);
    assert_int_equal(json_array_size(list), count);
    for (size_t i = 0; i < count; i++) want[i] = (float)json_number_value(json_array_get(list, i));
    unit_length(got, count);
    check_floats(what, got, want, count, true, BAR_RELATIVE);
    free(want);
}

static void check_texts(flaw_compute *c, const flaw_clip *m, const json_t *texts)
{
    int context = m->shape.context;
    int32_t *ids = calloc((size_t)context, sizeof *ids);
    float *out = make_floats((size_t)m->shape.joint), *work = make_floats(flaw_clip_text_workspace(m, 1));
    assert_int_equal(json_array_size(texts), 8);
    for (size_t i = 0; i < json_array_size(texts); i++) {
        flaw_error err = {0};
        int length, cut;
        const json_t *entry = json_array_get(texts, i), *want = json_object_get(entry, "ids");
        const char *text = json_string_value(json_object_get(entry, "text"));
        assert_ok(flaw_tokenizer_encode(m->tokenizer, text, ids, context, &length, &cut, &err));
        assert_int_equal(length, json_array_size(want));
        for (int t = 0; t < length; t++) assert_int_equal(ids[t], json_integer_value(json_array_get(want, (size_t)t)));
        flaw_clip_encode_texts(c, m, 1, ids, out, work);
        check_list(text, json_object_get(entry, "embedding"), out, (size_t)m->shape.joint);
    }
    free(ids);
    free(out);
    free(work);
}

static void check_picture(flaw_compute *c, const flaw_clip *m, const flaw_tensors *expected, const json_t *entry,
                          const char *folder)
{
    const char *file = json_string_value(json_object_get(entry, "file"));
    char path[1200], name[128];
    size_t tokens = 37, d = 128, e = 64;
    snprintf(path, sizeof path, "%s/%s", folder, file);
    image_results r = run_picture(c, m, path);
    snprintf(name, sizeof name, "%s.pixels", file);
    check_tensor(expected, name, r.pixels, 3 * 96 * 96, false, BAR_PIXELS);
    for (int l = 0; l < 4; l++) {
        snprintf(name, sizeof name, "%s.block%d", file, l);
        check_tensor(expected, name, r.out.block + (size_t)l * tokens * d, tokens * d, true, BAR_RELATIVE);
    }
    check_list(file, json_object_get(entry, "embedding"), r.out.cls, e);
    snprintf(name, sizeof name, "%s.patches_projected", file);
    float *want = expected_floats(expected, name, (tokens - 1) * e);
    for (size_t i = 0; i + 1 < tokens; i++) unit_length(want + i * e, e);
    check_floats(name, r.out.patches, want, (tokens - 1) * e, true, BAR_RELATIVE);
    free(want);
    for (int k = 2; k <= 3; k++) {
        float *windows = run_windows(c, m, k, r.out.embedded);
        snprintf(name, sizeof name, "%s.window%d", file, k);
        check_tensor(expected, name, windows, (size_t)((7 - k) * (7 - k)) * e, false, BAR_WINDOWS);
        free(windows);
    }
    free_results(&r);
}

static void check_form(const char *form)
{
    char folder[1024], path[1200];
    if (!golden_path(folder, true, "golden/clip-small")) skip();
    snprintf(path, sizeof path, "%s/expected.json", folder);
    json_t *root = json_load_file(path, 0, NULL);
    assert_non_null(root);
    snprintf(path, sizeof path, "%s/expected.safetensors", folder);
    flaw_tensors expected = open_expected(path);
    snprintf(path, sizeof path, "%s/%s", folder, form);
    AT_EVERY_KIND_OF_VECTOR(level)
    {
        flaw_compute c = open_compute(level);
        flaw_clip *m = open_clip(path, &c);
        const json_t *images = json_object_get(root, "images");
        print_message("%s at %s\n", form, c.kernels->name);
        check_texts(&c, m, json_object_get(root, "text"));
        assert_int_equal(json_array_size(images), 3);
        for (size_t i = 0; i < 3; i++) check_picture(&c, m, &expected, json_array_get(images, i), folder);
        flaw_clip_close(m);
        flaw_compute_close(&c);
    }
    flaw_tensors_close(&expected);
    json_decref(root);
}

static void test_openclip(void **state)
{
    check_form("open_clip");
}

static void test_hf(void **state)
{
    check_form("hf");
}

static void test_same_hash(void **state)
{
    char path[1024], one[65], other[65];
    if (!golden_path(path, true, "golden/clip-small/open_clip")) skip();
    flaw_compute c = open_compute(FLAW_LEVEL_REF);
    flaw_clip *a = open_clip(path, &c), *b = open_clip(golden_path(path, true, "golden/clip-small/hf"), &c);
    flaw_clip_hash(a, &c, one);
    flaw_clip_hash(b, &c, other);
    assert_string_equal(one, other);
    flaw_clip_close(a);
    flaw_clip_close(b);
    flaw_compute_close(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_openclip),
        cmocka_unit_test(test_hf),
        cmocka_unit_test(test_same_hash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
