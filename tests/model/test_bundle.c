/* The flaw bundle: what is written is what is read, in each storage; the embedded default; limits of int8. */
#include "tiny.h"

#include <math.h>

#include "base/sha256.h"
#include "format/tensors.h"
#include "model/bundle/bundle.h"
#include "model/open/config.h"

static void assert_same_shape(const flaw_clip_shape *a, const flaw_clip_shape *b)
{
    flaw_buffer one, other;
    flaw_buffer_init(&one, 65536);
    flaw_buffer_init(&other, 65536);
    flaw_config_bundle_write(&one, a);
    flaw_config_bundle_write(&other, b);
    assert_string_equal(one.data, other.data);
    flaw_buffer_release(&one);
    flaw_buffer_release(&other);
}

/* The tiny CLIP through a bundle and back. */
static flaw_clip *through_bundle(const char *folder, const flaw_clip *m, flaw_storage storage, flaw_compute *c)
{
    char path[512];
    size_t size;
    flaw_error err = {0};
    flaw_clip *back = NULL;
    char *merges = merges_text(&size);
    in_folder(path, folder, "tiny.safetensors");
    assert_ok(
        flaw_bundle_write(path, &m->shape, &m->list, m->weights, merges, size, "{\"name\":\"tiny\"}", storage, &err));
    assert_ok(flaw_clip_open(&back, path, c, &err));
    free(merges);
    return back;
}

static void test_exact(void **state)
{
    flaw_compute c = open_compute_with(1, FLAW_LEVEL_REF);
    flaw_clip *m = open_tiny("open_clip", &c);
    for (flaw_storage storage = FLAW_STORE_F32; storage <= FLAW_STORE_F16; storage++) {
        char one[65], other[65];
        flaw_clip *back = through_bundle(*state, m, storage, &c);
        assert_string_equal(back->name, "tiny.safetensors");
        assert_same_shape(&back->shape, &m->shape);
        assert_int_equal(flaw_tokenizer_vocab(back->tokenizer), flaw_tokenizer_vocab(m->tokenizer));
        flaw_clip_hash(m, &c, one);
        flaw_clip_hash(back, &c, other);
        assert_string_equal(one, other); /* the tiny model's numbers are halves */
        flaw_clip_close(back);
    }
    flaw_clip_close(m);
    flaw_compute_close(&c);
}

/* The hash is what clip.h says: SHA-256 over the digests of "name rows columns\n" and the values. */
static void test_hash(void **state)
{
    flaw_compute c = open_compute_with(2, FLAW_LEVEL_REF);
    flaw_clip *m = open_tiny("open_clip", &c);
    uint8_t digest[32];
    flaw_sha256 one, all;
    char hex[65], want[65];
    flaw_sha256_init(&all);
    for (size_t i = 0; i < m->list.count; i++) {
        const flaw_parameter *p = &m->list.item[i];
        char head[128];
        snprintf(head, sizeof head, "%s %zu %zu\n", p->name, p->shape[0], p->shape[1]);
        flaw_sha256_init(&one);
        flaw_sha256_update(&one, head, strlen(head));
        flaw_sha256_update(&one, m->weights + p->offset, p->count * sizeof(float));
        flaw_sha256_final(&one, digest);
        flaw_sha256_update(&all, digest, 32);
    }
    flaw_sha256_final(&all, digest);
    for (int i = 0; i < 32; i++) snprintf(want + 2 * i, 3, "%02x", digest[i]);
    flaw_clip_hash(m, &c, hex);
    assert_string_equal(hex, want);
    flaw_clip_hash(m, NULL, hex);
    assert_string_equal(hex, want);
    flaw_clip_close(m);
    flaw_compute_close(&c);
}

static void test_int8(void **state)
{
    flaw_compute c = open_compute_with(1, FLAW_LEVEL_REF);
    flaw_clip *m = open_tiny("open_clip", &c);
    memset(m->view.image_proj, 0, 24 * sizeof(float)); /* a row of zeros */
    flaw_clip *back = through_bundle(*state, m, FLAW_STORE_I8, &c);
    double worst = 0;
    for (size_t i = 0; i < m->list.count; i++) {
        const flaw_parameter *p = &m->list.item[i];
        const float *a = m->weights + p->offset, *b = back->weights + p->offset;
        for (size_t r = 0; r < p->shape[0]; r++) {
            float top = 0, bound = 0;
            for (size_t k = 0; k < p->shape[1]; k++) top = fmaxf(top, fabsf(a[r * p->shape[1] + k]));
            if (p->rank == 2) bound = top / 254 * 1.0001f; /* half a step of 1/127 */
            for (size_t k = 0; k < p->shape[1]; k++) {
                float difference = fabsf(a[r * p->shape[1] + k] - b[r * p->shape[1] + k]);
                if (difference > bound) fail_msg("%s row %zu: %g over %g", p->name, r, difference, bound);
                worst = fmax(worst, difference);
            }
        }
    }
    assert_true(worst > 0);
    flaw_clip_close(back);
    flaw_clip_close(m);
    flaw_compute_close(&c);
}

