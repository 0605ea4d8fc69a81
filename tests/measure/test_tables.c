/* Tables of pictures: what is understood of CSV, JSON lines, meta.json and manifests, and how wrong ones are refused. */
#include "check.h"

#include "flaw/dataset.h"
#include "measure/dataset/table.h"

static void write_text(const char *root, const char *name, const char *text)
{
    char path[512];
    flaw_error err;
    assert_ok(flaw_file_write(in_folder(path, root, name), text, strlen(text), &err));
}

static const char *tail(const char *path, const char *root)
{
    return strncmp(path, root, strlen(root)) == 0 ? path + strlen(root) + 1 : path;
}

static flaw_status open_at(flaw_dataset *set, const char *root, const char *name, const char *category, flaw_error *err)
{
    char path[512];
    return flaw_dataset_open_path(set, name ? in_folder(path, root, name) : root, NULL, category, err);
}

static void pictures(const char *root)
{
    static const char *const names[] = {"a.png", "b.png", "c.png", "d.png", "sub/a, b.png", "sub/e.png"};
    for (int i = 0; i < 6; i++) draw_plain(root, names[i], 0x808080 + (uint32_t)i);
    draw(root, "m.png", 8, 8, 0, 1, 1, 0xffffff);
}

/* Every liberty at once: byte order mark, semicolons, names in other words, quotes, Windows' line ends and slashes. */
static void test_csv(void **state)
{
    const char *root = *state;
    flaw_dataset set;
    flaw_error err;
    pictures(root);
    write_text(root, "list.csv",
               "\xef\xbb\xbfImage-Path;Label; note ;Split;MASK\r\n"
               "a.png;good;\"two\r\nlines; \"\"quoted\"\"\";train;\r\n\r\n"
               "b.png;OK;;test;\r\n"
               "\"c.png\" ;scratch;x;Test;m.png\r\n"
               "\"sub/a, b.png\";1;;testing;\r\n"
               "sub\\e.png;;;test;\r\n"
               " d.png ;normal;;val;\"\"");
    assert_ok(open_at(&set, root, NULL, NULL, &err));
    assert_string_equal(set.layout, "table");
    assert_int_equal(set.items, 6);
    assert_int_equal(set.references, 1);
    assert_int_equal(set.references_tested, 0);
    assert_string_equal(tail(set.reference[0].path, root), "a.png");
    assert_string_equal(tail(set.item[1].path, root), "sub/e.png"); /* no label: neither to learn from nor to test */
    assert_int_equal(set.item[1].label, FLAW_LABEL_UNKNOWN);
    assert_int_equal(set.item[2].split, FLAW_DATASET_VALIDATION);
    assert_int_equal(set.tests, 3);
    assert_int_equal(set.test[0].label, FLAW_LABEL_GOOD);
    assert_string_equal(set.test[1].kind, "scratch");
    assert_int_equal(set.test[1].masks, 1);
    assert_string_equal(tail(set.test[1].mask[0], root), "m.png");
    assert_string_equal(set.test[2].kind, "bad");
    assert_int_equal(set.test[2].masks, 0);
    char about[256];
    flaw_dataset_about(about, sizeof about, &set);
    assert_string_equal(about, "1 good, 2 bad in 2 kinds, 1 without a label, 1 mask, layout table "
                               "(test: 1 good, 2 bad)");
    flaw_dataset_close(&set);
}

/* Categories are data sets of their own; without a split the good parts that are not learned from are tested. */
static void test_categories(void **state)
{
    const char *root = *state;
    char path[512];
    flaw_dataset_list list = {0};
    flaw_dataset set;
    flaw_error err;
    pictures(root);
    write_text(root, "list.jsonl",
               "{\"image\": \"a.png\", \"label\": 0, \"category\": \"metal_nut\"}\n\n{\"image\": \"b.png\", \"label\": "
               "1, \"category\": \"metal_nut\", \"mask_path\": [\"m.png\", \"m.png\"]}\n{\"image\": \"c.png\", "
               "\"label\": true, \"category\": \"cable\", \"mask\": null, \"other\": [1]}\n{\"image\": \"d.png\", "
               "\"label\": \"good\", \"category\": \"metal_nut\", \"kind\": \"\"}");
    assert_ok(flaw_dataset_find(&list, in_folder(path, root, "list.jsonl"), NULL, &err));
    assert_int_equal(list.count, 2);
    assert_string_equal(list.entry[0].category, "cable");
    assert_ok(flaw_dataset_open(&set, &list.entry[1], &err));
    assert_string_equal(set.object, "metal nut");
    assert_int_equal(set.references, 2);
    assert_int_equal(set.references_tested, 1);
    assert_int_equal(set.tests, 1);
    assert_int_equal(set.test[0].masks, 2);
    flaw_dataset_close(&set);
    flaw_dataset_list_release(&list);
    assert_int_equal(open_at(&set, root, NULL, NULL, &err), FLAW_USAGE);
    assert_ok(open_at(&set, root, NULL, "cable", &err));
    assert_int_equal(set.items, 1);
    flaw_dataset_close(&set);
}

