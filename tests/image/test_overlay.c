/* The promises of an overlay: a good part shows its photograph untouched, red stands only above the threshold, the
 * writing never runs over the edge, and no size or number breaks it. */
#include "check.h"

#include <math.h>

#include "image/overlay.h"
#include "image/resize.h"

enum { GRID = 12 };

static flaw_picture photo(int width, int height)
{
    flaw_picture p = new_picture(width, height);
    for (int y = 0; y < height; y++) {
        for (int x = 0; x < width; x++) {
            uint8_t *at = p.rgb + 3 * ((size_t)y * (size_t)width + (size_t)x);
            at[0] = at[1] = at[2] = (uint8_t)(110 + (x * 7 + y * 3) % 40); /* grey: any colour is ours */
        }
    }
    return p;
}

static flaw_overlay plain_overlay(const flaw_picture *p, const float *map)
{
    return (flaw_overlay){.picture = p,
                          .map = map,
                          .map_width = GRID,
                          .map_height = GRID,
                          .map_threshold = 0.5f,
                          .verdict = FLAW_NORMAL,
                          .score = 0.2,
                          .threshold = 0.5,
                          .object = "metal nut",
                          .method = "few-shot",
                          .words = "Nothing unusual was found."};
}

static flaw_picture draw(const flaw_overlay *in)
{
    flaw_picture out;
    flaw_error err;
    if (flaw_overlay_draw(&out, in, &err) != FLAW_OK) fail_msg("%s", err.text);
    return out;
}

/* First row of the photograph: below the header, whose background is one colour at the left edge. */
static int photo_top(const flaw_picture *p)
{
    int y = 0;
    while (y < p->height && memcmp(pixel_at(p, 0, y), p->rgb, 3) == 0) y++;
    return y;
}

static bool reddish(const uint8_t *c)
{
    return c[0] > c[1] + 60 && c[0] > c[2] + 60;
}

static void test_good_part_untouched(void **state)
{
    flaw_picture p = photo(700, 500);
    float map[GRID * GRID];
    for (int i = 0; i < GRID * GRID; i++) map[i] = 0.34f * (float)(i % 7) / 6;
    flaw_overlay in = plain_overlay(&p, map);
    flaw_picture out = draw(&in);
    int top = photo_top(&out);
    assert_int_equal(out.width, 700);
    assert_in_range(top, 30, 120);
    assert_memory_equal(pixel_at(&out, 0, top), p.rgb, 700 * 500 * 3);
    flaw_picture_release(&out);
    for (int i = 0; i < GRID * GRID; i++) map[i] = 0.499f; /* as near the threshold as can be: coloured, not red */
    out = draw(&in);
    for (int i = 0; i < 700 * 500; i++) assert_false(reddish(pixel_at(&out, i % 700, top + i / 700)));
    assert_memory_not_equal(pixel_at(&out, 0, top), p.rgb, 700 * 3);
    flaw_picture_release(&out);
    flaw_picture_release(&p);
}

static void test_hot_spot(void **state)
{
    flaw_picture p = photo(600, 600);
    float map[GRID * GRID] = {0};
    map[3 * GRID + 8] = 40; /* in units of the method: 0 .. 20 */
    map[8 * GRID + 2] = NAN;
    flaw_region region = {.x = 400, .y = 150, .width = 50, .height = 50, .score = 40};
    flaw_overlay in = plain_overlay(&p, map);
    in.verdict = FLAW_ANOMALOUS;
    in.map_threshold = 20;
    in.regions = &region;
    in.region_count = 1;
    flaw_picture out = draw(&in);
    int top = photo_top(&out);
    double scale = out.width / 600.0;
    assert_true(reddish(pixel_at(&out, (int)(425 * scale), top + (int)(175 * scale))));
    const uint8_t *line = pixel_at(&out, (int)(400 * scale), top + (int)(190 * scale)); /* left side of the box */
    assert_true(line[0] > 240 && line[1] > 240 && line[2] > 240);
    const uint8_t *unknown = pixel_at(&out, (int)(125 * scale), top + (int)(425 * scale));
    assert_true(abs(unknown[0] - unknown[1]) < 3 && abs(unknown[0] - 128) < 16);
    const uint8_t *far = pixel_at(&out, (int)(300 * scale), top + (int)(550 * scale));
    assert_true(far[0] == far[1] && far[1] == far[2]);
    flaw_picture_release(&out);
    flaw_picture_release(&p);
}

/* Colour of the plate behind the verdict. */
static void test_verdict_plate(void **state)
{
    flaw_picture p = photo(640, 200);
    for (int v = 0; v < 3; v++) {
        flaw_overlay in = plain_overlay(&p, NULL);
        in.verdict = v == 0 ? FLAW_NORMAL : v == 1 ? FLAW_ANOMALOUS : FLAW_UNKNOWN;
        flaw_picture out = draw(&in);
        const uint8_t *c = pixel_at(&out, 14, photo_top(&out) / 2);
        if (v == 0) assert_true(c[1] > c[0] + 60 && c[1] > c[2] + 40);
        if (v == 1) assert_true(reddish(c));
        if (v == 2) assert_true(abs(c[0] - c[1]) < 30 && c[0] > 80);
        flaw_picture_release(&out);
    }
    flaw_picture_release(&p);
}

