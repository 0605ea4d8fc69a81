/* Listing of the two layouts, the pairing of masks with pictures, and their reading at another size. */
#include "check.h"

#include "flaw/dataset.h"

static void write_text(const char *root, const char *name, const char *text)
{
    char path[512];
    flaw_error err;
    assert_ok(flaw_file_write(in_folder(path, root, name), text, strlen(text), &err));
}


static void mvtec_folder(const char *root)
{
    draw_plain(root, "train/good/001.png", 0x808080);
    draw_plain(root, "train/good/000.png", 0x808080);
    draw_plain(root, "test/good/000.png", 0x808080);
    draw_plain(root, "test/scratch/000.png", 0);
    draw_plain(root, "test/scratch/001.png", 0);
    draw_plain(root, "test/scratch/002.png", 0);
    draw(root, "ground_truth/scratch/000_mask.png", 4, 2, 0, 3, 0, 0xffffff);
    draw(root, "ground_truth/scratch/001.png", 8, 8, 0, 7, 7, 0x010101);
}

static void test_mvtec(void **state)
{
    mvtec_folder(*state);
    flaw_dataset set;
    flaw_error err;
    assert_int_equal(flaw_dataset_open_path(&set, *state, NULL, NULL, &err), FLAW_OK);
    assert_string_equal(set.layout, "mvtec");
    assert_int_equal(set.references, 2);
    assert_non_null(strstr(set.reference[0].path, "train/good/000.png")); /* sorted */
    assert_int_equal(set.tests, 4);
    assert_int_equal(set.test[0].label, FLAW_LABEL_GOOD);
    assert_int_equal(set.test[0].masks, 0);
    assert_int_equal(set.test[1].label, FLAW_LABEL_BAD);
    assert_non_null(strstr(set.test[1].mask[0], "ground_truth/scratch/000_mask.png"));
    assert_non_null(strstr(set.test[2].mask[0], "ground_truth/scratch/001.png"));
    assert_int_equal(set.test[3].label, FLAW_LABEL_BAD);
    assert_int_equal(set.test[3].masks, 0);

    uint8_t mask[64]; /* 4 x 2 grown to 8 x 8: the marked pixel becomes a block of 2 x 4 */
    assert_int_equal(flaw_dataset_mask(mask, &set, &set.test[1], 8, 8, &err), FLAW_OK);
    for (int i = 0; i < 64; i++) assert_int_equal(mask[i], i % 8 >= 6 && i / 8 < 4);
    uint8_t small[16]; /* 8 x 8 shrunk to 4 x 4: pixel centres are at 1, 3, 5, 7; any value over 0 marks */
    assert_int_equal(flaw_dataset_mask(small, &set, &set.test[2], 4, 4, &err), FLAW_OK);
    for (int i = 0; i < 16; i++) assert_int_equal(small[i], i == 15);
    assert_int_equal(flaw_dataset_mask(small, &set, &set.test[0], 4, 4, &err), FLAW_OK);
    for (int i = 0; i < 16; i++) assert_int_equal(small[i], 0);
    assert_string_equal(set.test[1].kind, "scratch");
    assert_int_equal(set.test[1].split, FLAW_DATASET_TEST);
    assert_int_equal(set.reference[1].split, FLAW_DATASET_TRAIN);
    assert_int_equal(flaw_dataset_mask(small, &set, &set.test[3], 4, 4, &err), FLAW_USAGE); /* bad, and no mask */
    char about[256];
    flaw_dataset_about(about, sizeof about, &set);
    assert_string_equal(about, "2 good, 3 bad in 1 kind, 2 masks, layout mvtec (test: 1 good, 3 bad)");
    flaw_dataset_close(&set);
}

