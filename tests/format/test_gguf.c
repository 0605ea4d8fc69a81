/* GGUF: values and metadata of files written by another hand, and every way to lie in one, each with the byte and the
 * words that must be in the refusal. */
#include "../check.h"

#include "base/buffer.h"
#include "format/gguf.h"
#include "kernel/weights.h"

static const char *data_path(char out[1024], const char *name)
{
    const char *root = getenv("FLAW_SOURCE");
    snprintf(out, 1024, "%s/tests/format/data/%s", root ? root : ".", name);
    return out;
}

/* NULL, with a message, where the folder is not there. */
static const char *shared_path(char out[1024], const char *name)
{
    const char *root = getenv("FLAW_SHARED");
    snprintf(out, 1024, "%s/%s", root ? root : "../shared", name);
    if (access(out, R_OK) == 0) return out;
    print_message("skipped: no %s\n", out);
    return NULL;
}

/* The kernels' name of a type; both tables of blocks agree. */
static flaw_weight_type weight_type(flaw_dtype dtype)
{
    for (int t = 0; t < FLAW_WEIGHT_TYPES; t++) {
        flaw_weight_type type = (flaw_weight_type)t;
        if (strcmp(flaw_weight_name(type), flaw_dtype_name(dtype)) != 0) continue;
        assert_int_equal(flaw_weight_block(type), flaw_dtype_block(dtype));
        assert_int_equal(flaw_weight_block_bytes(type), flaw_dtype_size(dtype));
        return type;
    }
    fail_msg("%s is not known to the kernels", flaw_dtype_name(dtype));
    return FLAW_WEIGHT_F32;
}

/* All of a tensor, by the kernels' unpacking. */
static float *unpacked(const flaw_tensor *x)
{
    flaw_weight_type type = weight_type(x->dtype);
    size_t row = x->shape[x->rank - 1], bytes = flaw_weight_row_bytes(type, row);
    float *out = malloc(x->count * sizeof *out);
    assert_non_null(out);
    assert_int_equal(x->bytes, x->count / row * bytes);
    for (size_t i = 0; i < x->count / row; i++) flaw_weight_unpack(type, row, x->data + i * bytes, out + i * row);
    return out;
}

static void check_golden(const char *name)
{
    flaw_error err = {0};
    flaw_tensors t, want;
    char path[1024];
    assert_ok(flaw_gguf_open(&t, data_path(path, name), &err));
    assert_ok(flaw_safetensors_open(&want, data_path(path, "golden-gguf.safetensors"), &err));
    assert_int_equal(t.count, FLAW_WEIGHT_TYPES);
    assert_int_equal(want.count, t.count);
    for (size_t i = 0; i < t.count; i++) {
        const flaw_tensor *x = &t.item[i], *y = &want.item[i];
        assert_string_equal(x->name, y->name);
        assert_int_equal(x->rank, y->rank);
        assert_memory_equal(x->shape, y->shape, (size_t)x->rank * sizeof *x->shape);
        float *values = unpacked(x);
        assert_memory_equal(values, y->data, y->bytes);
        float *converted = malloc(y->bytes);
        if (flaw_dtype_block(x->dtype) > 1) {
            assert_int_equal(flaw_tensor_to_f32(&t, x, converted, &err), FLAW_BAD_DATA);
            assert_contains(err.text, x->name);
            assert_contains(err.text, flaw_dtype_name(x->dtype));
        } else {
            assert_ok(flaw_tensor_to_f32(&t, x, converted, &err));
            assert_memory_equal(converted, y->data, y->bytes);
        }
        free(values);
        free(converted);
    }
    flaw_tensors_close(&want);
    flaw_tensors_close(&t);
}

static void test_golden(void **state)
{
    check_golden("golden.gguf");
    check_golden("golden-v2.gguf");
}

