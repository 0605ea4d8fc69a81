/* The square the model reads, mild changes of it, and the record of named values. */
#include "../check.h"

#include <math.h>

#include "detect/augment.h"
#include "detect/prepare.h"
#include "detect/record.h"
#include "image/resize.h"
#include "model/tower/prepare.h"

static flaw_picture ramp(int width, int height)
{
    flaw_picture p;
    flaw_error err = {0};
    assert_ok(flaw_picture_new(&p, width, height, &err));
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++) {
            uint8_t *at = p.rgb + 3 * (y * width + x);
            at[0] = (uint8_t)(255 * x / width);
            at[1] = (uint8_t)(255 * y / height);
            at[2] = (uint8_t)(x * 7 + y * 3);
        }
    return p;
}

static flaw_clip_shape shape_of(int side, int to)
{
    flaw_clip_shape s = {.side = side, .prepare = {.resize_to = to, .mean = {0, 0, 0}, .std = {1, 1, 1}}};
    return s;
}

static void test_squash(void **state)
{
    flaw_clip_shape shape = shape_of(32, 40);
    flaw_picture p = ramp(90, 50), square, want;
    flaw_seen seen;
    flaw_error err = {0};
    assert_ok(flaw_prepare_square(&square, &seen, &shape, FLAW_FIT_SQUASH, &p, &err));
    assert_ok(flaw_picture_resize(&want, &p, 32, 32, FLAW_FILTER_BICUBIC, &err));
    assert_memory_equal(square.rgb, want.rgb, 32 * 32 * 3);
    assert_true(seen.x == 0 && seen.y == 0 && seen.width == 90 && seen.height == 50);
    flaw_picture_release(&p);
    flaw_picture_release(&square);
    flaw_picture_release(&want);
}

/* The crop is the one the model was trained with (model/tower/prepare.h), and what is seen lies in the middle. */
static void test_crop(void **state)
{
    static const int sizes[][2] = {{90, 50}, {50, 90}, {64, 64}, {41, 40}, {333, 47},
                                   {40, 41}, {1, 1},   {7, 300}, {2, 900}};
    flaw_clip_shape shape = shape_of(32, 40);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        flaw_picture p = ramp(sizes[i][0], sizes[i][1]), square;
        float pixels[3 * 32 * 32], want[3 * 32 * 32];
        flaw_seen seen;
        flaw_error err = {0};
        assert_ok(flaw_prepare_square(&square, &seen, &shape, FLAW_FIT_CROP, &p, &err));
        flaw_prepare_normalise(pixels, &square, &shape.prepare);
        assert_ok(flaw_prepare_pixels(want, &p, &shape, FLAW_RESIZE_SHORTEST, &err));
        assert_memory_equal(pixels, want, sizeof want);
        assert_true(seen.x >= 0 && seen.y >= 0 && seen.width >= 1 && seen.height >= 1);
        assert_true(seen.x + seen.width <= p.width && seen.y + seen.height <= p.height);
        if (p.width >= 40 && p.height >= 40) {
            int shorter = p.width < p.height ? p.width : p.height;
            assert_true(abs(seen.width - shorter * 32 / 40) <= 1 && abs(seen.height - shorter * 32 / 40) <= 1);
            assert_true(abs(2 * seen.x + seen.width - p.width) <= 2 && abs(2 * seen.y + seen.height - p.height) <= 2);
        }
        flaw_picture_release(&p);
        flaw_picture_release(&square);
    }
}

static void test_refused(void **state)
{
    flaw_clip_shape shape = shape_of(32, 40);
    flaw_picture empty = {0}, square;
    flaw_seen seen;
    flaw_fit fit;
    flaw_error err = {0};
    assert_int_equal(flaw_prepare_square(&square, &seen, &shape, FLAW_FIT_SQUASH, &empty, &err), FLAW_USAGE);
    assert_int_equal(flaw_fit_named(&fit, "stretch", &err), FLAW_USAGE);
    assert_contains(err.text, "squash and crop");
    assert_ok(flaw_fit_named(&fit, "crop", &err));
    assert_int_equal(fit, FLAW_FIT_CROP);
    assert_ok(flaw_fit_named(&fit, NULL, &err));
    assert_int_equal(fit, FLAW_FIT_SQUASH);
}

