/* safetensors: what a good file says, and every way to lie in one, each with the words that must be in the refusal. */
#include "../check.h"

#include "base/buffer.h"
#include "format/tensors.h"

#define A "\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}"

/* Header text with its length in front, then `data` zero bytes. */
static flaw_buffer make_safetensors(const char *header, size_t data)
{
    flaw_buffer b;
    uint64_t length = strlen(header);
    flaw_buffer_init(&b, (size_t)1 << 30);
    flaw_buffer_append(&b, &length, 8);
    flaw_buffer_text(&b, header);
    for (size_t i = 0; i < data; i++) flaw_buffer_append(&b, "", 1);
    return b;
}

static void test_good(void **state)
{
    flaw_error err = {0};
    flaw_tensors t;
    flaw_buffer file = make_safetensors("{\"__metadata__\":{\"k\":\"v\"},\"b\":{\"dtype\":\"I64\",\"shape\":[],"
                                        "\"data_offsets\":[8,16]}," A ",\"e\":{\"dtype\":\"F16\",\"shape\":[0,3],"
                                        "\"data_offsets\":[8,8]}}   ",
                                        16);
    memcpy(file.data + file.size - 12, "\0\0\x80\x3f", 4); /* a[1] = 1 */
    assert_ok(flaw_safetensors_parse(&t, (uint8_t *)file.data, file.size, "good", &err));
    assert_int_equal(t.count, 3);
    assert_string_equal(t.item[0].name, "a");
    assert_string_equal(t.item[2].name, "e");
    assert_int_equal(t.item[1].rank, 0);
    assert_int_equal(t.item[1].count, 1);
    assert_int_equal(t.item[2].count, 0);
    assert_string_equal(flaw_tensors_metadata(&t, "k"), "v");
    assert_null(flaw_tensors_metadata(&t, "K"));
    assert_null(flaw_tensors_find(&t, "c"));
    float a[2] = {-1, -1};
    assert_ok(flaw_tensor_to_f32(&t, flaw_tensors_find(&t, "a"), a, &err));
    assert_true(a[0] == 0 && a[1] == 1);
    assert_int_equal(flaw_tensor_to_f32(&t, flaw_tensors_find(&t, "b"), a, &err), FLAW_BAD_DATA);
    assert_contains(err.text, "'b' is I64");
    flaw_tensors_close(&t);
    flaw_buffer_release(&file);
}

typedef struct broken {
    const char *header;
    size_t data;
    const char *words[3];
} broken;

static const broken table[] = {
    {"{" A "}", 12, {"4 bytes left over", "'a'"}},
    {"{" A "}", 7, {"'a' ends at data byte 8", "has 7"}},
    {"{}", 1, {"1 bytes left over"}},
    {"[]", 0, {"does not begin with '{'"}},
    {" {}", 0, {"does not begin with '{'"}},
    {"{" A "} x", 8, {"header", "at byte"}},
    {"{" A "," A "}", 8, {"duplicate", "a"}},
    {"{\"a\":{\"dtype\":\"F32\",\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", 8, {"duplicate"}},
    {"{\"a\":{\"dtype\":\"F8_E4M3\",\"shape\":[2],\"data_offsets\":[0,2]}}", 2, {"'a'", "'F8_E4M3'", "known are"}},
    {"{\"a\":{\"shape\":[2],\"data_offsets\":[0,8]}}", 8, {"'a'", "dtype"}},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8],\"x\":1}}", 8, {"'a'", "keys other than"}},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":2,\"data_offsets\":[0,8]}}", 8, {"'a'", "shape"}},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[-2],\"data_offsets\":[0,8]}}", 8, {"'a'", "dimension 0"}},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2.0],\"data_offsets\":[0,8]}}", 8, {"'a'", "dimension 0"}},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[0,8]}}", 8, {"'a' has 8 bytes", "F32 need 12"}},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1,1,1,1,1,1,1,1,2],\"data_offsets\":[0,8]}}", 8, {"'a'", "9 dimensions"}},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[4294967296,4294967296,2],\"data_offsets\":[0,8]}}", 8, {"'a'", "elements"}},
    {"{\"a\":{\"dtype\":\"F64\",\"shape\":[4611686018427387904],\"data_offsets\":[0,8]}}", 8, {"'a'", "bytes than"}},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[99999999999999999999],\"data_offsets\":[0,8]}}", 8, {"too big integer"}},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[8,0]}}", 8, {"'a'", "data_offsets"}},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[-8,0]}}", 8, {"'a'", "data_offsets"}},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0]}}", 8, {"'a'", "data_offsets"}},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[4,12]}}", 12, {"hole of 4 bytes", "'a'"}},
    {"{" A ",\"b\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[4,12]}}", 12, {"'b'", "overlaps 'a'"}},
    {"{" A ",\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[12,16]}}", 16, {"hole of 4 bytes", "'b'"}},
    {"{" A ",\"__metadata__\":[]}", 8, {"__metadata__"}},
    {"{" A ",\"__metadata__\":{\"k\":1}}", 8, {"metadata 'k'"}},
    {"{\"a\":7}", 8, {"'a'", "dtype"}},
};