static void test_visa(void **state)
{
    const char *root = *state;
    flaw_dataset set;
    flaw_error err;
    draw_plain(root, "candle/Data/Images/Normal/0.JPG", 1);
    draw_plain(root, "candle/Data/Images/Normal/1.JPG", 2);
    draw_plain(root, "candle/Data/Images/Anomaly/0.JPG", 3);
    draw(root, "candle/Data/Masks/Anomaly/0.png", 8, 8, 0, 2, 0, 0x030303); /* a class, not a colour */
    draw_plain(root, "pcb1/Data/Images/Normal/0.JPG", 4);
    draw_plain(root, "split_csv/x.png", 0);
    write_text(root, "split_csv/1cls.csv",
               "object,split,label,image,mask\n"
               "candle,train,normal,candle/Data/Images/Normal/0.JPG,\n"
               "candle,test,normal,candle/Data/Images/Normal/1.JPG,\n"
               "candle,test,anomaly,candle/Data/Images/Anomaly/0.JPG,candle/Data/Masks/Anomaly/0.png\n"
               "pcb1,train,normal,pcb1/Data/Images/Normal/0.JPG,\n");
    write_text(root, "split_csv/2cls_fewshot.csv",
               "object,split,label,image,mask\ncandle,test,normal,candle/Data/Images/Normal/0.JPG,\n");
    assert_ok(open_at(&set, root, NULL, "candle", &err));
    assert_string_equal(set.layout, "visa");
    assert_int_equal(set.references, 1);
    assert_int_equal(set.tests, 2);
    assert_string_equal(set.test[1].kind, "bad");
    uint8_t mask[64];
    assert_ok(flaw_dataset_mask(mask, &set, &set.test[1], 8, 8, &err));
    for (int i = 0; i < 64; i++) assert_int_equal(mask[i], i == 2);
    flaw_dataset_close(&set);
    assert_ok(open_at(&set, root, "split_csv/2cls_fewshot.csv", NULL, &err));
    assert_int_equal(set.items, 1);
    assert_string_equal(set.layout, "visa");
    flaw_dataset_close(&set);
    assert_ok(open_at(&set, root, "candle", NULL, &err));
    assert_string_equal(set.layout, "visa-object");
    assert_int_equal(set.references, 2);
    assert_int_equal(set.references_tested, 1);
    assert_int_equal(set.tests, 1);
    assert_int_equal(set.test[0].masks, 1);
    flaw_dataset_close(&set);
}

static void test_meta(void **state)
{
    const char *root = *state;
    flaw_dataset set;
    flaw_error err;
    pictures(root);
    write_text(root, "meta.json",
               "{\"train\": {\"nut\": [{\"img_path\": \"a.png\", \"mask_path\": \"\", \"cls_name\": \"nut\","
               " \"specie_name\": \"good\", \"anomaly\": 0}], \"cable\": []}, \"info\": 3,"
               "\"test\": {\"nut\": [{\"img_path\": \"b.png\", \"mask_path\": \"m.png\", \"cls_name\": \"nut\","
               " \"specie_name\": \"bent\", \"anomaly\": 1}, {\"img_path\": \"c.png\", \"mask_path\": \"\","
               " \"specie_name\": \"good\", \"anomaly\": 0}]}}");
    assert_ok(open_at(&set, root, NULL, NULL, &err));
    assert_string_equal(set.layout, "meta");
    assert_string_equal(set.category, "nut");
    assert_int_equal(set.references, 1);
    assert_int_equal(set.tests, 2);
    assert_string_equal(set.test[0].kind, "bent");
    assert_int_equal(set.test[0].masks, 1);
    assert_string_equal(set.test[1].kind, "good");
    flaw_dataset_close(&set);
    static const char *const wrong[] = {"", "[]", "{}", "{\"train\": 1}", "{\"test\": {\"nut\": {}}}",
                                        "{\"test\": {\"nut\": "
                                        "[1]}}", "{\"test\": {\"nut\": [{\"img_path\": 1.5e300}]}}",
                                        "{\"test\": {\"nut\": [{\"img_path\": [\"a.png\"]}]}}",
                                        "{\"test\": {\"nut\": [{\"img_path\": \"a.png\", \"anomaly\": \"x\"}]}}",
                                        "{\"test\": {\"nut\": [{\"img_path\": \"a.png\\u0000.txt\"}]}}"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        write_text(root, "meta.json", wrong[i]);
        flaw_status status = open_at(&set, root, "meta.json", NULL, &err);
        if (status != FLAW_BAD_DATA && status != FLAW_MISSING) fail_msg("%s: %s", wrong[i], flaw_status_name(status));
        assert_contains(err.text, "meta.json");
    }
}