static void test_refusals(void **state)
{
    char path[512];
    flaw_error err = {0};
    flaw_compute c = open_compute_with(1, FLAW_LEVEL_REF);
    flaw_clip *m = open_tiny("open_clip", &c);
    in_folder(path, *state, "bad.safetensors");
    assert_int_equal(flaw_bundle_write(path, &m->shape, &m->list, m->weights, NULL, 0, NULL, FLAW_STORE_I8, &err),
                     FLAW_USAGE);
    m->view.post_w[2] = 70000;
    assert_int_equal(flaw_bundle_write(path, &m->shape, &m->list, m->weights, "#", 1, NULL, FLAW_STORE_F16, &err),
                     FLAW_BAD_DATA);
    assert_contains(err.text, "'image.post.w': element 2 is 70000");
    m->view.post_w[2] = NAN;
    assert_int_equal(flaw_bundle_write(path, &m->shape, &m->list, m->weights, "#", 1, NULL, FLAW_STORE_I8, &err),
                     FLAW_BAD_DATA);
    assert_contains(err.text, "'image.post.w': element 2 is not a number");
    assert_false(flaw_file_exists(path));
    flaw_clip_close(m);
    flaw_compute_close(&c);
}

/* Every key of the shape is needed, none may be added, each has limits. */
static void test_shape_text(void **state)
{
    flaw_error err = {0};
    flaw_buffer text;
    flaw_clip_shape back;
    flaw_compute c = open_compute_with(1, FLAW_LEVEL_REF);
    flaw_clip *m = open_tiny("", &c);
    flaw_buffer_init(&text, 65536);
    flaw_config_bundle_write(&text, &m->shape);
    assert_ok(flaw_config_bundle(&back, text.data, text.size, "shape", &err));
    assert_same_shape(&back, &m->shape);
    int changed = 0;
    for (char *at = text.data; (at = strchr(at, '"')) != NULL; at++) {
        if (at[1] < 'a' || at[1] > 'z' || !strchr(at + 1, '"') || strchr(at + 1, '"')[1] != ':') continue;
        char kept = at[1];
        at[1] = 'Z';
        assert_int_equal(flaw_config_bundle(&back, text.data, text.size, "shape", &err), FLAW_BAD_DATA);
        assert_contains(err.text, "shape: ");
        at[1] = kept;
        at = strchr(at + 1, '"');
        changed++;
    }
    assert_true(changed >= 20);
    flaw_buffer_release(&text);
    flaw_clip_close(m);
    flaw_compute_close(&c);
}

/* The model inside the library opens by all its names, without a file, and has what inspection needs. */
static void test_embedded(void **state)
{
    static const char *const names[] = {NULL, "", "default"};
    flaw_compute c = open_compute_with(1, FLAW_LEVEL_AUTO);
    for (size_t i = 0; i < 3; i++) {
        flaw_error err = {0};
        flaw_clip *m = NULL;
        assert_ok(flaw_clip_open(&m, names[i], &c, &err));
        assert_string_equal(m->name, "default");
        assert_true(m->shape.local_head && m->shape.joint > 0 && m->shape.text.width > 0);
        assert_non_null(m->tokenizer);
        for (int s = 1; s < FLAW_STAGES; s++) assert_true(m->shape.stage[s] > m->shape.stage[s - 1]);
        flaw_clip_close(m);
    }
    flaw_compute_close(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_exact, make_scratch, remove_scratch),
        cmocka_unit_test_setup_teardown(test_int8, make_scratch, remove_scratch),
        cmocka_unit_test_setup_teardown(test_refusals, make_scratch, remove_scratch),
        cmocka_unit_test(test_hash),
        cmocka_unit_test(test_shape_text),
        cmocka_unit_test(test_embedded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
