/* Sentences: grammar, facts, places, nothing cut, nothing non-finite. */
#include "../check.h"

#include <ctype.h>
#include <math.h>

#include "talk/words.h"

static flaw_result anomalous(double score, double limit)
{
    flaw_result r = {.verdict = FLAW_ANOMALOUS, .score = score, .threshold = limit, .width = 640, .height = 480};
    snprintf(r.object, sizeof r.object, "metal nut");
    snprintf(r.rule, sizeof r.rule, "good-parts");
    return r;
}

static void add(flaw_result *r, const char *place, double area, int w, int h)
{
    flaw_region *g = &r->region[r->regions++];
    *g = (flaw_region){.width = w, .height = h, .area = area, .score = 0.7};
    snprintf(g->place, sizeof g->place, "%s", place);
}

static void test_one_region(void **state)
{
    flaw_result r = anomalous(0.71, 0.48);
    add(&r, "top left", 0.03, 64, 41);
    flaw_words_say(&r);
    assert_string_equal(r.words, "The metal nut looks anomalous: one region at the top left, about 3 % of the picture "
                                 "(64 x 41 px); score 0.71 against a limit of 0.48.");
}

static void test_more_regions(void **state)
{
    flaw_result r = anomalous(0.71, 0.48);
    add(&r, "center", 0.008, 30, 20);
    add(&r, "bottom", 0.03, 60, 40);
    flaw_words_say(&r);
    assert_string_equal(r.words,
                        "The metal nut looks anomalous: two regions, the strongest in the center, about 0.8 % of the "
                        "picture (30 x 20 px), the next at the bottom; score 0.71 against a limit of 0.48.");
    snprintf(r.region[1].place, sizeof r.region[1].place, "center"); /* the same place is not said twice */
    flaw_words_say(&r);
    assert_null(strstr(r.words, "the next"));
    while (r.regions < FLAW_MAX_REGIONS) add(&r, "left", 0.0001, 2, 2);
    flaw_words_say(&r);
    assert_contains(r.words, "many regions");
}

static void test_sizes(void **state)
{
    static const struct {
        double area;
        const char *says;
    } cases[] = {{0.0004, "under 0.1 %"}, {0.0013, "about 0.1 %"}, {0.0151, "about 1.5 %"},
                 {0.0349, "about 3 %"},   {0.4, "about 40 %"},     {0.8, "over most of the picture"}};
    for (size_t i = 0; i < 6; i++) {
        flaw_result r = anomalous(1, 0.5);
        add(&r, "center", cases[i].area, 10, 10);
        flaw_words_say(&r);
        assert_contains(r.words, cases[i].says);
    }
}

static void test_no_region(void **state)
{
    flaw_result r = anomalous(0.9, 0.5);
    flaw_words_say(&r);
    assert_contains(r.words, "no single place stands out");
}

static void test_normal(void **state)
{
    flaw_result r = anomalous(0.21, 0.48);
    r.verdict = FLAW_NORMAL;
    flaw_words_say(&r);
    assert_string_equal(r.words, "No anomaly seen on the metal nut; score 0.21 against a limit of 0.48.");
    r.unseen = 0.25;
    flaw_words_say(&r);
    assert_contains(r.words, " The borders, 25 % of the picture, were not looked at.");
}

/* Score and limit never read the same when the verdict says they differ. */
static void test_close_numbers(void **state)
{
    flaw_result r = anomalous(0.48003, 0.48);
    flaw_words_say(&r);
    assert_contains(r.words, "score 0.48003 against a limit of 0.48000");
    assert_contains(r.words, "close");
    r = anomalous(0.496, 0.484);
    flaw_words_say(&r);
    assert_contains(r.words, "score 0.50 against a limit of 0.48");
}

static void test_unknown(void **state)
{
    flaw_result r = anomalous(NAN, 0.48);
    r.verdict = FLAW_UNKNOWN;
    snprintf(r.doubt, sizeof r.doubt, "a.jpg: cut at byte 77");
    flaw_words_say(&r);
    assert_string_equal(r.words, "No verdict on the metal nut: a.jpg: cut at byte 77.");
    assert_null(strstr(r.words, "nan"));
    r.doubt[0] = '\0';
    flaw_words_say(&r);
    assert_contains(r.words, "No verdict");
}

/* The longest of everything fits, begins with a capital letter and ends with a full stop. */
static void test_longest(void **state)
{
    flaw_result r = anomalous(123456.789, 123456.0);
    memset(r.object, 'w', sizeof r.object - 1);
    for (int i = 0; i < FLAW_MAX_REGIONS; i++) add(&r, "bottom right", 0.01, 65500, 65500);
    r.unseen = 0.9;
    memset(r.doubt, 'd', sizeof r.doubt - 1);
    for (int verdict = FLAW_UNKNOWN; verdict <= FLAW_ANOMALOUS; verdict++) {
        r.verdict = (flaw_verdict)verdict;
        flaw_words_say(&r);
        size_t n = strlen(r.words);
        assert_true(n > 20 && n < sizeof r.words - 1);
        assert_true(isupper((unsigned char)r.words[0]));
        assert_int_equal(r.words[n - 1], '.');
        assert_null(strstr(r.words, "  "));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_region), cmocka_unit_test(test_more_regions), cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_no_region),  cmocka_unit_test(test_normal),       cmocka_unit_test(test_close_numbers),
        cmocka_unit_test(test_unknown),    cmocka_unit_test(test_longest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
