/* The chart of an explanation, read back: bars as long as their pulls, on their side, in their colour. */
#include "../inspect/check.h"

#include "flaw/explain.h"

enum { WIDTH = 1320, AXIS = WIDTH / 2, REACH = 300, EDGE = 16, MOST = 220 };

typedef struct rgb {
    uint8_t r, g, b;
} rgb;

static const rgb BLUE = {0, 114, 178}, PALE_BLUE = {153, 199, 224}, ORANGE = {213, 94, 0}, PALE_ORANGE = {238, 191, 153},
                 INK = {32, 38, 46}, FAINT = {150, 157, 167}, GREEN = {22, 150, 84}, RED = {208, 38, 46};

static bool is(const flaw_picture *p, int x, int y, rgb colour)
{
    const uint8_t *at = p->rgb + 3 * (y * p->width + x);
    return at[0] == colour.r && at[1] == colour.g && at[2] == colour.b;
}

static int count(const flaw_picture *p, rgb colour)
{
    int n = 0;
    for (int y = 0; y < p->height; y++)
        for (int x = 0; x < p->width; x++) n += is(p, x, y, colour);
    return n;
}

/* Bars of one colour that grow from the axis, below the sums: their lengths, from the top. A bar is 9 rows high. */
static int bars(int *length, const flaw_picture *p, bool right, rgb colour)
{
    int n = 0, high = 0;
    for (int y = 190; y < p->height; y++) {
        int run = 0, x = right ? AXIS : AXIS - 1;
        while (x >= 0 && x < p->width && is(p, x, y, colour)) {
            x += right ? 1 : -1;
            run++;
        }
        high = run ? high + 1 : 0;
        if (high == 5) length[n++] = run;
        if (high > 9) fail_msg("a bar of more than 9 rows ends at row %d", y);
    }
    return n;
}

static flaw_sentence sentence(const char *text, bool abnormal, int number, double pull)
{
    return (flaw_sentence){.text = text, .abnormal = abnormal, .number = number, .similarity = 0.2, .weight = fabs(pull) > 0,
                           .pull = pull, .other = 0.5, .kept = pull != 0, .twin = -1};
}

static flaw_explanation explanation(flaw_sentence *list, int n)
{
    flaw_explanation e = {.sentence = list, .count = n, .rule = "overlap", .source = "a test", .verdict = FLAW_ANOMALOUS,
                          .score = 0.7, .threshold = 0.5, .method = "alfa", .object = "metal nut"};
    for (int i = 0; i < n; i++) {
        e.pull[list[i].abnormal] += list[i].pull;
        e.kept[list[i].abnormal] += list[i].kept;
        e.total[list[i].abnormal] += !list[i].banned;
    }
    e.margin = e.pull[0] + e.pull[1];
    return e;
}

static flaw_picture drawn(const flaw_explanation *e, const void *folder)
{
    char path[512];
    flaw_picture p = {0};
    flaw_error err = {0};
    assert_ok(flaw_explanation_write_chart(e, in_folder(path, folder, "chart.png"), &err));
    assert_ok(flaw_picture_read(&p, path, &err));
    assert_int_equal(p.width, WIDTH);
    /* Paper to the left and to the right: nothing runs over the edge. */
    for (int y = 0; y < p.height; y++)
        for (int x = 0; x < EDGE - 1; x++)
            assert_true(is(&p, x, y, (rgb){255, 255, 255}) && is(&p, WIDTH - 1 - x, y, (rgb){255, 255, 255}));
    return p;
}