/* Two defects of one picture: relative and absolute saturation, at the size of the files and at half of it. */
static void test_loco(void **state)
{
    const char *root = *state;
    draw_plain(root, "train/good/000.png", 0x808080);
    draw_plain(root, "validation/good/000.png", 0x808080);
    draw_plain(root, "test/good/000.png", 0x808080);
    draw_plain(root, "test/logical_anomalies/000.png", 0x808080);
    draw(root, "ground_truth/logical_anomalies/000/000.png", 8, 8, 0, 3, 3, 0xffffff);
    draw(root, "ground_truth/logical_anomalies/000/001.png", 8, 8, 0xececec, 0, 0, 0); /* 63 of 64 pixels */
    write_text(root, "defects_config.json",
               "[{\"defect_name\": \"gone\", \"pixel_value\": 255, \"saturation_threshold\": 1.0,"
               "  \"relative_saturation\": true},"
               " {\"defect_name\": \"two pins\", \"pixel_value\": 236, \"saturation_threshold\": 20,"
               "  \"relative_saturation\": false}]");
    flaw_dataset set;
    flaw_error err;
    assert_ok(flaw_dataset_open_path(&set, root, NULL, NULL, &err));
    assert_string_equal(set.layout, "loco");
    assert_int_equal(set.items, 4);
    assert_int_equal(set.references, 1);
    assert_int_equal(set.item[1].split, FLAW_DATASET_VALIDATION);
    assert_int_equal(set.tests, 2);
    assert_int_equal(set.test[1].masks, 2);
    uint8_t mask[64];
    assert_ok(flaw_dataset_mask(mask, &set, &set.test[1], 8, 8, &err));
    for (int i = 0; i < 64; i++) assert_int_equal(mask[i], i != 0);
    flaw_dataset_regions regions;
    assert_ok(flaw_dataset_regions_of(&regions, &set, &set.test[1], 8, 8, &err));
    assert_int_equal(regions.count, 2);
    assert_string_equal(regions.region[0].defect, "gone");
    assert_int_equal(regions.region[0].area, 1);
    assert_int_equal(regions.region[0].pixel[0], 27);
    assert_true(regions.region[0].saturation == 1);
    assert_string_equal(regions.region[1].defect, "two pins");
    assert_int_equal(regions.region[1].area, 63);
    assert_true(regions.region[1].saturation == 20);
    flaw_dataset_regions_release(&regions);
    assert_ok(flaw_dataset_regions_of(&regions, &set, &set.test[1], 4, 4, &err));
    assert_int_equal(regions.region[1].area, 16); /* pixel centres fall on 1, 3, 5, 7 */
    assert_true(regions.region[1].saturation == 5);
    flaw_dataset_regions_release(&regions);
    flaw_dataset_close(&set);
}

static void test_wrong_loco(void **state)
{
    const char *root = *state;
    flaw_dataset set;
    flaw_error err;
    draw_plain(root, "train/good/000.png", 0x808080);
    draw_plain(root, "test/logical_anomalies/000.png", 0x808080);
    draw(root, "ground_truth/logical_anomalies/000/000.png", 8, 8, 0, 3, 3, 0x112233);
    static const char *const wrong[] = {
        "", "{}", "[]", "[1]", "[{\"defect_name\": \"a\", \"pixel_value\": 1}]",
        "[{\"defect_name\":\"a\",\"pixel_value\":0,\"saturation_threshold\":1,\"relative_saturation\":false}]",
        "[{\"defect_name\":\"a\",\"pixel_value\":1,\"saturation_threshold\":1.5,\"relative_saturation\":true}]",
        "[{\"defect_name\":\"a\",\"pixel_value\":1,\"saturation_threshold\":-1,\"relative_saturation\":true}]",
        "[{\"defect_name\":\"a\",\"pixel_value\":1,\"saturation_threshold\":1,\"relative_saturation\":true},"
        "{\"defect_name\":\"b\",\"pixel_value\":1,\"saturation_threshold\":1,\"relative_saturation\":true}]"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        write_text(root, "defects_config.json", wrong[i]);
        assert_int_equal(flaw_dataset_open_path(&set, root, NULL, NULL, &err), FLAW_BAD_DATA);
        assert_contains(err.text, "defects_config.json");
    }
    write_text(root, "defects_config.json",
               "[{\"defect_name\":\"a\",\"pixel_value\":1,\"saturation_threshold\":1,\"relative_saturation\":true}]");
    assert_ok(flaw_dataset_open_path(&set, root, NULL, NULL, &err));
    flaw_dataset_regions regions;
    assert_int_equal(flaw_dataset_regions_of(&regions, &set, &set.test[0], 8, 8, &err), FLAW_BAD_DATA);
    assert_contains(err.text, "value 17");
    flaw_dataset_close(&set);
}

