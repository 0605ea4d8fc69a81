/* Broken, hostile and misnamed files: one clear line each, never a crash, never a picture with invented pixels. */
#include "check.h"

#include <sys/stat.h>
#include <unistd.h>

#include <zlib.h>

#include "image/decode.h"

static flaw_status try_decode(const uint8_t *bytes, size_t size, flaw_error *err)
{
    flaw_picture picture = {.width = 12345};
    /* A copy of exactly this size, so that the address sanitizer sees a read past its end. */
    uint8_t *exact = malloc(size ? size : 1);
    assert_non_null(exact);
    memcpy(exact, bytes, size);
    flaw_status status = flaw_picture_decode(&picture, exact, size, "part.xyz", err);
    free(exact);
    if (status == FLAW_OK) {
        flaw_picture_release(&picture);
    } else {
        assert_int_equal(picture.width, 12345); /* untouched */
        assert_contains(err->text, "part.xyz");
        assert_null(strchr(err->text, '\n'));
    }
    return status;
}

typedef struct foreign_case {
    const char *bytes;
    size_t size;
    const char *says;
} foreign_case;

#define FOREIGN(text, says)                                                                                            \
    {                                                                                                                  \
        text, sizeof(text) - 1, says                                                                                   \
    }

static void test_other_kinds(void **state)
{
    static const foreign_case CASES[] = {
        FOREIGN("", "empty"),
        FOREIGN("GIF89a\1\0\1\0", "GIF"),
        FOREIGN("RIFF\x10\0\0\0WEBPVP8 ", "WebP"),
        FOREIGN("II*\0\x08\0\0\0", "TIFF"),
        FOREIGN("MM\0*\0\0\0\x08", "TIFF"),
        FOREIGN("\0\0\0\x1c"
                "ftypavif",
                "AVIF"),
        FOREIGN("\0\0\0\x1c"
                "ftypheic",
                "HEIC"),
        FOREIGN("\0\0\0\x1c"
                "ftypisom",
                "film"),
        FOREIGN("%PDF-1.7\n", "PDF"),
        FOREIGN("PK\3\4\x14\0", "zip"),
        FOREIGN("<!DOCTYPE html><html>404", "HTML"),
        FOREIGN("<HTML>", "HTML"),
        FOREIGN("<?xml version=\"1.0\"?>", "XML"),
        FOREIGN("P6\n2 2\n255\n", "PNM"),
        FOREIGN("just some words\n", "text"),
        FOREIGN("Stra\xc3\x9f"
                "e",
                "text"),
        FOREIGN("\x89PNG\n\x1a\n\0\0", "line ends"),
        FOREIGN("\1\2\3\xfe", "01 02 03 fe"),
        FOREIGN("\xff\xd8\xfe\xfa\xfa\xfa", "ff d8"),
        FOREIGN("\0", "00"),
    };
    flaw_error err;
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        assert_int_equal(try_decode((const uint8_t *)CASES[i].bytes, CASES[i].size, &err), FLAW_BAD_DATA);
        assert_contains(err.text, CASES[i].says);
        assert_contains(err.text, "JPEG, PNG or BMP");
    }
}

static void test_paths(void **state)
{
    flaw_picture picture = {0};
    flaw_error err;
    assert_int_equal(flaw_picture_read(&picture, "no/such/file.png", &err), FLAW_MISSING);
    assert_contains(err.text, "no/such/file.png");
    char folder[] = "scratch-XXXXXX", path[64];
    assert_non_null(mkdtemp(folder));
    assert_int_equal(flaw_picture_read(&picture, folder, &err), FLAW_BAD_DATA);
    assert_contains(err.text, "folder");
    snprintf(path, sizeof path, "%s/empty.jpg", folder);
    assert_int_equal(flaw_file_write(path, "", 0, &err), FLAW_OK);
    assert_int_equal(flaw_picture_read(&picture, path, &err), FLAW_BAD_DATA);
    assert_contains(err.text, "empty");
    flaw_bytes png = load_data("rgb8.png"); /* a PNG under the name of a JPEG: read all the same */
    assert_int_equal(flaw_file_write(path, png.data, png.size, &err), FLAW_OK);
    assert_int_equal(flaw_picture_read(&picture, path, &err), FLAW_OK);
    assert_int_equal(picture.width, 19);
    flaw_picture_release(&picture);
    flaw_bytes_release(&png);
    unlink(path);
    rmdir(folder);
}

static const char *const SEEDS[] = {"grey1i.png",  "grey16.png", "rgb8.png",      "palette4.png",
                                    "rgba16i.png", "exif6.png",  "exif6late.png", "notes.png",
                                    "rgb420p.jpg", "rgb422.jpg", "cmyk.jpg",      "exif5.jpg",
                                    "palette4.bmp", "core8.bmp", "rgb24v4.bmp",   "fields32.bmp"};
enum { SEED_COUNT = sizeof SEEDS / sizeof SEEDS[0] };