static void test_bars(void **state)
{
    int length[8];
    flaw_sentence list[] = {sentence("a bent {}", true, 2, 0.8),   sentence("a clean {}", false, 1, -0.4),
                            sentence("a broken {}", true, 1, 0.2), sentence("a whole {}", false, 3, -0.1),
                            sentence("a good {}", false, 2, 0),    sentence("a cracked {}", true, 3, 0)};
    list[2].ambiguous = true;
    flaw_explanation e = explanation(list, 6);
    flaw_picture p = drawn(&e, *state);
    assert_int_equal(bars(length, &p, true, ORANGE), 1);
    assert_int_equal(length[0], REACH);
    assert_int_equal(bars(length, &p, true, PALE_ORANGE), 1);
    assert_int_equal(length[0], REACH / 4);
    assert_int_equal(bars(length, &p, false, BLUE), 2);
    assert_int_equal(length[0], REACH / 2);
    assert_true(abs(length[1] - REACH / 8) <= 1);
    assert_int_equal(bars(length, &p, false, PALE_BLUE), 0);
    assert_int_equal(bars(length, &p, false, ORANGE) + bars(length, &p, true, BLUE), 0);
    /* The sums above: 0.5 against 1.0. */
    int left = 0, right = 0;
    while (is(&p, AXIS - 2 - left, 150, BLUE)) left++;
    while (is(&p, AXIS + right, 150, ORANGE)) right++;
    assert_true(right == 500 && abs(left - 249) <= 1);
    assert_true(count(&p, RED) > 2000 && count(&p, GREEN) == 0 && is(&p, AXIS + 1, p.height - 3, (rgb){255, 255, 255}));
    flaw_picture_release(&p);
    e.verdict = FLAW_NORMAL;
    p = drawn(&e, *state);
    assert_true(count(&p, GREEN) > 2000 && count(&p, RED) == 0);
    flaw_picture_release(&p);
}

/* Pins are a disc on the bar; dropped and banned ones a faint text without a bar, banned ones struck through. */
static void test_kinds(void **state)
{
    int length[8];
    flaw_sentence list[] = {sentence("a bent {}", true, 1, 0.8), sentence("a clean {}", false, 1, -0.8),
                            sentence("a worn {}", true, 2, 0)};
    flaw_explanation e = explanation(list, 2);
    flaw_picture plain = drawn(&e, *state);
    list[0].pinned = true;
    flaw_picture pinned = drawn(&e, *state);
    int discs[2] = {0, 0};
    for (int y = 190; y < plain.height - 62; y++) {
        discs[0] += is(&plain, AXIS + 10, y, INK);
        discs[1] += is(&pinned, AXIS + 10, y, INK);
    }
    assert_true(discs[1] - discs[0] >= 7 && discs[1] - discs[0] <= 10); /* letters above are ink too */
    list[0].pinned = false;
    e = explanation(list, 3);
    flaw_picture dropped = drawn(&e, *state);
    list[2].banned = true;
    flaw_picture banned = drawn(&e, *state);
    assert_true(count(&dropped, FAINT) > count(&plain, FAINT) + 50);
    assert_int_equal(bars(length, &dropped, true, ORANGE), 1);
    int longest[2] = {0, 0}; /* run in one row, right of the axis */
    const flaw_picture *both[2] = {&dropped, &banned};
    for (int k = 0; k < 2; k++)
        for (int y = 190; y < both[k]->height - 62; y++)
            for (int x = AXIS + 4, run = 0; x < WIDTH; x++) {
                run = is(both[k], x, y, (rgb){112, 120, 132}) ? run + 1 : 0;
                longest[k] = run > longest[k] ? run : longest[k];
            }
    assert_true(longest[0] < 20 && longest[1] > 60);
    flaw_picture_release(&plain);
    flaw_picture_release(&pinned);
    flaw_picture_release(&dropped);
    flaw_picture_release(&banned);
}

