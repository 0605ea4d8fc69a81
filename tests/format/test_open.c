/* Weights in any form: one file by its content, a folder by its names, shards by their index. */
#include "../check.h"

#include "base/file.h"
#include "format/tensors.h"

static const float numbers[4] = {1, 2, 3, 4};

static flaw_tensor tensor(const char *name, size_t count)
{
    return (flaw_tensor){
        .name = name, .dtype = FLAW_DTYPE_F32, .rank = 1, .shape = {count}, .data = (const uint8_t *)numbers};
}

static void write_weights(const char *folder, const char *name, const char *first, const char *second)
{
    flaw_error err = {0};
    char path[512];
    flaw_tensor items[] = {tensor(first, 2), tensor(second ? second : "", 3)};
    assert_ok(flaw_safetensors_write(in_folder(path, folder, name), items, second ? 2 : 1, NULL, 0, &err));
}

static void write_text(const char *folder, const char *name, const char *text)
{
    flaw_error err = {0};
    char path[512];
    assert_ok(flaw_file_write(in_folder(path, folder, name), text, strlen(text), &err));
}

static void copy_data(const char *from, const char *folder, const char *name)
{
    flaw_error err = {0};
    flaw_bytes bytes;
    char path[512];
    const char *source = getenv("FLAW_SOURCE");
    snprintf(path, sizeof path, "%s/tests/format/data/%s", source ? source : ".", from);
    assert_ok(flaw_file_read(&bytes, path, 1 << 20, &err));
    assert_ok(flaw_file_write(in_folder(path, folder, name), bytes.data, bytes.size, &err));
    flaw_bytes_release(&bytes);
}

static void refuse(const char *path, flaw_status expected, const char *words, const char *more)
{
    flaw_error err = {0};
    flaw_tensors t = {.count = 77};
    assert_int_equal(flaw_tensors_open(&t, path, &err), expected);
    assert_contains(err.text, words);
    assert_contains(err.text, more);
    assert_int_equal(t.count, 77);
}

static void test_content(void **state)
{
    flaw_error err = {0};
    flaw_tensors t;
    char path[512];
    copy_data("torch-model.pt", *state, "a.weights");
    write_weights(*state, "b.weights", "x", NULL);
    assert_ok(flaw_tensors_open(&t, in_folder(path, *state, "a.weights"), &err));
    assert_int_equal(t.item[0].dtype, FLAW_DTYPE_BF16);
    flaw_tensors_close(&t);
    assert_ok(flaw_tensors_open(&t, in_folder(path, *state, "b.weights"), &err));
    assert_string_equal(t.item[0].name, "x");
    flaw_tensors_close(&t);
    copy_data("torch-old.pt", *state, "c.weights");
    refuse(in_folder(path, *state, "c.weights"), FLAW_BAD_DATA, "before 1.6", "torch.save");
    write_text(*state, "d.weights", "version https://git-lfs.github.com/spec/v1\n");
    refuse(in_folder(path, *state, "d.weights"), FLAW_BAD_DATA, "git-lfs pointer", "d.weights");
    refuse(in_folder(path, *state, "e.weights"), FLAW_MISSING, "e.weights", "No such file");
}

/* A whole file goes before shards, safetensors before torch. */
static void test_folder(void **state)
{
    flaw_error err = {0};
    flaw_tensors t;
    refuse(*state, FLAW_MISSING, "no weights here", "pytorch_model.bin");
    copy_data("torch-model.pt", *state, "pytorch_model.bin");
    assert_ok(flaw_tensors_open(&t, *state, &err));
    assert_string_equal(t.item[0].name, "w");
    flaw_tensors_close(&t);
    write_weights(*state, "model.safetensors", "x", "y");
    assert_ok(flaw_tensors_open(&t, *state, &err));
    assert_int_equal(t.count, 2);
    flaw_tensors_close(&t);
}

static void test_shards(void **state)
{
    flaw_error err = {0};
    flaw_tensors t;
    char path[512];
    write_weights(*state, "model-1.safetensors", "b", "d");
    write_weights(*state, "model-2.safetensors", "c", "a");
    copy_data("torch-model.pt", *state, "model-3.bin");
    write_text(
        *state, "model.safetensors.index.json",
        "{\"metadata\":{\"total_size\":20},\"weight_map\":{\"a\":\"model-2.safetensors\",\"b\":\"model-1.safetensors\","
        "\"c\":\"model-2.safetensors\",\"d\":\"model-1.safetensors\",\"w\":\"model-3.bin\"}}");
    assert_ok(flaw_tensors_open(&t, *state, &err));
    assert_int_equal(t.count, 5);
    assert_int_equal(t.more_count, 3);
    assert_contains(t.more_path[0], "model-2.safetensors");
    assert_contains(t.more_path[2], "model-3.bin");
    for (size_t i = 1; i < t.count; i++) assert_true(strcmp(t.item[i - 1].name, t.item[i].name) < 0);
    float out[3];
    assert_ok(flaw_tensor_to_f32(&t, flaw_tensors_find(&t, "d"), out, &err));
    assert_memory_equal(out, numbers, sizeof out);
    assert_ok(flaw_tensor_to_f32(&t, flaw_tensors_find(&t, "w"), out, &err));
    assert_true(out[0] == 1 && out[1] == 1);
    for (size_t i = 0; i < t.count; i++) flaw_tensor_drop(&t, &t.item[i]);
    assert_ok(flaw_tensor_to_f32(&t, flaw_tensors_find(&t, "a"), out, &err));
    assert_memory_equal(out, numbers, sizeof out);
    flaw_tensors_close(&t);
    assert_ok(flaw_tensors_open(&t, in_folder(path, *state, "model.safetensors.index.json"), &err));
    flaw_tensors_close(&t);
}