/* Lookout's storage is elsewhere: the longest end of the URI that agrees with a file here says which one it is. */
static void test_manifest(void **state)
{
    const char *root = *state;
    flaw_dataset set;
    flaw_error err;
    draw_plain(root, "images/normal/1.png", 1);
    draw_plain(root, "images/anomaly/1.png", 2);
    draw_plain(root, "images/anomaly/2.png", 3);
    draw(root, "masks/1-mask.png", 4, 4, 0xffffff, 3, 3, 0x2ca02c);
    draw_plain(root, "masks/x/images/3.png", 4);
    write_text(root, "train.manifest",
               "{\"source-ref\": \"s3://bucket/set/images/normal/1.png\", \"anomaly-label\": 0, "
               "\"anomaly-label-metadata\": {\"class-name\": \"normal\", \"type\": "
               "\"groundtruth/image-classification\"}}\n");
    write_text(root, "test.manifest",
               "{\"source-ref\": \"s3://bucket/set/images/anomaly/1.png\", \"anomaly-label\": 1, "
               "\"anomaly-label-metadata\": {\"class-name\": \"anomaly\"}, \"anomaly-mask-ref\": "
               "\"s3://b/1-mask.png\", \"anomaly-mask-ref-metadata\": {\"internal-color-map\": {\"0\": "
               "{\"class-name\": \"BACKGROUND\", \"hex-color\": \"#ffffff\"}, \"1\": {\"class-name\": \"scratch\", "
               "\"hex-color\": \"#2ca02c\"}}}}\n{\"source-ref\": \"s3://bucket/2.png\", \"my-job\": 0, "
               "\"my-job-metadata\": {\"class-name\": \"dent\"}}\n");
    assert_ok(open_at(&set, root, NULL, NULL, &err));
    assert_string_equal(set.layout, "manifest");
    assert_int_equal(set.references, 1);
    assert_string_equal(tail(set.reference[0].path, root), "images/normal/1.png");
    assert_int_equal(set.tests, 2);
    assert_string_equal(tail(set.test[0].path, root), "images/anomaly/1.png");
    assert_string_equal(set.test[0].kind, "scratch");
    assert_string_equal(set.test[1].kind, "dent");
    uint8_t mask[16];
    assert_ok(flaw_dataset_mask(mask, &set, &set.test[0], 4, 4, &err));
    for (int i = 0; i < 16; i++) assert_int_equal(mask[i], i == 15);
    flaw_dataset_close(&set);
    write_text(root, "test.manifest", "{\"source-ref\": \"s3://elsewhere/1.png\", \"anomaly-label\": 1}\n");
    assert_int_equal(open_at(&set, root, "test.manifest", NULL, &err), FLAW_BAD_DATA); /* two files are 1.png */
    assert_contains(err.text, "test.manifest':1");
    write_text(root, "test.manifest", "\n{\"source-ref\": \"s3://elsewhere/4.png\", \"anomaly-label\": 1}\n");
    assert_int_equal(open_at(&set, root, "test.manifest", NULL, &err), FLAW_MISSING);
    assert_contains(err.text, "test.manifest':2");
    assert_contains(err.text, "4.png");
}

typedef struct wrong_table {
    const char *text;
    flaw_status status;
    const char *says;
} wrong_table;

