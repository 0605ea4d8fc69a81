/* Pictures of training runs: where the ink is, and that odd values do no harm. */
#include <math.h>

#include "check.h"
#include "flaw/picture.h"
#include "learn/curve.h"

enum { COUNT = 3000 };

typedef struct values {
    double x[COUNT], y[COUNT], few_x[5], few_y[5];
} values;

static void fill(values *v)
{
    for (int i = 0; i < COUNT; i++) {
        v->x[i] = 10 * (i + 1);
        v->y[i] = 0.9 + 6 * exp(-i / 300.0) + 0.3 * exp(-i / 1500.0) * sin(i * 12.9898) * cos(i * 3.1);
    }
    for (int i = 0; i < 5; i++) {
        v->few_x[i] = 6000 * (i + 1);
        v->few_y[i] = 1.0 + 1.5 * exp(-i);
    }
}

static bool is_colour(const flaw_picture *p, int x, int y, int r, int g, int b)
{
    const uint8_t *at = p->rgb + 3 * (y * p->width + x);
    return abs(at[0] - r) < 8 && abs(at[1] - g) < 8 && abs(at[2] - b) < 8;
}

/* Mean row of the pixels of a colour in a column; -1 without any. */
static double row_of(const flaw_picture *p, int x, int r, int g, int b)
{
    double sum = 0;
    int count = 0;
    for (int y = 100; y < p->height; y++) {
        if (!is_colour(p, x, y, r, g, b)) continue;
        sum += y;
        count++;
    }
    return count ? sum / count : -1;
}

static void test_falling_loss(void **state)
{
    static values v;
    char path[512];
    flaw_error err;
    flaw_picture p;
    fill(&v);
    for (int logarithmic = 0; logarithmic < 2; logarithmic++) {
        const flaw_curve_series series[] = {{"training loss", v.x, v.y, COUNT, false},
                                            {"held-out text", v.few_x, v.few_y, 5, true}};
        const flaw_curve curve = {"language model: loss per token", "steps", logarithmic, series, 2};
        in_folder(path, *state, logarithmic ? "log.png" : "linear.png");
        assert_ok(flaw_curve_write(path, &curve, &err));
        assert_ok(flaw_picture_read(&p, path, &err));
        assert_true(is_colour(&p, 2, 2, 255, 255, 255));
        double early = row_of(&p, 130, 0, 114, 178), middle = row_of(&p, 500, 0, 114, 178), late = row_of(&p, 1100, 0, 114, 178);
        assert_true(early > 100 && early + 60 < middle && middle < late && late < p.height - 76);
        int mark = 96 + (1200 - 96 - 40) * 3 / 5; /* step 18000 of 30000 */
        assert_true(row_of(&p, mark, 213, 94, 0) > 0);
        flaw_picture_release(&p);
    }
}

/* Nothing, one value, equal values, values that are no numbers or not over 0: a picture every time. */
static void test_odd_values(void **state)
{
    const double x[4] = {1, 2, 3, 4}, nothing[4] = {NAN, INFINITY, -INFINITY, NAN}, same[4] = {2, 2, 2, 2};
    const double below[4] = {-1, 0, -3, NAN}, huge[4] = {1e300, 1e-300, 1, 5};
    const double *const rows[] = {nothing, same, below, huge};
    char path[512];
    flaw_error err;
    flaw_picture p;
    in_folder(path, *state, "odd.png");
    for (int i = 0; i < 4; i++) {
        for (int k = 0; k < 8; k++) {
            const flaw_curve_series s = {"odd", x, rows[i], k & 1 ? 4 : 1, k & 2};
            const flaw_curve curve = {"odd", NULL, k & 4, &s, 1};
            assert_ok(flaw_curve_write(path, &curve, &err));
            assert_ok(flaw_picture_read(&p, path, &err));
            assert_int_equal(p.width, 1200);
            flaw_picture_release(&p);
        }
    }
    assert_ok(flaw_curve_write(path, &(flaw_curve){0}, &err));
    assert_int_equal(flaw_curve_write(path, &(flaw_curve){.count = 7}, &err), FLAW_USAGE);
    assert_int_equal(flaw_curve_write("no/such/folder/a.png", &(flaw_curve){0}, &err), FLAW_IO);
}

/* Names that do not fit side by side go on in another line, inside the margins; what is drawn moves down. */
static void test_long_names(void **state)
{
    static values v;
    const char *const name[] = {"answers: nats a token", "tokens wrong", "map: focal", "map: dice",
                                "held out: yes or no wrong"};
    flaw_curve_series series[5];
    char path[512];
    flaw_error err;
    flaw_picture p;
    fill(&v);
    for (int i = 0; i < 5; i++) series[i] = (flaw_curve_series){name[i], v.x, v.y, COUNT, i == 4};
    for (int count = 4; count <= 5; count++) {
        int ink[2] = {0};
        assert_ok(flaw_curve_write(in_folder(path, *state, "names.png"),
                                   &(flaw_curve){"x", "steps", true, series, count}, &err));
        assert_ok(flaw_picture_read(&p, path, &err));
        for (int y = 64; y < 106; y++)
            for (int x = 0; x < p.width; x++) {
                bool white = is_colour(&p, x, y, 255, 255, 255);
                if (!white && (x < 90 || x > p.width - 38))
                    fail_msg("%d names: ink at %d, %d, outside the margins", count, x, y);
                ink[y >= 86] += !white && y < 100;
            }
        assert_true(ink[0] > 200);
        assert_true(count == 4 ? ink[1] == 0 : ink[1] > 100);
        flaw_picture_release(&p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_falling_loss, make_scratch, remove_scratch),
        cmocka_unit_test_setup_teardown(test_long_names, make_scratch, remove_scratch),
        cmocka_unit_test_setup_teardown(test_odd_values, make_scratch, remove_scratch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
