/* Listing of the two layouts, the pairing of masks with pictures, and their reading at another size. */
#include "check.h"

#include "measure/dataset.h"

#include "flaw/measure.h"

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
    assert_int_equal(flaw_dataset_open(&set, *state, &err), FLAW_OK);
    assert_string_equal(set.layout, "mvtec");
    assert_int_equal(set.references, 2);
    assert_non_null(strstr(set.reference[0].path, "train/good/000.png")); /* sorted */
    assert_int_equal(set.tests, 4);
    assert_false(set.test[0].bad);
    assert_null(set.test[0].mask);
    assert_true(set.test[1].bad);
    assert_non_null(strstr(set.test[1].mask, "ground_truth/scratch/000_mask.png"));
    assert_non_null(strstr(set.test[2].mask, "ground_truth/scratch/001.png"));
    assert_true(set.test[3].bad);
    assert_null(set.test[3].mask);

    uint8_t mask[64]; /* 4 x 2 grown to 8 x 8: the marked pixel becomes a block of 2 x 4 */
    assert_int_equal(flaw_dataset_mask(mask, &set, &set.test[1], 8, &err), FLAW_OK);
    for (int i = 0; i < 64; i++) assert_int_equal(mask[i], i % 8 >= 6 && i / 8 < 4);
    uint8_t small[16]; /* 8 x 8 shrunk to 4 x 4: pixel centres are at 1, 3, 5, 7; any value over 0 marks */
    assert_int_equal(flaw_dataset_mask(small, &set, &set.test[2], 4, &err), FLAW_OK);
    for (int i = 0; i < 16; i++) assert_int_equal(small[i], i == 15);
    assert_int_equal(flaw_dataset_mask(small, &set, &set.test[0], 4, &err), FLAW_OK);
    for (int i = 0; i < 16; i++) assert_int_equal(small[i], 0);
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
    assert_int_equal(flaw_dataset_open(&set, root, &err), FLAW_OK);
    assert_string_equal(set.layout, "cookies");
    assert_true(set.references_tested);
    assert_int_equal(set.references, 2);
    assert_int_equal(set.tests, 3);
    assert_non_null(set.test[0].mask);
    assert_false(set.test[1].bad);
    assert_true(set.test[2].bad);
    assert_null(set.test[2].mask);
    uint8_t mask[16];
    assert_int_equal(flaw_dataset_mask(mask, &set, &set.test[0], 4, &err), FLAW_OK);
    for (int i = 0; i < 16; i++) assert_int_equal(mask[i], i == 9);
    flaw_dataset_close(&set);
}

static void test_wrong_folders(void **state)
{
    flaw_dataset set;
    flaw_error err;
    char path[256];
    snprintf(path, sizeof path, "%s/nowhere", (const char *)*state);
    assert_int_equal(flaw_dataset_open(&set, path, &err), FLAW_MISSING);
    assert_non_null(strstr(err.text, "nowhere"));
    assert_int_equal(flaw_dataset_open(&set, *state, &err), FLAW_BAD_DATA);
    assert_non_null(strstr(err.text, "train/good"));
    draw_plain(*state, "train/good/0.png", 0);
    draw_plain(*state, "test/good.png", 0);
    assert_int_equal(flaw_dataset_open(&set, *state, &err), FLAW_MISSING); /* right folders, no test picture */
}

static void test_finding(void **state)
{
    const char *root = *state;
    char path[256];
    flaw_error err;
    flaw_eval_paths found = {0};
    draw_plain(root, "metal_nut/train/good/0.png", 0);
    draw_plain(root, "metal_nut/test/good/0.png", 0);
    draw_plain(root, "cable/train/good/0.png", 0);
    draw_plain(root, "cable/test/good/0.png", 0);
    draw_plain(root, "other/picture.png", 0);
    assert_int_equal(flaw_eval_find(&found, root, &err), FLAW_OK);
    assert_int_equal(found.count, 2);
    assert_non_null(strstr(found.path[0], "/cable"));
    snprintf(path, sizeof path, "%s/metal_nut/", root);
    assert_int_equal(flaw_eval_find(&found, path, &err), FLAW_OK);
    assert_int_equal(found.count, 3);
    flaw_dataset set;
    assert_int_equal(flaw_dataset_open(&set, found.path[2], &err), FLAW_OK);
    assert_string_equal(set.object, "metal nut");
    flaw_dataset_close(&set);
    snprintf(path, sizeof path, "%s/other", root);
    assert_int_equal(flaw_eval_find(&found, path, &err), FLAW_BAD_DATA);
    assert_non_null(strstr(err.text, "other"));
    flaw_eval_paths_release(&found);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_mvtec, make_scratch, remove_scratch),
        cmocka_unit_test_setup_teardown(test_cookies, make_scratch, remove_scratch),
        cmocka_unit_test_setup_teardown(test_wrong_folders, make_scratch, remove_scratch),
        cmocka_unit_test_setup_teardown(test_finding, make_scratch, remove_scratch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