static void test_wrong_csv(void **state)
{
    static const wrong_table wrong[] = {
        {"", FLAW_BAD_DATA, ":1: no column image_path"},
        {"\n\n", FLAW_BAD_DATA, "no column image_path"},
        {"a.png,good\n", FLAW_BAD_DATA, ":1: no column image_path"},
        {"image,label\n", FLAW_MISSING, "no picture"},
        {"image,label\na.png\n", FLAW_BAD_DATA, ":2: 1 fields"},
        {"image,label\na.png,good,more\n", FLAW_BAD_DATA, ":2: 3 fields"},
        {"image,label\n,good\n", FLAW_BAD_DATA, ":2: no path"},
        {"image,label\n\"a.png,good\nb.png,good\n", FLAW_BAD_DATA, ":2: a quote that is never closed"},
        {"image,label\n\"a.png\"x,good\n", FLAW_BAD_DATA, ":2: text after a closing quote"},
        {"image,label\n\n\na.png,good\nnone.png,good\n", FLAW_MISSING, ":5: picture 'none.png' is not there"},
        {"image,label,mask\na.png,bad,none.png\n", FLAW_MISSING, ":2: mask 'none.png' is not there"},
        {"image,label,mask\na.png,bad,sub\n", FLAW_BAD_DATA, ":2: mask 'sub' is a folder"},
        {"image,label\n../../../no/a.png,good\n", FLAW_MISSING, ":2: picture '../../../no/a.png' is not there"},
        {"image,label\n/tmp/../a.png,good\n", FLAW_BAD_DATA, ":2: picture '/tmp/../a.png': an absolute path may not"},
        {"image,split\na.png,trian\n", FLAW_BAD_DATA, ":2: split 'trian', expected train, validation or test"},
        {"image,label,split\na.png,good,train\nb.png,good,\n", FLAW_BAD_DATA, ":3: no split"},
        {"image,label,category\na.png,good,x\nb.png,good,\n", FLAW_BAD_DATA, ":3: no category"},
        {"image,label,is_anomaly\na.png,good,1\n", FLAW_BAD_DATA, ":2: label 'good' beside '1'"},
        {"image,is_anomaly\na.png,perhaps\n", FLAW_BAD_DATA, ":2: 'perhaps' says neither"},
        {"\xff\xfei\0m\0", FLAW_BAD_DATA, ":1: UTF-16"},
    };
    const char *root = *state;
    flaw_dataset set;
    flaw_error err;
    pictures(root);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        write_text(root, "list.csv", wrong[i].text);
        flaw_status status = open_at(&set, root, "list.csv", NULL, &err);
        if (status == FLAW_OK) flaw_dataset_close(&set);
        if (status != wrong[i].status) fail_msg("%s: %s (%s)", wrong[i].text, flaw_status_name(status), err.text);
        assert_contains(err.text, "list.csv");
        assert_contains(err.text, wrong[i].says);
    }
}

static void test_wrong_lines(void **state)
{
    static const wrong_table wrong[] = {
        {"", FLAW_MISSING, "no picture"},
        {"\n{\"image\": \"a.png\"\n", FLAW_BAD_DATA, ":2: no JSON"},
        {"[\"a.png\"]\n", FLAW_BAD_DATA, ":1: not an object"},
        {"{\"label\": 1}\n", FLAW_BAD_DATA, ":1: no path"},
        {"{\"image\": {\"a\": 1}}\n", FLAW_BAD_DATA, ":1: 'image' is neither"},
        {"{\"image\": \"a.png\", \"mask\": [\"m.png\", 3]}\n", FLAW_BAD_DATA, ":1: mask 2 of the list"},
        {"{\"image\": \"a.png\", \"mask\": [\"m.png\", \"n.png\"]}\n", FLAW_MISSING, ":1: mask 'n.png' is not there"},
        {"{\"image\": \"a\\u0000.png\"}\n", FLAW_BAD_DATA, ":1: no JSON"},
        {"{\"source-ref\": 3}\n", FLAW_BAD_DATA, ":1: no \"source-ref\""},
    };
    const char *root = *state;
    flaw_dataset set;
    flaw_error err;
    pictures(root);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        write_text(root, "list.jsonl", wrong[i].text);
        flaw_status status = open_at(&set, root, "list.jsonl", NULL, &err);
        if (status == FLAW_OK) flaw_dataset_close(&set);
        if (status != wrong[i].status) fail_msg("%s: %s (%s)", wrong[i].text, flaw_status_name(status), err.text);
        assert_contains(err.text, "list.jsonl");
        assert_contains(err.text, wrong[i].says);
    }
}

