/* Sentences: names of objects, WinCLIP's ensemble, JSON files, the lint. */
#include "../check.h"

#include <math.h>

#include "base/buffer.h"
#include "base/file.h"
#include "detect/prompts.h"
#include "flaw/inspect.h"

static void test_names(void **state)
{
    static const char *const cases[][2] = {
        {"metal_nut", "metal nut"},
        {"macaroni1", "macaroni"},
        {"pcb3", "printed circuit board"},
        {"pcb", "printed circuit board"},
        {"chewinggum", "chewing gum"},
        {"pipe_fryum", "pipe fryum"},
        {"bottle", "bottle"},
        {"  a  b_ ", "a b"},
        {"part 3", "part 3"},
        {"42", "42"},
        {"", "object"},
        {"Gr\303\266\303\237e", "Gr\303\266\303\237e"},
        {"M8 bolt", "M8 bolt"},
    };
    char out[FLAW_OBJECT_ROOM];
    flaw_error err = {0};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_ok(flaw_object_clean(out, cases[i][0], &err));
        assert_string_equal(out, cases[i][1]);
    }
    assert_ok(flaw_object_clean(out, NULL, &err));
    assert_string_equal(out, "object");
    assert_ok(flaw_object_tidy(out, "metal_nut_", &err));
    assert_string_equal(out, "metal nut");
    assert_ok(flaw_object_tidy(out, "pcb3", &err));
    assert_string_equal(out, "pcb3");
}

static void test_names_refused(void **state)
{
    char out[FLAW_OBJECT_ROOM], longest[200];
    flaw_error err = {0};
    memset(longest, 'a', sizeof longest);
    longest[FLAW_OBJECT_ROOM - 1] = '\0';
    assert_ok(flaw_object_clean(out, longest, &err));
    longest[FLAW_OBJECT_ROOM - 1] = 'a';
    longest[FLAW_OBJECT_ROOM] = '\0';
    assert_int_equal(flaw_object_clean(out, longest, &err), FLAW_USAGE);
    assert_int_equal(flaw_object_clean(out, "a\nb", &err), FLAW_USAGE);
    assert_int_equal(flaw_object_clean(out, "a\x80", &err), FLAW_USAGE);
    assert_int_equal(flaw_object_clean(out, " _ ", &err), FLAW_USAGE);
    assert_int_equal(flaw_object_clean(out, "-7", &err), FLAW_USAGE);
    assert_int_equal(flaw_object_tidy(out, " _ ", &err), FLAW_USAGE);
}

static bool holds(const flaw_prompt_set *set, int c, const char *text)
{
    int n = 0;
    for (int i = 0; i < set->count[c]; i++) n += !strcmp(set->text[c][i], text);
    return n == 1;
}

/* 22 templates x 7 and x 4 states, each sentence once. */
static void test_templates(void **state)
{
    flaw_prompt_set set;
    flaw_error err = {0};
    assert_ok(flaw_prompts_templates(&set, "metal_nut", &err));
    assert_int_equal(set.count[0], 154);
    assert_int_equal(set.count[1], 88);
    assert_true(holds(&set, 0, "a photo of the unblemished metal nut."));
    assert_true(holds(&set, 0, "a cropped photo of a metal nut."));
    assert_true(holds(&set, 0, "a photo of the small metal nut without damage."));
    assert_true(holds(&set, 1, "a jpeg corrupted photo of the damaged metal nut."));
    assert_true(holds(&set, 1, "a photo of a metal nut with defect for anomaly detection."));
    for (int c = 0; c < 2; c++)
        for (int i = 0; i < set.count[c]; i++) {
            assert_true(holds(&set, c, set.text[c][i]));
            assert_int_equal(set.text[c][i][strlen(set.text[c][i]) - 1], '.');
        }
    flaw_prompts_release(&set);
}

static const char *const form =
    "{\"format\":\"flaw-prompts\",\"version\":1,\"entries\":["
    "{\"class\":\"bottle\",\"also\":[\"flask\"],\"normal\":[\"a bottle\",\"a fine "
    "bottle\"],\"abnormal\":[\"x\",\"y\"]},"
    "{\"class\":\"*\",\"normal\":[\"a {}\",\"the {} of a {}\"],\"abnormal\":[\"a bad {}\",\"A {} here\"]}]}";

static void parse(flaw_prompt_set *set, const char *json, const char *object)
{
    flaw_error err = {0};
    assert_ok(flaw_prompts_parse(set, json, strlen(json), "folder/test.json", object, &err));
}

static void test_json(void **state)
{
    flaw_prompt_set set;
    parse(&set, form, "Flask");
    assert_string_equal(set.text[0][1], "a fine bottle");
    assert_string_equal(set.source, "\"bottle\" of test.json");
    flaw_prompts_release(&set);
    parse(&set, form, "orange_lamp2");
    assert_string_equal(set.text[0][0], "an orange lamp");
    assert_string_equal(set.text[0][1], "the orange lamp of an orange lamp");
    assert_string_equal(set.text[1][0], "a bad orange lamp");
    assert_string_equal(set.text[1][1], "An orange lamp here");
    flaw_prompts_release(&set);
    parse(&set, form, NULL);
    assert_string_equal(set.text[0][0], "an object");
    flaw_prompts_release(&set);
}