static void test_lying_index(void **state)
{
    static const struct {
        const char *index;
        flaw_status status;
        const char *words[2];
    } cases[] = {
        {"{", FLAW_BAD_DATA, {"line 1", "index"}},
        {"{\"weight_map\":{}}", FLAW_BAD_DATA, {"weight_map", "expected is"}},
        {"{\"weight_map\":[\"a\"]}", FLAW_BAD_DATA, {"weight_map", "expected is"}},
        {"{\"weight_map\":{\"a\":1}}", FLAW_BAD_DATA, {"'a'", "not a text"}},
        {"{\"weight_map\":{\"a\":\"m\",\"a\":\"m\"}}", FLAW_BAD_DATA, {"duplicate", "index"}},
        {"{\"weight_map\":{\"a\":\"../m\"}}", FLAW_BAD_DATA, {"'../m'", "beside the index"}},
        {"{\"weight_map\":{\"a\":\"x/m\"}}", FLAW_BAD_DATA, {"'x/m'", "beside the index"}},
        {"{\"weight_map\":{\"a\":\"..\"}}", FLAW_BAD_DATA, {"'..'", "beside the index"}},
        {"{\"weight_map\":{\"a\":\"\"}}", FLAW_BAD_DATA, {"''", "beside the index"}},
        {"{\"weight_map\":{\"a\":\"none\"}}", FLAW_MISSING, {"none", "No such file"}},
        {"{\"weight_map\":{\"a\":\"m\"}}", FLAW_BAD_DATA, {"0 missing, 1 left over", "left over b"}},
        {"{\"weight_map\":{\"a\":\"m\",\"b\":\"m\",\"c\":\"m\"}}",
         FLAW_BAD_DATA,
         {"1 missing, 0 left over", "missing c"}},
        {"{\"weight_map\":{\"a\":\"m\",\"b\":\"n\",\"c\":\"n\"}}",
         FLAW_BAD_DATA,
         {"1 missing, 1 left over", "missing b; left over b"}},
        {"{\"weight_map\":{\"a\":\"m\",\"b\":\"m\",\"p\":\"n\",\"q\":\"n\",\"r\":\"n\",\"s\":\"n\",\"t\":\"n\",\"c\":"
         "\"n\"}}",
         FLAW_BAD_DATA,
         {"5 missing, 0 left over", "p, q, r, s, ..."}},
        {"{\"weight_map\":{\"a\":\"m\",\"b\":\"m\",\"c\":\"bad\"}}", FLAW_BAD_DATA, {"bad", "not a safetensors file"}},
    };
    char path[512];
    write_weights(*state, "m", "a", "b");
    write_weights(*state, "n", "c", NULL);
    write_text(*state, "bad", "this is no container");
    in_folder(path, *state, "weights.index.json");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        print_message("%s\n", cases[i].index);
        write_text(*state, "weights.index.json", cases[i].index);
        refuse(path, cases[i].status, cases[i].words[0], cases[i].words[1]);
    }
}

/* Resident pages of mapped files. */
static long shared_pages(void)
{
    long size = 0, resident = 0, shared = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    assert_non_null(f);
    assert_int_equal(fscanf(f, "%ld %ld %ld", &size, &resident, &shared), 3);
    fclose(f);
    return shared;
}

static void test_drop(void **state)
{
    flaw_error err = {0};
    flaw_tensors t;
    char path[512];
    const size_t count = (size_t)2 << 20;
    float *x = malloc(count * sizeof *x), *again = malloc(count * sizeof *x);
    for (size_t i = 0; i < count; i++) x[i] = (float)i, again[i] = 0;
    flaw_tensor item = {.name = "x", .dtype = FLAW_DTYPE_F32, .rank = 1, .shape = {count}, .data = (uint8_t *)x};
    assert_ok(flaw_safetensors_write(in_folder(path, *state, "x"), &item, 1, NULL, 0, &err));
    assert_ok(flaw_tensors_open(&t, path, &err));
    assert_ok(flaw_tensor_to_f32(&t, &t.item[0], again, &err));
    const long before = shared_pages(), pages = (long)(count * sizeof *x) / sysconf(_SC_PAGESIZE);
    flaw_tensor_drop(&t, &t.item[0]);
    const long dropped = before - shared_pages();
    print_message("%ld of %ld pages given back\n", dropped, pages);
    assert_true(dropped > pages * 9 / 10);
    assert_ok(flaw_tensor_to_f32(&t, &t.item[0], again, &err));
    assert_memory_equal(x, again, count * sizeof *x);
    flaw_tensors_close(&t);
    free(x);
    free(again);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_content, make_scratch, remove_scratch),
        cmocka_unit_test_setup_teardown(test_folder, make_scratch, remove_scratch),
        cmocka_unit_test_setup_teardown(test_shards, make_scratch, remove_scratch),
        cmocka_unit_test_setup_teardown(test_lying_index, make_scratch, remove_scratch),
        cmocka_unit_test_setup_teardown(test_drop, make_scratch, remove_scratch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