/* Without types a defect is an 8-connected part, saturated when all of it is found. */
static void test_parts(void **state)
{
    const char *root = *state;
    flaw_dataset set;
    flaw_error err;
    draw_plain(root, "train/ok/0.png", 0x808080);
    draw_plain(root, "test/ok/0.png", 0x808080);
    draw_plain(root, "test/ko/0.png", 0x808080);
    draw(root, "ground_truth/ko/0.png", 3, 3, 0, 2, 0, 0xff);
    assert_ok(flaw_dataset_open_path(&set, root, NULL, NULL, &err));
    assert_string_equal(set.layout, "btad");
    assert_int_equal(set.references, 1);
    assert_int_equal(set.tests, 2);
    assert_string_equal(set.test[0].kind, "ko"); /* by name */
    assert_string_equal(set.test[1].kind, "good");
    flaw_dataset_regions regions;
    assert_ok(flaw_dataset_regions_of(&regions, &set, &set.test[0], 6, 3, &err));
    assert_int_equal(regions.count, 1);
    assert_string_equal(regions.region[0].defect, "ko");
    assert_int_equal(regions.region[0].area, 2);
    assert_int_equal(regions.region[0].pixel[0], 4);
    assert_int_equal(regions.region[0].pixel[1], 5);
    assert_true(regions.region[0].saturation == 2);
    flaw_dataset_regions_release(&regions);
    assert_ok(flaw_dataset_regions_of(&regions, &set, &set.test[1], 6, 3, &err));
    assert_int_equal(regions.count, 0);
    flaw_dataset_regions_release(&regions);
    flaw_dataset_close(&set);
}

static void test_mvtec_ad2(void **state)
{
    const char *root = *state;
    flaw_dataset set;
    flaw_error err;
    draw_plain(root, "train/good/0.png", 0x808080);
    draw_plain(root, "validation/good/0.png", 0x808080);
    draw_plain(root, "test_public/good/0.png", 0x808080);
    draw_plain(root, "test_public/bad/0.png", 0x808080);
    draw(root, "test_public/ground_truth/bad/0_mask.png", 3, 3, 0, 2, 0, 0xffffff);
    draw_plain(root, "test_private/0.png", 0x808080);
    draw_plain(root, "test_private_mixed/0.png", 0x808080);
    assert_ok(flaw_dataset_open_path(&set, root, NULL, NULL, &err));
    assert_string_equal(set.layout, "mvtec-ad2");
    assert_int_equal(set.items, 6);
    assert_int_equal(set.references, 1);
    assert_int_equal(set.tests, 2);
    assert_int_equal(set.test[0].label, FLAW_LABEL_BAD);
    assert_int_equal(set.test[0].masks, 1);
    assert_int_equal(set.item[2].label, FLAW_LABEL_UNKNOWN);
    assert_int_equal(set.item[2].split, FLAW_DATASET_TEST);
    assert_string_equal(set.item[2].kind, "unknown");
    char about[256];
    flaw_dataset_about(about, sizeof about, &set);
    assert_string_equal(about, "1 good, 1 bad in 1 kind, 2 without a label, 1 mask, layout mvtec-ad2 "
                               "(test: 1 good, 1 bad)");
    flaw_dataset_close(&set);
}

static void test_cookies(void **state)
{
    const char *root = *state;
    draw_plain(root, "training-images/normal-1.png", 0x808080);
    draw_plain(root, "training-images/normal-2.png", 0x808080);
    draw_plain(root, "training-images/anomaly-1.png", 0);
    draw_plain(root, "test-images/test-normal-1.png", 0x808080);
    draw_plain(root, "test-images/test-anomaly-1.png", 0);
    draw(root, "mask-images/anomaly-1.png", 4, 4, 0xffffff, 1, 2, 0x23a436); /* white around, as some tools leave it */
    flaw_dataset set;
    flaw_error err;
    assert_int_equal(flaw_dataset_open_path(&set, root, NULL, NULL, &err), FLAW_OK);
    assert_string_equal(set.layout, "cookies");
    assert_true(set.references_tested);
    assert_int_equal(set.references, 2);
    assert_int_equal(set.tests, 3);
    assert_int_equal(set.test[0].masks, 1);
    assert_int_equal(set.test[1].label, FLAW_LABEL_GOOD);
    assert_int_equal(set.test[2].label, FLAW_LABEL_BAD);
    assert_int_equal(set.test[2].masks, 0);
    uint8_t mask[16];
    assert_int_equal(flaw_dataset_mask(mask, &set, &set.test[0], 4, 4, &err), FLAW_OK);
    for (int i = 0; i < 16; i++) assert_int_equal(mask[i], i == 9);
    flaw_dataset_close(&set);
}