/* The last columns right of all text are background: no letter is cut at the edge. */
static void expect_margin(const flaw_picture *out, int from, int to)
{
    for (int y = from; y < to; y++) {
        for (int x = out->width - 5; x < out->width; x++) assert_memory_equal(pixel_at(out, x, y), out->rgb, 3);
    }
}

static void test_sizes(void **state)
{
    static const int SIZES[][2] = {{1, 1},     {200, 200}, {3, 20000},  {20000, 3},  {640, 10},
                                   {90, 1000}, {4000, 50}, {1000, 999}, {1601, 1600}};
    static const char LONG[] =
        "a product with a name that is far longer than any band above a photograph could ever hold, "
        "and that goes on and on without an end in sight, until it is cut with dots, at last, here";
    float map[GRID * GRID];
    for (int i = 0; i < GRID * GRID; i++) map[i] = (float)i / (GRID * GRID);
    for (size_t i = 0; i < 2 * sizeof SIZES / sizeof SIZES[0]; i++) {
        const int *size = SIZES[i / 2];
        flaw_picture p = photo(size[0], size[1]);
        flaw_region region = {.width = size[0], .height = size[1], .score = 1e9};
        flaw_overlay in = plain_overlay(&p, map);
        in.object = in.words = in.method = LONG;
        in.side_by_side = i % 2;
        in.regions = &region;
        in.region_count = 1;
        in.score = INFINITY;
        in.threshold = NAN;
        flaw_picture out = draw(&in);
        assert_in_range(out.width, 460, 2 * FLAW_OVERLAY_MAX_SIDE);
        assert_in_range(out.height, 50, FLAW_OVERLAY_MAX_SIDE + 400);
        expect_margin(&out, 0, 40);
        expect_margin(&out, out.height - 10, out.height);
        flaw_picture_release(&out);
        flaw_picture_release(&p);
    }
}

static void test_hostile_numbers(void **state)
{
    static const int WILD[] = {0, -1, 2147483647, -2147483647 - 1, 30};
    flaw_picture p = photo(40, 30);
    flaw_region regions[625];
    for (int i = 0; i < 625; i++) {
        regions[i] = (flaw_region){.x = WILD[i % 5],
                                   .y = WILD[i / 5 % 5],
                                   .width = WILD[i / 25 % 5],
                                   .height = WILD[i / 125],
                                   .score = i % 2 ? NAN : -1e300};
    }
    float map[GRID * GRID];
    for (int i = 0; i < GRID * GRID; i++) map[i] = i % 3 ? INFINITY : i % 2 ? -INFINITY : NAN;
    flaw_overlay in = plain_overlay(&p, map);
    in.regions = regions;
    in.region_count = 625;
    in.words = "\xff\xfe \x01\x02 broken text";
    flaw_picture out = draw(&in);
    flaw_picture_release(&out);
    in.map_threshold = in.map_low; /* no scale: all of it grey, nothing red */
    in.region_count = 0;
    out = draw(&in);
    int top = photo_top(&out);
    const uint8_t *c = pixel_at(&out, 100, top + 100);
    assert_true(abs(c[0] - c[1]) < 3 && abs(c[1] - c[2]) < 3);
    flaw_picture_release(&out);

    flaw_error err;
    in.map_width = 0;
    assert_int_equal(flaw_overlay_draw(&out, &in, &err), FLAW_USAGE);
    flaw_picture none = {0};
    in.picture = &none;
    assert_int_equal(flaw_overlay_draw(&out, &in, &err), FLAW_USAGE);
    flaw_picture_release(&p);
}

/* Left (or upper) photograph without heat, the other with it. */
static void test_side_by_side(void **state)
{
    flaw_picture p = photo(640, 640);
    float map[GRID * GRID];
    for (int i = 0; i < GRID * GRID; i++) map[i] = 0.9f;
    flaw_overlay in = plain_overlay(&p, map);
    in.side_by_side = true;
    flaw_picture out = draw(&in);
    int top = photo_top(&out);
    assert_true(out.width > 2 * 640);
    assert_memory_equal(pixel_at(&out, 0, top + 5), pixel_at(&p, 0, 5), 640 * 3);
    assert_true(reddish(pixel_at(&out, out.width - 300, top + 300)));
    flaw_picture_release(&out);
    flaw_picture_release(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good_part_untouched), cmocka_unit_test(test_hot_spot),
        cmocka_unit_test(test_verdict_plate),       cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_hostile_numbers),     cmocka_unit_test(test_side_by_side),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