static void test_metadata(void **state)
{
    static const char *const want[][2] = {{"general.architecture", "golden"},
                                          {"a.u8", "200"},
                                          {"a.i8", "-100"},
                                          {"a.u16", "60000"},
                                          {"a.i16", "-30000"},
                                          {"a.u32", "4000000000"},
                                          {"a.i32", "-2000000000"},
                                          {"a.f32", "0.100000001"},
                                          {"a.yes", "true"},
                                          {"a.no", "false"},
                                          {"a.u64", "18446744073709551615"},
                                          {"a.i64", "-9223372036854775808"},
                                          {"a.f64", "0.10000000000000001"},
                                          {"a.empty", ""},
                                          {"general.quantization_version", "2"}};
    flaw_error err = {0};
    flaw_tensors t;
    char path[1024];
    assert_ok(flaw_tensors_open(&t, data_path(path, "golden.gguf"), &err)); /* told apart by its content */
    assert_int_equal(t.metadata_count, sizeof want / sizeof want[0]);
    for (size_t i = 0; i < t.metadata_count; i++) {
        assert_non_null(flaw_tensors_metadata(&t, want[i][0]));
        assert_string_equal(flaw_tensors_metadata(&t, want[i][0]), want[i][1]);
    }
    assert_null(flaw_tensors_metadata(&t, "b.tokens"));
    flaw_tensors_close(&t);
}

static void test_arrays(void **state)
{
    flaw_error err = {0};
    flaw_tensors t;
    char path[1024];
    const flaw_gguf_text *text;
    const float *floats;
    const int32_t *ints;
    size_t count;
    assert_ok(flaw_gguf_open(&t, data_path(path, "golden.gguf"), &err));
    assert_ok(flaw_gguf_texts(&t, "b.tokens", &text, &count, &err));
    static const flaw_gguf_text want[] = {{"<s>", 3}, {"", 0}, {"\xe2\x96\x81the", 6}, {"a\0b", 3}};
    assert_int_equal(count, 4);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(text[i].size, want[i].size);
        assert_memory_equal(text[i].text, want[i].text, want[i].size);
    }
    assert_ok(flaw_gguf_texts(&t, "b.none", &text, &count, &err));
    assert_true(text && count == 0);
    assert_ok(flaw_gguf_floats(&t, "b.scores", &floats, &count, &err));
    assert_true(count == 3 && floats[0] == 0 && floats[1] == -1.5f && floats[2] == 3e38f);
    assert_ok(flaw_gguf_ints(&t, "b.kinds", &ints, &count, &err));
    assert_true(count == 2 && ints[0] == 3 && ints[1] == -1);
    assert_ok(flaw_gguf_ints(&t, "b.ids", &ints, &count, &err));
    assert_true(count == 3 && ints[2] == 9);
    assert_ok(flaw_gguf_ints(&t, "b.nothing", &ints, &count, &err));
    assert_true(!ints && count == 0);
    count = 77;
    assert_int_equal(flaw_gguf_ints(&t, "b.large", &ints, &count, &err), FLAW_BAD_DATA);
    assert_contains(err.text, "'b.large': element 0 is 2147483648");
    assert_int_equal(flaw_gguf_ints(&t, "b.scores", &ints, &count, &err), FLAW_BAD_DATA);
    assert_contains(err.text, "'b.scores' is an array of f32, expected i32");
    assert_int_equal(flaw_gguf_texts(&t, "b.flags", &text, &count, &err), FLAW_BAD_DATA);
    assert_int_equal(flaw_gguf_floats(&t, "b.wide", &floats, &count, &err), FLAW_BAD_DATA);
    assert_contains(err.text, "f64");
    assert_int_equal(count, 77);
    flaw_tensors_close(&t);
}

/* ---- the published story model, as Hugging Face safetensors and as GGUF ---- */

/* Rows of a head change places between the two: pairs (2i, 2i + 1) here are (i, i + half) there. */
static void check_rows(const flaw_tensor *x, const float *got, const float *want, size_t head, double close)
{
    size_t cols = x->shape[x->rank - 1], rows = x->count / cols;
    for (size_t r = 0; r < rows; r++) {
        size_t in = head ? r % head : 0, there = head ? r - in + in / 2 + in % 2 * (head / 2) : r;
        for (size_t i = 0; i < cols; i++) {
            float a = got[r * cols + i], b = want[there * cols + i];
            if (!(a - b <= close && b - a <= close))
                fail_msg("%s: row %zu: %g, expected %g", x->name, r, (double)a, (double)b);
        }
    }
}

