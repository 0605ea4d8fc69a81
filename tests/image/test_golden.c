/* Every kind of PNG, JPEG and BMP, EXIF orientation and resizing: byte for byte what Pillow makes of the same files
 * (data/golden.txt, written by tools/make_image_golden.py). */
#include "check.h"

#include "base/sha256.h"
#include "image/resize.h"

typedef struct golden_case {
    char action[8], file[64], filter[16], hash[65];
    int width, height;
} golden_case;

static bool parse_case(golden_case *c, const char *line)
{
    if (sscanf(line, "decode %63s %d %d %64s", c->file, &c->width, &c->height, c->hash) == 4) {
        c->filter[0] = 0;
        return true;
    }
    return sscanf(line, "resize %63s %d %d %15s %64s", c->file, &c->width, &c->height, c->filter, c->hash) == 5;
}

static void check_case(const golden_case *c)
{
    flaw_picture picture = decode_data(c->file);
    if (c->filter[0]) {
        flaw_filter filter = strcmp(c->filter, "bicubic") == 0 ? FLAW_FILTER_BICUBIC : FLAW_FILTER_BILINEAR;
        flaw_picture small;
        flaw_error err;
        if (flaw_picture_resize(&small, &picture, c->width, c->height, filter, &err) != FLAW_OK)
            fail_msg("%s", err.text);
        flaw_picture_release(&picture);
        picture = small;
    }
    char hash[65];
    flaw_sha256_hex(picture.rgb, (size_t)picture.width * (size_t)picture.height * 3, hash);
    if (picture.width != c->width || picture.height != c->height || strcmp(hash, c->hash) != 0) {
        fail_msg("%s %s %d x %d: pixels differ from Pillow's (%d x %d, %s)", c->file, c->filter, c->width, c->height,
                 picture.width, picture.height, hash);
    }
    flaw_picture_release(&picture);
}

static void test_all(void **state)
{
    flaw_bytes table = load_data("golden.txt");
    int cases = 0;
    for (const char *line = (const char *)table.data; *line; cases++) {
        golden_case c = {0};
        if (!parse_case(&c, line)) fail_msg("golden.txt: cannot read line %d", cases + 1);
        check_case(&c);
        const char *end = strchr(line, '\n');
        assert_non_null(end);
        line = end + 1;
    }
    assert_true(cases >= 100);
    flaw_bytes_release(&table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_all)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
