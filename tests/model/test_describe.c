/* `flaw model info`: what is there, what is missing or left over, and the status that opening would give. */
#include "tiny_language.h"

#include <jansson.h>

#include "flaw/model.h"
#include "format/tensors.h"
#include "model/bundle/describe.h"

static json_t *describe(const char *path, flaw_status status)
{
    flaw_buffer out;
    flaw_error err = {0};
    flaw_buffer_init(&out, (size_t)1 << 22);
    assert_int_equal(flaw_model_describe(&out, path, 1, &err), status);
    assert_null(strchr(out.data, '\n'));
    json_t *o = json_loads(out.data, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(o);
    assert_int_equal(json_is_true(json_object_get(o, "whole")), status == FLAW_OK);
    assert_int_equal(err.status, status);
    if (status) assert_string_equal(json_string_value(json_object_get(o, "problem")), err.text);
    flaw_buffer_release(&out);
    return o;
}

static const char *text_of(const json_t *o, const char *key)
{
    const char *text = json_string_value(json_object_get(o, key));
    return text ? text : "(absent)";
}

static void test_forms(void **state)
{
    char path[1024];
    json_t *o = describe(tiny_path(path, "open_clip"), FLAW_OK), *hf = describe(tiny_path(path, "hf"), FLAW_OK);
    assert_string_equal(text_of(o, "form"), "OpenCLIP folder");
    assert_string_equal(text_of(hf, "form"), "Hugging Face CLIPModel folder");
    assert_string_equal(text_of(o, "image"),
                        "3 blocks, width 24, 2 heads, hidden 48, QuickGELU, pictures of 32 pixels in patches of 8");
    assert_string_equal(text_of(o, "tokenizer"), "634 tokens, start 632, end 633");
    assert_string_equal(text_of(o, "hash"), text_of(hf, "hash"));
    assert_int_equal(strlen(text_of(o, "hash")), 64);
    assert_string_equal(text_of(o, "dtype"), "BF16 74");
    assert_int_equal(json_integer_value(json_object_get(o, "parameters")),
                     json_integer_value(json_object_get(hf, "parameters")));
    assert_int_equal(json_array_size(json_object_get(o, "files")), 3);
    json_decref(o);
    json_decref(hf);
    o = describe(tiny_path(path, "timm/model.safetensors"), FLAW_OK);
    assert_string_equal(text_of(o, "form"), "timm vision transformer");
    assert_null(json_object_get(o, "text"));
    json_decref(o);
    o = describe("", FLAW_OK);
    assert_string_equal(text_of(o, "model"), "default");
    assert_string_equal(text_of(o, "form"), "flaw bundle");
    assert_true(json_is_object(json_object_get(o, "card")));
    json_decref(o);
}

static void test_broken(void **state)
{
    static const float extra;
    char path[512];
    flaw_error err = {0};
    flaw_tensors t;
    copy_tiny("hf", *state);
    assert_ok(flaw_safetensors_open(&t, in_folder(path, *state, "model.safetensors"), &err));
    flaw_tensor *item = calloc(t.count, sizeof *item);
    memcpy(item, t.item, t.count * sizeof *item);
    item[0] = (flaw_tensor){.name = "stranger", .data = (const uint8_t *)&extra}; /* in the place of logit_scale */
    assert_ok(flaw_safetensors_write(path, item, t.count, NULL, 0, &err));
    flaw_tensors_close(&t);
    free(item);
    json_t *o = describe(*state, FLAW_BAD_DATA);
    assert_string_equal(json_string_value(json_array_get(json_object_get(o, "missing"), 0)), "logit_scale");
    assert_string_equal(json_string_value(json_array_get(json_object_get(o, "left_over"), 0)), "stranger");
    assert_null(json_object_get(o, "hash"));
    assert_string_equal(text_of(o, "tokenizer"), "634 tokens, start 632, end 633");
    json_decref(o);
    unlink(in_folder(path, *state, "vocab.json"));
    unlink(in_folder(path, *state, "model.safetensors"));
    o = describe(*state, FLAW_MISSING);
    assert_int_equal(json_array_size(json_object_get(o, "files")), 3);
    json_decref(o);
    json_decref(describe("no/such", FLAW_MISSING));
}

/* A language model in its own object, as a folder and as a file; and what it lacks. */
static void test_language(void **state)
{
    char path[512];
    flaw_error err = {0};
    flaw_compute c = open_compute_with(1, FLAW_LEVEL_REF);
    flaw_language *m = tiny_trained(&tiny_language, 2, &c);
    flaw_pieces *pieces = tiny_pieces();
    tiny_tensors t;
    tiny_tensors_of(&t, m, FLAW_WEIGHT_F16);
    tiny_folder(*state, &t, tiny_config, pieces);
    json_t *o = describe(*state, FLAW_OK), *part = json_object_get(o, "language");
    assert_string_equal(text_of(part, "form"), "Hugging Face LLaMA folder");
    assert_string_equal(text_of(part, "shape"),
                        "2 blocks, width 64, 4 heads over 2 of keys and values, hidden 96, rotated "
                        "halves (base 10000), 128 tokens of 301");
    assert_string_equal(text_of(part, "dtype"), "F16 21");
    assert_string_equal(text_of(part, "tokenizer"), "300 pieces, start 1, end 2");
    assert_string_equal(text_of(o, "image"), "(absent)");
    json_decref(o);

    assert_ok(flaw_model_convert(*state, in_folder(path, *state, "m.flaw"), "int8", NULL, NULL, &err));
    o = describe(path, FLAW_OK);
    part = json_object_get(o, "language");
    assert_string_equal(text_of(part, "form"), "flaw bundle");
    assert_string_equal(text_of(part, "dtype"), "F32 5, U8 1, Q8_0 10");
    assert_string_equal(text_of(o, "hashes"), "16 of 16 tensors are as they were written");
    assert_int_equal(json_array_size(json_object_get(o, "sources")), 3);
    assert_contains(json_string_value(json_array_get(json_object_get(o, "sources"), 1)), "tokenizer.model (");
    json_decref(o);

    flaw_bytes file = read_all(path); /* one bit of a matrix */
    file.data[file.size - 20000] ^= 1;
    assert_ok(flaw_file_write(path, file.data, file.size, &err));
    flaw_bytes_release(&file);
    o = describe(path, FLAW_BAD_DATA);
    assert_contains(text_of(o, "problem"), "is not as it was written");
    json_decref(o);

    t.item[3].name = "stranger"; /* in the place of some matrix */
    tiny_folder(*state, &t, tiny_config, pieces);
    o = describe(*state, FLAW_BAD_DATA);
    part = json_object_get(o, "language");
    assert_int_equal(json_array_size(json_object_get(part, "missing")), 1);
    assert_string_equal(json_string_value(json_array_get(json_object_get(part, "left_over"), 0)), "stranger");
    json_decref(o);
    flaw_arena_release(&t.arena);
    flaw_pieces_free(pieces);
    flaw_language_close(m);
    flaw_compute_close(&c);
}

/* AnomalyGPT as released, whole and without one of its files. */
static void test_released(void **state)
{
    char folder[512], path[600];
    const char *shared = getenv("FLAW_SHARED");
    snprintf(folder, sizeof folder, "%s/golden/anomalygpt-small", shared ? shared : "../shared");
    if (access(folder, R_OK) != 0) {
        print_message("%s is not here: skipped\n", folder);
        skip();
    }
    json_t *o = describe(folder, FLAW_OK);
    assert_string_equal(text_of(o, "form"), "ImageBind folder");
    assert_string_equal(text_of(json_object_get(o, "language"), "adapters"), "12 of rank 4");
    assert_string_equal(text_of(json_object_get(o, "voice"), "dtype"), "F16 23");
    json_decref(o);
    static const char *const links[] = {"imagebind_huge.pth", "vicuna", "anomalygpt_delta.pt", "imagebind_config.json",
                                        "bpe_simple_vocab_16e6.txt.gz"};
    for (size_t i = 0; i < sizeof links / sizeof links[0]; i++) {
        char link[512];
        snprintf(path, sizeof path, "%s/%s", folder, links[i]);
        char *target = realpath(path, NULL);
        assert_int_equal(symlink(target, in_folder(link, *state, links[i])), 0);
        free(target);
    }
    o = describe(*state, FLAW_MISSING);
    assert_contains(text_of(o, "problem"), "it lacks pandagpt_delta.pt");
    assert_string_equal(text_of(o, "form"), "ImageBind folder"); /* what is there is described */
    json_decref(o);
}

static void test_lines(void **state)
{
    char path[1024];
    flaw_buffer out;
    flaw_error err = {0};
    flaw_buffer_init(&out, (size_t)1 << 20);
    assert_ok(flaw_model_describe(&out, tiny_path(path, "open_clip"), 0, &err));
    assert_contains(out.data, "form: OpenCLIP folder\n");
    assert_contains(out.data, "files: bpe_simple_vocab_16e6.txt, open_clip_config.json, open_clip_model.safetensors\n");
    assert_contains(out.data, "\nwhole: true\n");
    flaw_buffer_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forms),
        cmocka_unit_test_setup_teardown(test_broken, make_scratch, remove_scratch),
        cmocka_unit_test(test_lines),
        cmocka_unit_test_setup_teardown(test_language, make_scratch, remove_scratch),
        cmocka_unit_test_setup_teardown(test_released, make_scratch, remove_scratch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