static void test_json_refused(void **state)
{
    static const struct {
        const char *json;
        flaw_status status;
        const char *says;
    } cases[] = {
        {"", FLAW_BAD_DATA, "not JSON"},
        {"{", FLAW_BAD_DATA, "line 1"},
        {"[]", FLAW_BAD_DATA, "flaw-prompts"},
        {"{\"format\":\"flaw-prompts\",\"version\":2,\"entries\":[]}", FLAW_BAD_DATA, "version"},
        {"{\"format\":\"flaw-prompts\",\"version\":1,\"entries\":[]}", FLAW_MISSING, "lamp"},
        {"{\"format\":\"flaw-prompts\",\"version\":1,\"entries\":[{\"class\":\"lamp\",\"normal\":[\"a\"]}]}",
         FLAW_BAD_DATA, "abnormal"},
        {"{\"format\":\"flaw-prompts\",\"version\":1,\"entries\":[{\"class\":\"lamp\",\"normal\":[\"a\",\"b\"],"
         "\"abnormal\":[\"c\"]}]}",
         FLAW_BAD_DATA, "equal numbers"},
        {"{\"format\":\"flaw-prompts\",\"version\":1,\"entries\":[{\"class\":\"lamp\",\"normal\":[7],\"abnormal\":["
         "\"c\"]}]}",
         FLAW_BAD_DATA, "not a text"},
        {"{\"format\":\"flaw-prompts\",\"version\":1,\"entries\":[{\"class\":\"lamp\",\"normal\":[\"\"],"
         "\"abnormal\":[\"c\"]}]}",
         FLAW_BAD_DATA, "empty"},
        {"{\"format\":\"flaw-prompts\",\"version\":1,\"entries\":[{\"class\":\"lamp\",\"normal\":[\"a\\nb\"],"
         "\"abnormal\":[\"c\"]}]}",
         FLAW_BAD_DATA, "control"},
        {"{\"format\":\"flaw-prompts\",\"format\":\"flaw-prompts\",\"version\":1}", FLAW_BAD_DATA, "not JSON"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        flaw_prompt_set set;
        flaw_error err = {0};
        flaw_status s = flaw_prompts_parse(&set, cases[i].json, strlen(cases[i].json), "p.json", "lamp", &err);
        if (s != cases[i].status) fail_msg("case %zu: %s (%s)", i, flaw_status_name(s), err.text);
        assert_contains(err.text, cases[i].says);
        assert_contains(err.text, "p.json");
    }
}

/* Every object of MVTec and VisA, by the names of their folders, has sentences of its own; any other the general ones.
 */
static void test_builtin(void **state)
{
    static const char *const folders[] = {
        "bottle",     "cable", "capsule",    "carpet",     "grid", "hazelnut", "leather", "metal_nut", "pill",
        "screw",      "tile",  "toothbrush", "transistor", "wood", "zipper",   "candle",  "capsules",  "cashew",
        "chewinggum", "fryum", "macaroni1",  "macaroni2",  "pcb1", "pcb2",     "pcb3",    "pcb4",      "pipe_fryum"};
    flaw_error err = {0};
    flaw_prompt_set set;
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        assert_ok(flaw_prompts_builtin(&set, folders[i], &err));
        assert_contains(set.source, "mvtec-visa.json");
        assert_int_equal(set.count[0], 25);
        assert_int_equal(set.count[1], 25);
        flaw_prompts_release(&set);
    }
    assert_ok(flaw_prompts_builtin(&set, "gear wheel", &err));
    assert_contains(set.source, "general.json");
    assert_contains(set.text[0][0], "gear wheel");
    flaw_prompts_release(&set);
}

/* The files of models/prompts are what is built in, and the lint finds nothing in them. */
static void test_shipped(void **state)
{
    char path[1024];
    flaw_error err = {0};
    for (const flaw_prompts_source *source = flaw_prompts_sources(); source->name; source++) {
        flaw_bytes file;
        char *report = NULL;
        snprintf(path, sizeof path, "%s/models/prompts/%s", getenv("FLAW_SOURCE") ? getenv("FLAW_SOURCE") : ".",
                 source->name);
        assert_ok(flaw_file_read(&file, path, 1 << 24, &err));
        assert_int_equal(file.size, source->size);
        assert_memory_equal(file.data, source->json, source->size);
        flaw_bytes_release(&file);
        flaw_status s = flaw_prompts_lint(path, &report, &err);
        if (s) fail_msg("%s: %s", path, report);
        assert_string_equal(report, "");
        free(report);
    }
}

