/* Progressive JPEGs with few scans are read, with too many refused: each scan costs a pass over the whole picture. */
#include "check.h"

#include <jpeglib.h>

#include "image/decode.h"

enum { W = 48, H = 32 };

/* Grey progressive JPEG of 1 + `single` + (is it all) 1 scans: coefficients 1 .. `single` one by one, then the rest. A
 * coefficient can be sent in halves (its upper bits, then the last one), which makes two scans of it. */
static unsigned char *make_jpeg(unsigned long *size, int single, bool halves, int *scans)
{
    struct jpeg_compress_struct c;
    struct jpeg_error_mgr errors;
    jpeg_scan_info script[130] = {{.comps_in_scan = 1}};
    unsigned char *out = NULL;
    int n = 1;
    for (int i = 1; i <= single; i++) {
        script[n++] = (jpeg_scan_info){.comps_in_scan = 1, .Ss = i, .Se = i, .Ah = 0, .Al = halves ? 1 : 0};
        if (halves) script[n++] = (jpeg_scan_info){.comps_in_scan = 1, .Ss = i, .Se = i, .Ah = 1, .Al = 0};
    }
    if (single < 63) script[n++] = (jpeg_scan_info){.comps_in_scan = 1, .Ss = single + 1, .Se = 63};
    *scans = n;
    c.err = jpeg_std_error(&errors);
    jpeg_create_compress(&c);
    jpeg_mem_dest(&c, &out, size);
    c.image_width = W;
    c.image_height = H;
    c.input_components = 1;
    c.in_color_space = JCS_GRAYSCALE;
    jpeg_set_defaults(&c);
    c.scan_info = script;
    c.num_scans = n;
    jpeg_start_compress(&c, TRUE);
    for (int y = 0; y < H; y++) {
        unsigned char row[W];
        JSAMPROW at = row;
        for (int x = 0; x < W; x++) row[x] = (unsigned char)(x * 5 + y * 3 + x * y % 40);
        jpeg_write_scanlines(&c, &at, 1);
    }
    jpeg_finish_compress(&c);
    jpeg_destroy_compress(&c);
    return out;
}

static void test_scan_limit(void **state)
{
    flaw_picture few, picture;
    flaw_error err;
    unsigned long size;
    int scans;
    unsigned char *jpeg = make_jpeg(&size, 3, false, &scans);
    assert_int_equal(scans, 5);
    assert_int_equal(flaw_picture_decode(&few, jpeg, size, "few", &err), FLAW_OK);
    free(jpeg);

    jpeg = make_jpeg(&size, 49, true, &scans);
    assert_int_equal(scans, FLAW_JPEG_MAX_SCANS);
    if (flaw_picture_decode(&picture, jpeg, size, "most", &err) != FLAW_OK) fail_msg("%s", err.text);
    assert_memory_equal(few.rgb, picture.rgb, W * H * 3); /* the order of sending changes no pixel */
    flaw_picture_release(&picture);
    free(jpeg);

    jpeg = make_jpeg(&size, 50, true, &scans);
    assert_int_equal(scans, FLAW_JPEG_MAX_SCANS + 2);
    assert_int_equal(flaw_picture_decode(&picture, jpeg, size, "too-many", &err), FLAW_BAD_DATA);
    assert_contains(err.text, "'too-many'");
    assert_contains(err.text, "scans");
    free(jpeg);
    flaw_picture_release(&few);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_scan_limit)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
