/* Results as JSON, mask, map and overlay. */
#include "../check.h"

#include <jansson.h>
#include <math.h>

#include "base/file.h"
#include "flaw/inspect.h"

static flaw_result make(void)
{
    flaw_result r = {.verdict = FLAW_ANOMALOUS,
                     .score = 0.75,
                     .threshold = 0.5,
                     .false_alarm_rate = NAN,
                     .width = 20,
                     .height = 10,
                     .regions = 1,
                     .map_threshold = 0.5,
                     .map_low = 0.1,
                     .ms = 12.5};
    r.region[0] = (flaw_region){.x = 3, .y = 4, .width = 5, .height = 2, .area = 0.05, .score = 0.9, .place = "center"};
    snprintf(r.rule, sizeof r.rule, "good-parts");
    snprintf(r.method, sizeof r.method, "few-shot");
    snprintf(r.object, sizeof r.object, "metal nut");
    snprintf(r.words, sizeof r.words, "The \"nut\" looks\nodd.");
    r.map = calloc(200, sizeof *r.map);
    assert_non_null(r.map);
    for (int i = 100; i < 200; i++) r.map[i] = 0.5f; /* on the limit, not over it */
    for (int y = 4; y < 6; y++)
        for (int x = 3; x < 8; x++) r.map[y * 20 + x] = 0.9f;
    return r;
}

static json_t *parse(const flaw_result *r, const char *image, const char *files)
{
    char *text = flaw_result_json(r, image, "model A", files);
    assert_non_null(text);
    assert_null(strchr(text, '\n'));
    json_t *root = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    free(text);
    assert_non_null(root);
    return root;
}

static const char *text_of(const json_t *root, const char *key)
{
    const char *text = json_string_value(json_object_get(root, key));
    if (!text) fail_msg("no text \"%s\"", key);
    return text;
}

static void test_json(void **state)
{
    flaw_result r = make();
    json_t *root = parse(&r, "a b.png", "{\"map\":\"m.npy\"}");
    assert_string_equal(text_of(root, "image"), "a b.png");
    assert_string_equal(text_of(root, "verdict"), "anomalous");
    assert_string_equal(text_of(root, "rule"), "good-parts");
    assert_string_equal(text_of(root, "method"), "few-shot");
    assert_string_equal(text_of(root, "model"), "model A");
    assert_string_equal(text_of(root, "object"), "metal nut");
    assert_string_equal(text_of(root, "words"), r.words);
    assert_true(json_real_value(json_object_get(root, "score")) == 0.75);
    assert_true(json_real_value(json_object_get(root, "threshold")) == 0.5);
    assert_true(json_is_null(json_object_get(root, "false_alarm_rate")));
    assert_true(json_real_value(json_object_get(root, "ms")) == 12.5);
    assert_string_equal(text_of(json_object_get(root, "files"), "map"), "m.npy");
    const json_t *region = json_array_get(json_object_get(root, "regions"), 0), *box = json_object_get(region, "box");
    const int want[4] = {3, 4, 5, 2};
    for (size_t i = 0; i < 4; i++) assert_int_equal(json_integer_value(json_array_get(box, i)), want[i]);
    assert_true(json_real_value(json_object_get(region, "area")) == 0.05);
    assert_string_equal(text_of(region, "place"), "center");
    assert_null(json_object_get(root, "doubt"));
    assert_null(json_object_get(root, "closest"));
    json_decref(root);
    flaw_result_release(&r);
}

/* Non-finite numbers are null, names that are not UTF-8 stay readable, a doubt is told. */
static void test_json_doubt(void **state)
{
    flaw_result r = make();
    r.verdict = FLAW_UNKNOWN;
    r.score = INFINITY;
    r.threshold = NAN;
    r.regions = 0;
    snprintf(r.doubt, sizeof r.doubt, "cut");
    json_t *root = parse(&r, "x\xff\xfe.png", NULL);
    assert_string_equal(text_of(root, "image"), "x??.png");
    assert_string_equal(text_of(root, "verdict"), "unknown");
    assert_string_equal(text_of(root, "doubt"), "cut");
    assert_true(json_is_null(json_object_get(root, "score")) && json_is_null(json_object_get(root, "threshold")));
    assert_int_equal(json_array_size(json_object_get(root, "regions")), 0);
    assert_null(json_object_get(root, "files"));
    json_decref(root);
    assert_null(flaw_result_json(&r, "x", "m", "{broken"));
    flaw_result_release(&r);
}

