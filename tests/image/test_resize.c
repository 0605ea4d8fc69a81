/* Equality with Pillow is in test_golden.c; here what must hold for any picture. */
#include "check.h"

#include <math.h>

#include "base/random.h"
#include "image/resize.h"

static flaw_picture noise(int width, int height)
{
    flaw_picture p = new_picture(width, height);
    flaw_random r;
    flaw_random_init(&r, 5, (uint64_t)width * 1000 + (uint64_t)height);
    for (int i = 0; i < width * height * 3; i++) p.rgb[i] = (uint8_t)flaw_random_below(&r, 256);
    return p;
}

static flaw_picture resized(const flaw_picture *in, int w, int h, flaw_filter filter)
{
    flaw_picture out;
    assert_int_equal(flaw_picture_resize(&out, in, w, h, filter, NULL), FLAW_OK);
    return out;
}

/* A part of a resize is the crop of the whole, wherever it lies. */
static void test_part(void **state)
{
    static const int SIZES[][2] = {{90, 31}, {17, 120}, {45, 40}, {1, 200}, {64, 48}};
    flaw_picture in = noise(64, 48);
    flaw_random r;
    flaw_random_init(&r, 6, 0);
    for (int i = 0; i < 60; i++) {
        int w = SIZES[i % 5][0], h = SIZES[i % 5][1];
        flaw_box part = {flaw_random_below(&r, w), flaw_random_below(&r, h), 0, 0};
        part.width = 1 + flaw_random_below(&r, w - part.x);
        part.height = 1 + flaw_random_below(&r, h - part.y);
        flaw_filter filter = i & 1 ? FLAW_FILTER_BICUBIC : FLAW_FILTER_BILINEAR;
        flaw_picture whole = resized(&in, w, h, filter), cut, direct;
        assert_int_equal(flaw_picture_crop(&cut, &whole, part.x, part.y, part.width, part.height, NULL), FLAW_OK);
        assert_int_equal(flaw_picture_resize_part(&direct, &in, w, h, part, filter, NULL), FLAW_OK);
        assert_memory_equal(cut.rgb, direct.rgb, (size_t)part.width * (size_t)part.height * 3);
        flaw_picture_release(&whole);
        flaw_picture_release(&cut);
        flaw_picture_release(&direct);
    }
    flaw_picture_release(&in);
}

static void test_flat_stays_flat(void **state)
{
    for (int value = 0; value < 256; value += 51) {
        flaw_picture in = new_picture(33, 20);
        memset(in.rgb, value, 33 * 20 * 3);
        flaw_picture out = resized(&in, 71, 6, FLAW_FILTER_BICUBIC);
        for (int i = 0; i < 71 * 6 * 3; i++) assert_int_equal(out.rgb[i], value);
        flaw_picture_release(&in);
        flaw_picture_release(&out);
    }
}

/* 20000 x 3 to a shortest edge of 224 would be 1.5 million pixels wide; only its middle is made. */
static void test_very_wide(void **state)
{
    flaw_picture in = decode_data("wide.png"), out;
    int full = (int)(224.0 * 20000 / 3);
    flaw_box part = {(full - 224) / 2, 0, 224, 224};
    assert_int_equal(flaw_picture_resize_part(&out, &in, full, 224, part, FLAW_FILTER_BICUBIC, NULL), FLAW_OK);
    const uint8_t *middle = pixel_at(&in, 10000, 1);
    assert_int_equal(pixel_at(&out, 112, 112)[0], middle[0]);
    flaw_picture_release(&out);
    flaw_picture_release(&in);
}

static void test_refusals(void **state)
{
    flaw_picture in = noise(10, 8), out = {.width = 77};
    flaw_error err;
    static const flaw_box BAD[] = {{-1, 0, 2, 2}, {0, -1, 2, 2}, {9, 0, 2, 2},          {0, 7, 2, 2},
                                   {0, 0, 0, 2},  {0, 0, 2, -2}, {2147483647, 0, 2, 2}, {0, 0, 2147483647, 1}};
    for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++) {
        flaw_box b = BAD[i];
        assert_int_equal(flaw_picture_crop(&out, &in, b.x, b.y, b.width, b.height, &err), FLAW_USAGE);
        assert_contains(err.text, "crop");
        assert_int_equal(flaw_picture_resize_part(&out, &in, 10, 8, b, FLAW_FILTER_BICUBIC, &err), FLAW_USAGE);
        assert_contains(err.text, "inside");
    }
    static const int SIZES[][2] = {{0, 5}, {5, 0}, {-3, 5}, {65501, 1}, {1, 65501}, {60000, 60000}};
    for (size_t i = 0; i < sizeof SIZES / sizeof SIZES[0]; i++) {
        assert_int_equal(flaw_picture_resize(&out, &in, SIZES[i][0], SIZES[i][1], FLAW_FILTER_BICUBIC, &err),
                         FLAW_USAGE);
    }
    assert_int_equal(out.width, 77);
    assert_int_equal(flaw_picture_new(&out, 65500, 1527, &err), FLAW_USAGE);
    assert_contains(err.text, "65500 x 1527");
    flaw_picture_release(&in);
}

static void test_upsample(void **state)
{
    /* torch.nn.functional.interpolate([[0, 4], [8, 20]], size=(4, 4), mode="bilinear", align_corners=False) */
    static const float IN[4] = {0, 4, 8, 20};
    static const float WANTED[16] = {0, 1, 3, 4, 2, 3.5f, 6.5f, 8, 6, 8.5f, 13.5f, 16, 8, 11, 17, 20};
    float out[16];
    flaw_map_upsample(out, 4, 4, IN, 2, 2);
    for (int i = 0; i < 16; i++) assert_true(fabsf(out[i] - WANTED[i]) < 1e-5f);
    flaw_map_upsample(out, 2, 2, IN, 2, 2);
    assert_memory_equal(out, IN, sizeof IN);
    flaw_map_upsample(out, 4, 4, IN + 3, 1, 1);
    for (int i = 0; i < 16; i++) assert_true(out[i] == 20);
    /* Wider than the block of columns that is worked out at once: a ramp stays a ramp. */
    float ramp[8], wide[800];
    for (int i = 0; i < 8; i++) ramp[i] = (float)i;
    flaw_map_upsample(wide, 800, 1, ramp, 8, 1);
    for (int i = 50; i < 750; i++) assert_true(fabsf(wide[i] - (((float)i + 0.5f) / 100 - 0.5f)) < 1e-4f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_part), cmocka_unit_test(test_flat_stays_flat),
                                       cmocka_unit_test(test_very_wide), cmocka_unit_test(test_refusals),
                                       cmocka_unit_test(test_upsample)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