/* A file cut anywhere is refused, be it by its last byte. */
static void test_truncated_anywhere(void **state)
{
    flaw_error err;
    for (int i = 0; i < SEED_COUNT; i++) {
        flaw_bytes file = load_data(SEEDS[i]);
        assert_int_equal(try_decode(file.data, file.size, &err), FLAW_OK);
        for (size_t cut = 0; cut < file.size; cut++) {
            flaw_status status = try_decode(file.data, cut, &err);
            if (status != FLAW_BAD_DATA) fail_msg("%s cut to %zu bytes: %s", SEEDS[i], cut, flaw_status_name(status));
        }
        flaw_bytes_release(&file);
    }
}

/* Every byte of a PNG is under some checksum: no single wrong bit gets through. A JPEG has none; it must not crash. */
static void test_flipped_bits(void **state)
{
    flaw_error err;
    for (int i = 0; i < SEED_COUNT; i++) {
        flaw_bytes file = load_data(SEEDS[i]);
        bool png = file.data[0] == 0x89;
        for (size_t at = 0; at < file.size; at++) {
            for (int bit = 0; bit < 8; bit += png ? 1 : 3) {
                file.data[at] ^= (uint8_t)(1 << bit);
                flaw_status status = try_decode(file.data, file.size, &err);
                file.data[at] ^= (uint8_t)(1 << bit);
                if (png && status != FLAW_BAD_DATA) fail_msg("%s: bit %d of byte %zu let through", SEEDS[i], bit, at);
            }
        }
        flaw_bytes_release(&file);
    }
}

static void put_u32be(uint8_t *at, uint32_t v)
{
    for (int i = 0; i < 4; i++) at[i] = (uint8_t)(v >> (24 - 8 * i));
}

/* Write a number into the IHDR (0: width, 4: height, bytes 8 ..: depth, colour) and mend its checksum. */
static void set_header(flaw_bytes *png, int offset, uint32_t value)
{
    if (offset < 8) put_u32be(png->data + 16 + offset, value);
    else png->data[16 + offset] = (uint8_t)value;
    put_u32be(png->data + 29, (uint32_t)crc32(0, png->data + 12, 17));
}

static void expect_header(const char *file, int offset, uint32_t value, const char *says)
{
    flaw_error err;
    flaw_bytes png = load_data(file);
    set_header(&png, offset, value);
    flaw_status status = try_decode(png.data, png.size, &err);
    if (status != FLAW_BAD_DATA) fail_msg("%s: header %d = %u gave %s", file, offset, value, flaw_status_name(status));
    assert_contains(err.text, says);
    flaw_bytes_release(&png);
}

static void test_png_headers(void **state)
{
    static const uint32_t SIZES[] = {0, 65501, 0x7fffffff, 0x80000000u, 0xffffffffu};
    for (int i = 0; i < 5; i++) {
        expect_header("rgb8.png", 0, SIZES[i], "pixels");
        expect_header("rgb8.png", 4, SIZES[i], "pixels");
    }
    expect_header("rgb8.png", 4, 65000, "truncated"); /* allowed as such, but not from so few bytes */
    expect_header("rgb8.png", 4, 14, "damaged");
    expect_header("rgb8.png", 0, 18, "damaged");
    expect_header("rgb8.png", 4, 12, "damaged"); /* rows left over */
    expect_header("rgb8.png", 8, 3, "damaged");
    expect_header("rgb8.png", 9, 1, "damaged");
    expect_header("rgb8.png", 10, 1, "damaged");
    expect_header("rgb8.png", 12, 2, "damaged");
    expect_header("palette4short.png", 8, 1, "damaged"); /* more rows than one-bit rows need */
}

/* A note that makes no sense (transparent grey 5 in a picture that has alpha) does not change the pixels: no refusal.
 */
static void test_odd_note(void **state)
{
    static const uint8_t NOTE[] = {0, 0, 0, 2, 't', 'R', 'N', 'S', 0, 5};
    flaw_error err;
    flaw_bytes png = load_data("rgba8.png");
    uint8_t longer[4096];
    memcpy(longer, png.data, 33);
    memcpy(longer + 33, NOTE, sizeof NOTE);
    put_u32be(longer + 43, (uint32_t)crc32(0, NOTE + 4, 6));
    memcpy(longer + 47, png.data + 33, png.size - 33);
    if (try_decode(longer, png.size + 14, &err) != FLAW_OK) fail_msg("%s", err.text);
    longer[46] ^= 1; /* but its checksum must hold */
    assert_int_equal(try_decode(longer, png.size + 14, &err), FLAW_BAD_DATA);
    flaw_bytes_release(&png);
}

/* Colours 0 .. 4 are used; with one fewer in the palette the file is wrong, and no colour is made up. */
static void test_palette_index(void **state)
{
    flaw_error err;
    flaw_bytes png = load_data("palette4short.png");
    uint8_t *palette = png.data + 33, shorter[4096];
    assert_memory_equal(palette + 4, "PLTE", 4);
    size_t left = png.size - 33 - 12 - 15;
    memcpy(shorter, png.data, png.size);
    put_u32be(shorter + 33, 12);
    put_u32be(shorter + 33 + 20, (uint32_t)crc32(0, shorter + 37, 16));
    memcpy(shorter + 33 + 24, png.data + 33 + 27, left);
    assert_int_equal(try_decode(shorter, png.size - 3, &err), FLAW_BAD_DATA);
    assert_contains(err.text, "palette");
    flaw_bytes_release(&png);
}