/* A million lines are read, one more is not; a field may be long, but not without end; NUL ends nothing. */
static void test_bounds(void **state)
{
    enum { LINES = 1000001, ROOM = 16 * LINES };
    flaw_error err;
    flaw_arena arena;
    flaw_arena_init(&arena, 0);
    flaw_rows rows = {.arena = &arena};
    char *text = malloc(ROOM);
    size_t size = (size_t)snprintf(text, ROOM, "image,label\n");
    for (int i = 1; i < LINES; i++) size += (size_t)snprintf(text + size, ROOM - size, "%d,0\n", i);
    assert_ok(flaw_rows_csv(&rows, text, size, "list.csv", &err));
    assert_int_equal(rows.count, LINES - 1);
    assert_string_equal(rows.row[LINES - 2].image, "1000000");
    size += (size_t)snprintf(text + size, ROOM - size, "x,0\n");
    rows = (flaw_rows){.arena = &arena};
    assert_int_equal(flaw_rows_csv(&rows, text, size, "list.csv", &err), FLAW_BAD_DATA);
    assert_contains(err.text, "list.csv':1000002: more than 1000000");
    size = (size_t)snprintf(text, ROOM, "image,label\n");
    memset(text + size, 'a', 5000);
    assert_int_equal(flaw_rows_csv(&rows, text, size + 5000, "list.csv", &err), FLAW_BAD_DATA);
    assert_contains(err.text, "list.csv':2: field 1 is longer than 4096");
    static const char nul[] = "image,label\na\0b,good\n";
    assert_int_equal(flaw_rows_csv(&rows, nul, sizeof nul - 1, "list.csv", &err), FLAW_BAD_DATA);
    assert_contains(err.text, "list.csv':2: a NUL byte");
    memset(text, ',', 300);
    assert_int_equal(flaw_rows_csv(&rows, text, 300, "list.csv", &err), FLAW_BAD_DATA);
    assert_contains(err.text, "more than 256 fields");
    free(text);
    flaw_arena_release(&arena);
}

/* A loop of links ends; a file behind a link counts. */
static void test_links(void **state)
{
    const char *root = *state;
    char path[512];
    flaw_name_index *index = NULL;
    flaw_dataset_list list = {0};
    flaw_error err;
    const char *found = NULL;
    draw_plain(root, "deep/a.png", 0);
    assert_int_equal(symlink("..", in_folder(path, root, "deep/loop")), 0);
    assert_int_equal(symlink(".", in_folder(path, root, "self")), 0);
    assert_int_equal(symlink("a.png", in_folder(path, root, "deep/b.png")), 0);
    assert_int_equal(symlink("nowhere", in_folder(path, root, "deep/c.png")), 0);
    assert_ok(flaw_name_index_new(&index, root, &err));
    assert_ok(flaw_name_index_find(&found, index, "x/a.png", &err));
    assert_ok(flaw_name_index_find(&found, index, "b.png", &err));
    assert_int_equal(flaw_name_index_find(&found, index, "c.png", &err), FLAW_MISSING);
    assert_int_equal(flaw_name_index_find(&found, index, "", &err), FLAW_MISSING);
    flaw_name_index_free(index);
    assert_int_equal(flaw_dataset_find(&list, root, NULL, &err), FLAW_BAD_DATA);
    flaw_dataset_list_release(&list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_csv, make_scratch, remove_scratch),
        cmocka_unit_test_setup_teardown(test_categories, make_scratch, remove_scratch),
        cmocka_unit_test_setup_teardown(test_visa, make_scratch, remove_scratch),
        cmocka_unit_test_setup_teardown(test_meta, make_scratch, remove_scratch),
        cmocka_unit_test_setup_teardown(test_manifest, make_scratch, remove_scratch),
        cmocka_unit_test_setup_teardown(test_wrong_csv, make_scratch, remove_scratch),
        cmocka_unit_test_setup_teardown(test_wrong_lines, make_scratch, remove_scratch),
        cmocka_unit_test_setup_teardown(test_links, make_scratch, remove_scratch),
        cmocka_unit_test(test_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
