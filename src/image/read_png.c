/* PNG through libpng, reduced to 8-bit RGB as Pillow's convert("RGB") does: palettes are looked up, grey is tripled,
 * alpha and tRNS are dropped (not blended), 16 bits keep their high byte (grey too: docs/decisions/0004), gamma
 * and colour profiles are left alone. Strict: any wrong CRC, checksum, palette index or missing end is refused. */
#include "image/decode.h"

#include <setjmp.h>
#include <stdbool.h>
#include <string.h>

#include <png.h>

#include "base/cursor.h"
#include "image/exif.h"

/* Everything that must survive libpng's longjmp. */
typedef struct png_job {
    png_structp png;
    png_infop info;
    flaw_cursor source;
    const char *name;
    flaw_picture picture;
    flaw_status status;
    flaw_error *err;
} png_job;

static _Noreturn void png_give_up(png_job *job, flaw_status status)
{
    job->status = status;
    png_longjmp(job->png, 1);
}

static _Noreturn void png_on_error(png_structp png, png_const_charp text)
{
    png_job *job = png_get_error_ptr(png);
    job->png = png; /* an error inside png_create_read_struct comes before its result */
    png_give_up(job, flaw_fail(job->err, FLAW_BAD_DATA, "'%s': damaged PNG: %s", job->name, text));
}

static void png_on_warning(png_structp png, png_const_charp text)
{
    (void)png, (void)text;
}

static void png_on_read(png_structp png, png_bytep data, size_t size)
{
    png_job *job = png_get_io_ptr(png);
    const uint8_t *bytes = flaw_cursor_bytes(&job->source, size);
    if (!bytes) {
        png_give_up(job, flaw_fail(job->err, FLAW_BAD_DATA, "'%s': truncated PNG: ends after %zu bytes", job->name,
                                   (size_t)(job->source.end - job->source.begin)));
    }
    memcpy(data, bytes, size);
}

/* Limits, from the first chunk alone: the size claimed, and that so many bytes of rows can come out of a file this
 * long (deflate makes at most 1032 bytes of one). */
static flaw_status png_check_header(const uint8_t *bytes, size_t size, const char *name, flaw_error *err)
{
    flaw_cursor c = flaw_cursor_over(bytes, size);
    flaw_cursor_bytes(&c, 8); /* signature, compared by the caller */
    uint32_t length = flaw_cursor_u32be(&c);
    const uint8_t *type = flaw_cursor_bytes(&c, 4);
    uint32_t width = flaw_cursor_u32be(&c), height = flaw_cursor_u32be(&c);
    uint8_t depth = flaw_cursor_u8(&c), colour = flaw_cursor_u8(&c);
    if (c.failed) return flaw_fail(err, FLAW_BAD_DATA, "'%s': truncated PNG: ends after %zu bytes", name, size);
    if (length != 13 || memcmp(type, "IHDR", 4) != 0) {
        return flaw_fail(err, FLAW_BAD_DATA, "'%s': damaged PNG: does not begin with an IHDR chunk of 13 bytes", name);
    }
    flaw_status status = flaw_picture_check_size(width, height, name, err);
    if (status != FLAW_OK) return status;
    uint64_t channels = (colour & PNG_COLOR_MASK_PALETTE) ? 1 : (colour & PNG_COLOR_MASK_COLOR) ? 3 : 1;
    if (colour & PNG_COLOR_MASK_ALPHA) channels++;
    uint64_t unpacked = (uint64_t)width * height * channels * depth / 8;
    if (unpacked / 1032 > size) {
        return flaw_fail(err, FLAW_BAD_DATA, "'%s': truncated PNG: claims %u x %u pixels in %zu bytes", name, width,
                         height, size);
    }
    return FLAW_OK;
}

/* Chunks that do not change the pixels are skipped (their CRC is still checked), eXIf is kept as it stands. */
static void png_choose_chunks(png_structp png)
{
    png_set_crc_action(png, PNG_CRC_ERROR_QUIT, PNG_CRC_ERROR_QUIT);
    png_set_benign_errors(png, 0);
    png_set_user_limits(png, FLAW_PICTURE_MAX_SIDE, FLAW_PICTURE_MAX_SIDE);
    png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, NULL, -1);
    png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, (png_const_bytep) "tRNS", 1);
    png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_ALWAYS, (png_const_bytep) "eXIf", 1);
}