static void check_story(const char *name, double close)
{
    static const char *const names[][2] = {{"token_embd.weight", "model.embed_tokens.weight"},
                                           {"output_norm.weight", "model.norm.weight"},
                                           {"blk.0.attn_q.weight", "model.layers.0.self_attn.q_proj.weight"},
                                           {"blk.3.attn_k.weight", "model.layers.3.self_attn.k_proj.weight"},
                                           {"blk.1.attn_v.weight", "model.layers.1.self_attn.v_proj.weight"},
                                           {"blk.4.ffn_down.weight", "model.layers.4.mlp.down_proj.weight"}};
    flaw_error err = {0};
    flaw_tensors t, want;
    char path[1024];
    if (!shared_path(path, "models/stories260K/model.safetensors")) return;
    assert_ok(flaw_safetensors_open(&want, path, &err));
    assert_ok(flaw_tensors_open(&t, shared_path(path, name), &err));
    assert_int_equal(t.count, 47);
    assert_string_equal(flaw_tensors_metadata(&t, "llama.attention.head_count_kv"), "4");
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const flaw_tensor *x = flaw_tensors_find(&t, names[i][0]), *y = flaw_tensors_find(&want, names[i][1]);
        assert_true(x && y);
        assert_int_equal(x->rank, y->rank);
        assert_memory_equal(x->shape, y->shape, (size_t)x->rank * sizeof *x->shape);
        float *a = unpacked(x), *b = unpacked(y);
        check_rows(x, a, b, strstr(x->name, "attn_q") || strstr(x->name, "attn_k") ? 8 : 0, close);
        free(a);
        free(b);
    }
    flaw_tensors_close(&t);
    flaw_tensors_close(&want);
}

static void test_stories(void **state)
{
    check_story("models/stories260K/stories260K-f32.gguf", 0.0);
    check_story("models/stories260K/stories260K-f16.gguf", 2e-3);
}

/* ---- broken files ---- */

typedef enum mark {
    MAGIC,
    VERSION,
    TENSORS,
    KEYS,
    TEXT_KEY,
    TEXT_TYPE,
    TEXT,
    BOOL_KEY,
    BOOL,
    ARRAY_KEY,
    ARRAY_TYPE,
    ARRAY_COUNT,
    TEXTS_TYPE,
    TEXTS_COUNT,
    TEXTS_FIRST,
    ALIGN_KEY,
    ALIGN_TYPE,
    ALIGN,
    A_NAME,
    A_RANK,
    A_ROW,
    A_ROWS,
    A_TYPE,
    A_OFFSET,
    B_NAME,
    B_RANK,
    B_ROW,
    B_TYPE,
    B_OFFSET,
    DATA,
    MARKS
} mark;

typedef struct sample {
    flaw_buffer bytes;
    size_t at[MARKS];
} sample;

static void put(sample *s, mark m, uint64_t value, size_t width)
{
    if (m != MARKS) s->at[m] = s->bytes.size;
    flaw_buffer_append(&s->bytes, &value, width);
}

static void put_text(sample *s, mark m, const char *text)
{
    put(s, m, strlen(text), 8);
    flaw_buffer_text(&s->bytes, text);
}