typedef struct bmp_case {
    const char *file;
    int offset, size; /* of a little-endian number in the file */
    uint32_t value;
    const char *says;
} bmp_case;

static void test_bmp_headers(void **state)
{
    static const bmp_case CASES[] = {
        {"rgb24v4.bmp", 10, 4, 60, "within the header"},   {"rgb24v4.bmp", 10, 4, 0xffffffff, "truncated"},
        {"rgb24v4.bmp", 14, 4, 13, "a header of 13"},      {"rgb24v4.bmp", 14, 4, 5000, "a header of 5000"},
        {"rgb24v4.bmp", 18, 4, 0, "pixels"},               {"rgb24v4.bmp", 18, 4, 0xffffffff, "pixels"},
        {"rgb24v4.bmp", 22, 4, 0x80000000, "pixels"},      {"rgb24v4.bmp", 22, 4, 14, "truncated"},
        {"rgb24v4.bmp", 22, 4, 0xfffffff2, "truncated"}, /* 14 rows downwards, there are 13 */
        {"rgb24v4.bmp", 26, 2, 2, "planes"},               {"rgb24v4.bmp", 28, 2, 16, "16 bits a pixel"},
        {"rgb24v4.bmp", 28, 2, 0, "0 bits a pixel"},       {"rgb24v4.bmp", 30, 4, 3, "compression 3"},
        {"palette8.bmp", 30, 4, 1, "RLE8"},                {"palette8.bmp", 46, 4, 257, "257 colours in 8"},
        {"palette8.bmp", 46, 4, 3, "of a palette of 3"},   {"fields32.bmp", 54, 4, 0xf800, "whole bytes"},
        {"core8.bmp", 18, 2, 0, "pixels"},
    };
    flaw_error err;
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        flaw_bytes bmp = load_data(CASES[i].file);
        for (int k = 0; k < CASES[i].size; k++) bmp.data[CASES[i].offset + k] = (uint8_t)(CASES[i].value >> (8 * k));
        assert_int_equal(try_decode(bmp.data, bmp.size, &err), FLAW_BAD_DATA);
        assert_contains(err.text, CASES[i].says);
        flaw_bytes_release(&bmp);
    }
}

/* Find a JPEG marker ff xx at or after `from`. */
static size_t find_marker(const flaw_bytes *jpeg, uint8_t kind, size_t from)
{
    for (size_t i = from; i + 1 < jpeg->size; i++) {
        if (jpeg->data[i] == 0xff && jpeg->data[i + 1] == kind) return i;
    }
    fail_msg("no marker %02x", kind);
    return 0;
}

static void expect_frame(int offset, int value, int value2, const char *says)
{
    flaw_error err;
    flaw_bytes jpeg = load_data("rgb444.jpg");
    size_t frame = find_marker(&jpeg, 0xc0, 0);
    for (int i = 0; i < 4; i += 2) {
        int v = i == 0 ? value : value2;
        if (v < 0) continue;
        jpeg.data[frame + (size_t)offset + (size_t)i] = (uint8_t)(v >> 8);
        jpeg.data[frame + (size_t)offset + (size_t)i + 1] = (uint8_t)v;
    }
    assert_int_equal(try_decode(jpeg.data, jpeg.size, &err), FLAW_BAD_DATA);
    assert_contains(err.text, says);
    flaw_bytes_release(&jpeg);
}

static void test_jpeg_headers(void **state)
{
    expect_frame(5, 65500, 65500, "pixels"); /* height, width */
    expect_frame(5, 0, -1, "JPEG");
    expect_frame(5, 9000, 9000, "truncated");
    expect_frame(5, 60, 60, "damaged");
}

/* The middle of the data lost, the end there: libjpeg alone would show grey below. */
static void test_jpeg_hole(void **state)
{
    flaw_error err;
    static const char *const NAMES[] = {"rgb444.jpg", "grey.jpg", "rgb420p.jpg"};
    for (int i = 0; i < 3; i++) {
        flaw_bytes jpeg = load_data(NAMES[i]);
        size_t scan = find_marker(&jpeg, 0xda, 0), hole = scan + 20;
        size_t lost = jpeg.size - 2 - hole;
        memmove(jpeg.data + hole, jpeg.data + hole + lost, jpeg.size - hole - lost);
        assert_int_equal(try_decode(jpeg.data, jpeg.size - lost, &err), FLAW_BAD_DATA);
        assert_contains(err.text, "damaged JPEG");
        flaw_bytes_release(&jpeg);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_other_kinds),        cmocka_unit_test(test_paths),
        cmocka_unit_test(test_truncated_anywhere), cmocka_unit_test(test_flipped_bits),
        cmocka_unit_test(test_png_headers),        cmocka_unit_test(test_odd_note),
        cmocka_unit_test(test_palette_index),      cmocka_unit_test(test_jpeg_headers),
        cmocka_unit_test(test_jpeg_hole),        cmocka_unit_test(test_bmp_headers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
