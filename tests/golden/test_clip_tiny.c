/* A tiny CLIP of our own (tools/make_clip_golden.py) in OpenCLIP, Hugging Face and timm form against PyTorch, on every
 * kernel level: pixels, blocks, embeddings, windows, texts, with QuickGELU and with GELU. Needs nothing beside the
 * tree. */
#include "golden.h"

#include <jansson.h>

#include "base/file.h"

static const flaw_tensors *expected;

static const char *data_path(char out[1024], const char *name)
{
    char part[256];
    snprintf(part, sizeof part, "clip-tiny/%s", name);
    const char *path = golden_path(out, false, part);
    if (!path) fail_msg("%s is not in the tree", name);
    return path;
}

/* "ACT.PART" or "ACT.PARTn". */
static const char *tensor_name(char out[64], const char *act, const char *part, int n)
{
    snprintf(out, 64, n < 0 ? "%s.%s" : "%s.%s%d", act, part, n);
    return out;
}

static json_t *read_texts(void)
{
    char path[1024];
    json_t *texts = json_load_file(data_path(path, "texts.json"), 0, NULL);
    assert_non_null(texts);
    return texts;
}

static void check_image(flaw_compute *c, const flaw_clip *m, const char *act)
{
    char path[1024], name[64];
    const flaw_clip_shape *s = &m->shape;
    size_t tokens = (size_t)flaw_clip_patches(s) + 1, d = (size_t)s->image.width, e = (size_t)flaw_clip_width(s);
    image_results r = run_picture(c, m, data_path(path, "picture.png"));
    check_tensor(expected, s->joint ? "pixels" : "timm.pixels", r.pixels, 3 * 32 * 32, false, BAR_PIXELS);
    for (int l = 0; l < s->image_layers; l++)
        check_tensor(expected, tensor_name(name, act, "block", l), r.out.block + (size_t)l * tokens * d, tokens * d,
                     true, BAR_RELATIVE);
    check_tensor(expected, tensor_name(name, act, "cls", -1), r.out.cls, e, true, BAR_RELATIVE);
    if (s->classes) check_tensor(expected, "timm.logits", r.out.logits, (size_t)s->classes, true, BAR_RELATIVE);
    if (s->joint) {
        float *want = expected_floats(expected, tensor_name(name, act, "patches", -1), (tokens - 1) * e);
        for (size_t i = 0; i + 1 < tokens; i++) unit_length(want + i * e, e);
        check_floats("patches, unit length", r.out.patches, want, (tokens - 1) * e, true, BAR_RELATIVE);
        free(want);
        for (int k = 1; k <= 4; k++) {
            float *windows = run_windows(c, m, k, r.out.embedded);
            size_t count = (size_t)((5 - k) * (5 - k)) * e;
            check_tensor(expected, tensor_name(name, act, "window", k), windows, count, false, BAR_WINDOWS);
            free(windows);
        }
    }
    free_results(&r);
}

static void check_texts(flaw_compute *c, const flaw_clip *m, const char *act)
{
    json_t *texts = read_texts();
    size_t count = json_array_size(texts), context = (size_t)m->shape.context, e = (size_t)m->shape.joint;
    int32_t *ids = calloc(count * context, sizeof *ids);
    float *out = make_floats(count * e), *work = make_floats(flaw_clip_text_workspace(m, (int)count));
    for (size_t i = 0; i < count; i++) {
        flaw_error err = {0};
        int length = 0, cut = -1;
        const json_t *entry = json_array_get(texts, i), *want = json_object_get(entry, "ids");
        const char *text = json_string_value(json_object_get(entry, "text"));
        assert_ok(flaw_tokenizer_encode(m->tokenizer, text, ids + i * context, (int)context, &length, &cut, &err));
        if ((size_t)length != json_array_size(want)) fail_msg("'%s': %d tokens", text, length);
        for (size_t t = 0; t < context; t++) {
            json_int_t id = t < (size_t)length ? json_integer_value(json_array_get(want, t)) : 0;
            if (ids[i * context + t] != id) fail_msg("'%s': token %zu is %d", text, t, ids[i * context + t]);
        }
    }
    flaw_clip_encode_texts(c, m, (int)count, ids, out, work);
    for (size_t i = 0; i < count; i++) {
        char name[64];
        check_tensor(expected, tensor_name(name, act, "text", (int)i), out + i * e, e, true, BAR_RELATIVE);
    }
    free(ids);
    free(out);
    free(work);
    json_decref(texts);
}