/* Five keys, a matrix a [2, 32] of Q8_0 (68 bytes), a vector b [4] of F32 at 96. */
static sample sample_new(void)
{
    sample s = {0};
    flaw_buffer_init(&s.bytes, 1 << 20);
    put(&s, MAGIC, 0x46554747, 4);
    put(&s, VERSION, 3, 4);
    put(&s, TENSORS, 2, 8);
    put(&s, KEYS, 5, 8);
    put_text(&s, TEXT_KEY, "k.text");
    put(&s, TEXT_TYPE, 8, 4);
    put_text(&s, TEXT, "value");
    put_text(&s, BOOL_KEY, "k.bool");
    put(&s, MARKS, 7, 4);
    put(&s, BOOL, 1, 1);
    put_text(&s, ARRAY_KEY, "k.array");
    put(&s, MARKS, 9, 4);
    put(&s, ARRAY_TYPE, 4, 4);
    put(&s, ARRAY_COUNT, 2, 8);
    put(&s, MARKS, 0x200000001, 8);
    put_text(&s, MARKS, "k.texts");
    put(&s, MARKS, 9, 4);
    put(&s, TEXTS_TYPE, 8, 4);
    put(&s, TEXTS_COUNT, 1, 8);
    put_text(&s, TEXTS_FIRST, "word");
    put_text(&s, ALIGN_KEY, "general.alignment");
    put(&s, ALIGN_TYPE, 4, 4);
    put(&s, ALIGN, 32, 4);
    put_text(&s, A_NAME, "a");
    put(&s, A_RANK, 2, 4);
    put(&s, A_ROW, 32, 8);
    put(&s, A_ROWS, 2, 8);
    put(&s, A_TYPE, 8, 4);
    put(&s, A_OFFSET, 0, 8);
    put_text(&s, B_NAME, "b");
    put(&s, B_RANK, 1, 4);
    put(&s, B_ROW, 4, 8);
    put(&s, B_TYPE, 0, 4);
    put(&s, B_OFFSET, 96, 8);
    while (s.bytes.size % 32) put(&s, MARKS, 0, 1);
    for (int i = 0; i < 96 + 16; i++) put(&s, i ? MARKS : DATA, (uint64_t)i, 1);
    assert_false(s.bytes.failed);
    return s;
}

