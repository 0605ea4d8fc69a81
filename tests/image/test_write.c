/* What is written can be read again, pixel for pixel; a failed write leaves what was there. */
#include "check.h"

#include "base/random.h"
#include "image/write_png.h"

static flaw_picture noise(int width, int height)
{
    flaw_picture p = new_picture(width, height);
    flaw_random r;
    flaw_random_init(&r, 9, (uint64_t)width);
    for (int i = 0; i < width * height * 3; i++) p.rgb[i] = (uint8_t)flaw_random_below(&r, 256);
    return p;
}

static void test_round_trip(void **state)
{
    static const int SIZES[][2] = {{1, 1}, {7, 300}, {301, 5}, {640, 480}, {65500, 2}};
    char path[512];
    flaw_error err;
    snprintf(path, sizeof path, "%s/out.png", (char *)*state);
    for (int i = 0; i < 5; i++) {
        flaw_picture p = noise(SIZES[i][0], SIZES[i][1]), again;
        if (flaw_picture_write_png(&p, path, &err) != FLAW_OK) fail_msg("%s", err.text);
        if (flaw_picture_read(&again, path, &err) != FLAW_OK) fail_msg("%s", err.text);
        assert_int_equal(again.width, p.width);
        assert_int_equal(again.height, p.height);
        assert_memory_equal(again.rgb, p.rgb, (size_t)p.width * (size_t)p.height * 3);
        flaw_picture_release(&p);
        flaw_picture_release(&again);
    }
}

static void test_mask(void **state)
{
    char path[512];
    uint8_t mask[35];
    flaw_picture again;
    flaw_error err;
    for (int i = 0; i < 35; i++) mask[i] = (uint8_t)(i % 3 ? i : 0);
    snprintf(path, sizeof path, "%s/mask.png", (char *)*state);
    assert_int_equal(flaw_mask_write_png(mask, 7, 5, path, &err), FLAW_OK);
    flaw_bytes file;
    assert_int_equal(flaw_file_read(&file, path, 4096, &err), FLAW_OK);
    assert_int_equal(file.data[24], 8); /* bits */
    assert_int_equal(file.data[25], 0); /* grey */
    flaw_bytes_release(&file);
    assert_int_equal(flaw_picture_read(&again, path, &err), FLAW_OK);
    assert_int_equal(again.width, 7);
    for (int i = 0; i < 35; i++) assert_int_equal(again.rgb[3 * i], mask[i] ? 255 : 0);
    flaw_picture_release(&again);
}

static void test_failures(void **state)
{
    flaw_picture p = noise(20, 10);
    flaw_error err;
    char path[512];
    snprintf(path, sizeof path, "%s/no/such/folder/out.png", (char *)*state);
    assert_int_not_equal(flaw_picture_write_png(&p, path, &err), FLAW_OK);
    assert_contains(err.text, "no/such/folder");
    assert_int_not_equal(flaw_picture_write_png(&p, *state, &err), FLAW_OK); /* a folder stands there */
    flaw_buffer buffer;
    flaw_buffer_init(&buffer, 100); /* too small for the noise */
    assert_int_equal(flaw_png_encode(&buffer, p.rgb, 20, 10, 3, "x", &err), FLAW_NO_MEMORY);
    assert_contains(err.text, "'x'");
    flaw_buffer_release(&buffer);
    flaw_buffer_init(&buffer, 1 << 20);
    assert_int_equal(flaw_png_encode(&buffer, p.rgb, 20, 10, 2, "x", &err), FLAW_USAGE);
    assert_int_equal(flaw_png_encode(&buffer, p.rgb, 0, 10, 3, "x", &err), FLAW_USAGE);
    assert_int_equal(flaw_png_encode(&buffer, p.rgb, 20, 65501, 3, "x", &err), FLAW_USAGE);
    assert_int_equal(buffer.size, 0);
    flaw_buffer_release(&buffer);
    flaw_picture_release(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_round_trip), cmocka_unit_test(test_mask),
                                       cmocka_unit_test(test_failures)};
    return cmocka_run_group_tests(tests, make_scratch, remove_scratch);
}