/* Ten good sentences with one planted fault each: found, and nothing else. */
static void test_lint(void **state)
{
    static const struct {
        const char *side; /* list the sentence is put into */
        const char *sentence;
        const char *says;
    } faults[] = {
        {"abnormal", "a photo of a lamp with no shade", "\"no\""},
        {"abnormal", "a lamp without its foot", "\"without\""},
        {"abnormal", "a flawless lamp", "\"flawless\""},
        {"normal", "a lamp with a scratch", "\"scratch\""},
        {"normal", "a photo of a lamp without cracks", "\"cracks\""},
        {"normal", "a photo of a fine device", "not named"},
        {"abnormal", "a photo of something dark", "not named"},
        {"normal", "a lamp", NULL},
        {"normal", "Lamp kind 1 in good light", "twice"},
        {"abnormal", "lamp kind 2 in good light", "both lists"},
        {"normal",
         "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
         "seventeen eighteen nineteen lamp twenty",
         "20 words"},
        {"normal",
         "extraordinarily incomprehensible characteristically institutionalized misunderstandings notwithstanding "
         "counterproductive lamp; internationalization, interchangeableness, uncharacteristically; "
         "disproportionately: electroencephalographically",
         "40 tokens"},
        {"normal", "lamp", "not a sentence"},
    };
    char path[512];
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        flaw_buffer b;
        flaw_error err = {0};
        char *report = NULL;
        flaw_buffer_init(&b, 1 << 20);
        flaw_buffer_text(&b, "{\"format\":\"flaw-prompts\",\"version\":1,\"entries\":[{\"class\":\"lamp\"");
        for (int c = 0; c < 2; c++) {
            const char *side = c ? "abnormal" : "normal";
            flaw_buffer_printf(&b, ",\"%s\":[", side);
            for (int k = 0; k < 6; k++)
                flaw_buffer_printf(&b, c ? "%s\"a bad lamp of kind %d\"" : "%s\"lamp kind %d in good light\"",
                                   k ? "," : "", k);
            flaw_buffer_printf(&b, ",\"%s\"]",
                               strcmp(faults[i].side, side) ? (c ? "an odd lamp" : "a nice lamp") : faults[i].sentence);
        }
        flaw_buffer_text(&b, "}]}");
        assert_ok(flaw_file_write(in_folder(path, *state, "p.json"), b.data, b.size, &err));
        flaw_status s = flaw_prompts_lint(path, &report, &err);
        if (!faults[i].says) {
            assert_int_equal(s, FLAW_OK);
        } else {
            if (s != FLAW_BAD_DATA) fail_msg("\"%s\" was let through", faults[i].sentence);
            assert_contains(report, faults[i].says);
            assert_contains(report, "lamp, ");
            assert_contains(err.text, ": 1 problem");
        }
        free(report);
        flaw_buffer_release(&b);
    }
}

static void test_lint_structure(void **state)
{
    static const char *const cases[][2] = {
        {"{", "not JSON"},
        {"{}", "no entries"},
        {"{\"format\":\"flaw-prompts\",\"version\":1,\"entries\":[{}]}", "no \"class\""},
        {"{\"format\":\"flaw-prompts\",\"version\":1,\"entries\":[{\"class\":\"lamp\",\"normal\":[\"a "
         "lamp\"],\"abnormal\":[]}]}",
         "not of one length"},
        {"{\"format\":\"flaw-prompts\",\"version\":1,\"entries\":[{\"class\":\"lamp\",\"normal\":[1],\"abnormal\":[2]}]"
         "}",
         "not a text"},
    };
    char path[512];
    flaw_error err = {0};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *report = NULL;
        assert_ok(flaw_file_write(in_folder(path, *state, "p.json"), cases[i][0], strlen(cases[i][0]), &err));
        assert_int_equal(flaw_prompts_lint(path, &report, &err), FLAW_BAD_DATA);
        assert_contains(report, cases[i][1]);
        free(report);
    }
    char *report = NULL;
    assert_int_equal(flaw_prompts_lint("not/there.json", &report, &err), FLAW_MISSING);
    assert_null(report);
}

static void test_blend(void **state)
{
    float normal[4] = {1, 0, 0, 1}, abnormal[4] = {1, 0, -1, 0}, out[2];
    flaw_prompt_set set = {.count = {2, 2}, .embedding = {normal, abnormal}, .width = 2};
    const double weight[2] = {0.5, 0.5};
    flaw_error err = {0};
    assert_ok(flaw_prompts_blend(out, &set, 0, weight, &err));
    assert_true(fabs(out[0] - sqrt(0.5)) < 1e-6 && fabs(out[1] - sqrt(0.5)) < 1e-6);
    assert_int_equal(flaw_prompts_blend(out, &set, 1, weight, &err), FLAW_BAD_DATA);
    assert_contains(err.text, "abnormal");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_names_refused),
        cmocka_unit_test(test_templates),
        cmocka_unit_test(test_json),
        cmocka_unit_test(test_json_refused),
        cmocka_unit_test(test_builtin),
        cmocka_unit_test(test_shipped),
        cmocka_unit_test_setup_teardown(test_lint, make_scratch, remove_scratch),
        cmocka_unit_test_setup_teardown(test_lint_structure, make_scratch, remove_scratch),
        cmocka_unit_test(test_blend),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
