/* Answers as people and models give them: yes or no, how many, where. */
#include "../check.h"

#include <math.h>

#include <jansson.h>

#include "flaw/talk.h"

enum { U = FLAW_UNKNOWN, N = FLAW_NORMAL, A = FLAW_ANOMALOUS };

typedef struct row {
    const char *text;
    int verdict, count;
    const char *places; /* separated by bars */
} row;

static void check_about(const row *r, const char *object)
{
    flaw_answer a = {.places = 5, .count = 77};
    char found[256] = "";
    if (object) flaw_answer_parse_about(&a, r->text, object);
    else flaw_answer_parse(&a, r->text);
    for (int i = 0; i < a.places; i++) {
        size_t used = strlen(found);
        snprintf(found + used, sizeof found - used, "%s%s", i ? "|" : "", a.place[i]);
    }
    if ((int)a.verdict != r->verdict || a.count != r->count || strcmp(found, r->places) != 0)
        fail_msg("\"%s\": %s, count %d, places \"%s\"; expected %d, %d, \"%s\"", r->text, flaw_verdict_name(a.verdict),
                 a.count, found, r->verdict, r->count, r->places);
}

static void check_all(const row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) check_about(&rows[i], NULL);
}

#define CHECK(rows) check_all(rows, sizeof(rows) / sizeof *(rows))

/* What AnomalyGPT is trained to say. */
static void test_trained_answers(void **state)
{
    static const row rows[] = {
        {"No, there is no anomaly in the image.", N, 0, ""},
        {"Yes, there is an anomaly in the image, at the top left of the image.", A, 1, "top left"},
        {"Yes, there is a defect in the image, at the bottom of the image.", A, 1, "bottom"},
        {"Yes, there are 2 anomalies in the image, they are at the top right and bottom left of the image.", A, 2,
         "top right|bottom left"},
        {"Yes, there are 2 anomalies in the image, they are at the center of the image.", A, 2, "center"},
        {"Yes, there are 3 anomalies in the image, they are at the left, right and bottom right of the image.", A, 3,
         "left|right|bottom right"},
        {"Yes, there is an anomaly in the image.", A, 1, ""},
        {"No, there are no defects in the picture.", N, 0, ""},
    };
    CHECK(rows);
}

static void test_yes_and_no(void **state)
{
    static const row rows[] = {
        {"Yes", A, -1, ""},
        {"yes.", A, -1, ""},
        {"YES!", A, -1, ""},
        {"Yeah, I think so.", A, -1, ""},
        {"No", N, 0, ""},
        {"no.", N, 0, ""},
        {"Nope.", N, 0, ""},
        {"**No**", N, 0, ""},
        {"Answer: No", N, 0, ""},
        {"The answer is yes.", A, -1, ""},
        {"The answer is no.", N, 0, ""},
        {"No there is not.", N, 0, ""},
        {"Is there any anomaly? No.", N, 0, ""},
        {"Is there any anomaly at the top? Yes, at the bottom.", A, -1, "bottom"},
        {"Well, yes: one anomaly, bottom-right corner.", A, 1, "bottom right"},
        {"\"No\"", N, 0, ""},
        {"No\nThere are no anomalies.", N, 0, ""},
        {"There is no\nanomaly here.", N, 0, ""},
    };
    CHECK(rows);
}

/* Words against words: no verdict. */
static void test_contradictions(void **state)
{
    static const row rows[] = {
        {"Yes, there is no anomaly in the image.", U, -1, ""},
        {"No, there is an anomaly in the image, at the left.", U, -1, "left"},
        {"Yes. No.", U, -1, ""},
        {"I cannot say yes or no.", U, -1, ""},
        {"There is an anomaly. There is no anomaly.", U, -1, ""},
        {"Yes, the part is fine.", U, -1, ""},
        {"No, the part is damaged.", U, -1, ""},
        {"No, it is not normal.", U, -1, ""},
        {"Yes, 0 anomalies.", U, -1, ""},
        {"The surface is intact and broken.", U, -1, ""},
        {"There is a crack. The part looks normal.", U, 1, ""},
    };
    CHECK(rows);
}

