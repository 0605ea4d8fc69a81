/* The road's end: real photographs, a real pretrained tower (DeiT-Tiny), four good parts, no setting touched. Every bad
 * hazelnut is found and its region meets the mask; good ones pass. */
#include "check.h"

enum { GOOD_PARTS = 4 };

typedef struct tally {
    int pictures, anomalous, met;
} tally;

/* Does the first region hold a marked pixel? Masks are of the picture's size. */
static bool meets(const flaw_result *r, const char *mask_path)
{
    flaw_picture mask;
    flaw_error err = {0};
    bool met = false;
    assert_ok(flaw_picture_read(&mask, mask_path, &err));
    if (r->regions > 0 && mask.width == r->width && mask.height == r->height) {
        const flaw_region *g = &r->region[0];
        for (int y = g->y; y < g->y + g->height; y++)
            for (int x = g->x; x < g->x + g->width; x++) met |= mask.rgb[3 * (y * mask.width + x)] > 127;
    }
    flaw_picture_release(&mask);
    return met;
}

static tally judge_folder(flaw_inspector *in, const char *root, const char *kind)
{
    char folder[1200], path[1800];
    flaw_names names;
    flaw_error err = {0};
    tally t = {0};
    snprintf(folder, sizeof folder, "%s/test/%s", root, kind);
    assert_ok(flaw_file_list(&names, folder, &err));
    for (size_t i = 0; i < names.count; i++) {
        flaw_result r;
        snprintf(path, sizeof path, "%s/%s", folder, names.name[i]);
        assert_ok(flaw_inspector_judge_file(in, path, &r, &err));
        t.pictures++;
        t.anomalous += r.verdict == FLAW_ANOMALOUS;
        if (strcmp(kind, "good")) {
            int stem = (int)strcspn(names.name[i], ".");
            snprintf(path, sizeof path, "%s/ground_truth/%s/%.*s.png", root, kind, stem, names.name[i]);
            if (!flaw_file_exists(path))
                snprintf(path, sizeof path, "%s/ground_truth/%s/%.*s_mask.png", root, kind, stem, names.name[i]);
            if (!flaw_file_exists(path))
                snprintf(path, sizeof path, "%s/ground_truth/%s/%s", root, kind, names.name[i]);
            t.met += meets(&r, path);
        }
        flaw_result_release(&r);
    }
    flaw_names_release(&names);
    return t;
}

static void test_hazelnut(void **state)
{
    char root[1024], model[1024], folder[1200], path[GOOD_PARTS][1800];
    const char *good[GOOD_PARTS];
    flaw_names names;
    flaw_error err = {0};
    if (!golden_path(root, true, "data/hazelnut") || !golden_path(model, true, "models/deit-tiny")) skip();
    snprintf(folder, sizeof folder, "%s/train/good", root);
    assert_ok(flaw_file_list(&names, folder, &err));
    assert_true(names.count >= GOOD_PARTS);
    for (int i = 0; i < GOOD_PARTS; i++) {
        snprintf(path[i], sizeof path[i], "%s/%s", folder, names.name[(size_t)i * names.count / GOOD_PARTS]);
        good[i] = path[i];
    }
    flaw_names_release(&names);
    flaw_engine *engine = open_engine(model);
    flaw_inspector *in = NULL;
    flaw_inspect_options o;
    flaw_inspect_defaults(&o);
    o.object = "hazelnut";
    o.good = good;
    o.good_count = GOOD_PARTS;
    assert_ok(flaw_inspector_new(&in, engine, &o, NULL, NULL, &err));
    print_message("  %s\n", flaw_inspector_about(in));
    tally bad = judge_folder(in, root, "colour"), fine = judge_folder(in, root, "good");
    print_message("  %d of %d bad found, %d in the right place; %d of %d good alarmed\n", bad.anomalous, bad.pictures,
                  bad.met, fine.anomalous, fine.pictures);
    assert_int_equal(bad.pictures, 17);
    assert_int_equal(bad.anomalous, bad.pictures);
    assert_int_equal(bad.met, bad.pictures);
    assert_true(fine.pictures == 6 && fine.anomalous <= 1);
    flaw_inspector_free(in);
    flaw_engine_close(engine);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_hazelnut)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
