/* Shapes by their area, text by its ink, the colour scale by its promise. */
#include "check.h"

#include <float.h>
#include <math.h>

#include "image/colour_map.h"
#include "image/font.h"

static const flaw_colour WHITE = {255, 255, 255, 255};

/* Ink on a black picture, in pixels. */
static double ink(const flaw_picture *p)
{
    double sum = 0;
    for (int i = 0; i < p->width * p->height; i++) sum += p->rgb[3 * i] / 255.0;
    return sum;
}

/* Draws onto an empty 200 x 150 picture and compares the ink. */
#define expect_ink(wanted, tolerance, drawing)                                                                         \
    do {                                                                                                               \
        flaw_picture canvas = new_picture(200, 150), *p = &canvas;                                                     \
        drawing;                                                                                                       \
        double found = ink(p);                                                                                         \
        if (fabs(found - (wanted)) > (tolerance)) fail_msg("%s: ink %g, not %g", #drawing, found, (double)(wanted));   \
        flaw_picture_release(p);                                                                                       \
    } while (0)

static void test_areas(void **state)
{
    const double pi = 3.14159265358979;
    flaw_point triangle[] = {{20.3f, 10.2f}, {150.7f, 30.9f}, {60.1f, 140.4f}};
    double area = 0.5 * fabs((150.7 - 20.3) * (140.4 - 10.2) - (60.1 - 20.3) * (30.9 - 10.2));
    expect_ink(area, area * 2e-3, flaw_draw_polygon(p, triangle, 3, WHITE));
    flaw_point turned[] = {triangle[2], triangle[1], triangle[0]};
    expect_ink(area, area * 2e-3, flaw_draw_polygon(p, turned, 3, WHITE));
    flaw_point sliver[] = {{10, 20.25f}, {190, 20.25f}, {190, 20.75f}, {10, 20.75f}};
    expect_ink(90, 0.5, flaw_draw_polygon(p, sliver, 4, WHITE));
    flaw_point upright[] = {{63.5f, 10}, {64.25f, 10}, {64.25f, 110}, {63.5f, 110}}; /* across a tile's border */
    expect_ink(75, 0.5, flaw_draw_polygon(p, upright, 4, WHITE));
    expect_ink(pi * 400, 4, flaw_draw_disc(p, (flaw_point){80.3f, 60.8f}, 20, WHITE));
    expect_ink(2 * pi * 30 * 4, 4, flaw_draw_ring(p, (flaw_point){80, 60}, 30, 4, WHITE));
    expect_ink(60 * 40 - (4 - pi) * 100, 4, flaw_draw_round_rect(p, (flaw_box){10, 20, 60, 40}, 10, WHITE));
    expect_ink(100 * 5 + pi * 2.5 * 2.5, 4, flaw_draw_line(p, (flaw_point){30, 50}, (flaw_point){130, 50}, 5, WHITE));
    expect_ink(60, 0, flaw_draw_rect(p, (flaw_box){-5, 140, 11, 20}, WHITE)); /* clipped to 6 x 10 */
    expect_ink(2 * (30 + 16) * 2, 0, flaw_draw_outline(p, (flaw_box){10, 10, 30, 20}, 2, WHITE));
    expect_ink(9, 0, flaw_draw_outline(p, (flaw_box){10, 10, 3, 3}, 2, WHITE));
}

/* A stroke that crosses itself lays its colour down once. */
static void test_translucent_once(void **state)
{
    flaw_picture p = new_picture(80, 80);
    flaw_point cross[] = {{10, 10}, {70, 70}, {70, 10}, {10, 70}};
    flaw_draw_polyline(&p, cross, 4, false, 6, (flaw_colour){200, 100, 50, 128});
    for (int i = 0; i < 80 * 80; i++) assert_true(p.rgb[3 * i] <= 101);
    assert_in_range(pixel_at(&p, 40, 40)[0], 99, 101);
    assert_in_range(pixel_at(&p, 40, 40)[1], 49, 51);
    for (int i = 12; i < 68; i++) { /* and no stroke wipes out what another laid down */
        assert_in_range(pixel_at(&p, i, i)[0], 99, 101);
        assert_in_range(pixel_at(&p, 80 - i, i)[0], 99, 101);
        assert_in_range(pixel_at(&p, 70, i)[0], 99, 101);
    }
    flaw_picture_release(&p);
}

/* Nothing outside the picture is touched, whatever the numbers (the address sanitizer watches). */
static void test_wild_numbers(void **state)
{
    static const float WILD[] = {0, -1, 1e9f, -1e9f, FLT_MAX, -FLT_MAX, INFINITY, -INFINITY, NAN, 40};
    flaw_picture p = new_picture(90, 70);
    for (int i = 0; i < 10; i++) {
        for (int j = 0; j < 10; j++) {
            flaw_point points[] = {{WILD[i], WILD[j]}, {WILD[j], 20}, {30, WILD[i]}};
            flaw_draw_polygon(&p, points, 3, WHITE);
            flaw_draw_polyline(&p, points, 3, true, WILD[(i + j) % 10], WHITE);
            flaw_draw_disc(&p, points[0], WILD[(i + 3) % 10], WHITE);
            flaw_text_draw(&p, (flaw_font){WILD[i] > 1e6f ? 1e6f : WILD[i], 0.1f}, WILD[j], 30, "Ab", WHITE);
        }
    }
    static const int EDGES[] = {0, -2147483647 - 1, 2147483647, -1, 50};
    for (int i = 0; i < 625; i++) {
        flaw_box box = {EDGES[i % 5], EDGES[i / 5 % 5], EDGES[i / 25 % 5], EDGES[i / 125]};
        flaw_draw_rect(&p, box, WHITE);
        flaw_draw_outline(&p, box, 3, WHITE);
    }
    flaw_draw_picture(&p, 2147483647, -3, &p);
    flaw_draw_polygon(&p, NULL, 0, WHITE);
    flaw_draw_polyline(&p, NULL, 0, true, 3, WHITE);
    flaw_picture_release(&p);
}

static void test_copy(void **state)
{
    flaw_picture p = new_picture(10, 10), small = new_picture(4, 3);
    memset(small.rgb, 9, 4 * 3 * 3);
    flaw_draw_picture(&p, 8, -1, &small);
    flaw_draw_picture(&p, -2, 8, &small);
    for (int y = 0; y < 10; y++) {
        for (int x = 0; x < 10; x++) {
            bool inside = (x >= 8 && y < 2) || (x < 2 && y >= 8);
            assert_int_equal(pixel_at(&p, x, y)[0], inside ? 9 : 0);
        }
    }
    flaw_picture_release(&p);
    flaw_picture_release(&small);
}

/* One letter in a box of its own: its ink stays within the letter's width and height, and it has a shape of its own. */
static void test_letters(void **state)
{
    flaw_font font = {30, FLAW_FONT_REGULAR};
    uint32_t seen[95];
    for (int c = 33; c < 127; c++) {
        char text[2] = {(char)c, 0};
        flaw_picture p = new_picture(120, 100);
        float end = flaw_text_draw(&p, font, 40, 60, text, WHITE);
        assert_true(fabsf(end - 40 - flaw_text_width(font, text)) < 1e-3f);
        uint32_t hash = 2166136261u;
        double inside = 0;
        for (int y = 0; y < 100; y++) {
            for (int x = 0; x < 120; x++) {
                uint8_t v = pixel_at(&p, x, y)[0];
                hash = (hash ^ v) * 16777619u;
                if (x >= 39 && (float)x <= end && y >= 60 - 35 && y <= 60 + 13) inside += v / 255.0;
            }
        }
        assert_true(ink(&p) > 5);
        if (fabs(inside - ink(&p)) > 1e-6) fail_msg("'%c' leaves its place", c);
        seen[c - 33] = hash;
        for (int other = 33; other < c; other++) {
            if (seen[other - 33] == hash) fail_msg("'%c' and '%c' look the same", other, c);
        }
        flaw_picture_release(&p);
    }
}

/* Capitals without a part below or above stand exactly on the line and are exactly `size` high. */
static void test_cap_height(void **state)
{
    for (int size = 7; size < 40; size++) {
        flaw_picture p = new_picture(80, 100);
        flaw_text_draw(&p, (flaw_font){(float)size, FLAW_FONT_REGULAR}, 10, 70, "E", WHITE);
        int first = -1, last = -1;
        for (int y = 0; y < 100; y++) {
            for (int x = 0; x < 80; x++) {
                if (pixel_at(&p, x, y)[0] < 64) continue;
                if (first < 0) first = y;
                last = y;
            }
        }
        assert_int_equal(last, 69);
        assert_int_equal(first, 70 - size);
        flaw_picture_release(&p);
    }
}

static void test_text_width(void **state)
{
    flaw_font font = {10, FLAW_FONT_BOLD};
    float a = flaw_text_width(font, "a"), ab = flaw_text_width(font, "ab"), b = flaw_text_width(font, "b");
    assert_true(fabsf(ab - a - b) < 1e-4f && a > 5);
    assert_true(flaw_text_width(font, "") == 0);
    assert_true(flaw_text_width(font, "\xc3\xa4") == a);    /* a with dots: drawn as a */
    assert_true(flaw_text_width(font, "\xe6\x97\xa5") > 0); /* a letter the font lacks: one box */
    assert_true(flaw_text_width(font, "\xff") == flaw_text_width(font, "\xe6\x97\xa5")); /* no UTF-8 */
    assert_int_equal(flaw_text_fit(font, "abc", ab + 0.5f), 2);
    assert_int_equal(flaw_text_fit(font, "abc", 1e6f), 3);
    assert_int_equal(flaw_text_fit(font, "abc", 0), 0);
    assert_int_equal(flaw_text_fit(font, "\xc3\xa4\xc3\xa4", a * 1.5f), 2); /* never inside a letter */
}

/* Blue to yellow up to the threshold, red only above it, nothing at all below the clear limit. */
static void test_heat_scale(void **state)
{
    int last = 0;
    for (float v = -0.5f; v < 1.5f; v += 0.001f) {
        flaw_colour c = flaw_heat_colour(v);
        if (v < FLAW_HEAT_CLEAR) assert_int_equal(c.a, 0);
        if (v <= FLAW_HEAT_THRESHOLD && c.a > 0) assert_true(c.g * 10 >= c.r * 9 || c.b > c.r);
        if (v > 0.65f) assert_true(c.r > 3 * c.g && c.r > 2 * c.b);
        assert_true(c.a >= last && c.a < 200); /* the photograph always shows through */
        last = c.a;
    }
    assert_true(flaw_heat_colour(1e30f).r == flaw_heat_colour(1).r);
    flaw_colour none = flaw_heat_colour(NAN);
    assert_true(none.r == none.g && none.g == none.b && none.a > 150);
    assert_true(flaw_heat_value(3, 1, 3) == 0.5f && flaw_heat_value(1, 1, 3) == 0 && flaw_heat_value(5, 1, 3) == 1);
    assert_true(isnan(flaw_heat_value(1, 2, 2)) && isnan(flaw_heat_value(1, NAN, 2)) &&
                isnan(flaw_heat_value(NAN, 0, 2)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_areas),      cmocka_unit_test(test_translucent_once), cmocka_unit_test(test_wild_numbers),
        cmocka_unit_test(test_copy),       cmocka_unit_test(test_letters),          cmocka_unit_test(test_cap_height),
        cmocka_unit_test(test_text_width), cmocka_unit_test(test_heat_scale),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