/* People's own folders. */
static void test_folders(void **state)
{
    const char *root = *state;
    char path[512];
    flaw_dataset set;
    flaw_error err;
    draw_plain(root, "own/Normal/0.png", 1);
    draw_plain(root, "own/Normal/1.png", 2);
    draw_plain(root, "own/NG/0.png", 3);
    draw_plain(root, "own/NG/dent/0.png", 4);
    draw(root, "own/masks/NG/0_mask.png", 2, 2, 0, 0, 0, 0xff);
    draw_plain(root, "own/masks/NG/dent/0.png", 4);
    draw_plain(root, "own/notes/0.png", 5);
    assert_ok(flaw_dataset_open_path(&set, root, NULL, NULL, &err));
    assert_string_equal(set.layout, "folder");
    assert_string_equal(set.category, "own");
    assert_int_equal(set.items, 4);
    assert_int_equal(set.references, 2);
    assert_int_equal(set.references_tested, 1);
    assert_int_equal(set.tests, 2);
    assert_string_equal(set.test[0].kind, "bad");
    assert_int_equal(set.test[0].masks, 1);
    assert_string_equal(set.test[1].kind, "dent");
    assert_int_equal(set.test[1].masks, 1);
    flaw_dataset_close(&set);

    draw_plain(root, "parts/train/normal/0.png", 1);
    draw_plain(root, "parts/test/normal/1.png", 2);
    draw_plain(root, "parts/test/dent/0.png", 3);
    draw_plain(root, "parts/ground_truth/dent/0.png", 3);
    assert_ok(flaw_dataset_open_path(&set, in_folder(path, root, "parts"), NULL, NULL, &err));
    assert_string_equal(set.layout, "folder");
    assert_int_equal(set.references, 1);
    assert_int_equal(set.references_tested, 0);
    assert_int_equal(set.tests, 2);
    assert_string_equal(set.test[0].kind, "dent");
    assert_int_equal(set.test[0].masks, 1);
    flaw_dataset_close(&set);

    assert_ok(flaw_dataset_open_path(&set, in_folder(path, root, "own/notes"), NULL, NULL, &err));
    assert_string_equal(set.layout, "pictures");
    assert_int_equal(set.items, 1);
    assert_int_equal(set.item[0].label, FLAW_LABEL_UNKNOWN);
    assert_int_equal(flaw_dataset_testable(&set, &err), FLAW_BAD_DATA);
    flaw_dataset_close(&set);
    assert_int_equal(mkfifo(in_folder(path, root, "own/notes/pipe.png"), 0600), 0);
    assert_int_equal(flaw_dataset_open_path(&set, in_folder(path, root, "own/notes"), NULL, NULL, &err), FLAW_BAD_DATA);
    assert_contains(err.text, "pipe.png");
    assert_int_equal(flaw_dataset_open_path(&set, in_folder(path, root, "own"), "mvtec", NULL, &err), FLAW_BAD_DATA);
}

/* The data at hand is understood as it always was. */
static void test_real(void **state)
{
    const char *shared = getenv("FLAW_SHARED");
    char path[512], about[256];
    flaw_dataset set;
    flaw_error err;
    if (!shared || !flaw_file_is_folder(in_folder(path, shared, "data/hazelnut"))) {
        print_message("no data/hazelnut beside the project: skipped\n");
        skip();
    }
    assert_ok(flaw_dataset_open_path(&set, path, NULL, NULL, &err));
    flaw_dataset_about(about, sizeof about, &set);
    assert_string_equal(about, "28 good, 17 bad in 1 kind, 17 masks, layout mvtec "
                               "(test: 6 good, 17 bad)");
    assert_string_equal(set.object, "hazelnut");
    flaw_dataset_close(&set);
    assert_ok(flaw_dataset_open_path(&set, in_folder(path, shared, "data/cookies"), NULL, NULL, &err));
    flaw_dataset_about(about, sizeof about, &set);
    assert_string_equal(about, "31 good, 40 bad in 1 kind, 32 masks, layout cookies "
                               "(test: 14 good, 40 bad, and good ones not learned from)");
    flaw_dataset_close(&set);
}