/* `width` bytes at `where` + `shift` become `value`; the refusal names byte `named`. */
static const struct {
    mark where;
    size_t shift;
    uint64_t value;
    size_t width;
    mark named;
    const char *words;
} broken[] = {
    {MAGIC, 0, 'X', 1, MAGIC, "does not begin with \"GGUF\""},
    {VERSION, 0, 1, 4, VERSION, "version 1, allowed are 2 and 3"},
    {VERSION, 0, 4, 4, VERSION, "version 4"},
    {VERSION, 0, 0x03000000, 4, VERSION, "big-endian"},
    {TENSORS, 0, 1000, 8, TENSORS, "1000 tensors in"},
    {TENSORS, 0, UINT64_MAX, 8, TENSORS, "18446744073709551615 tensors"},
    {KEYS, 0, 1000, 8, KEYS, "1000 keys in"},
    {KEYS, 0, (uint64_t)1 << 63, 8, KEYS, "limit 1000000"},
    {TEXT_KEY, 0, 0, 8, TEXT_KEY, "a key without a letter"},
    {TEXT_KEY, 0, 4096, 8, TEXT_KEY, "a key of 4096 bytes, but only"},
    {TEXT_KEY, 0, UINT64_MAX, 8, TEXT_KEY, "but only"},
    {TEXT_KEY, 9, 0, 1, TEXT_KEY, "a key with a zero byte"},
    {TEXT_TYPE, 0, 13, 4, TEXT_TYPE, "'k.text' has a value of unknown type 13, known are 0 to 12"},
    {TEXT, 0, (uint64_t)1 << 40, 8, TEXT, "a text of 1099511627776 bytes"},
    {TEXT, 8, 0, 1, TEXT, "the text of 'k.text' has a zero byte"},
    {BOOL, 0, 2, 1, BOOL, "'k.bool' is a boolean of value 2"},
    {BOOL_KEY, 10, 0x74786574, 4, BOOL_KEY, "key 'k.text' stands there a second time, first at byte 24"},
    {ARRAY_TYPE, 0, 9, 4, ARRAY_TYPE, "'k.array' is an array of arrays"},
    {ARRAY_TYPE, 0, 255, 4, ARRAY_TYPE, "unknown type 255"},
    {ARRAY_COUNT, 0, 100000, 8, ARRAY_COUNT, "'k.array' has 100000 elements of type u32, but only"},
    {ARRAY_COUNT, 0, UINT64_MAX / 4 + 2, 8, ARRAY_COUNT, "but only"},
    {TEXTS_COUNT, 0, 1000, 8, TEXTS_COUNT, "'k.texts' has 1000 elements of type text"},
    {TEXTS_FIRST, 0, 5000, 8, TEXTS_FIRST, "a text of an array of 5000 bytes"},
    {ALIGN, 0, 0, 4, A_NAME, "general.alignment is '0', allowed are powers of two"},
    {ALIGN, 0, 24, 4, A_NAME, "general.alignment is '24'"},
    {ALIGN, 0, 1 << 21, 4, A_NAME, "general.alignment is '2097152'"},
    {ALIGN_TYPE, 0, 5 | (uint64_t)0x80000000 << 32, 8, A_NAME, "general.alignment is '-2147483648'"},
    {ALIGN_TYPE, 0, 6, 4, A_NAME, "general.alignment is '4.4"},
    {ALIGN, 0, 64, 4, B_OFFSET, "data begin at 96, which is no multiple of 64"},
    {A_NAME, 0, 0, 8, A_NAME, "a tensor's name without a letter"},
    {A_NAME, 0, 65, 8, A_NAME, "a tensor's name of 65 bytes, at most 64"},
    {A_NAME, 8, 0, 1, A_NAME, "a tensor's name with a zero byte"},
    {A_RANK, 0, 0, 4, A_RANK, "tensor 'a' has 0 sides, allowed are 1 to 4"},
    {A_RANK, 0, 5, 4, A_RANK, "tensor 'a' has 5 sides"},
    {A_ROW, 0, 0, 8, A_ROW, "tensor 'a': a side of 0"},
    {A_ROWS, 0, (uint64_t)1 << 60, 8, A_ROWS, "a side of 1152921504606846976"},
    {A_ROW, 0, 33, 8, A_TYPE, "tensor 'a': rows of 33 elements are not whole blocks of 32 (Q8_0)"},
    {A_TYPE, 0, 13, 4, A_TYPE, "tensor 'a' has type 13 (Q5_K), allowed are F32"},
    {A_TYPE, 0, 4, 4, A_TYPE, "type 4 (unknown)"},
    {A_TYPE, 0, 4711, 4, A_TYPE, "type 4711 (unknown)"},
    {A_TYPE, 0, 14, 4, A_TYPE, "not whole blocks of 256 (Q6_K)"},
    {A_TYPE, 0, 0, 4, A_NAME, "tensor 'a' needs data bytes 0 to 256, but the file has 112"},
    {A_OFFSET, 0, 8, 8, A_OFFSET, "tensor 'a': its data begin at 8, which is no multiple of 32"},
    {A_OFFSET, 0, UINT64_MAX - 31, 8, A_OFFSET, "is outside the file"},
    {A_OFFSET, 0, 64, 8, A_NAME, "tensor 'a' needs data bytes 64 to 132"},
    {B_NAME, 8, 'a', 1, B_NAME, "tensor 'a' stands there a second time"},
    {B_ROW, 0, (uint64_t)1 << 62, 8, B_TYPE, "tensor 'b' has more bytes than memory"},
    {B_OFFSET, 0, 64, 8, B_NAME, "tensor 'b' at data byte 64 overlaps 'a', which ends at 68"},
    {B_OFFSET, 0, 128, 8, B_NAME, "tensor 'b' needs data bytes 128 to 144"},
};

static void refuse(const sample *s, size_t size, size_t at, const char *words)
{
    flaw_error err = {0};
    flaw_tensors t = {.count = 77};
    char where[64];
    uint8_t *exactly = malloc(size ? size : 1); /* a sanitizer sees what is read beyond */
    memcpy(exactly, s->bytes.data, size);
    if (flaw_gguf_parse(&t, exactly, size, "bad.gguf", &err) != FLAW_BAD_DATA) fail_msg("not refused: %s", words);
    snprintf(where, sizeof where, "bad.gguf: GGUF: at byte %zu: ", at);
    assert_contains(err.text, where);
    assert_contains(err.text, words);
    assert_int_equal(t.count, 77);
    free(exactly);
}