static void check_form(const char *path, const char *act)
{
    AT_EVERY_KIND_OF_VECTOR(level)
    {
        flaw_compute c = open_compute(level);
        flaw_clip *m = open_clip(path, &c);
        print_message("%s at %s\n", act, c.kernels->name);
        check_image(&c, m, act);
        if (m->tokenizer) check_texts(&c, m, act);
        flaw_clip_close(m);
        flaw_compute_close(&c);
    }
}

static void test_openclip(void **state)
{
    char path[1024];
    check_form(data_path(path, "open_clip"), "quick");
}

static void test_hf(void **state)
{
    char path[1024];
    check_form(data_path(path, "hf"), "quick");
}

static void test_timm(void **state)
{
    char path[1024];
    check_form(data_path(path, "timm"), "timm");
    check_form(data_path(path, "timm/model.safetensors"), "timm");
}

/* The other activation: the Hugging Face folder again, with its configuration changed. */
static void test_gelu(void **state)
{
    static const char *const files[] = {"config.json", "preprocessor_config.json", "model.safetensors", "vocab.json",
                                        "merges.txt"};
    char from[1024], to[512], part[64];
    flaw_error err = {0};
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        flaw_bytes file;
        snprintf(part, sizeof part, "hf/%s", files[i]);
        assert_ok(flaw_file_read(&file, data_path(from, part), 1 << 20, &err));
        assert_ok(flaw_file_write(in_folder(to, *state, files[i]), file.data, file.size, &err));
        flaw_bytes_release(&file);
    }
    json_t *config = json_load_file(data_path(from, "hf/config.json"), 0, NULL);
    json_object_set_new(json_object_get(config, "vision_config"), "hidden_act", json_string("gelu"));
    json_object_set_new(json_object_get(config, "text_config"), "hidden_act", json_string("gelu"));
    json_object_set_new(json_object_get(config, "text_config"), "eos_token_id",
                        json_integer(2)); /* argmax of the ids */
    assert_int_equal(json_dump_file(config, in_folder(to, *state, "config.json"), 0), 0);
    json_decref(config);
    check_form(*state, "gelu");
}

/* Both forms are one model. */
static void test_same_hash(void **state)
{
    char path[1024], one[65], other[65];
    flaw_compute c = open_compute(FLAW_LEVEL_REF);
    flaw_clip *a = open_clip(data_path(path, "open_clip"), &c), *b = open_clip(data_path(path, "hf"), &c);
    flaw_clip_hash(a, &c, one);
    flaw_clip_hash(b, NULL, other);
    assert_string_equal(one, other);
    b->weights[b->list.total / 2] += 1e-3f;
    flaw_clip_hash(b, &c, other);
    assert_string_not_equal(one, other);
    flaw_clip_close(a);
    flaw_clip_close(b);
    flaw_compute_close(&c);
}

int main(void)
{
    char path[1024];
    const char *file = golden_path(path, false, "clip-tiny/expected.safetensors");
    flaw_error err = {0};
    flaw_tensors all;
    if (!file || flaw_safetensors_open(&all, file, &err)) return 1;
    expected = &all;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_openclip),  cmocka_unit_test(test_hf),
        cmocka_unit_test(test_timm),      cmocka_unit_test_setup_teardown(test_gelu, make_scratch, remove_scratch),
        cmocka_unit_test(test_same_hash),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    flaw_tensors_close(&all);
    return failed;
}
