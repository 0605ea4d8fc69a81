/* Tensors written one by one: what comes out is read again by the reader
 * its digests are taken again; what goes wrong leaves nothing behind. */
#include "../check.h"

#include "base/file.h"
#include "base/sha256.h"
#include "format/writer.h"

static flaw_tensor item(const char *name, flaw_dtype dtype, size_t rows, size_t columns)
{
    return (flaw_tensor){.name = name, .dtype = dtype, .rank = 2, .shape = {rows, columns}};
}

static uint8_t pattern(size_t i)
{
    return (uint8_t)(i * 7 + i / 251);
}

static void write_all(const char *path, const flaw_tensor *items, size_t count, size_t total, size_t piece,
                      char (*digest)[65])
{
    static const char *const metadata[] = {"language", "{\"x\":1}", "sha256", "old", "blocks", "{\"y\":\"Q8_0\"}"};
    flaw_error err = {0};
    flaw_tensor_writer *w;
    assert_ok(flaw_tensor_writer_begin(&w, path, items, count, metadata, 3, &err));
    for (size_t at = 0; at < total; at += piece) {
        uint8_t bytes[4096];
        const size_t size = total - at < piece ? total - at : piece;
        for (size_t i = 0; i < size; i++) bytes[i] = pattern(at + i);
        assert_ok(flaw_tensor_writer_data(w, bytes, size, &err));
    }
    assert_ok(flaw_tensor_writer_end(w, digest, &err));
}

/* F32, nothing, blocks of 8 and 4 bits, U8: in the order given, whatever the pieces. */
static void test_round(void **state)
{
    const flaw_tensor items[] = {item("f", FLAW_DTYPE_F32, 2, 3),    item("none", FLAW_DTYPE_F16, 0, 5),
                                 item("q8", FLAW_DTYPE_Q8_0, 3, 64), item("q4", FLAW_DTYPE_Q4_1, 2, 32),
                                 item("b", FLAW_DTYPE_U8, 1, 9),     item("end", FLAW_DTYPE_U8, 0, 1)};
    static const size_t bytes[] = {24, 0, 3 * 2 * 34, 2 * 20, 9, 0};
    const size_t total = 24 + 204 + 40 + 9;
    static const size_t pieces[] = {1, 7, 25, 4096};
    for (size_t p = 0; p < sizeof pieces / sizeof pieces[0]; p++) {
        flaw_error err = {0};
        flaw_tensors t;
        char path[512], digest[6][65], expected[65];
        write_all(in_folder(path, *state, "w"), items, 6, total, pieces[p], digest);
        assert_ok(flaw_safetensors_open(&t, path, &err));
        assert_int_equal(t.count, 6);
        size_t at = 0;
        for (size_t i = 0; i < 6; i++) {
            const flaw_tensor *x = flaw_tensors_find(&t, items[i].name);
            assert_non_null(x);
            assert_int_equal(x->dtype, items[i].dtype);
            assert_memory_equal(x->shape, items[i].shape, 2 * sizeof x->shape[0]);
            assert_int_equal(x->bytes, bytes[i]);
            for (size_t k = 0; k < x->bytes; k++) assert_int_equal(x->data[k], pattern(at + k));
            flaw_sha256_hex(x->data, x->bytes, expected);
            assert_string_equal(digest[i], expected);
            char said[128];
            snprintf(said, sizeof said, "\"%s\":\"%s\"", items[i].name, expected);
            assert_contains(flaw_tensors_metadata(&t, "sha256"), said);
            at += x->bytes;
        }
        assert_string_equal(flaw_tensors_metadata(&t, "language"), "{\"x\":1}");
        assert_string_equal(flaw_tensors_metadata(&t, "blocks"), "{\"q8\":\"Q8_0\",\"q4\":\"Q4_1\"}");
        flaw_tensors_close(&t);
    }
}

static void assert_nothing(const char *folder)
{
    flaw_names names;
    assert_int_equal(flaw_file_list(&names, folder, NULL), FLAW_OK);
    assert_int_equal(names.count, 0);
    flaw_names_release(&names);
}

static void refuse_begin(const char *path, const flaw_tensor *items, size_t count, flaw_status expected)
{
    flaw_error err = {0};
    flaw_tensor_writer *w = NULL;
    assert_int_equal(flaw_tensor_writer_begin(&w, path, items, count, NULL, 0, &err), expected);
    assert_contains(err.text, path);
    assert_null(w);
}

