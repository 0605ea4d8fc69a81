/* Regions: components with diagonals, boxes, areas, order, nearby ones joined, places. */
#include "../check.h"

#include <math.h>

#include "base/random.h"
#include "detect/regions.h"

enum { W = 200, H = 120 };

static float map[W * H];
static flaw_region found[FLAW_MAX_REGIONS];

static void clear(void)
{
    memset(map, 0, sizeof map);
}

static void put(int x, int y, int w, int h, float value)
{
    for (int j = y; j < y + h; j++)
        for (int i = x; i < x + w; i++) map[j * W + i] = value;
}

static int find(double limit)
{
    int count = -1;
    flaw_error err = {0};
    assert_ok(flaw_regions_find(found, FLAW_MAX_REGIONS, &count, map, W, H, limit, &err));
    return count;
}

static void check_box(int i, int x, int y, int w, int h)
{
    const flaw_region *r = &found[i];
    if (r->x != x || r->y != y || r->width != w || r->height != h)
        fail_msg("region %d is [%d %d %d %d], expected [%d %d %d %d]", i, r->x, r->y, r->width, r->height, x, y, w, h);
}

static void test_none(void **state)
{
    clear();
    assert_int_equal(find(0), 0); /* over the limit, not on it */
    assert_int_equal(find(NAN), 0);
}

static void test_whole(void **state)
{
    clear();
    put(0, 0, W, H, 1);
    assert_int_equal(find(0.5), 1);
    check_box(0, 0, 0, W, H);
    assert_true(found[0].area == 1 && found[0].score == 1);
    assert_string_equal(found[0].place, "center");
}

static void test_single_pixels(void **state)
{
    const int corner[4][2] = {{0, 0}, {W - 1, 0}, {0, H - 1}, {W - 1, H - 1}};
    const char *place[4] = {"top left", "top right", "bottom left", "bottom right"};
    for (int i = 0; i < 4; i++) {
        clear();
        put(corner[i][0], corner[i][1], 1, 1, 2);
        assert_int_equal(find(1), 1);
        check_box(0, corner[i][0], corner[i][1], 1, 1);
        assert_true(fabs(found[0].area - 1.0 / (W * H)) < 1e-15);
        assert_string_equal(found[0].place, place[i]);
    }
}

/* The highest comes first; boxes farther apart than the joining distance (200 / 50 = 4) stay two. */
static void test_order_and_joining(void **state)
{
    clear();
    put(10, 10, 20, 10, 0.6f);
    put(34, 10, 10, 10, 0.9f); /* 4 pixels away: joined */
    assert_int_equal(find(0.5), 1);
    check_box(0, 10, 10, 34, 10);
    assert_true(fabs(found[0].area - 300.0 / (W * H)) < 1e-12 && fabs(found[0].score - 0.9) < 1e-6);
    clear();
    put(10, 10, 20, 10, 0.6f);
    put(35, 10, 10, 10, 0.9f); /* 5 pixels away */
    assert_int_equal(find(0.5), 2);
    check_box(0, 35, 10, 10, 10);
    check_box(1, 10, 10, 20, 10);
}

/* Diagonal neighbours are one region; a U closes only at its bottom row. */
static void test_shapes(void **state)
{
    clear();
    for (int i = 0; i < 60; i++) put(20 + i, 30 + i, 1, 1, 1);
    for (int i = 0; i < 60; i++) put(120 - i, 30 + i, 1, 1, 1); /* crosses, and is joined below */
    assert_int_equal(find(0.5), 1);
    check_box(0, 20, 30, 101, 60);
    clear();
    put(20, 20, 10, 60, 1);
    put(80, 20, 10, 60, 1);
    put(20, 80, 70, 5, 1);
    assert_int_equal(find(0.5), 1);
    check_box(0, 20, 20, 70, 65);
}

/* More regions than room: the highest are kept, in order. */
static void test_room(void **state)
{
    clear();
    for (int i = 0; i < 20; i++) put(5 + i % 10 * 19, 10 + i / 10 * 60, 3, 3, 1 + 0.1f * (float)(i * 7 % 20));
    assert_int_equal(find(0.5), FLAW_MAX_REGIONS);
    for (int i = 0; i < FLAW_MAX_REGIONS; i++) assert_true(fabs(found[i].score - (1 + 0.1 * (19 - i))) < 1e-5);
}

/* Against a flood fill on noise: the same pixels in all, the same largest value; no pixel over the limit outside. */
static void test_noise(void **state)
{
    flaw_random r;
    for (uint64_t seed = 0; seed < 30; seed++) {
        flaw_random_init(&r, seed, 0);
        clear();
        for (int i = 0; i < 12; i++)
            put(flaw_random_below(&r, W - 20), flaw_random_below(&r, H - 20), 1 + flaw_random_below(&r, 18),
                1 + flaw_random_below(&r, 18), (float)flaw_random_range(&r, 0.2, 1));
        int count = find(0.5);
        double pixels = 0, area = 0;
        float most = 0;
        for (int i = 0; i < W * H; i++) {
            if (!(map[i] > 0.5f)) continue;
            bool inside = false;
            pixels++;
            most = fmaxf(most, map[i]);
            for (int k = 0; k < count; k++)
                inside |= i % W >= found[k].x && i % W < found[k].x + found[k].width && i / W >= found[k].y &&
                          i / W < found[k].y + found[k].height;
            assert_true(inside);
        }
        for (int k = 0; k < count; k++) area += found[k].area;
        assert_true(fabs(area - pixels / (W * H)) < 1e-9);
        assert_true(count == 0 || found[0].score == most);
    }
}

/* A checkerboard is the worst case for runs: it ends, and is one region by its diagonals. */
static void test_checkerboard(void **state)
{
    for (int i = 0; i < W * H; i++) map[i] = (float)((i % W + i / W) % 2);
    assert_int_equal(find(0.5), 1);
    assert_true(found[0].area == 0.5);
}

static void test_places(void **state)
{
    const char *names[9] = {"top left", "top",         "top right", "left",        "center",
                            "right",    "bottom left", "bottom",    "bottom right"};
    for (int i = 0; i < 9; i++) assert_string_equal(flaw_place_name((i % 3 + 0.5) / 3, (i / 3 + 0.5) / 3), names[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_none),          cmocka_unit_test(test_whole),
        cmocka_unit_test(test_single_pixels), cmocka_unit_test(test_order_and_joining),
        cmocka_unit_test(test_shapes),        cmocka_unit_test(test_room),
        cmocka_unit_test(test_noise),         cmocka_unit_test(test_checkerboard),
        cmocka_unit_test(test_places),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