/* White where the map of an anomalous picture is over its limit; black on a normal or unknown one. */
static void test_mask(void **state)
{
    char path[512];
    flaw_error err = {0};
    for (int verdict = FLAW_UNKNOWN; verdict <= FLAW_ANOMALOUS; verdict++) {
        flaw_result r = make();
        flaw_picture mask;
        r.verdict = (flaw_verdict)verdict;
        assert_ok(flaw_result_write_mask(&r, in_folder(path, *state, "mask.png"), &err));
        assert_ok(flaw_picture_read(&mask, path, &err));
        assert_true(mask.width == 20 && mask.height == 10);
        flaw_bytes file;
        assert_ok(flaw_file_read(&file, path, 1 << 20, &err));
        assert_true(file.data[24] == 8 && file.data[25] == 0); /* PNG header: 8 bits, grey */
        flaw_bytes_release(&file);
        for (int i = 0; i < 200; i++) {
            int want = verdict == FLAW_ANOMALOUS && r.map[i] > 0.5f ? 255 : 0;
            for (int c = 0; c < 3; c++) assert_int_equal(mask.rgb[3 * i + c], want);
        }
        flaw_picture_release(&mask);
        flaw_result_release(&r);
    }
}

static void test_map(void **state)
{
    char path[512];
    flaw_result r = make();
    flaw_bytes file;
    flaw_error err = {0};
    assert_ok(flaw_result_write_map(&r, in_folder(path, *state, "map.npy"), &err));
    assert_ok(flaw_file_read(&file, path, 1 << 20, &err));
    assert_memory_equal(file.data + file.size - 200 * sizeof(float), r.map, 200 * sizeof(float));
    assert_contains((const char *)file.data + 10, "(10, 20,)");
    flaw_bytes_release(&file);
    flaw_result_release(&r);
    assert_int_equal(flaw_result_write_map(&r, path, &err), FLAW_USAGE);
}

static void test_overlay(void **state)
{
    char path[512];
    flaw_result r = make();
    flaw_picture photograph, drawn;
    flaw_error err = {0};
    assert_ok(flaw_picture_new(&photograph, 20, 10, &err));
    assert_ok(flaw_result_write_overlay(&r, &photograph, in_folder(path, *state, "overlay.png"), &err));
    assert_ok(flaw_picture_read(&drawn, path, &err));
    assert_true(drawn.width >= 320 && drawn.height > 0);
    flaw_picture_release(&drawn);
    flaw_result_release(&r); /* without a map there is a picture still */
    r.verdict = FLAW_UNKNOWN;
    assert_ok(flaw_result_write_overlay(&r, &photograph, path, &err));
    flaw_picture_release(&photograph);
}

/* Where the sentences came from; what is not known is null, what did not happen is not there. */
static void test_json_prompts(void **state)
{
    flaw_result r = make();
    json_t *root = parse(&r, "a.png", NULL);
    assert_null(json_object_get(root, "prompts"));
    json_decref(root);
    r.prompts = (flaw_prompts_about){.source = "http://host/v1", .model = "a \"b\"", .count = 25, .cached = 1};
    root = parse(&r, "a.png", NULL);
    const json_t *p = json_object_get(root, "prompts");
    assert_string_equal(text_of(p, "source"), "http://host/v1");
    assert_string_equal(text_of(p, "model"), "a \"b\"");
    assert_true(json_is_null(json_object_get(p, "date")) && json_is_true(json_object_get(p, "cached")));
    assert_int_equal(json_integer_value(json_object_get(p, "count")), 25);
    assert_null(json_object_get(p, "note"));
    json_decref(root);
    snprintf(r.prompts.note, sizeof r.prompts.note, "the cache stands in");
    root = parse(&r, "a.png", NULL);
    assert_string_equal(text_of(json_object_get(root, "prompts"), "note"), "the cache stands in");
    json_decref(root);
    flaw_result_release(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_json),
        cmocka_unit_test(test_json_prompts),
        cmocka_unit_test(test_json_doubt),
        cmocka_unit_test_setup_teardown(test_mask, make_scratch, remove_scratch),
        cmocka_unit_test_setup_teardown(test_map, make_scratch, remove_scratch),
        cmocka_unit_test_setup_teardown(test_overlay, make_scratch, remove_scratch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