static void test_statements(void **state)
{
    static const row rows[] = {
        {"There is an anomaly in the center.", A, 1, "center"},
        {"There are two scratches at the top.", A, 2, "top"},
        {"The defect is at the upper left.", A, -1, "top left"},
        {"A crack is visible on the right side.", A, 1, "right"},
        {"I can see a small dent near the bottom.", A, 1, "bottom"},
        {"I see a scratch and a hole.", A, 2, ""},
        {"The part shows damage.", A, -1, ""},
        {"Anomaly detected.", A, -1, ""},
        {"An anomaly.", A, 1, ""},
        {"The metal nut has several defects.", A, -1, ""},
        {"There are a couple of cracks in the lower part.", A, 2, "bottom"},
        {"There is a 2 mm scratch.", A, 1, ""},
        {"No anomaly.", N, 0, ""},
        {"No visible surface defects.", N, 0, ""},
        {"There isn't any anomaly.", N, 0, ""},
        {"There isn\xe2\x80\x99t any anomaly.", N, 0, ""},
        {"I do not see any damage.", N, 0, ""},
        {"I could not find any anomaly.", N, 0, ""},
        {"No anomaly could be found.", N, 0, ""},
        {"The part is free of defects.", N, 0, ""},
        {"The part is defect-free.", N, 0, ""},
        {"It is anomaly free.", N, 0, ""},
        {"The part is not free of defects.", A, -1, ""},
        {"The bottle is without flaw.", N, 0, ""},
        {"An anomaly is not visible.", N, 0, ""},
        {"There are no scratches, dents or holes.", N, 0, ""},
        {"There are zero anomalies.", N, 0, ""},
        {"0 defects found.", N, 0, ""},
        {"There is no doubt that there is an anomaly.", A, 1, ""},
        {"Without a doubt, there is a crack.", A, 1, ""},
        {"The surface is not smooth, there is a scratch.", A, 1, ""},
        {"There is a scratch but no other damage.", A, 1, ""},
        {"Yes, there is a scratch at the top; the rest has no defect.", A, 1, "top"},
        {"The search failed to find any anomaly.", N, 0, ""},
    };
    CHECK(rows);
}

static void test_hints(void **state)
{
    static const row rows[] = {
        {"The part looks normal.", N, 0, ""},
        {"Everything is fine.", N, 0, ""},
        {"The hazelnut is intact and unblemished.", N, 0, ""},
        {"Nothing is wrong.", N, 0, ""},
        {"The nut looks anomalous.", A, -1, ""},
        {"It is broken in the middle.", A, -1, "center"},
        {"It does not look normal.", A, -1, ""},
        {"It is not damaged.", N, 0, ""},
        {"A part is missing on the lower left.", A, -1, "bottom left"},
        {"There is no scratch.", N, 0, ""},
        {"The nut is judged anomalous. There are two regions: one at the top left and one in the center.", A, 2,
         "top left|center"},
        {"One anomalous region was found at the bottom right.", A, 1, "bottom right"},
        {"No anomalous region was found.", N, 0, ""},
    };
    CHECK(rows);
}

/* Words that only suppose, ask or speak in general say nothing. */
static void test_nothing_said(void **state)
{
    static const row rows[] = {
        {"", U, -1, ""},
        {"   \n\n", U, -1, ""},
        {"Hello.", U, -1, ""},
        {"This is a photo of a nut for anomaly detection, which should be without any damage, flaw or scratch.", U, -1,
         ""},
        {"If there is an anomaly, it is at the top.", U, -1, "top"},
        {"There may be a defect on the left.", U, -1, "left"},
        {"I am not sure whether there is an anomaly.", U, -1, ""},
        {"I cannot tell. It looks normal.", U, -1, ""},
        {"I don't know.", U, -1, ""},
        {"Is there an anomaly?", U, -1, ""},
        {"An anomaly is a part that differs.", U, -1, ""},
        {"The anomaly score is 0.73.", U, -1, ""},
        {"Nothingness and yesterday, know, noon, eyes.", U, -1, ""},
        {"A defect cannot be ruled out.", U, -1, ""},
        {"Ja, es gibt einen Fehler.", U, -1, ""},
        {"\xe6\x98\xaf\xe7\x9a\x84\xef\xbc\x8c\xe6\x9c\x89\xe5\xbc\x82\xe5\xb8\xb8", U, -1, ""},
    };
    CHECK(rows);
}

