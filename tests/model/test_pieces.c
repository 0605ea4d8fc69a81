/* SentencePiece vocabularies: ids of the reference implementations, texts there and back, and no control from words. */
#include "pieces.h"

#include <jansson.h>

#include "base/file.h"

/* ids of `text`, compared with a list in JSON. */
static void check_ids(const flaw_pieces *p, const char *text, size_t size, const json_t *expected)
{
    int32_t ids[1024];
    size_t count = encode(p, text, size, ids, 1024);
    bool same = count == json_array_size(expected);
    for (size_t i = 0; i < count && same; i++) same = ids[i] == json_integer_value(json_array_get(expected, i));
    if (!same) {
        for (size_t i = 0; i < count; i++) print_message("%d ", ids[i]);
        fail_msg("other ids for \"%.*s\"", (int)size, text);
    }
}

static json_t *load_json(const char *path)
{
    json_error_t problem;
    json_t *j = json_load_file(path, 0, &problem);
    if (!j) fail_msg("%s: %s", path, problem.text);
    return j;
}

/* The prompt's pieces of AnomalyGPT, tokenised by the reference implementation. */
static void test_golden_prompt(void **state)
{
    char path[1024];
    const char *key;
    json_t *ids;
    if (!shared_file(path, "golden/anomalygpt-small/expected.json")) return;
    json_t *expected = load_json(path);
    flaw_pieces *p = open_model(shared_file(path, "golden/anomalygpt-small/vicuna/tokenizer.model"));
    assert_int_equal(flaw_pieces_count(p), 32000);
    assert_int_equal(flaw_pieces_bos(p), 1);
    assert_int_equal(flaw_pieces_eos(p), 2);
    assert_int_equal(flaw_pieces_find(p, "##"), 2277);
    assert_int_equal(flaw_pieces_find(p, "<0x0A>"), 13);
    assert_int_equal(flaw_pieces_find(p, "no such piece"), -1);
    int checked = 0;
    json_object_foreach(json_object_get(expected, "tokens"), key, ids)
    {
        check_ids(p, key, strlen(key), ids);
        checked++;
    }
    assert_int_equal(checked, 3);
    flaw_pieces_free(p);
    json_decref(expected);
}

/* Test strings of llama.cpp's SPM vocabulary; each also comes back as it was. */
static void check_strings(const flaw_pieces *p, const char *inputs, const char *outputs)
{
    static const char mark[] = "\n__ggml_vocab_test__\n";
    int checked = 0;
    for (const char *at = inputs, *line = outputs; line && *line; checked++) {
        const char *stop = strstr(at, mark), *end = strchr(line, '\n');
        size_t size = stop ? (size_t)(stop - at) : strlen(at);
        int32_t ids[512];
        size_t count = encode(p, at, size, ids, 512), i = 0;
        char *next = (char *)(uintptr_t)line;
        for (; end ? next < end : *next; i++) {
            long id = strtol(next, &next, 10);
            if (i >= count || ids[i] != id) fail_msg("id %zu of \"%.*s\" should be %ld", i, (int)size, at, id);
            while (*next == ' ') next++;
        }
        assert_int_equal(i, count);
        check_text(p, ids, count, at, size);
        at = stop ? stop + sizeof mark - 1 : at + size;
        line = end ? end + 1 : NULL;
    }
    assert_int_equal(checked, 46);
}

