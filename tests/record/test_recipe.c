/* Recipe files: values come back as they went, and nothing damaged is ever read. */
#include "../check.h"

#include <math.h>

#include "base/buffer.h"
#include "base/file.h"
#include "base/sha256.h"
#include "record/recipe.h"

enum { DIGEST = 12, HEAD = 44 };

static void fill(flaw_record *r)
{
    flaw_error err = {0};
    const float table[6] = {0.5f, -1.25f, 3e-30f, 1e30f, 0, -0.0f};
    flaw_record_init(r);
    assert_ok(flaw_record_put_number(r, "third", 1.0 / 3, &err));
    assert_ok(flaw_record_put_number(r, "tiny", 5e-324, &err));
    assert_ok(flaw_record_put_number(r, "nan", NAN, &err));
    assert_ok(flaw_record_put_number(r, "endless", INFINITY, &err));
    assert_ok(flaw_record_put_number(r, "endless.down", -INFINITY, &err));
    assert_ok(flaw_record_put_text(r, "words", "line\none \"quoted\" Gr\303\266\303\237e", &err));
    assert_ok(flaw_record_put_text(r, "empty", "", &err));
    assert_ok(flaw_record_put_table(r, "bank", table, 3, 2, &err));
    assert_ok(flaw_record_put_table(r, "none", table, 0, 2, &err));
}

static flaw_bytes make(const char *folder)
{
    char path[512];
    flaw_record r;
    flaw_bytes bytes;
    flaw_error err = {0};
    fill(&r);
    in_folder(path, folder, "a.recipe");
    assert_ok(flaw_recipe_write(&r, path, &err));
    flaw_record_release(&r);
    assert_ok(flaw_file_read(&bytes, path, 1 << 20, &err));
    return bytes;
}

static void test_there_and_back(void **state)
{
    char path[512];
    flaw_record r, back;
    flaw_error err = {0};
    flaw_bytes bytes = make(*state);
    flaw_bytes_release(&bytes);
    fill(&r);
    assert_ok(flaw_recipe_read(&back, in_folder(path, *state, "a.recipe"), &err));
    assert_int_equal(back.count, r.count);
    for (size_t i = 0; i < r.count; i++) {
        const flaw_record_item *a = &r.item[i], *b = flaw_record_find(&back, a->name);
        assert_non_null(b);
        assert_int_equal(a->kind, b->kind);
        if (a->kind == FLAW_RECORD_NUMBER)
            assert_true(a->number == b->number || (isnan(a->number) && isnan(b->number)));
        if (a->kind == FLAW_RECORD_TEXT) assert_string_equal(a->text, b->text);
        if (a->kind != FLAW_RECORD_TABLE) continue;
        assert_true(a->rows == b->rows && a->columns == b->columns);
        assert_memory_equal(a->table, b->table, a->rows * a->columns * sizeof(float));
    }
    flaw_record_release(&r);
    flaw_record_release(&back);
}

static flaw_status parse(const uint8_t *bytes, size_t size, flaw_error *err)
{
    flaw_record r;
    uint8_t *copy = malloc(size + 1); /* exactly as long as it says: sanitizers see a read past the end */
    assert_non_null(copy);
    memcpy(copy, bytes, size);
    flaw_status s = flaw_recipe_parse(&r, copy, size, "hostile.recipe", err);
    if (!s) flaw_record_release(&r);
    free(copy);
    return s;
}

/* Cut at every byte, and one byte too long. */
static void test_every_cut(void **state)
{
    flaw_bytes bytes = make(*state);
    for (size_t size = 0; size < bytes.size; size++) {
        flaw_error err = {0};
        if (parse(bytes.data, size, &err) != FLAW_BAD_DATA) fail_msg("cut at %zu was read", size);
        assert_contains(err.text, "hostile.recipe");
    }
    flaw_error err = {0};
    assert_int_equal(parse(bytes.data, bytes.size + 1, &err), FLAW_BAD_DATA); /* the NUL behind the file */
    assert_ok(parse(bytes.data, bytes.size, &err));
    flaw_bytes_release(&bytes);
}