static void test_refused(void **state)
{
    flaw_error err = {0};
    flaw_tensor_writer *w;
    char path[512];
    in_folder(path, *state, "w");
    const flaw_tensor twice[] = {item("a", FLAW_DTYPE_F32, 1, 1), item("a", FLAW_DTYPE_F32, 1, 1)};
    const flaw_tensor part = item("a", FLAW_DTYPE_Q4_1, 2, 33), bad = item("\xff", FLAW_DTYPE_F32, 1, 1);
    const flaw_tensor huge = item("a", FLAW_DTYPE_F32, SIZE_MAX / 8, 5);
    flaw_tensor flat = item("a", FLAW_DTYPE_Q8_0, 32, 1);
    flat.rank = 1;
    refuse_begin(path, twice, 2, FLAW_USAGE);
    refuse_begin(path, &part, 1, FLAW_USAGE);
    refuse_begin(path, &bad, 1, FLAW_USAGE);
    refuse_begin(path, &huge, 1, FLAW_USAGE);
    refuse_begin(path, &flat, 1, FLAW_USAGE);
    refuse_begin("no/such/folder/w", twice, 1, FLAW_IO);
    assert_nothing(*state);

    assert_ok(flaw_tensor_writer_begin(&w, path, twice, 1, NULL, 0, &err));
    assert_int_equal(flaw_tensor_writer_data(w, "12345", 5, &err), FLAW_USAGE);
    assert_contains(err.text, "1 bytes more");
    flaw_tensor_writer_abandon(w);
    assert_ok(flaw_tensor_writer_begin(&w, path, twice, 1, NULL, 0, &err));
    assert_ok(flaw_tensor_writer_data(w, "123", 3, &err));
    assert_int_equal(flaw_tensor_writer_end(w, NULL, &err), FLAW_USAGE);
    assert_contains(err.text, "'a' has 3 of 4 bytes");
    assert_nothing(*state);
    flaw_tensor_writer_abandon(NULL);
}

/* Blocks that the metadata tells of, but that cannot be. */
static void test_lying_blocks(void **state)
{
    static const struct {
        const char *blocks, *words;
    } cases[] = {
        {"[]", "not a JSON object"},
        {"{", "not a JSON object"},
        {"{\"u\":\"Q9\"}", "type 'Q9'"},
        {"{\"u\":1}", "'u': type ''"},
        {"{\"u\":\"F32\"}", "type 'F32'"},
        {"{\"none\":\"Q8_0\"}", "'none': no such tensor"},
        {"{\"f\":\"Q8_0\"}", "'f': no such tensor of U8"},
        {"{\"v\":\"Q8_0\"}", "'v': no such tensor of U8 with two sides"},
        {"{\"u\":\"Q4_1\"}", "rows of 34 bytes are no blocks of Q4_1 (20 bytes)"},
        {"{\"u\":\"Q8_0\",\"u\":\"Q8_0\"}", "not a JSON object"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        flaw_error err = {0};
        flaw_tensors t = {.count = 77};
        char file[1024], header[900], quoted[200] = "";
        for (const char *c = cases[i].blocks; *c; c++)
            snprintf(quoted + strlen(quoted), sizeof quoted - strlen(quoted), *c == '"' ? "\\\"" : "%c", *c);
        snprintf(
            header, sizeof header,
            "{\"__metadata__\":{\"blocks\":\"%s\"},\"u\":{\"dtype\":\"U8\",\"shape\":[1,34],\"data_offsets\":[0,34]},"
            "\"f\":{\"dtype\":\"F32\",\"shape\":[1,1],\"data_offsets\":[34,38]},"
            "\"v\":{\"dtype\":\"U8\",\"shape\":[34],\"data_offsets\":[38,72]}}",
            quoted);
        const uint64_t length = strlen(header);
        memcpy(file, &length, 8);
        memcpy(file + 8, header, length);
        memset(file + 8 + length, 0, 72);
        print_message("%s\n", cases[i].blocks);
        assert_int_equal(flaw_safetensors_parse(&t, (uint8_t *)file, 8 + length + 72, "b", &err), FLAW_BAD_DATA);
        assert_contains(err.text, cases[i].words);
        assert_int_equal(t.count, 77);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_round, make_scratch, remove_scratch),
        cmocka_unit_test_setup_teardown(test_refused, make_scratch, remove_scratch),
        cmocka_unit_test(test_lying_blocks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