static void test_llama_strings(void **state)
{
    char path[1024];
    flaw_bytes inputs, outputs;
    flaw_error err = {0};
    if (!shared_file(path, "vocab/gguf/ggml-vocab-llama-spm.gguf.inp")) return;
    assert_ok(flaw_file_read(&inputs, path, 1 << 20, &err));
    assert_ok(flaw_file_read(&outputs, shared_file(path, "vocab/gguf/ggml-vocab-llama-spm.gguf.out"), 1 << 20, &err));
    flaw_pieces *p = open_model(shared_file(path, "vocab/llama/tokenizer.model"));
    check_strings(p, (const char *)inputs.data, (const char *)outputs.data);
    flaw_pieces *again = write_and_read(p);
    check_strings(again, (const char *)inputs.data, (const char *)outputs.data);
    flaw_pieces_free(again);
    assert_ok(flaw_pieces_from_list(&again, p->piece, (size_t)p->count, 1, 2, 0, true, "list", &err));
    check_strings(again, (const char *)inputs.data, (const char *)outputs.data);
    flaw_pieces_free(again);
    flaw_tensors file;
    if (flaw_gguf_open(&file, shared_file(path, "vocab/gguf/ggml-vocab-llama-spm.gguf"), &err)) {
        assert_contains(err.text, "was the file converted as text?"); /* such copies are about */
        print_message("%s: skipped\n", err.text);
    } else {
        assert_ok(flaw_pieces_from_gguf(&again, &file, &err));
        flaw_tensors_close(&file);
        check_strings(again, (const char *)inputs.data, (const char *)outputs.data);
        flaw_pieces_free(again);
    }
    flaw_pieces_free(p);
    flaw_bytes_release(&inputs);
    flaw_bytes_release(&outputs);
}

/* The published text of stories260K: its ids give it, and it gives its ids. */
static void test_stories(void **state)
{
    char path[1024];
    flaw_bytes bytes;
    flaw_error err = {0};
    flaw_pieces *p = NULL;
    int32_t ids[1024];
    if (!shared_file(path, "models/stories260K/tok512.bin")) return;
    assert_ok(flaw_file_read(&bytes, path, 1 << 20, &err));
    assert_ok(flaw_pieces_from_llama2c(&p, bytes.data, bytes.size, 512, "tok512.bin", &err));
    flaw_bytes_release(&bytes);
    json_t *expected = load_json(shared_file(path, "models/stories260K/expected.json"));
    json_t *list = json_object_get(expected, "ids");
    const char *text = json_string_value(json_object_get(expected, "text"));
    size_t count = json_array_size(list);
    assert_true(count > 100 && count < 1024 && text);
    for (size_t i = 0; i < count; i++) ids[i] = (int32_t)json_integer_value(json_array_get(list, i));
    assert_int_equal(ids[0], flaw_pieces_bos(p));
    check_text(p, ids + 1, count - 1, text + 1, strlen(text) - 1); /* without the dummy prefix */
    int32_t again[1024];
    assert_int_equal(encode(p, text + 1, strlen(text) - 1, again, 1024), count - 1);
    assert_memory_equal(again, ids + 1, (count - 1) * sizeof *ids);
    json_decref(expected);
    flaw_pieces_free(p);
}

/* A tokenizer of stories260K comes with its GGUF files too: the same pieces as tok512.bin. */
static void test_stories_gguf(void **state)
{
    char path[1024];
    flaw_bytes bytes;
    flaw_tensors file;
    flaw_error err = {0};
    flaw_pieces *a = NULL, *b = NULL;
    if (!shared_file(path, "models/stories260K/tok512.bin")) return;
    assert_ok(flaw_file_read(&bytes, path, 1 << 20, &err));
    assert_ok(flaw_pieces_from_llama2c(&a, bytes.data, bytes.size, 512, "tok512.bin", &err));
    flaw_bytes_release(&bytes);
    assert_ok(flaw_gguf_open(&file, shared_file(path, "models/stories260K/stories260K-f32.gguf"), &err));
    assert_ok(flaw_pieces_from_gguf(&b, &file, &err));
    flaw_tensors_close(&file);
    check_same(a, b);
    flaw_pieces_free(a);
    flaw_pieces_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_golden_prompt),
        cmocka_unit_test(test_llama_strings),
        cmocka_unit_test(test_stories),
        cmocka_unit_test(test_stories_gguf),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