static void test_broken(void **state)
{
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        flaw_error err = {0};
        flaw_tensors t = {.count = 77};
        flaw_buffer file = make_safetensors(table[i].header, table[i].data);
        print_message("%s\n", table[i].header);
        assert_int_equal(flaw_safetensors_parse(&t, (uint8_t *)file.data, file.size, "weights.st", &err),
                         FLAW_BAD_DATA);
        assert_int_equal(t.count, 77);
        assert_contains(err.text, "weights.st: ");
        for (int w = 0; w < 3 && table[i].words[w]; w++) assert_contains(err.text, table[i].words[w]);
        flaw_buffer_release(&file);
    }
}

static void refuse_bytes(const void *bytes, size_t size, const char *words)
{
    flaw_error err = {0};
    flaw_tensors t;
    assert_int_equal(flaw_safetensors_parse(&t, bytes, size, "weights.st", &err), FLAW_BAD_DATA);
    assert_contains(err.text, words);
}

static void test_lying_length(void **state)
{
    uint8_t bytes[16] = {0};
    refuse_bytes(bytes, 0, "too short");
    refuse_bytes(bytes, 7, "too short");
    refuse_bytes(bytes, 16, "claims 0 bytes");
    bytes[7] = 0x80; /* 2^63 */
    refuse_bytes(bytes, 16, "claims 9223372036854775808 bytes, 8 are left");
    memset(bytes, 0xff, 8);
    refuse_bytes(bytes, 16, "claims 18446744073709551615 bytes");
    refuse_bytes("PK\3\4aaaaaaaaaaaa", 16, "zip archive");
    refuse_bytes("version https://git-lfs", 23, "git-lfs");
    refuse_bytes("\x80\2}q\0aaaaaaaaaa", 16, "pickle");
}

/* A header of over 100 MB is refused unread, even where the file has it. */
static void test_header_limit(void **state)
{
    const uint64_t length = 100000001;
    uint8_t *bytes = calloc(length + 8, 1);
    assert_non_null(bytes);
    memcpy(bytes, &length, 8);
    bytes[8] = '{';
    refuse_bytes(bytes, length + 8, "limit 100000000");
    free(bytes);
}

/* Every prefix of a good file is refused. */
static void test_truncated(void **state)
{
    flaw_buffer file = make_safetensors("{" A "}", 8);
    for (size_t size = 0; size < file.size; size++) {
        flaw_error err = {0};
        flaw_tensors t;
        assert_int_equal(flaw_safetensors_parse(&t, (uint8_t *)file.data, size, "cut", &err), FLAW_BAD_DATA);
    }
    flaw_buffer_release(&file);
}

static void test_write(void **state)
{
    flaw_error err = {0};
    flaw_tensors t;
    char path[512];
    static const float wide[3] = {1.5f, -2, 3e-40f};
    static const int8_t bytes[4] = {-128, 0, 1, 127};
    flaw_tensor items[] = {
        {.name = "z", .dtype = FLAW_DTYPE_I8, .rank = 2, .shape = {2, 2}, .data = (const uint8_t *)bytes},
        {.name = "y", .dtype = FLAW_DTYPE_F32, .rank = 1, .shape = {3}, .data = (const uint8_t *)wide},
        {.name = "none", .dtype = FLAW_DTYPE_F32, .rank = 1, .shape = {0}},
    };
    const char *metadata[] = {"text", "line\nline \xc3\xa9 \"quoted\""};
    in_folder(path, *state, "out.safetensors");
    assert_ok(flaw_safetensors_write(path, items, 3, metadata, 1, &err));
    assert_ok(flaw_safetensors_open(&t, path, &err));
    assert_int_equal(t.count, 3);
    assert_string_equal(flaw_tensors_metadata(&t, "text"), metadata[1]);
    assert_memory_equal(flaw_tensors_find(&t, "z")->data, bytes, 4);
    const flaw_tensor *y = flaw_tensors_find(&t, "y");
    assert_memory_equal(y->data, wide, 12);
    assert_int_equal((uintptr_t)y->data % 4, 0);
    flaw_tensors_close(&t);

    items[0].name = "y";
    assert_int_equal(flaw_safetensors_write(path, items, 3, NULL, 0, &err), FLAW_USAGE);
    items[0].name = "\xff";
    assert_int_equal(flaw_safetensors_write(path, items, 3, NULL, 0, &err), FLAW_USAGE);
    assert_int_equal(flaw_safetensors_open(&t, "no/such/file", &err), FLAW_MISSING);
    assert_contains(err.text, "no/such/file");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),         cmocka_unit_test(test_broken),
        cmocka_unit_test(test_truncated),    cmocka_unit_test(test_lying_length),
        cmocka_unit_test(test_header_limit), cmocka_unit_test_setup_teardown(test_write, make_scratch, remove_scratch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