static void test_broken(void **state)
{
    sample s = sample_new();
    flaw_error err = {0};
    flaw_tensors t;
    assert_ok(flaw_gguf_parse(&t, (uint8_t *)s.bytes.data, s.bytes.size, "good", &err));
    assert_true(t.item[0].data[1] == 1 && t.item[1].data[0] == 96);
    flaw_tensors_close(&t);
    for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++) {
        char kept[8], *at = s.bytes.data + s.at[broken[i].where] + broken[i].shift;
        memcpy(kept, at, sizeof kept);
        memcpy(at, &broken[i].value, broken[i].width);
        refuse(&s, s.bytes.size, s.at[broken[i].named], broken[i].words);
        memcpy(at, kept, sizeof kept);
    }
    flaw_buffer_release(&s.bytes);
}

/* Each shorter file is refused, at a byte that it has. */
static void test_cut(void **state)
{
    sample s = sample_new();
    for (size_t size = 0; size < s.bytes.size; size++) {
        flaw_error err = {0};
        flaw_tensors t;
        uint8_t *exactly = malloc(size ? size : 1);
        memcpy(exactly, s.bytes.data, size);
        assert_int_equal(flaw_gguf_parse(&t, exactly, size, "cut.gguf", &err), FLAW_BAD_DATA);
        const char *at = strstr(err.text, "at byte ");
        assert_non_null(at);
        assert_true(strtoul(at + 8, NULL, 10) <= size);
        free(exactly);
    }
    flaw_buffer_release(&s.bytes);
}

/* Old blocks are refused, where there are blocks. */
static void test_quantization_version(void **state)
{
    sample s = sample_new();
    flaw_error err = {0};
    flaw_tensors t;
    for (int i = 0; i < 32; i++) put(&s, MARKS, 0, 1);             /* the data may move by so much */
    static const char *const key = "general.quantization_version"; /* takes the place of k.text ... k.bool */
    char *at = s.bytes.data + s.at[TEXT_KEY];
    size_t room = s.at[ARRAY_KEY] - s.at[TEXT_KEY], length = strlen(key), rest = room - 8 - length - 4 - 4;
    assert_true(rest < room);
    memcpy(at, &length, 8);
    memcpy(at + 8, key, length);
    memcpy(at + 8 + length, "\4\0\0\0\1\0\0\0", 8);
    memmove(at + room - rest, at + room, s.bytes.size - s.at[ARRAY_KEY]);
    s.bytes.size -= rest;
    s.bytes.data[s.at[KEYS]] = 4;
    assert_int_equal(flaw_gguf_parse(&t, (uint8_t *)s.bytes.data, s.bytes.size, "old.gguf", &err), FLAW_BAD_DATA);
    assert_contains(err.text, "'a' is Q8_0, but general.quantization_version is 1");
    flaw_buffer_release(&s.bytes);
}

/* A file that went through a text editor says so. */
static void test_text_damage(void **state)
{
    sample s = sample_new();
    memcpy(s.bytes.data + s.at[TEXT] + 8, "\xef\xbf\xbd", 3);
    uint64_t shifted = 0x6f77000000000000;
    memcpy(s.bytes.data + s.at[TEXTS_FIRST], &shifted, 8);
    refuse(&s, s.bytes.size, s.at[TEXTS_FIRST], "was the file converted as text?");
    flaw_buffer_release(&s.bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_golden),
        cmocka_unit_test(test_metadata),
        cmocka_unit_test(test_arrays),
        cmocka_unit_test(test_stories),
        cmocka_unit_test(test_broken),
        cmocka_unit_test(test_cut),
        cmocka_unit_test(test_quantization_version),
        cmocka_unit_test(test_text_damage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
