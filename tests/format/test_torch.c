/* torch.save's files: those made by tools/make_torch_golden.py with PyTorch itself, and the shared small AnomalyGPT. */
#include "../check.h"

#include "base/file.h"
#include "base/sha256.h"
#include "format/tensors.h"

static const char *data_path(char out[512], const char *name)
{
    const char *source = getenv("FLAW_SOURCE");
    snprintf(out, 512, "%s/tests/format/data/%s", source ? source : ".", name);
    return out;
}

/* Every tensor of torch-NAME.pt is the one that PyTorch saw, and every tensor that PyTorch saw is there. */
static void check_file(const flaw_tensors *golden, const char *name)
{
    flaw_error err = {0};
    flaw_tensors t;
    char path[512], file[64], prefix[64];
    snprintf(file, sizeof file, "torch-%s.pt", name);
    snprintf(prefix, sizeof prefix, "%s:", name);
    assert_ok(flaw_torch_open(&t, data_path(path, file), &err));
    size_t expected = 0;
    for (size_t i = 0; i < golden->count; i++) {
        const flaw_tensor *g = &golden->item[i];
        if (strncmp(g->name, prefix, strlen(prefix)) != 0) continue;
        expected++;
        const flaw_tensor *x = flaw_tensors_find(&t, g->name + strlen(prefix));
        if (!x) fail_msg("%s: no tensor %s", path, g->name);
        if (x->dtype != g->dtype || x->rank != g->rank || x->bytes != g->bytes ||
            memcmp(x->shape, g->shape, sizeof x->shape[0] * (size_t)x->rank) != 0)
            fail_msg("%s: %s has another type or shape", path, g->name);
        if (g->bytes && memcmp(x->data, g->data, g->bytes) != 0) fail_msg("%s: %s has other numbers", path, g->name);
    }
    assert_true(expected > 0);
    assert_int_equal(t.count, expected);
    flaw_tensors_close(&t);
}

static void test_golden(void **state)
{
    static const char *const names[] = {"shared", "views", "module", "types", "nested", "model", "zip64"};
    flaw_error err = {0};
    flaw_tensors golden;
    char path[512];
    assert_ok(flaw_safetensors_open(&golden, data_path(path, "torch-golden.safetensors"), &err));
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) check_file(&golden, names[i]);
    flaw_tensors_close(&golden);
}

/* A contiguous view costs no memory: it lies in the file. */
static void test_mapped(void **state)
{
    flaw_error err = {0};
    flaw_tensors t;
    char path[512];
    assert_ok(flaw_torch_open(&t, data_path(path, "torch-shared.pt"), &err));
    const flaw_tensor *fc = flaw_tensors_find(&t, "fc.weight"), *again = flaw_tensors_find(&t, "again");
    assert_true(fc->data > t.file.data && fc->data + fc->bytes < t.file.data + t.file.size);
    assert_ptr_equal(fc->data, again->data);
    flaw_tensors_close(&t);
    assert_ok(flaw_torch_open(&t, data_path(path, "torch-views.pt"), &err));
    const flaw_tensor *thin = flaw_tensors_find(&t, "thin"), *one = flaw_tensors_find(&t, "one");
    assert_true(one->data > t.file.data && one->data < t.file.data + t.file.size);
    assert_false(thin->data > t.file.data && thin->data < t.file.data + t.file.size);
    flaw_tensors_close(&t);
}

static void refuse_file(const char *path, flaw_status expected, const char *words)
{
    flaw_error err = {0};
    flaw_tensors t = {.count = 77};
    assert_int_equal(flaw_torch_open(&t, path, &err), expected);
    assert_contains(err.text, words);
    assert_int_equal(t.count, 77);
}

static void test_refused(void **state)
{
    char path[512];
    refuse_file(data_path(path, "torch-old.pt"), FLAW_BAD_DATA, "before 1.6");
    refuse_file(data_path(path, "torch-golden.safetensors"), FLAW_BAD_DATA, "not a PyTorch file");
    refuse_file(data_path(path, "torch-none.pt"), FLAW_MISSING, "torch-none.pt");
}

/* SHA-256 over names and bytes of all tensors, in order of the names: the same sums taken with PyTorch 1.13. */
static void hash_tensors(const flaw_tensors *t, char hex[65])
{
    flaw_sha256 h;
    uint8_t digest[32];
    flaw_sha256_init(&h);
    for (size_t i = 0; i < t->count; i++) {
        flaw_sha256_update(&h, t->item[i].name, strlen(t->item[i].name));
        flaw_sha256_update(&h, t->item[i].data, t->item[i].bytes);
    }
    flaw_sha256_final(&h, digest);
    for (int i = 0; i < 32; i++) snprintf(hex + 2 * i, 3, "%02x", digest[i]);
}

static void test_anomalygpt(void **state)
{
    static const struct {
        const char *file;
        size_t count;
        const char *hash;
    } cases[] = {
        {"anomalygpt_delta.pt", 21, "40b1d5723c3b2d83bf48b20b67c42b6d0415bedbe020c83d7448a6058d807b44"},
        {"pandagpt_delta.pt", 26, "3d16d784702331387a181b9e71ff57ccef6d8f8f14a898991edb0392f7f995d5"},
        {"imagebind_huge.pth", 239, "83f1253ddcb8643bdef3ccdf82e8604d59e6f8cfff6c717835fca5ce19f0e196"},
    };
    const char *shared = getenv("FLAW_SHARED");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        flaw_error err = {0};
        flaw_tensors t;
        char path[512], hash[65];
        snprintf(path, sizeof path, "%s/golden/anomalygpt-small/%s", shared ? shared : "../shared", cases[i].file);
        if (!flaw_file_exists(path)) {
            print_message("%s is not here: skipped\n", path);
            skip();
        }
        assert_ok(flaw_torch_open(&t, path, &err));
        assert_int_equal(t.count, cases[i].count);
        hash_tensors(&t, hash);
        assert_string_equal(hash, cases[i].hash);
        flaw_tensors_close(&t);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_golden),
        cmocka_unit_test(test_mapped),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_anomalygpt),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
