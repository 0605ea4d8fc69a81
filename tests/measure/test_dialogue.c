/* Answers against the truth, by answers whose figures are worked out by hand; and the truth of masks. */
#include "../check.h"

#include <math.h>

#include "measure/eval/dialogue.h"

static flaw_dialogue_truth bad(int count, const char *one, const char *two)
{
    flaw_dialogue_truth t = {.anomalous = true, .located = count > 0, .count = count};
    if (one) t.place[t.places++] = one;
    if (two) t.place[t.places++] = two;
    return t;
}

/* Through the parser, as a language model's answers come. */
static void say(flaw_dialogue_tally *tally, flaw_dialogue_truth truth, const char *words)
{
    flaw_answer answer = {.count = -1};
    flaw_answer_parse(&answer, words);
    flaw_dialogue_add(tally, &truth, &answer);
}

static void figures_by_hand(void **state)
{
    flaw_dialogue_tally t = {0};
    const flaw_dialogue_truth good = {0};
    say(&t, good, "No, there is no anomaly in the image.");
    say(&t, good, "No.");
    say(&t, good, "Yes, there is an anomaly in the image, at the top of the image.");
    say(&t, good, "The picture shows a bottle."); /* says neither: wrong, and a false alarm */
    /* right in everything */
    say(&t, bad(1, "left", NULL), "Yes, there is an anomaly in the image, at the left of the image.");
    say(&t, bad(2, "top left", "center"),
        "Yes, there are 2 anomalies in the image, they are at the top left and center of the image.");
    /* count right, one of two places */
    say(&t, bad(2, "top left", "center"),
        "Yes, there are 2 anomalies in the image, they are at the center of the image.");
    /* count wrong, a wrong place beside a right one */
    say(&t, bad(1, "left", NULL),
        "Yes, there are 2 anomalies in the image, they are at the left and top of the image.");
    /* yes and nothing else */
    say(&t, bad(1, "right", NULL), "Yes.");
    /* no, and a place that would be right does not help */
    say(&t, bad(1, "right", NULL), "No, there is no anomaly at the right of the image.");
    /* neither */
    say(&t, bad(1, "right", NULL), "A metal nut.");
    /* no mask: only yes and no count */
    say(&t, bad(0, NULL, NULL), "Yes, there is an anomaly in the image, at the left of the image.");
    flaw_ablation_figures f;
    flaw_dialogue_figures(&f, &t);
    assert_true(fabs(f.accuracy - 8. / 12) < 1e-12);
    assert_true(fabs(f.false_alarms - 2. / 4) < 1e-12);
    assert_true(fabs(f.misses - 1. / 8) < 1e-12);
    assert_true(fabs(f.count - 3. / 7) < 1e-12);
    assert_true(fabs(f.place - 3. / 7) < 1e-12);
    assert_true(fabs(f.every_place - 2. / 7) < 1e-12);
}

static void nothing_to_measure(void **state)
{
    flaw_ablation_figures f;
    flaw_dialogue_tally t = {0};
    flaw_dialogue_figures(&f, &t);
    assert_true(isnan(f.accuracy) && isnan(f.false_alarms) && isnan(f.misses) && isnan(f.count) && isnan(f.place));
    say(&t, (flaw_dialogue_truth){0}, "No.");
    flaw_dialogue_figures(&f, &t);
    assert_true(f.accuracy == 1 && f.false_alarms == 0 && isnan(f.misses) && isnan(f.count) && isnan(f.every_place));
}

static void truth_of_masks(void **state)
{
    enum { SIDE = 96 };
    static uint8_t mask[SIDE * SIDE];
    flaw_dialogue_truth t;
    flaw_error err;
    assert_int_equal(flaw_dialogue_truth_of(&t, mask, SIDE, SIDE, "part 7.png", &err), FLAW_BAD_DATA);
    assert_contains(err.text, "part 7.png");
    for (int y = 10; y < 20; y++) { /* two at the top left, one at the right */
        memset(mask + y * SIDE + 4, 1, 6);
        memset(mask + y * SIDE + 20, 1, 7);
        memset(mask + (y + 30) * SIDE + 80, 1, 10);
    }
    assert_ok(flaw_dialogue_truth_of(&t, mask, SIDE, SIDE, "part 7.png", &err));
    assert_true(t.anomalous && t.located);
    assert_int_equal(t.count, 3);
    assert_int_equal(t.places, 2);
    assert_string_equal(t.place[0], "right"); /* the largest */
    assert_string_equal(t.place[1], "top left");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(figures_by_hand),
        cmocka_unit_test(nothing_to_measure),
        cmocka_unit_test(truth_of_masks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
