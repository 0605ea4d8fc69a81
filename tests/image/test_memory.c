/* Every allocation of src/image fails once: a status, nothing leaked (the address sanitizer counts), nothing touched.
 * And a small file with a large claim is refused without taking memory for it.
 * Linked with --wrap=malloc,calloc,realloc, so that the library's calls come through here. */
#include "check.h"

#include "image/overlay.h"
#include "image/resize.h"
#include "image/write_png.h"

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);

static int fail_at = -1; /* this many allocations from now; -1 = never */
static size_t taken;     /* bytes asked for */

static bool refused(size_t size)
{
    taken += size;
    return fail_at >= 0 && fail_at-- == 0;
}

void *__wrap_malloc(size_t size)
{
    return refused(size) ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return refused(count * size) ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size)
{
    return refused(size) ? NULL : __real_realloc(old, size);
}

/* One thing that allocates; its result is given back inside. */
typedef flaw_status (*action)(const flaw_bytes *file, flaw_error *err);

static flaw_status act_decode(const flaw_bytes *file, flaw_error *err)
{
    flaw_picture p;
    flaw_status status = flaw_picture_decode(&p, file->data, file->size, "x", err);
    if (status == FLAW_OK) flaw_picture_release(&p);
    return status;
}

static flaw_status act_resize(const flaw_bytes *file, flaw_error *err)
{
    static uint8_t rgb[20 * 10 * 3];
    flaw_picture in = {20, 10, rgb}, out;
    flaw_status status = flaw_picture_resize(&out, &in, 7, 30, FLAW_FILTER_BICUBIC, err);
    if (status == FLAW_OK) flaw_picture_release(&out);
    return status;
}

static flaw_status act_overlay(const flaw_bytes *file, flaw_error *err)
{
    static uint8_t rgb[20 * 10 * 3];
    static const float map[4];
    flaw_picture in = {20, 10, rgb}, out;
    flaw_overlay o = {.picture = &in, .map = map, .map_width = 2, .map_height = 2, .map_threshold = 1};
    flaw_status status = flaw_overlay_draw(&out, &o, err);
    if (status == FLAW_OK) flaw_picture_release(&out);
    return status;
}

static flaw_status act_encode(const flaw_bytes *file, flaw_error *err)
{
    static const uint8_t rgb[20 * 10 * 3];
    flaw_buffer buffer;
    flaw_buffer_init(&buffer, 1 << 20);
    flaw_status status = flaw_png_encode(&buffer, rgb, 20, 10, 3, "x", err);
    flaw_buffer_release(&buffer);
    return status;
}

/* Returns how many allocations there were, each of which has failed once. */
static int torture(action act, const flaw_bytes *file)
{
    for (int k = 0;; k++) {
        flaw_error err = {.status = FLAW_OK};
        fail_at = k;
        flaw_status status = act(file, &err);
        bool reached = fail_at < 0;
        fail_at = -1;
        if (!reached) {
            assert_int_equal(status, FLAW_OK);
            return k;
        }
        assert_int_equal(status, FLAW_NO_MEMORY);
        assert_int_equal(err.status, FLAW_NO_MEMORY);
    }
}

static void test_each_allocation(void **state)
{
    static const char *const NAMES[] = {"rgb8.png", "palette4i.png", "exif6.png", "exif6.jpg", "cmyk.jpg"};
    static const int AT_LEAST[] = {1, 1, 2, 2, 2}; /* the picture, the turned one, a row of inks */
    for (int i = 0; i < 5; i++) {
        flaw_bytes file = load_data(NAMES[i]);
        assert_true(torture(act_decode, &file) >= AT_LEAST[i]);
        flaw_bytes_release(&file);
    }
    assert_true(torture(act_resize, NULL) >= 10);
    assert_true(torture(act_overlay, NULL) >= 12);
    assert_true(torture(act_encode, NULL) >= 1);
}

static void expect_small(flaw_bytes *file, size_t at, const uint8_t *claim)
{
    flaw_picture p;
    flaw_error err;
    memcpy(file->data + at, claim, 8);
    taken = 0;
    assert_int_equal(flaw_picture_decode(&p, file->data, file->size, "bomb", &err), FLAW_BAD_DATA);
    if (taken > 1 << 20) fail_msg("%s: took %zu bytes first", err.text, taken);
}

static void test_bombs(void **state)
{
    /* width, height: over the limits, and within them (10000 x 10000) but not from a file of 500 bytes */
    static const uint8_t CLAIMS[][8] = {{0x7f, 255, 255, 255, 0x7f, 255, 255, 255},
                                        {0, 0, 0xff, 0, 0, 0, 0xff, 0},
                                        {0, 0, 0x27, 0x10, 0, 0, 0x27, 0x10}};
    flaw_bytes png = load_data("rgb8.png");
    for (int i = 0; i < 3; i++) expect_small(&png, 16, CLAIMS[i]);
    flaw_bytes_release(&png);
    flaw_bytes jpeg = load_data("rgb420p.jpg");
    size_t frame = 0;
    while (jpeg.data[frame] != 0xff || jpeg.data[frame + 1] != 0xc2) frame++;
    uint8_t claim[8];
    memcpy(claim, jpeg.data + frame + 5, 8);
    memcpy(claim, (const uint8_t[]){0x27, 0x10, 0x27, 0x10}, 4);
    expect_small(&jpeg, frame + 5, claim);
    memcpy(claim, (const uint8_t[]){0xff, 0xff, 0xff, 0xff}, 4);
    expect_small(&jpeg, frame + 5, claim);
    flaw_bytes_release(&jpeg);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_each_allocation), cmocka_unit_test(test_bombs)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