/* Rows become RGB, or one index a byte for palettes. */
static void png_choose_rows(png_structp png, bool palette)
{
    png_set_strip_16(png);
    png_set_strip_alpha(png);
    if (palette) {
        png_set_packing(png);
        return;
    }
    png_set_expand_gray_1_2_4_to_8(png);
    png_set_gray_to_rgb(png);
}

/* The row's indices stand in its last third, so that each is read before its place is written over. */
static void png_look_up(png_job *job, uint8_t *row, png_const_colorp palette, int colours)
{
    size_t width = (size_t)job->picture.width;
    for (size_t x = 0; x < width; x++) {
        int index = row[2 * width + x];
        if (index >= colours) {
            png_give_up(job, flaw_fail(job->err, FLAW_BAD_DATA, "'%s': damaged PNG: colour %d of a palette of %d",
                                       job->name, index, colours));
        }
        row[3 * x] = palette[index].red;
        row[3 * x + 1] = palette[index].green;
        row[3 * x + 2] = palette[index].blue;
    }
}

static void png_read_pixels(png_job *job, bool palette)
{
    int passes = png_set_interlace_handling(job->png);
    png_read_update_info(job->png, job->info);
    size_t width = (size_t)job->picture.width, row_size = width * 3;
    size_t expected = palette ? width : row_size;
    if (png_get_rowbytes(job->png, job->info) != expected) png_error(job->png, "unexpected row size");
    for (int pass = 0; pass < passes; pass++) {
        for (int y = 0; y < job->picture.height; y++) {
            png_read_row(job->png, job->picture.rgb + (size_t)y * row_size + (row_size - expected), NULL);
        }
    }
    if (!palette) return;
    png_colorp colours = NULL;
    int count = 0;
    png_get_PLTE(job->png, job->info, &colours, &count);
    for (int y = 0; y < job->picture.height; y++) {
        png_look_up(job, job->picture.rgb + (size_t)y * row_size, colours, count);
    }
}

static int png_find_orientation(png_job *job)
{
    png_unknown_chunkp chunks = NULL;
    int count = png_get_unknown_chunks(job->png, job->info, &chunks);
    return count > 0 ? flaw_exif_orientation(chunks[0].data, chunks[0].size) : 1;
}

/* Runs under setjmp: every failure inside leaves through png_give_up. */
static void png_run(png_job *job)
{
    job->info = png_create_info_struct(job->png);
    if (!job->info) png_give_up(job, flaw_fail(job->err, FLAW_NO_MEMORY, "'%s': no memory for libpng", job->name));
    png_set_read_fn(job->png, job, png_on_read);
    png_choose_chunks(job->png);
    png_read_info(job->png, job->info);
    bool palette = png_get_color_type(job->png, job->info) == PNG_COLOR_TYPE_PALETTE;
    png_choose_rows(job->png, palette);
    flaw_status status = flaw_picture_new(&job->picture, (int)png_get_image_width(job->png, job->info),
                                          (int)png_get_image_height(job->png, job->info), job->err);
    if (status != FLAW_OK) png_give_up(job, status);
    png_read_pixels(job, palette);
    png_read_end(job->png, job->info);
}

flaw_status flaw_png_decode(flaw_picture *out, int *orientation, const uint8_t *bytes, size_t size, const char *name,
                            flaw_error *err)
{
    flaw_status status = png_check_header(bytes, size, name, err);
    if (status != FLAW_OK) return status;
    png_job job = {.name = name, .err = err, .source = flaw_cursor_over(bytes, size)};
    job.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &job, png_on_error, png_on_warning);
    if (!job.png) return flaw_fail(err, FLAW_NO_MEMORY, "'%s': no memory for libpng", name);
    if (setjmp(png_jmpbuf(job.png)) == 0) png_run(&job);
    if (job.status == FLAW_OK) *orientation = png_find_orientation(&job);
    png_destroy_read_struct(&job.png, &job.info, NULL);
    if (job.status != FLAW_OK) {
        flaw_picture_release(&job.picture);
        return job.status;
    }
    *out = job.picture;
    return FLAW_OK;
}