/* Mild: near the original but not it; the same seed the same bytes; no streaks or black borders. */
static void test_changes(void **state)
{
    flaw_picture p = ramp(64, 64), a, b;
    flaw_random r, again;
    flaw_error err = {0};
    for (uint64_t seed = 0; seed < 20; seed++) {
        flaw_random_init(&r, seed, 0);
        again = r;
        assert_ok(flaw_augment_mildly(&a, &p, &r, &err));
        assert_ok(flaw_augment_mildly(&b, &p, &again, &err));
        assert_int_equal(a.width, 64);
        assert_memory_equal(a.rgb, b.rgb, 64 * 64 * 3);
        double difference = 0;
        for (int i = 0; i < 64 * 64; i++) difference += abs(a.rgb[3 * i] - p.rgb[3 * i]) / (64.0 * 64);
        assert_true(difference > 0.5 && difference < 30);
        flaw_picture_release(&a);
        flaw_picture_release(&b);
    }
    flaw_picture_release(&p);
}

/* Edges are mirrored: a bright first column stays a line and never becomes a streak. */
static void test_no_streaks(void **state)
{
    flaw_picture p, changed;
    flaw_random r;
    flaw_error err = {0};
    assert_ok(flaw_picture_new(&p, 200, 200, &err));
    for (int y = 0; y < 200; y++) memset(p.rgb + (size_t)y * 600, 255, 3);
    for (uint64_t seed = 0; seed < 20; seed++) {
        flaw_random_init(&r, seed, 0);
        assert_ok(flaw_augment_mildly(&changed, &p, &r, &err));
        for (int y = 0; y < 200; y++) {
            int bright = 0;
            for (int x = 0; x < 200; x++) bright += changed.rgb[3 * (y * 200 + x)] > 128;
            assert_true(bright <= 2);
        }
        flaw_picture_release(&changed);
    }
    flaw_picture_release(&p);
}

static void test_record(void **state)
{
    flaw_record r;
    flaw_error err = {0};
    const float table[6] = {1, 2, 3, 4, 5, 6}, broken[2] = {0, INFINITY};
    const float *back;
    const char *text;
    double number;
    size_t rows;
    int whole;
    flaw_record_init(&r);
    for (int i = 0; i < 100; i++) {
        char name[32];
        snprintf(name, sizeof name, "number.%d", i);
        assert_ok(flaw_record_put_number(&r, name, i * 0.5, &err));
    }
    assert_ok(flaw_record_put_text(&r, "text", "words", &err));
    assert_ok(flaw_record_put_table(&r, "table", table, 2, 3, &err));
    assert_ok(flaw_record_put_table(&r, "broken", broken, 2, 1, &err));
    assert_int_equal(flaw_record_put_number(&r, "text", 1, &err), FLAW_INTERNAL);
    assert_ok(flaw_record_number(&r, "number.99", &number, &err));
    assert_true(number == 49.5);
    assert_ok(flaw_record_integer(&r, "number.98", 0, 49, &whole, &err));
    assert_int_equal(whole, 49);
    assert_int_equal(flaw_record_integer(&r, "number.98", 0, 48, &whole, &err), FLAW_BAD_DATA);
    assert_int_equal(flaw_record_integer(&r, "number.99", 0, 100, &whole, &err), FLAW_BAD_DATA);
    assert_ok(flaw_record_text(&r, "text", &text, &err));
    assert_string_equal(text, "words");
    assert_int_equal(flaw_record_text(&r, "table", &text, &err), FLAW_BAD_DATA);
    assert_contains(err.text, "table");
    assert_int_equal(flaw_record_number(&r, "nothing", &number, &err), FLAW_BAD_DATA);
    assert_ok(flaw_record_table(&r, "table", 3, &back, &rows, &err));
    assert_int_equal(rows, 2);
    assert_memory_equal(back, table, sizeof table);
    assert_int_equal(flaw_record_table(&r, "table", 2, &back, &rows, &err), FLAW_BAD_DATA);
    assert_int_equal(flaw_record_table(&r, "broken", 1, &back, &rows, &err), FLAW_BAD_DATA);
    assert_contains(err.text, "index 1");
    flaw_record_release(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_squash),  cmocka_unit_test(test_crop),       cmocka_unit_test(test_refused),
        cmocka_unit_test(test_changes), cmocka_unit_test(test_no_streaks), cmocka_unit_test(test_record),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
