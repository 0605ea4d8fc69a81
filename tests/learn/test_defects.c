#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "flaw/picture.h"
#include "learn/paint/defect.h"

enum { SIDE = 128 };

/* A grey disc with a slight gradient on a dark ground. */
static flaw_picture disc(uint8_t *foreground)
{
    flaw_picture p;
    assert_int_equal(flaw_picture_new(&p, SIDE, SIDE, NULL), FLAW_OK);
    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++) {
            int dx = x - SIDE / 2, dy = y - SIDE / 2, in = dx * dx + dy * dy < 50 * 50;
            foreground[y * SIDE + x] = in ? 255 : 0;
            for (int c = 0; c < 3; c++)
                p.rgb[3 * (y * SIDE + x) + c] = (uint8_t)(in ? 120 + x / 4 + 3 * ((x / 5 + y / 5) & 1) : 30 + y / 8);
        }
    return p;
}

static int count(const uint8_t *mask)
{
    int n = 0;
    for (int i = 0; i < SIDE * SIDE; i++) n += mask[i] == 255;
    return n;
}

static void every_defect_shows_inside_its_mask(void **state)
{
    static uint8_t foreground[SIDE * SIDE], mask[SIDE * SIDE];
    for (int kind = 0; kind < flaw_defect_count(); kind++) {
        int painted = 0, tries = 12;
        for (int t = 0; t < tries; t++) {
            flaw_picture p = disc(foreground), clean = disc(foreground);
            flaw_random r;
            flaw_random_init(&r, (uint64_t)t, (uint64_t)kind);
            memset(mask, 0, sizeof mask);
            int which = -1;
            flaw_status st = flaw_defect_paint(&p, foreground, NULL, kind, &r, mask, &which, NULL);
            if (st == FLAW_OK) {
                painted++;
                assert_int_equal(which, kind);
                int marks = count(mask), strong = 0, lost = 0;
                for (int i = 0; i < SIDE * SIDE; i++) {
                    int d = 0;
                    for (int c = 0; c < 3; c++) {
                        int e = abs(p.rgb[3 * i + c] - clean.rgb[3 * i + c]);
                        d = e > d ? e : d;
                    }
                    strong += mask[i] && d > 8;
                    lost += !mask[i] && d > 60;
                }
                assert_true(marks >= 8);
                if (strong * 3 < marks)
                    fail_msg("%s: %d of %d marked pixels changed", flaw_defect_name(kind), strong, marks);
                if (lost > marks / 4 + 10)
                    fail_msg("%s: %d strong changes outside a mask of %d", flaw_defect_name(kind), lost, marks);
            } else {
                assert_int_equal(st, FLAW_UNAVAILABLE);
                assert_int_equal(count(mask), 0);
                assert_memory_equal(p.rgb, clean.rgb, 3 * SIDE * SIDE);
            }
            flaw_picture_release(&p);
            flaw_picture_release(&clean);
        }
        if (painted * 2 < tries) fail_msg("%s: only %d of %d tries showed", flaw_defect_name(kind), painted, tries);
    }
}

static void defects_work_without_foreground_and_on_any_size(void **state)
{
    static const int sizes[][2] = {{40, 300}, {300, 40}, {17, 19}, {700, 500}};
    for (int s = 0; s < 4; s++) {
        flaw_picture p, other;
        int w = sizes[s][0], h = sizes[s][1], shown = 0;
        assert_int_equal(flaw_picture_new(&p, w, h, NULL), FLAW_OK);
        assert_int_equal(flaw_picture_new(&other, 9, 31, NULL), FLAW_OK);
        memset(p.rgb, 140, 3 * (size_t)w * (size_t)h);
        memset(other.rgb, 20, 3 * 9 * 31);
        uint8_t *mask = calloc((size_t)w * (size_t)h, 1);
        for (int kind = -1; kind < flaw_defect_count(); kind++) {
            flaw_random r;
            flaw_random_init(&r, 3, (uint64_t)(kind + 1));
            flaw_status st = flaw_defect_paint(&p, NULL, kind & 1 ? &other : NULL, kind, &r, mask, NULL, NULL);
            assert_true(st == FLAW_OK || st == FLAW_UNAVAILABLE);
            shown += st == FLAW_OK;
        }
        assert_true(shown > flaw_defect_count() / 2);
        free(mask);
        flaw_picture_release(&p);
        flaw_picture_release(&other);
    }
}

static void impossible_defects_are_refused(void **state)
{
    static uint8_t foreground[SIDE * SIDE], mask[SIDE * SIDE], nothing[SIDE * SIDE];
    flaw_picture p = disc(foreground);
    flaw_random r;
    flaw_error err;
    flaw_random_init(&r, 1, 1);
    assert_int_equal(flaw_defect_paint(&p, nothing, NULL, 0, &r, mask, NULL, &err), FLAW_UNAVAILABLE);
    assert_int_equal(flaw_defect_paint(&p, foreground, NULL, 1000, &r, mask, NULL, &err), FLAW_USAGE);
    assert_null(flaw_defect_name(-1));
    assert_null(flaw_defect_phrase(flaw_defect_count()));
    assert_int_equal(flaw_defect_find("scratch"), 0);
    flaw_picture_release(&p);
}

/* The disc is found to within a grid cell at its border; a picture of nothing but grain has no object. */
static void an_object_before_a_calm_ground_is_found(void **state)
{
    static uint8_t foreground[SIDE * SIDE], guess[SIDE * SIDE];
    flaw_picture p = disc(foreground);
    assert_true(flaw_defect_foreground(&p, guess));
    int wrong = 0;
    for (int i = 0; i < SIDE * SIDE; i++) wrong += guess[i] != foreground[i];
    assert_in_range(wrong, 0, SIDE * SIDE / 25);
    flaw_random r;
    flaw_random_init(&r, 4, 4);
    for (int i = 0; i < 3 * SIDE * SIDE; i++) p.rgb[i] = (uint8_t)flaw_random_below(&r, 256);
    assert_false(flaw_defect_foreground(&p, guess));
    for (int i = 0; i < SIDE * SIDE; i++) assert_int_equal(guess[i], 255);
    flaw_picture_release(&p);
}

static void metal_grows_no_mould(void **state)
{
    flaw_random r;
    flaw_random_init(&r, 5, 5);
    for (int i = 0; i < 2000; i++) {
        assert_int_not_equal(flaw_defect_any(&r, "brushed metal"), flaw_defect_find("mould"));
        assert_int_not_equal(flaw_defect_any(&r, "wood"), flaw_defect_find("rust"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_defect_shows_inside_its_mask),
        cmocka_unit_test(defects_work_without_foreground_and_on_any_size),
        cmocka_unit_test(impossible_defects_are_refused),
        cmocka_unit_test(an_object_before_a_calm_ground_is_found),
        cmocka_unit_test(metal_grows_no_mould),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