static void test_every_bit(void **state)
{
    flaw_bytes bytes = make(*state);
    for (size_t bit = 0; bit < bytes.size * 8; bit++) {
        flaw_error err = {0};
        bytes.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        flaw_status s = parse(bytes.data, bytes.size, &err);
        if (s != FLAW_BAD_DATA && s != FLAW_UNAVAILABLE) fail_msg("bit %zu turned: status %d", bit, s);
        bytes.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    flaw_bytes_release(&bytes);
}

/* A file with this JSON header, this many bytes behind it, and a right digest. */
static flaw_buffer sealed(const char *header, uint64_t claimed, size_t behind)
{
    flaw_buffer b;
    const uint32_t version = FLAW_RECIPE_VERSION;
    uint8_t digest[32] = {0};
    flaw_sha256 h;
    flaw_buffer_init(&b, 1 << 20);
    flaw_buffer_append(&b, "flawrcp\n", 8);
    flaw_buffer_append(&b, &version, 4);
    flaw_buffer_append(&b, digest, 32);
    flaw_buffer_append(&b, &claimed, 8);
    flaw_buffer_text(&b, header);
    for (size_t i = 0; i < behind; i++) flaw_buffer_append(&b, "", 1);
    flaw_sha256_init(&h);
    flaw_sha256_update(&h, b.data + HEAD, b.size - HEAD);
    flaw_sha256_final(&h, (uint8_t *)b.data + DIGEST);
    return b;
}

/* Whole by its digest and lying all the same. */
static void test_lying_headers(void **state)
{
    static const struct {
        const char *header;
        int64_t claim; /* added to its length */
        size_t behind;
        const char *says;
    } cases[] = {
        {"{}", 1, 0, "claims"},
        {"{}", INT64_MAX, 0, "claims"},
        {"[]", 0, 0, "not a JSON object"},
        {"{", 0, 0, "not a JSON object"},
        {"{}", 0, 4, "left over"},
        {"{\"numbers\":{\"a\":\"x\"}}", 0, 0, "not a number"},
        {"{\"texts\":{\"a\":1}}", 0, 0, "not a text"},
        {"{\"numbers\":{\"a\":1},\"texts\":{\"a\":\"b\"}}", 0, 0, "twice"},
        {"{\"numbers\":{\"a\":1,\"a\":2}}", 0, 0, "not a JSON object"},
        {"{\"tables\":[{\"rows\":1,\"columns\":1}]}", 0, 4, "does not fit"},
        {"{\"tables\":[{\"name\":\"t\",\"rows\":1,\"columns\":2}]}", 0, 4, "does not fit"},
        {"{\"tables\":[{\"name\":\"t\",\"rows\":-1,\"columns\":1}]}", 0, 4, "does not fit"},
        {"{\"tables\":[{\"name\":\"t\",\"rows\":1,\"columns\":0}]}", 0, 4, "does not fit"},
        {"{\"tables\":[{\"name\":\"t\",\"rows\":1.5,\"columns\":1}]}", 0, 4, "does not fit"},
        {"{\"tables\":[{\"name\":\"t\",\"rows\":4611686018427387905,\"columns\":4}]}", 0, 16, "does not fit"},
        {"{\"tables\":[{\"name\":\"t\",\"rows\":9223372036854775807,\"columns\":9223372036854775807}]}", 0, 4,
         "does not fit"},
        {"{\"tables\":[{\"name\":\"t\",\"rows\":1,\"columns\":1},{\"name\":\"t\",\"rows\":1,\"columns\":1}]}", 0, 8,
         "twice"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        flaw_error err = {0};
        flaw_buffer b = sealed(cases[i].header, strlen(cases[i].header) + (uint64_t)cases[i].claim, cases[i].behind);
        flaw_status s = parse((const uint8_t *)b.data, b.size, &err);
        if (s != FLAW_BAD_DATA && s != FLAW_INTERNAL) fail_msg("case %zu: status %d", i, s);
        assert_contains(err.text, cases[i].says);
        flaw_buffer_release(&b);
    }
    flaw_error err = {0};
    flaw_buffer b = sealed("{}", 2, 0);
    assert_ok(parse((const uint8_t *)b.data, b.size, &err)); /* the empty record is one */
    flaw_buffer_release(&b);
}

static void test_versions(void **state)
{
    flaw_bytes bytes = make(*state);
    flaw_error err = {0};
    bytes.data[8] = FLAW_RECIPE_VERSION + 1;
    assert_int_equal(parse(bytes.data, bytes.size, &err), FLAW_UNAVAILABLE);
    assert_contains(err.text, "version 2");
    bytes.data[8] = 0;
    assert_int_equal(parse(bytes.data, bytes.size, &err), FLAW_UNAVAILABLE);
    bytes.data[0] = 'F';
    assert_int_equal(parse(bytes.data, bytes.size, &err), FLAW_BAD_DATA);
    assert_contains(err.text, "not a recipe");
    flaw_bytes_release(&bytes);
}

static void test_missing(void **state)
{
    flaw_record r;
    flaw_error err = {0};
    assert_int_equal(flaw_recipe_read(&r, "not/there.recipe", &err), FLAW_MISSING);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_there_and_back, make_scratch, remove_scratch),
        cmocka_unit_test_setup_teardown(test_every_cut, make_scratch, remove_scratch),
        cmocka_unit_test_setup_teardown(test_every_bit, make_scratch, remove_scratch),
        cmocka_unit_test(test_lying_headers),
        cmocka_unit_test_setup_teardown(test_versions, make_scratch, remove_scratch),
        cmocka_unit_test(test_missing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
