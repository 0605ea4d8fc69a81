#include "check.h"

#include "image/exif.h"

/* A TIFF structure with `entries` entries of which the second is the orientation. */
static size_t make_exif(uint8_t out[64], bool big, int type, uint32_t count, int value)
{
    static const uint8_t LITTLE[] = {'I', 'I', 42, 0, 8, 0, 0,   0,   2,   0, 0x0F, 1,
                                     2,   0,   4,  0, 0, 0, 'a', 'b', 'c', 0, 0x12, 1};
    static const uint8_t BIG[] = {'M', 'M', 0, 42, 0, 0, 0,   8,   0,   2, 1, 0x0F,
                                  0,   2,   0, 0,  0, 4, 'a', 'b', 'c', 0, 1, 0x12};
    uint8_t t = (uint8_t)type, v = (uint8_t)value, n = (uint8_t)count;
    uint8_t little_tail[] = {t, 0, n, 0, 0, 0, v, 0, 0, 0, 0, 0, 0, 0};
    uint8_t big_tail[] = {0, t, 0, 0, 0, n, 0, 0, 0, 0, 0, 0, 0, 0};
    big_tail[type == 3 ? 7 : 9] = v;
    memcpy(out, big ? BIG : LITTLE, sizeof BIG);
    memcpy(out + sizeof BIG, big ? big_tail : little_tail, sizeof big_tail);
    return sizeof BIG + sizeof big_tail;
}

static void test_values(void **state)
{
    uint8_t bytes[64], prefixed[80];
    for (int big = 0; big < 2; big++) {
        for (int value = 0; value < 20; value++) {
            int wanted = value >= 1 && value <= 8 ? value : 1;
            size_t size = make_exif(bytes, big, 3, 1, value);
            assert_int_equal(flaw_exif_orientation(bytes, size), wanted);
            memcpy(prefixed, "Exif\0\0", 6);
            memcpy(prefixed + 6, bytes, size);
            assert_int_equal(flaw_exif_orientation(prefixed, size + 6), wanted);
            make_exif(bytes, big, 4, 1, value);
            assert_int_equal(flaw_exif_orientation(bytes, size), wanted);
        }
    }
}

static void test_hostile(void **state)
{
    uint8_t bytes[64];
    for (int type = 0; type < 14; type++) {
        size_t size = make_exif(bytes, false, type, 1, 6);
        assert_int_equal(flaw_exif_orientation(bytes, size), type == 3 || type == 4 ? 6 : 1);
        make_exif(bytes, false, type, 9, 6);
        assert_int_equal(flaw_exif_orientation(bytes, size), 1);
    }
    size_t size = make_exif(bytes, false, 3, 1, 6);
    for (size_t cut = 0; cut < size - 4; cut++) { /* the last four bytes lead to a further directory and are not read */
        uint8_t *exact = malloc(cut + 1);         /* so that the address sanitizer sees a read past the end */
        assert_non_null(exact);
        memcpy(exact, bytes, cut);
        assert_int_equal(flaw_exif_orientation(exact, cut), 1);
        free(exact);
    }
    static const uint8_t OFFSETS[][4] = {{255, 255, 255, 255}, {255, 255, 255, 127}, {60, 0, 0, 0}, {37, 0, 0, 0}};
    for (size_t i = 0; i < 4; i++) {
        memcpy(bytes + 4, OFFSETS[i], 4);
        assert_int_equal(flaw_exif_orientation(bytes, size), 1);
    }
    make_exif(bytes, false, 3, 1, 6);
    bytes[8] = bytes[9] = 255; /* 65535 entries: the orientation is among those that are there */
    assert_int_equal(flaw_exif_orientation(bytes, size), 6);
    bytes[22] = 0; /* no orientation among the entries, and they end early */
    assert_int_equal(flaw_exif_orientation(bytes, size), 1);
    bytes[2] = 43;
    assert_int_equal(flaw_exif_orientation(bytes, size), 1);
}

/* The stored picture is  a b c  and what each orientation shows, row by row (EXIF 2.32, figure of tag 0x0112).
 *                        d e f                                                                                */
static void test_turns(void **state)
{
    static const char *const SHOWN[9] = {"",       "abcdef", "cbafed", "fedcba", "defabc",
                                         "adbecf", "daebfc", "fcebda", "cfbead"};
    for (int orientation = 1; orientation <= 8; orientation++) {
        flaw_picture p = new_picture(3, 2);
        for (int i = 0; i < 6; i++) memset(p.rgb + 3 * i, 'a' + i, 3);
        p.rgb[1] = 7; /* the channels keep their order too: a is (a, 7, a) */
        assert_int_equal(flaw_picture_orient(&p, orientation, NULL), FLAW_OK);
        assert_int_equal(p.width, orientation < 5 ? 3 : 2);
        assert_int_equal(p.height, orientation < 5 ? 2 : 3);
        for (int i = 0; i < 6; i++) {
            assert_int_equal(p.rgb[3 * i], SHOWN[orientation][i]);
            assert_int_equal(p.rgb[3 * i + 1], p.rgb[3 * i] == 'a' ? 7 : p.rgb[3 * i]);
            assert_int_equal(p.rgb[3 * i + 2], SHOWN[orientation][i]);
        }
        flaw_picture_release(&p);
    }
}

/* Larger than the squares it is turned in; each turn and its inverse give the picture back. */
static void test_turn_back(void **state)
{
    static const int INVERSE[9] = {0, 1, 2, 3, 4, 5, 8, 7, 6};
    for (int orientation = 1; orientation <= 8; orientation++) {
        flaw_picture p = new_picture(150, 67), same = new_picture(150, 67);
        for (int i = 0; i < 150 * 67 * 3; i++) p.rgb[i] = same.rgb[i] = (uint8_t)(i * 7 + i / 251);
        assert_int_equal(flaw_picture_orient(&p, orientation, NULL), FLAW_OK);
        if (orientation > 1) assert_memory_not_equal(p.rgb, same.rgb, 150 * 67 * 3);
        assert_int_equal(flaw_picture_orient(&p, INVERSE[orientation], NULL), FLAW_OK);
        assert_int_equal(p.width, 150);
        assert_memory_equal(p.rgb, same.rgb, 150 * 67 * 3);
        flaw_picture_release(&p);
        flaw_picture_release(&same);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_values), cmocka_unit_test(test_hostile),
                                       cmocka_unit_test(test_turns), cmocka_unit_test(test_turn_back)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