/* This program is called flaw: a name is no anomaly. Where a name and a thing cannot be told apart, the thing counts. */
static void test_flaw_as_a_name(void **state)
{
    static const row rows[] = {
        {"flaw is a program that looks at pictures.", U, -1, ""},
        {"I am flaw.", U, -1, ""},
        {"I am flaw, a program for visual inspection.", U, -1, ""},
        {"My name is flaw.", U, -1, ""},
        {"This is flaw.", U, -1, ""},
        {"The product is called flaw.", U, -1, ""},
        {"The product is called \"flaw\".", U, -1, ""},
        {"Measured by flaw.", U, -1, ""},
        {"flaw found nothing.", U, -1, ""},
        {"flaw found no anomaly.", N, 0, ""},
        {"flaw has found no anomaly in the picture.", N, 0, ""},
        {"Flaw did not find any defect.", N, 0, ""},
        {"flaw cannot see any damage.", N, 0, ""},
        {"flaw says that the part is normal.", N, 0, ""},
        {"flaw judged the part normal.", N, 0, ""},
        {"According to flaw, the part is normal.", N, 0, ""},
        {"According to flaw there is a scratch at the left.", A, 1, "left"},
        {"flaw found a scratch at the top.", A, 1, "top"},
        {"flaw found two defects.", A, 2, ""},
        {"flaw sees a dent.", A, 1, ""},
        {"Yes, flaw found one anomaly at the bottom.", A, 1, "bottom"},
        {"flaw shows no anomaly here.", N, 0, ""},
        /* things */
        {"Flaw detected.", A, -1, ""},
        {"Flaw found at the left.", A, -1, "left"},
        {"Flaw is visible at the top.", A, -1, "top"},
        {"There is a flaw.", A, 1, ""},
        {"There is flaw at the left.", A, -1, "left"},
        {"A flaw.", A, 1, ""},
        {"Two flaws were found.", A, 2, ""},
        {"The flaw is a scratch at the right.", A, 1, "right"},
        {"No flaw was found.", N, 0, ""},
        {"It is without flaw.", N, 0, ""},
        {"A flaw cannot be seen.", N, 0, ""},
        {"No flaw.", N, 0, ""},
    };
    CHECK(rows);
}

