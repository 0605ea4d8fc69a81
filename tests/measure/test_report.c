/* The page and its charts: what is escaped, where lines lie, what is published beside what. */
#include "../check.h"

#include <math.h>

#include "measure/eval/chart.h"
#include "measure/eval/page.h"
#include "measure/eval/published.h"

static char *escaped(const char *text)
{
    flaw_buffer b;
    flaw_buffer_init(&b, 1 << 16);
    flaw_page_text(&b, text);
    assert_false(b.failed);
    return b.data;
}

static void test_texts_of_others(void **state)
{
    static const struct {
        const char *text, *shown;
    } cases[] = {
        {"plain", "plain"},
        {"<script>\"&'", "&lt;script&gt;&quot;&amp;&#39;"},
        {"a\x01\n\x7f", "a\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
        {"h\xc3\xbc", "h\xc3\xbc"},
        {"\xc2\x85", "\xef\xbf\xbd"},              /* a control of C1 */
        {"\xe2\x80\xae", "\xef\xbf\xbd"},          /* right to left from here on */
        {"\xef\xbf\xbf", "\xef\xbf\xbd"},          /* no character */
        {"\xff\xc3", "\xef\xbf\xbd\xef\xbf\xbd"},  /* no UTF-8 */
        {"\xf0\x9f\x94\xa9", "\xf0\x9f\x94\xa9"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *shown = escaped(cases[i].text);
        assert_string_equal(shown, cases[i].shown);
        free(shown);
    }
}

static void test_steps_of_ticks(void **state)
{
    static const double cases[][4] = {
        {0, 1, 5, 0.2}, {0, 0.3, 5, 0.1}, {0, 0.05, 5, 0.01}, {-3, 4, 5, 2}, {100, 1100, 5, 200}, {1, 1, 5, 0}, {2, 1, 5, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_true(fabs(flaw_chart_step(cases[i][0], cases[i][1], (int)cases[i][2]) - cases[i][3]) < 1e-9);
    assert_true(flaw_chart_step(0, INFINITY, 5) == 0);
    assert_true(flaw_chart_step(0, NAN, 5) == 0);
}

/* The frame is 40 .. 250 by 24 .. 184: a line of slope 1 that leaves at x = 0.5 ends half way up, at the border. */
static void test_lines_end_at_the_border(void **state)
{
    const double x[] = {0, 0.4, 0.6, 1}, y[] = {0, 0.4, 0.6, 1};
    const flaw_chart_line line = {"<a>", x, y, 4, 0};
    flaw_chart chart = {.title = "t\"", .x_title = "x", .y_title = "y", .x_high = 0.5, .line = &line, .lines = 1};
    flaw_buffer b;
    flaw_buffer_init(&b, 1 << 16);
    flaw_chart_lines(&b, &chart);
    assert_false(b.failed);
    assert_contains(b.data, "points=\"40.00,184.00 208.00,120.00 250.00,104.00\"><title>&lt;a&gt;</title>");
    assert_contains(b.data, "aria-label=\"t&quot;\"");
    flaw_buffer_release(&b);
}

static void test_limits_outside_are_not_drawn(void **state)
{
    const double good[] = {1, 0}, bad[] = {0.5, 0.5};
    flaw_chart_bins bins = {.title = "t", .x_title = "x", .low = 0, .high = 2, .good = good, .bad = bad, .count = 2, .limit = 1};
    flaw_buffer b;
    flaw_buffer_init(&b, 1 << 16);
    flaw_chart_histogram(&b, &bins);
    assert_contains(b.data, "class=\"limit\" d=\"M145.00 ");
    flaw_buffer_release(&b);
    const double outside[] = {-0.1, 2.1, NAN, INFINITY};
    for (int i = 0; i < 4; i++) {
        bins.limit = outside[i];
        flaw_buffer_init(&b, 1 << 16);
        flaw_chart_histogram(&b, &bins);
        assert_null(strstr(b.data, "limit"));
        assert_null(strstr(b.data, "nan"));
        flaw_buffer_release(&b);
    }
}

/* 15 and 12 classes; means of the paper's rows are its table's means (to what rounding leaves). */
static void test_published_rows_agree_with_their_means(void **state)
{
    static const int figures[] = {0, 2, 3, 6};
    assert_int_equal(flaw_benchmark_classes(FLAW_BENCHMARK_MVTEC), 15);
    assert_int_equal(flaw_benchmark_classes(FLAW_BENCHMARK_VISA), 12);
    for (int m = 0; m < flaw_published_count(); m++) {
        const flaw_published_row *mean = flaw_published_at(m);
        if (*mean->category || mean->source != 0 || mean->shots != 0) continue;
        for (int f = 0; f < 4; f++) {
            double sum = 0;
            int count = 0;
            for (int i = 0; i < flaw_published_count(); i++) {
                const flaw_published_row *p = flaw_published_at(i);
                if (p->benchmark != mean->benchmark || !*p->category || p->source != 0) continue;
                sum += p->percent[figures[f]];
                count++;
            }
            assert_int_equal(count, flaw_benchmark_classes(mean->benchmark));
            if (!(fabs(sum / count - mean->percent[figures[f]]) < 0.11))
                fail_msg("%d, figure %d: %.3f against %.3f", (int)mean->benchmark, figures[f], sum / count,
                         mean->percent[figures[f]]);
        }
    }
}

static void test_a_class_is_known_by_its_counts(void **state)
{
    flaw_dataset_item item[229 + 63] = {{0}};
    for (size_t i = 0; i < 292; i++) item[i].label = i < 229 ? FLAW_LABEL_GOOD : FLAW_LABEL_BAD;
    flaw_dataset set = {.root = "data/bottle/", .category = "", .item = item, .items = 292};
    const flaw_benchmark_class *same_name, *found = flaw_benchmark_class_of(&same_name, &set);
    assert_non_null(found);
    assert_string_equal(found->category, "bottle");
    set.items--;
    assert_null(flaw_benchmark_class_of(&same_name, &set));
    assert_non_null(same_name);
    set.root = "data/vase";
    assert_null(flaw_benchmark_class_of(&same_name, &set));
    assert_null(same_name);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_texts_of_others),
        cmocka_unit_test(test_steps_of_ticks),
        cmocka_unit_test(test_lines_end_at_the_border),
        cmocka_unit_test(test_limits_outside_are_not_drawn),
        cmocka_unit_test(test_published_rows_agree_with_their_means),
        cmocka_unit_test(test_a_class_is_known_by_its_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
