/* ../shared/golden/anomalygpt-small: ImageBind's towers on every kernel level, with float32 weights kept and packed only. */
#include "anomalygpt.h"

#include "model/open/clip_load.h"

static void check_picture(flaw_compute *c, const flaw_clip *m, const flaw_tensors *expected, const char *folder, const char *file)
{
    char name[128];
    size_t d = (size_t)m->shape.image.width, patches = (size_t)flaw_clip_patches(&m->shape);
    tokens t = tokens_of_picture(c, m, folder, file);
    unit_length(t.results.out.cls, (size_t)m->shape.joint);
    snprintf(name, sizeof name, "%s.image_embedding", file);
    check_tensor(expected, name, t.results.out.cls, (size_t)m->shape.joint, true, BAR_ANOMALYGPT);
    for (int s = 0; s < FLAW_STAGES; s++) {
        snprintf(name, sizeof name, "%s.stage%d", file, s);
        check_tensor(expected, name, t.stage[s], patches * d, true, BAR_ANOMALYGPT);
    }
    free_results(&t.results);
}

static void test_towers(void **state)
{
    char folder[1024], path[1200];
    if (!golden_path(folder, true, ANOMALYGPT)) skip();
    snprintf(path, sizeof path, "%s/expected.safetensors", folder);
    flaw_tensors expected = open_expected(path);
    AT_EVERY_KIND_OF_VECTOR(level)
    {
        flaw_compute c = open_compute(level);
        flaw_clip *m = open_clip(folder, &c);
        print_message("%s\n", c.kernels->name);
        check_picture(&c, m, &expected, folder, "part1.png");
        if (level > FLAW_LEVEL_REF) check_picture(&c, m, &expected, folder, "part2.png");
        flaw_clip_close(m);
        flaw_compute_close(&c);
    }
    flaw_tensors_close(&expected);
}

/* The same bits, and the same name, whether the float32 weights are kept or not. */
static void test_packed_only(void **state)
{
    char folder[1024], path[1200], kept_hash[65], packed_hash[65];
    flaw_error err = {0};
    if (!golden_path(folder, true, ANOMALYGPT)) skip();
    flaw_compute c = open_compute(FLAW_LEVEL_AUTO);
    flaw_clip *kept = open_clip(folder, &c), *packed = NULL;
    assert_ok(flaw_clip_open_within(&packed, folder, 1000, &c, &err));
    assert_null(kept->origin);
    assert_non_null(packed->origin);
    snprintf(path, sizeof path, "%s/part1.png", folder);
    image_results a = run_picture(&c, kept, path), b = run_picture(&c, packed, path);
    assert_memory_equal(a.out.cls, b.out.cls, (size_t)kept->shape.joint * sizeof(float));
    flaw_clip_hash(kept, &c, kept_hash);
    flaw_clip_hash(packed, &c, packed_hash);
    assert_string_equal(kept_hash, packed_hash);
    assert_int_equal(strlen(kept_hash), 64);
    free_results(&a);
    free_results(&b);
    flaw_clip_close(kept);
    flaw_clip_close(packed);
    flaw_compute_close(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_towers), cmocka_unit_test(test_packed_only)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