/* A product's name that sounds like a verdict or a place says nothing; other words do. */
static void test_names_of_products(void **state)
{
    static const struct {
        const char *object;
        row row;
    } rows[] = {
        {"hole saw", {"The hole saw is shown.", U, -1, ""}},
        {"hole saw", {"There is a Hole Saw in the picture.", U, -1, ""}},
        {"hole saw", {"There are two hole saws; one has a hole at the left.", A, 1, "left"}},
        {"hole saw", {"No, there is no anomaly on the hole saw.", N, 0, ""}},
        {"left shoe", {"Yes, the left shoe has a tear at the top.", A, 1, "top"}},
        {"chip", {"The chip is intact.", N, 0, ""}},
        {"chip", {"The chips are intact.", N, 0, ""}},
        {"chip", {"Yes, there is a scratch on the chip.", A, 1, ""}},
        {"switch", {"The switches show two cracks.", A, 2, ""}},
        {"flaw", {"The flaw is intact.", N, 0, ""}},
        {"clean cut", {"The clean cut has a dent.", A, 1, ""}},
        {"part", {"Yes, in the upper part.", A, -1, "top"}},
        {"no", {"No.", N, 0, ""}},
        {"", {"No.", N, 0, ""}},
        {"object", {"The hole saw has a dent.", A, 1, ""}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) check_about(&rows[i].row, rows[i].object);
}

/* What a normal part is like says nothing about this one. */
static void test_definitions(void **state)
{
    static const row rows[] = {
        {"A normal cable has three wires.", U, -1, ""},
        {"Normal cables have three wires.", U, -1, ""},
        {"An intact nut is smooth.", U, -1, ""},
        {"Every normal cable has three wires.", U, -1, ""},
        {"A normal cable has no scratches.", U, -1, ""},
        {"A normal cable shows no defects.", U, -1, ""},
        {"In a normal cable there is no cut.", U, -1, ""},
        {"A normal cable, which has three wires, is round.", U, -1, ""},
        {"A cable with three wires is normal.", U, -1, ""},
        {"A cable is normal when it has three wires.", U, -1, ""},
        {"Normal means without damage.", U, -1, ""},
        {"Normal means that there is no scratch.", U, -1, ""},
        {"Usually there is no scratch.", U, -1, ""},
        {"A broken cable has loose wires.", U, -1, ""},
        {"It differs from a normal cable.", U, -1, ""},
        {"No, a normal cable has three wires.", N, 0, ""},
        {"Yes, a normal cable has three wires.", A, -1, ""},
        {"A normal cable has three wires, this one has a cut at the left.", A, 1, "left"},
        {"A normal cable has three wires. This one has a cut.", A, 1, ""},
        {"A normal cable has three wires, but here one is missing.", A, -1, ""},
        {"A normal cable has three wires and so has this one. There is no anomaly.", N, 0, ""},
        /* of this one */
        {"It is a normal cable.", N, 0, ""},
        {"This is a normal cable with three wires.", N, 0, ""},
        {"This cable is normal.", N, 0, ""},
        {"The picture shows a normal cable.", N, 0, ""},
        {"It looks like a normal cable.", N, 0, ""},
        {"It does not look like a normal cable.", A, -1, ""},
        {"A normal cable.", N, 0, ""},
        {"Normal cable, no defects.", N, 0, ""},
        {"A normal cable is shown.", N, 0, ""},
        {"An intact nut can be seen.", N, 0, ""},
        {"All wires are intact.", N, 0, ""},
        {"Fine scratches are visible at the top.", A, -1, "top"},
        {"A broken tooth is at the left.", A, -1, "left"},
        {"A damaged edge is visible.", A, -1, ""},
        {"Okay, it is normal.", N, 0, ""},
    };
    CHECK(rows);
}

static void test_counts(void **state)
{
    static const row rows[] = {
        {"Yes, there are three anomalies.", A, 3, ""},
        {"Yes, there are twelve small defects.", A, 12, ""},
        {"Yes, there are 14 anomalies.", A, 14, ""},
        {"Yes, a single defect.", A, 1, ""},
        {"Yes, there are many anomalies.", A, -1, ""},
        {"There are two.", U, 2, ""},
        {"4", U, 4, ""},
        {"Number of anomalies: 2", U, 2, ""},
        {"Yes, there are 2 anomalies: one anomaly at the top and one anomaly at the left.", A, 2, "top|left"},
        {"Yes, there is one anomaly. There are 4 anomalies.", A, -1, ""},
        {"Yes, there is one of the known defects.", A, -1, ""},
        {"Yes, there is an anomaly. The anomaly is a scratch at the left.", A, 1, "left"},
        {"Yes, there are 99999999999999999999 anomalies.", A, -1, ""},
        {"Yes, there are 2.5 anomalies.", A, -1, ""},
        {"Yes, a scratch, a dent and two holes are visible.", A, 4, ""},
        {"Yes, about 3 % of the picture has a defect.", A, 1, ""},
    };
    CHECK(rows);
}

static void test_places(void **state)
{
    static const row rows[] = {
        {"Yes, at the upper-left.", A, -1, "top left"},
        {"Yes, upper left-hand corner.", A, -1, "top left"},
        {"Yes, topleft.", A, -1, "top left"},
        {"Yes, top_left and left top.", A, -1, "top left"},
        {"Yes, top, left.", A, -1, "top|left"},
        {"Yes, at the top and left.", A, -1, "top|left"},
        {"Yes, at the top left and right.", A, -1, "top left|right"},
        {"Yes, in the middle left.", A, -1, "left"},
        {"Yes, at the top center.", A, -1, "top"},
        {"Yes, in the centre.", A, -1, "center"},
        {"Yes, in the central part.", A, -1, "center"},
        {"Yes, in the upper part, the lower edge and the left half.", A, -1, "top|bottom|left"},
        {"Yes, on the rightmost side.", A, -1, "right"},
        {"Yes, in the middle of the left side.", A, -1, "left"},
        {"Yes, left of the center.", A, -1, "left"},
        {"Yes, you are right.", A, -1, ""},
        {"Yes, that's right.", A, -1, ""},
        {"Yes, right now.", A, -1, ""},
        {"Yes, nothing is left.", A, -1, ""},
        {"Yes, a stain on top of the part.", A, 1, ""},
        {"Yes, the score is lower than before.", A, -1, ""},
        {"Yes, not at the top but at the bottom.", A, -1, "bottom"},
        {"Yes: TOP LEFT, TOP, TOP RIGHT, LEFT, CENTER, RIGHT, BOTTOM LEFT, BOTTOM, BOTTOM RIGHT, middle.", A, -1,
         "top left|top|top right|left|center|right|bottom left|bottom|bottom right"},
        {"No, there is no anomaly at the top left.", N, 0, ""},
        {"Yes, there is damage from the bottom\xe2\x80\x91left to the top\xe2\x80\x90right.", A, -1,
         "bottom left|top right"},
        {"Yes \xe2\x80\x94 left \xe2\x80\x93 right.", A, -1, "left|right"},
    };
    CHECK(rows);
}

/* Any bytes, any length. */
static void test_any_text(void **state)
{
    flaw_answer a = {0};
    flaw_answer_parse(&a, NULL);
    assert_int_equal(a.verdict, FLAW_UNKNOWN);
    size_t size = 40000;
    char *text = malloc(size + 1);
    static const char *const pieces[] = {
        "scratch ", "9999 scratches and ", ", ", "\xff\xc3", "top left ", "no ", "yes ", ", a ", "."};
    for (size_t p = 0; p < sizeof pieces / sizeof *pieces; p++) {
        size_t n = strlen(pieces[p]);
        for (size_t i = 0; i < size; i++) text[i] = pieces[p][i % n];
        text[size] = '\0';
        flaw_answer_parse(&a, text);
        assert_in_range(a.places, 0, FLAW_MAX_PLACES);
    }
    uint32_t seed = 1;
    for (size_t i = 0; i < size; i++) text[i] = (char)((seed = seed * 1664525u + 1013904223u) >> 24 | 1);
    flaw_answer_parse(&a, text);
    free(text);
}

static json_t *json_of(const flaw_answer *a)
{
    char *text = flaw_answer_json(a, "part\xff.png", "Is there\n\"any\" anomaly?", "default");
    assert_non_null(text);
    assert_null(strchr(text, '\n'));
    json_t *root = json_loads(text, 0, NULL);
    assert_non_null(root);
    free(text);
    return root;
}

static void test_json(void **state)
{
    int ids[] = {3, 1, 2};
    flaw_answer a = {.text = (char *)"Yes, at the left.",
                     .ids = ids,
                     .id_count = 3,
                     .source = FLAW_TALK_LANGUAGE,
                     .verdict = FLAW_ANOMALOUS,
                     .count = 1,
                     .place = {"left"},
                     .places = 1,
                     .score = 0.75,
                     .threshold = 0.5,
                     .map_verdict = FLAW_ANOMALOUS,
                     .agree = 1,
                     .cut = 1};
    json_t *root = json_of(&a);
    assert_string_equal(json_string_value(json_object_get(root, "image")), "part?.png");
    assert_string_equal(json_string_value(json_object_get(root, "question")), "Is there\n\"any\" anomaly?");
    assert_string_equal(json_string_value(json_object_get(root, "answer")), "Yes, at the left.");
    assert_int_equal(json_array_size(json_object_get(root, "ids")), 3);
    assert_int_equal(json_integer_value(json_array_get(json_object_get(root, "ids"), 0)), 3);
    assert_string_equal(json_string_value(json_object_get(root, "source")), "language");
    assert_string_equal(json_string_value(json_object_get(root, "verdict")), "anomalous");
    assert_string_equal(json_string_value(json_object_get(root, "map_verdict")), "anomalous");
    assert_true(json_is_true(json_object_get(root, "agree")));
    assert_true(json_is_true(json_object_get(root, "cut")));
    assert_int_equal(json_integer_value(json_object_get(root, "count")), 1);
    assert_string_equal(json_string_value(json_array_get(json_object_get(root, "places"), 0)), "left");
    assert_true(json_real_value(json_object_get(root, "score")) == 0.75);
    json_decref(root);
    a = (flaw_answer){.text = (char *)"Hm.", .source = FLAW_TALK_FACTS, .count = -1, .agree = -1, .score = NAN};
    root = json_of(&a);
    assert_null(json_object_get(root, "ids"));
    assert_true(json_is_null(json_object_get(root, "count")));
    assert_true(json_is_null(json_object_get(root, "agree")));
    assert_true(json_is_null(json_object_get(root, "score")));
    assert_string_equal(json_string_value(json_object_get(root, "source")), "facts");
    assert_int_equal(json_array_size(json_object_get(root, "places")), 0);
    json_decref(root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_trained_answers), cmocka_unit_test(test_yes_and_no),
        cmocka_unit_test(test_contradictions),  cmocka_unit_test(test_statements),
        cmocka_unit_test(test_hints),           cmocka_unit_test(test_nothing_said),
        cmocka_unit_test(test_names_of_products),
        cmocka_unit_test(test_flaw_as_a_name),  cmocka_unit_test(test_definitions),
        cmocka_unit_test(test_counts),          cmocka_unit_test(test_places),
        cmocka_unit_test(test_any_text),        cmocka_unit_test(test_json),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
