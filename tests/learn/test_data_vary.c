/* Varied subjects: both states stay the same product, and the mask stays where they differ. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "learn/tower/data_vary.h"

enum { WIDTH = 120, HEIGHT = 96, AREA = WIDTH * HEIGHT, ROUNDS = 200 };

/* A coloured slope with rings on it, and the same with a green box exactly under the mask. */
static void make_subject(flaw_subject *s)
{
    *s = (flaw_subject){.name = "plate"};
    assert_int_equal(flaw_picture_new(&s->normal, WIDTH, HEIGHT, NULL), FLAW_OK);
    assert_int_equal(flaw_picture_new(&s->defective, WIDTH, HEIGHT, NULL), FLAW_OK);
    s->mask = calloc(1, AREA);
    assert_non_null(s->mask);
    for (int i = 0; i < AREA; i++) {
        int x = i % WIDTH, y = i / WIDTH, ring = ((x - 50) * (x - 50) + (y - 40) * (y - 40)) / 200 % 2;
        uint8_t *p = s->normal.rgb + 3 * i;
        p[0] = (uint8_t)(60 + x), p[1] = (uint8_t)(40 + y), p[2] = (uint8_t)(ring ? 90 : 20);
        memcpy(s->defective.rgb + 3 * i, p, 3);
        if (x < 30 || x >= 75 || y < 20 || y >= 70) continue;
        s->mask[i] = 255;
        p = s->defective.rgb + 3 * i;
        p[0] = (uint8_t)(255 - p[0]), p[1] = 255, p[2] = (uint8_t)(255 - p[2]);
    }
}

/* -1: near the mask's border; else whether the pixel and all within `ring` are masked. */
static int depth(const uint8_t *mask, int x, int y, int ring)
{
    int in = 0, all = 0;
    for (int b = -ring; b <= ring; b++)
        for (int a = -ring; a <= ring; a++) {
            int u = x + a, v = y + b;
            if (u < 0 || v < 0 || u >= WIDTH || v >= HEIGHT) continue;
            all++;
            in += mask[v * WIDTH + u] != 0;
        }
    return in == 0 ? 0 : in == all ? 1 : -1;
}

/* Where the mask runs out at the frame in a strip of less than a pixel, a few pixels beside it may differ. */
static void check_states(const flaw_subject *s)
{
    size_t masked = 0, beside = 0;
    for (int i = 0; i < AREA; i++) {
        int where = depth(s->mask, i % WIDTH, i / WIDTH, 4);
        bool same = !memcmp(s->normal.rgb + 3 * i, s->defective.rgb + 3 * i, 3);
        masked += s->mask[i] != 0;
        int most = 0;
        for (int c = 0; c < 3; c++) {
            int by = abs(s->normal.rgb[3 * i + c] - s->defective.rgb[3 * i + c]);
            most = by > most ? by : most;
        }
        beside += where == 0 && most > 16;
        if (where == 1) assert_false(same);
    }
    assert_true(masked >= 24);
    assert_true(beside <= 16);
}

static void test_mask_stays_where_the_states_differ(void **state)
{
    (void)state;
    flaw_subject s, kept, v;
    make_subject(&s);
    make_subject(&kept);
    int changed = 0, smaller = 0;
    for (uint64_t i = 0; i < ROUNDS; i++) {
        flaw_random r;
        flaw_random_init(&r, 11, i);
        assert_int_equal(flaw_subject_vary(&v, &s, &r, NULL), FLAW_OK);
        assert_int_equal(v.normal.width, WIDTH);
        assert_int_equal(v.defective.height, HEIGHT);
        assert_string_equal(v.name, "plate");
        check_states(&v);
        size_t masked = 0;
        for (int k = 0; k < AREA; k++) masked += v.mask[k] != 0;
        changed += memcmp(v.normal.rgb, s.normal.rgb, 3 * AREA) != 0;
        smaller += masked < 45 * 50 / 3;
        flaw_subject_release(&v);
    }
    assert_true(changed > ROUNDS * 8 / 10 && changed < ROUNDS); /* a tenth stays as it is */
    assert_true(smaller > ROUNDS / 10);                         /* one of many */
    assert_memory_equal(s.normal.rgb, kept.normal.rgb, 3 * AREA);
    assert_memory_equal(s.defective.rgb, kept.defective.rgb, 3 * AREA);
    assert_memory_equal(s.mask, kept.mask, AREA);
    flaw_subject_release(&s);
    flaw_subject_release(&kept);
}

