/* What a mask marks: parts that belong together, specks, places. Masks drawn with letters, one cell 4 x 4 pixels. */
#include "../check.h"

#include "detect/marked.h"

enum { CELL = 4 };

/* rows: '#' is marked. Returns the number of regions. */
static int find(flaw_region *out, const char *const *rows)
{
    int width = CELL * (int)strlen(rows[0]), height = 0, count = -1;
    while (rows[height]) height++;
    height *= CELL;
    uint8_t *mask = malloc((size_t)width * (size_t)height);
    flaw_error err;
    for (int i = 0; i < width * height; i++) mask[i] = rows[i / width / CELL][i % width / CELL] == '#' ? 200 : 0;
    assert_ok(flaw_marked_find(out, &count, mask, width, height, &err));
    free(mask);
    return count;
}

static void parts_and_places(void **state)
{
    static const char *const rows[] = {"................................",
                                       ".####.......................##..",
                                       ".####.......................##..",
                                       ".####...........................",
                                       "................................",
                                       "................................",
                                       "................................",
                                       "................................",
                                       ".............####...............",
                                       ".............####...............",
                                       "................................",
                                       "................................",
                                       NULL};
    flaw_region r[FLAW_MARKED_MOST];
    assert_int_equal(find(r, rows), 3);
    assert_string_equal(r[0].place, "top left"); /* the largest */
    assert_string_equal(r[1].place, "bottom");
    assert_string_equal(r[2].place, "top right");
    assert_int_equal(r[0].x, 4);
    assert_int_equal(r[0].y, 4);
    assert_int_equal(r[0].width, 16);
    assert_int_equal(r[0].height, 12);
    assert_true(r[0].area == 12. / (32 * 12));
}

/* 32 cells wide: gaps up to 2 cells join. */
static void pieces_of_one_scratch(void **state)
{
    static const char *const joined[] = {"................................", ".##..##..##..##..##.............",
                                         "................................", NULL};
    static const char *const apart[] = {"................................", ".##...##........................",
                                        "................................", NULL};
    flaw_region r[FLAW_MARKED_MOST];
    assert_int_equal(find(r, joined), 1);
    assert_int_equal(r[0].width, 18 * CELL);
    assert_int_equal(find(r, apart), 2);
}

static void specks_are_left_out(void **state)
{
    static const char *const speck[] = {
        "................................", "..#####.....................#...", "..#####.........................",
        "..#####.........................", "..#####.........................", "..#####.........................",
        "..#####.........................", "................................", NULL};
    static const char *const part[] = {
        "................................", "..#####.....................##..", "..#####.........................",
        "..#####.........................", "..#####.........................", "..#####.........................",
        "..#####.........................", "................................", NULL};
    flaw_region r[FLAW_MARKED_MOST];
    assert_int_equal(find(r, speck), 1); /* 1 of 30 cells */
    assert_int_equal(find(r, part), 2);  /* 2 of 30 */
}

/* Five parts, one more than answers speak of: the two that are nearest each other become one. */
static void five_are_four(void **state)
{
    static const char *const rows[] = {"##....##......................##",
                                       "##....##......................##",
                                       "................................",
                                       "................................",
                                       "................................",
                                       "................................",
                                       "................................",
                                       "................................",
                                       "................................",
                                       "................................",
                                       "................................",
                                       "................................",
                                       "................................",
                                       "................................",
                                       "##............................##",
                                       "##............................##",
                                       NULL};
    flaw_region r[FLAW_MARKED_MOST];
    assert_int_equal(find(r, rows), 4);
    assert_int_equal(r[0].width, 8 * CELL);
    assert_true(r[0].area == 8. / (32 * 16));
    assert_string_equal(r[0].place, "top left");
}

static void none_all_and_many(void **state)
{
    static const char *const none[] = {"....", "....", NULL}, *const all[] = {"####", "####", NULL};
    flaw_region r[FLAW_MARKED_MOST];
    assert_int_equal(find(r, none), 0);
    assert_int_equal(find(r, all), 1);
    assert_string_equal(r[0].place, "center");
    enum { SIDE = 640 };
    static uint8_t mask[SIDE * SIDE];
    int count;
    for (int y = 0; y < 8; y++) /* 64 dots 80 pixels apart */
        for (int x = 0; x < 8; x++) memset(mask + (80 * y + 20) * SIDE + 80 * x + 20, 1, 9);
    assert_int_equal(flaw_marked_find(r, &count, mask, SIDE, SIDE, NULL), FLAW_OK);
    assert_int_equal(count, 1);       /* more than anybody would count: farther ones are joined, too */
    for (int y = 0; y < SIDE; y += 2) /* noise: more parts than are looked at */
        for (int x = 0; x < SIDE; x += 2) mask[y * SIDE + x] = 1;
    assert_int_equal(flaw_marked_find(r, &count, mask, SIDE, SIDE, NULL), FLAW_OK);
    assert_in_range(count, 1, FLAW_MARKED_MOST);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_and_places),    cmocka_unit_test(pieces_of_one_scratch),
        cmocka_unit_test(specks_are_left_out), cmocka_unit_test(five_are_four),
        cmocka_unit_test(none_all_and_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