/* Long sentences take a second line and then end in dots; long lists end in a line of their own. */
static void test_long(void **state)
{
    static char text[4][600];
    static flaw_sentence list[MOST];
    int height[4], length[64];
    static const int letters[4] = {20, 110, 400, 511};
    for (int i = 0; i < 4; i++) {
        for (int k = 0; k < letters[i]; k++) text[i][k] = k % 7 == 6 ? ' ' : (char)('a' + k % 26);
        list[0] = sentence(text[i], true, 1, 0.5);
        flaw_explanation e = explanation(list, 1);
        flaw_picture p = drawn(&e, *state);
        height[i] = p.height;
        flaw_picture_release(&p);
    }
    assert_true(height[1] > height[0] && height[2] == height[1] && height[3] == height[1]);
    memset(text[0], 'W', 511); /* no space to cut at */
    list[0] = sentence(text[0], false, 1, -0.5);
    for (int i = 1; i < MOST; i++)
        list[i] = sentence("a part that is one of many", i % 2, i / 2 + 1, i % 2 ? 0.5 : -0.25);
    flaw_explanation e = explanation(list, MOST);
    flaw_picture p = drawn(&e, *state);
    assert_true(p.height < 2000);
    assert_int_equal(bars(length, &p, true, ORANGE), 40);
    for (int i = 0; i < 40; i++) assert_int_equal(length[i], REACH);
    flaw_picture_release(&p);
}

/* A picture explained: every bar of the chart is as long as the explanation has it. */
static void test_explained(void **state)
{
    int length[64];
    flaw_error err = {0};
    flaw_inspect_options o;
    flaw_inspector *in = NULL;
    flaw_explanation e;
    flaw_result r;
    flaw_engine *engine = open_tiny_engine("open_clip");
    flaw_inspect_defaults(&o);
    o.method = "alfa";
    o.rule = "overlap";
    o.object = "bottle";
    assert_ok(flaw_inspector_new(&in, engine, &o, NULL, NULL, &err));
    for (unsigned seed = 0; seed < 3; seed++) {
        flaw_picture part = draw(48, 40, seed, 3 * (int)seed);
        assert_ok(flaw_inspector_judge(in, &part, &r, &err));
        assert_ok(flaw_inspector_explain(in, &e, &err));
        flaw_picture p = drawn(&e, *state);
        double longest = fabs(e.sentence[0].pull);
        for (int c = 0; c < 2; c++)
            for (int pale = 0; pale < 2; pale++) {
                int n = 0, found = bars(length, &p, c, c ? (pale ? PALE_ORANGE : ORANGE) : pale ? PALE_BLUE : BLUE);
                for (int i = 0; i < e.count; i++) {
                    const flaw_sentence *s = &e.sentence[i];
                    int want = (int)lround(fabs(s->pull) / longest * REACH);
                    if (s->abnormal != c || s->ambiguous != pale || want < 1) continue;
                    assert_true(n < found && length[n] >= want - 2 && length[n] <= want); /* 1 for the axis on the left */
                    n++;
                }
                assert_int_equal(n, found);
            }
        assert_true(e.kept[0] + e.kept[1] < e.count);
        flaw_picture_release(&p);
        flaw_picture_release(&part);
        flaw_explanation_release(&e);
        flaw_result_release(&r);
    }
    flaw_inspector_free(in);
    flaw_engine_close(engine);
}

/* Nothing pulls; nothing there; a name of another alphabet. */
static void test_ends(void **state)
{
    int length[8];
    flaw_sentence list[] = {sentence("eine Nuß, völlig \346\227\245", false, 1, 0), sentence("", true, 1, 0)};
    list[0].kept = list[1].kept = true;
    list[0].other = NAN;
    flaw_explanation e = explanation(list, 2);
    flaw_picture p = drawn(&e, *state);
    assert_int_equal(bars(length, &p, true, ORANGE) + bars(length, &p, false, BLUE), 0);
    flaw_picture_release(&p);
    e = explanation(list, 0);
    p = drawn(&e, *state);
    flaw_picture_release(&p);
    flaw_error err = {0};
    assert_int_equal(flaw_explanation_write_chart(&e, "no/such/folder/chart.png", &err), FLAW_IO);
    assert_contains(err.text, "no/such/folder");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bars),
        cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_long),
        cmocka_unit_test(test_explained),
        cmocka_unit_test(test_ends),
    };
    return cmocka_run_group_tests(tests, make_scratch, remove_scratch);
}