static void test_equal_numbers_give_equal_products(void **state)
{
    (void)state;
    flaw_subject s, a, b;
    flaw_random r, again;
    make_subject(&s);
    flaw_random_init(&r, 3, 9);
    again = r;
    assert_int_equal(flaw_subject_vary(&a, &s, &r, NULL), FLAW_OK);
    assert_int_equal(flaw_subject_vary(&b, &s, &again, NULL), FLAW_OK);
    assert_memory_equal(a.normal.rgb, b.normal.rgb, 3 * AREA);
    assert_memory_equal(a.defective.rgb, b.defective.rgb, 3 * AREA);
    assert_memory_equal(a.mask, b.mask, AREA);
    flaw_subject_release(&a);
    flaw_subject_release(&b);
    flaw_subject_release(&s);
}

/* Prints and ribs change both states alike: where they were equal they still are. */
static void test_prints_lie_on_both_states(void **state)
{
    (void)state;
    flaw_subject s;
    int printed = 0, ribbed = 0;
    for (uint64_t i = 0; i < ROUNDS; i++) {
        flaw_random r;
        flaw_random_init(&r, 13, i);
        make_subject(&s);
        flaw_picture before = {0};
        assert_int_equal(flaw_picture_new(&before, WIDTH, HEIGHT, NULL), FLAW_OK);
        memcpy(before.rgb, s.normal.rgb, 3 * AREA);
        if (i % 2) assert_int_equal(flaw_subject_print(&s, &r, NULL), FLAW_OK);
        else flaw_subject_rib(&s, &r);
        bool changed = memcmp(before.rgb, s.normal.rgb, 3 * AREA) != 0;
        printed += i % 2 && changed;
        ribbed += i % 2 == 0 && changed;
        for (int k = 0; k < AREA; k++)
            if (!s.mask[k]) assert_memory_equal(s.normal.rgb + 3 * k, s.defective.rgb + 3 * k, 3);
        flaw_picture_release(&before);
        flaw_subject_release(&s);
    }
    assert_true(printed > ROUNDS * 2 / 5 && ribbed > ROUNDS * 2 / 5);
}

/* A defect of a few pixels is not made so small that nothing of it is left. */
static void test_small_defects_stay_visible(void **state)
{
    (void)state;
    flaw_subject s, v;
    make_subject(&s);
    for (int i = 0; i < AREA; i++) {
        int x = i % WIDTH, y = i / WIDTH;
        if (x >= 40 && x < 46 && y >= 30 && y < 36) continue;
        s.mask[i] = 0;
        memcpy(s.defective.rgb + 3 * i, s.normal.rgb + 3 * i, 3);
    }
    for (uint64_t i = 0; i < ROUNDS; i++) {
        flaw_random r;
        flaw_random_init(&r, 12, i);
        assert_int_equal(flaw_subject_vary(&v, &s, &r, NULL), FLAW_OK);
        size_t masked = 0;
        for (int k = 0; k < AREA; k++) masked += v.mask[k] != 0;
        assert_true(masked >= 24);
        flaw_subject_release(&v);
    }
    flaw_subject_release(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mask_stays_where_the_states_differ),
        cmocka_unit_test(test_equal_numbers_give_equal_products),
        cmocka_unit_test(test_prints_lie_on_both_states),
        cmocka_unit_test(test_small_defects_stay_visible),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
