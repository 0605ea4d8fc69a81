#include "image/write_png.h"

#include <setjmp.h>
#include <stdlib.h>

#include <png.h>
#include <zlib.h>

#include "base/file.h"

/* Everything that must survive libpng's longjmp. */
typedef struct png_job {
    png_structp png;
    png_infop info;
    flaw_buffer *out;
    const char *name;
    flaw_status status;
    flaw_error *err;
} png_job;

static _Noreturn void png_on_error(png_structp png, png_const_charp text)
{
    png_job *job = png_get_error_ptr(png);
    job->status = flaw_fail(job->err, job->out->failed ? FLAW_NO_MEMORY : FLAW_INTERNAL, "'%s': cannot make a PNG: %s",
                            job->name, text);
    png_longjmp(png, 1);
}

static void png_on_warning(png_structp png, png_const_charp text)
{
    (void)png, (void)text;
}

static void png_on_write(png_structp png, png_bytep bytes, size_t size)
{
    png_job *job = png_get_io_ptr(png);
    flaw_buffer_append(job->out, bytes, size);
    if (job->out->failed) png_error(png, "no memory");
}

static void png_on_flush(png_structp png)
{
    (void)png;
}

static void png_run(png_job *job, const uint8_t *pixels, int width, int height, int channels)
{
    job->info = png_create_info_struct(job->png);
    if (!job->info) png_error(job->png, "no memory");
    png_set_write_fn(job->png, job, png_on_write, png_on_flush);
    /* Photographs do not repeat themselves: filters of two kinds and runs only cost a fifth of libpng's defaults, for
     * 2 % more bytes than its level 3. */
    png_set_filter(job->png, PNG_FILTER_TYPE_BASE, PNG_FILTER_SUB | PNG_FILTER_UP);
    png_set_compression_strategy(job->png, Z_RLE);
    png_set_IHDR(job->png, job->info, (png_uint_32)width, (png_uint_32)height, 8,
                 channels == 1 ? PNG_COLOR_TYPE_GRAY : PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE,
                 PNG_COMPRESSION_TYPE_BASE, PNG_FILTER_TYPE_BASE);
    png_write_info(job->png, job->info);
    size_t row_size = (size_t)width * (size_t)channels;
    for (int y = 0; y < height; y++) png_write_row(job->png, pixels + (size_t)y * row_size);
    png_write_end(job->png, job->info);
}

flaw_status flaw_png_encode(flaw_buffer *out, const uint8_t *pixels, int width, int height, int channels,
                            const char *name, flaw_error *err)
{
    if (width < 1 || height < 1 || width > FLAW_PICTURE_MAX_SIDE || height > FLAW_PICTURE_MAX_SIDE ||
        (channels != 1 && channels != 3)) {
        return flaw_fail(err, FLAW_USAGE, "'%s': a PNG of %d x %d pixels with %d channels was asked for", name, width,
                         height, channels);
    }
    png_job job = {.out = out, .name = name, .err = err};
    job.png = png_create_write_struct(PNG_LIBPNG_VER_STRING, &job, png_on_error, png_on_warning);
    if (!job.png) return flaw_fail(err, FLAW_NO_MEMORY, "'%s': no memory for libpng", name);
    if (setjmp(png_jmpbuf(job.png)) == 0) png_run(&job, pixels, width, height, channels);
    png_destroy_write_struct(&job.png, &job.info);
    return job.status;
}

/* A PNG that does not shrink at all is its pixels and well under 1/8 more. */
static flaw_status write_file(const uint8_t *pixels, int width, int height, int channels, const char *path,
                              flaw_error *err)
{
    flaw_buffer buffer;
    flaw_buffer_init(&buffer, 4096 + (size_t)width * (size_t)height * (size_t)channels / 8 * 9 + (size_t)height * 16);
    flaw_status status = flaw_png_encode(&buffer, pixels, width, height, channels, path, err);
    if (status == FLAW_OK) status = flaw_file_write(path, buffer.data, buffer.size, err);
    flaw_buffer_release(&buffer);
    return status;
}

flaw_status flaw_picture_write_png(const flaw_picture *picture, const char *path, flaw_error *err)
{
    return write_file(picture->rgb, picture->width, picture->height, 3, path, err);
}

flaw_status flaw_mask_write_png(const uint8_t *mask, int width, int height, const char *path, flaw_error *err)
{
    flaw_status status = FLAW_OK;
    size_t count = (size_t)width * (size_t)height;
    uint8_t *grey = malloc(count ? count : 1);
    if (!grey) return flaw_fail(err, FLAW_NO_MEMORY, "'%s': no memory for a mask of %d x %d", path, width, height);
    for (size_t i = 0; i < count; i++) grey[i] = mask[i] ? 255 : 0;
    status = write_file(grey, width, height, 1, path, err);
    free(grey);
    return status;
}
