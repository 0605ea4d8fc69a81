/* JPEG through libjpeg-turbo with its default settings (accurate integer DCT, fancy upsampling, block smoothing), which
 * are Pillow's too, so the pixels agree with `Image.open(f).convert("RGB")`. Stricter than Pillow in one thing: data
 * that libjpeg would patch with a warning (truncated, wrong codes) is refused; a part is not judged by invented pixels.
 */
#include "image/decode.h"

#include <setjmp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>

#include <jerror.h>

#include "image/exif.h"

/* Everything that must survive libjpeg's longjmp; the functions below keep nothing of value in local variables. */
typedef struct jpeg_job {
    struct jpeg_decompress_struct cinfo;
    struct jpeg_error_mgr errors;
    struct jpeg_progress_mgr progress;
    jmp_buf jump;
    const char *name;
    flaw_picture picture;
    uint8_t *cmyk; /* one row, only for four components */
    int orientation;
    flaw_status status;
    flaw_error *err;
} jpeg_job;

static _Noreturn void jpeg_give_up(jpeg_job *job, flaw_status status)
{
    job->status = status;
    longjmp(job->jump, 1);
}

static void jpeg_on_error(j_common_ptr cinfo)
{
    jpeg_job *job = cinfo->client_data;
    char text[JMSG_LENGTH_MAX];
    cinfo->err->format_message(cinfo, text);
    bool memory = cinfo->err->msg_code == JERR_OUT_OF_MEMORY;
    flaw_status status = memory ? FLAW_NO_MEMORY : FLAW_BAD_DATA;
    jpeg_give_up(job, flaw_fail(job->err, status, "'%s': damaged JPEG: %s", job->name, text));
}

/* level -1 is a warning: libjpeg goes on with made-up data. Only those that leave the pixels whole are let pass. */
static void jpeg_on_message(j_common_ptr cinfo, int level)
{
    if (level >= 0) return;
    int code = cinfo->err->msg_code;
    if (code == JWRN_EXTRANEOUS_DATA || code == JWRN_JFIF_MAJOR || code == JWRN_ADOBE_XFORM) return;
    jpeg_on_error(cinfo);
}

static void jpeg_on_progress(j_common_ptr cinfo)
{
    jpeg_job *job = cinfo->client_data;
    if (job->cinfo.input_scan_number <= FLAW_JPEG_MAX_SCANS) return;
    jpeg_give_up(
        job, flaw_fail(job->err, FLAW_BAD_DATA, "'%s': JPEG has more than %d scans", job->name, FLAW_JPEG_MAX_SCANS));
}

static void jpeg_no_output(j_common_ptr cinfo)
{
    (void)cinfo;
}

/* Limits, from the header alone. A Huffman-coded block of 8 x 8 costs at least one bit, so few bytes cannot hold many
 * pixels: a short file with a large claim is refused before its memory is taken. */
static void jpeg_check_header(jpeg_job *job, size_t size)
{
    const struct jpeg_decompress_struct *c = &job->cinfo;
    flaw_status status = flaw_picture_check_size(c->image_width, c->image_height, job->name, job->err);
    if (status != FLAW_OK) jpeg_give_up(job, status);
    if (c->num_components != 1 && c->num_components != 3 && c->num_components != 4) {
        jpeg_give_up(job,
                     flaw_fail(job->err, FLAW_BAD_DATA, "'%s': JPEG with %d colour components; allowed are 1, 3, 4",
                               job->name, c->num_components));
    }
    uint64_t blocks = (uint64_t)((c->image_width + 7) / 8) * ((c->image_height + 7) / 8);
    if (!c->arith_code && blocks / 8 > size) {
        jpeg_give_up(job, flaw_fail(job->err, FLAW_BAD_DATA, "'%s': truncated JPEG: claims %u x %u pixels in %zu bytes",
                                    job->name, c->image_width, c->image_height, size));
    }
}