static void test_wrong_folders(void **state)
{
    flaw_dataset set;
    flaw_error err;
    char path[256];
    snprintf(path, sizeof path, "%s/nowhere", (const char *)*state);
    assert_int_equal(flaw_dataset_open_path(&set, path, NULL, NULL, &err), FLAW_MISSING);
    assert_non_null(strstr(err.text, "nowhere"));
    assert_int_equal(flaw_dataset_open_path(&set, *state, NULL, NULL, &err), FLAW_BAD_DATA);
    assert_non_null(strstr(err.text, "train/good"));
    draw_plain(*state, "train/good/0.png", 0);
    draw_plain(*state, "test/good.png", 0);
    assert_ok(flaw_dataset_open_path(&set, *state, NULL, NULL, &err));
    assert_int_equal(set.references, 1);
    assert_int_equal(flaw_dataset_testable(&set, &err), FLAW_MISSING); /* right folders, no test picture */
    flaw_dataset_close(&set);
    assert_int_equal(flaw_dataset_open_path(&set, *state, "zeppelin", NULL, &err), FLAW_USAGE);
    assert_int_equal(flaw_dataset_open_path(&set, *state, "btad", NULL, &err), FLAW_BAD_DATA);
    assert_contains(err.text, "train/ok");
    assert_int_equal(flaw_dataset_open_path(&set, *state, NULL, "screw", &err), FLAW_MISSING);
}

static void test_finding(void **state)
{
    const char *root = *state;
    char path[256];
    flaw_error err;
    flaw_dataset_list found = {0};
    draw_plain(root, "metal_nut/train/good/0.png", 0);
    draw_plain(root, "metal_nut/test/good/0.png", 0);
    draw_plain(root, "cable/train/good/0.png", 0);
    draw_plain(root, "cable/test/good/0.png", 0);
    write_text(root, "notes.csv", "image,caption\nmetal_nut/train/good/0.png,a nut\n"); /* folders say more */
    draw_plain(root, "other/test/picture.png", 0);
    assert_int_equal(flaw_dataset_find(&found, root, NULL, &err), FLAW_OK);
    assert_int_equal(found.count, 2);
    assert_non_null(strstr(found.entry[0].root, "/cable"));
    snprintf(path, sizeof path, "%s/metal_nut/", root);
    assert_int_equal(flaw_dataset_find(&found, path, NULL, &err), FLAW_OK);
    assert_int_equal(found.count, 3);
    flaw_dataset set;
    assert_int_equal(flaw_dataset_open(&set, &found.entry[2], &err), FLAW_OK);
    assert_string_equal(set.object, "metal nut");
    flaw_dataset_close(&set);
    snprintf(path, sizeof path, "%s/other", root);
    assert_int_equal(flaw_dataset_find(&found, path, NULL, &err), FLAW_BAD_DATA);
    assert_non_null(strstr(err.text, "other"));
    flaw_dataset_list_release(&found);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_mvtec, make_scratch, remove_scratch),
        cmocka_unit_test_setup_teardown(test_mvtec_ad2, make_scratch, remove_scratch),
        cmocka_unit_test_setup_teardown(test_parts, make_scratch, remove_scratch),
        cmocka_unit_test_setup_teardown(test_wrong_loco, make_scratch, remove_scratch),
        cmocka_unit_test_setup_teardown(test_loco, make_scratch, remove_scratch),
        cmocka_unit_test_setup_teardown(test_cookies, make_scratch, remove_scratch),
        cmocka_unit_test_setup_teardown(test_folders, make_scratch, remove_scratch),
        cmocka_unit_test(test_real),
        cmocka_unit_test_setup_teardown(test_wrong_folders, make_scratch, remove_scratch),
        cmocka_unit_test_setup_teardown(test_finding, make_scratch, remove_scratch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
