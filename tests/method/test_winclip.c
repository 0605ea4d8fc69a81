/* WinCLIP against the reference implementation on the golden CLIP, in both forms: image score and map, from the text
 * (templates, tau, raw mean) to the harmonic means. Then WinCLIP's own properties on the tiny CLIP of the tree. */
#include "../inspect/check.h"

#include <jansson.h>

/* The reference's pictures went through the shorter side and the centre crop. */
static flaw_inspector *open_inspector(const flaw_engine *engine, const char *method, const char *object,
                                      const good_files *good)
{
    flaw_inspector *in = NULL;
    flaw_error err = {0};
    flaw_inspect_options o;
    flaw_inspect_defaults(&o);
    o.method = method;
    o.object = object;
    o.fit = "crop";
    if (good) {
        o.good = good->path;
        o.good_count = good->count;
    }
    assert_ok(flaw_inspector_new(&in, engine, &o, NULL, NULL, &err));
    return in;
}

static void check_picture(const flaw_engine *engine, const char *folder, const json_t *image,
                          const flaw_tensors *expected)
{
    char path[1200], name[96];
    const char *file = json_string_value(json_object_get(image, "file"));
    flaw_error err = {0};
    flaw_picture picture;
    flaw_seen seen;
    flaw_score score;
    bool sound;
    snprintf(path, sizeof path, "%s/%s", folder, file);
    snprintf(name, sizeof name, "%s.winclip_map", file);
    flaw_inspector *in = open_inspector(engine, "winclip", json_string_value(json_object_get(image, "object")), NULL);
    assert_ok(flaw_picture_read(&picture, path, &err));
    assert_ok(flaw_inspector_measure(in, &picture, &seen, &score, &sound, &err));
    assert_true(sound);
    double want = json_real_value(json_object_get(image, "winclip_image_score"));
    print_message("  %s: score %.6f, reference %.6f\n", file, score.image, want);
    assert_true(fabs(score.image - want) < 1e-4);
    check_tensor(expected, name, score.map, 36, false, 1e-4);
    flaw_picture_release(&picture);
    flaw_inspector_free(in);
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
    flaw_engine *engine = open_engine(path);
    const json_t *images = json_object_get(root, "images");
    assert_int_equal(json_array_size(images), 3);
    for (size_t i = 0; i < 3; i++) check_picture(engine, folder, json_array_get(images, i), &expected);
    flaw_engine_close(engine);
    flaw_tensors_close(&expected);
    json_decref(root);
}

static void test_open_clip(void **state)
{
    check_form("open_clip");
}

static void test_hugging_face(void **state)
{
    check_form("hf");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_open_clip),
        cmocka_unit_test(test_hugging_face),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