static void jpeg_find_orientation(jpeg_job *job)
{
    job->orientation = 1;
    for (jpeg_saved_marker_ptr m = job->cinfo.marker_list; m; m = m->next) {
        if (m->marker != JPEG_APP0 + 1 || m->data_length < 6 || memcmp(m->data, "Exif\0", 5) != 0) continue;
        job->orientation = flaw_exif_orientation(m->data, m->data_length);
        return;
    }
}

/* a * b / 255, rounded, for bytes. */
static int multiply_255(int a, int b)
{
    int t = a * b + 128;
    return ((t >> 8) + t) >> 8;
}

/* Files with four components hold Adobe's inverted inks; so `in` is 255 - ink. Pillow (CMYK;I, then cmyk2rgb):
 * colour = (255 - black) - ink * (255 - black) / 255. */
static void cmyk_row_to_rgb(uint8_t *rgb, const uint8_t *in, int width)
{
    for (int x = 0; x < width; x++, rgb += 3, in += 4) {
        int light = in[3];
        for (int i = 0; i < 3; i++) rgb[i] = (uint8_t)(light - multiply_255(255 - in[i], light));
    }
}

static void jpeg_read_rows(jpeg_job *job)
{
    struct jpeg_decompress_struct *c = &job->cinfo;
    while (c->output_scanline < c->output_height) {
        uint8_t *rgb = job->picture.rgb + (size_t)c->output_scanline * c->output_width * 3;
        JSAMPROW row = job->cmyk ? job->cmyk : rgb;
        jpeg_read_scanlines(c, &row, 1);
        if (job->cmyk) cmyk_row_to_rgb(rgb, job->cmyk, job->picture.width);
    }
}

/* Runs under setjmp: every failure inside leaves through jpeg_give_up. */
static void jpeg_run(jpeg_job *job, const uint8_t *bytes, size_t size)
{
    struct jpeg_decompress_struct *c = &job->cinfo;
    jpeg_create_decompress(c);
    c->client_data = job;
    c->progress = &job->progress;
    jpeg_mem_src(c, bytes, (unsigned long)size);
    jpeg_save_markers(c, JPEG_APP0 + 1, 0xFFFF);
    jpeg_read_header(c, TRUE);
    jpeg_check_header(job, size);
    jpeg_find_orientation(job);
    c->out_color_space = c->num_components == 4 ? JCS_CMYK : JCS_RGB;
    if (c->num_components == 4) {
        job->cmyk = malloc((size_t)c->image_width * 4);
        if (!job->cmyk) jpeg_give_up(job, flaw_fail(job->err, FLAW_NO_MEMORY, "'%s': no memory for a row", job->name));
    }
    flaw_status status = flaw_picture_new(&job->picture, (int)c->image_width, (int)c->image_height, job->err);
    if (status != FLAW_OK) jpeg_give_up(job, status);
    jpeg_start_decompress(c);
    jpeg_read_rows(job);
    jpeg_finish_decompress(c);
}

flaw_status flaw_jpeg_decode(flaw_picture *out, int *orientation, const uint8_t *bytes, size_t size, const char *name,
                             flaw_error *err)
{
    jpeg_job job = {.name = name, .err = err};
    job.cinfo.err = jpeg_std_error(&job.errors);
    job.cinfo.client_data = &job;
    job.errors.error_exit = jpeg_on_error;
    job.errors.emit_message = jpeg_on_message;
    job.errors.output_message = jpeg_no_output;
    job.progress.progress_monitor = jpeg_on_progress;
    if (setjmp(job.jump) == 0) jpeg_run(&job, bytes, size);
    jpeg_destroy_decompress(&job.cinfo);
    free(job.cmyk);
    if (job.status != FLAW_OK) {
        flaw_picture_release(&job.picture);
        return job.status;
    }
    *out = job.picture;
    *orientation = job.orientation;
    return FLAW_OK;
}
