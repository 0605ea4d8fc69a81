/* From picture to pixels: margins as torchvision's CenterCrop, squashing, extreme sides, normalising. (Equality with
 * Pillow itself is tested in image/ and golden/.) */
#include "tiny.h"

#include "model/tower/prepare.h"

enum { SIDE = 8 };

static const flaw_clip_shape shape = {.side = SIDE,
                                      .prepare = {.resize_to = SIDE, .mean = {0.5f, 0.25f, 0}, .std = {0.5f, 1, 2}}};

/* Red is the column, green the row. */
static flaw_picture ramp(int width, int height)
{
    flaw_picture p;
    flaw_error err = {0};
    assert_ok(flaw_picture_new(&p, width, height, &err));
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++) {
            uint8_t *at = p.rgb + 3 * ((size_t)y * (size_t)width + (size_t)x);
            at[0] = (uint8_t)x;
            at[1] = (uint8_t)y;
            at[2] = 200;
        }
    return p;
}

static void prepare(float *pixels, const flaw_picture *p, flaw_resize_mode mode)
{
    flaw_error err = {0};
    assert_ok(flaw_prepare_pixels(pixels, p, &shape, mode, &err));
}

static float red(int value)
{
    return ((float)value / 255.0f - 0.5f) / 0.5f;
}

/* Half margins go to the even side: 1/2 -> 0, 3/2 -> 2, 5/2 -> 2, 7/2 -> 4. */
static void test_margins(void **state)
{
    static const int left[] = {0, 0, 1, 2, 2, 2, 3, 4, 4};
    for (int extra = 0; extra < 9; extra++) {
        float pixels[3 * SIDE * SIDE];
        flaw_picture wide = ramp(SIDE + extra, SIDE), tall = ramp(SIDE, SIDE + extra);
        prepare(pixels, &wide, FLAW_RESIZE_SHORTEST);
        assert_true(pixels[0] == red(left[extra]));
        assert_true(pixels[SIDE * SIDE - 1] == red(left[extra] + SIDE - 1));
        prepare(pixels, &tall, FLAW_RESIZE_SHORTEST);
        assert_true(pixels[SIDE * SIDE] == (float)left[extra] / 255.0f - 0.25f);
        assert_true(pixels[2 * SIDE * SIDE] == (200 / 255.0f - 0) / 2);
        flaw_picture_release(&wide);
        flaw_picture_release(&tall);
    }
}

/* Squashing keeps both ends of a wide picture, the crop keeps its middle. */
static void test_squash(void **state)
{
    float squashed[3 * SIDE * SIDE], cropped[3 * SIDE * SIDE];
    flaw_picture p = ramp(200, 20);
    prepare(squashed, &p, FLAW_RESIZE_SQUASH);
    prepare(cropped, &p, FLAW_RESIZE_SHORTEST);
    assert_true(squashed[0] < red(20) && squashed[SIDE - 1] > red(180));
    assert_true(cropped[0] > red(85) && cropped[SIDE - 1] < red(115));
    flaw_picture_release(&p);
}

static void test_extreme(void **state)
{
    static const int sides[][2] = {{1, 1}, {20000, 1}, {1, 20000}, {65500, 3}, {2, 1}, {4000, 3000}};
    for (size_t i = 0; i < sizeof sides / sizeof sides[0]; i++)
        for (flaw_resize_mode mode = FLAW_RESIZE_SHORTEST; mode <= FLAW_RESIZE_SQUASH; mode++) {
            float pixels[3 * SIDE * SIDE];
            flaw_picture p = ramp(sides[i][0], sides[i][1]);
            prepare(pixels, &p, mode);
            for (int j = 0; j < SIDE * SIDE; j++) assert_true(pixels[2 * SIDE * SIDE + j] == (200 / 255.0f) / 2);
            flaw_picture_release(&p);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_margins),
        cmocka_unit_test(test_squash),
        cmocka_unit_test(test_extreme),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
