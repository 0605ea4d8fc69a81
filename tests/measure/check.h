/* What the data set tests share: a writer of tiny pictures whose folders are made on the way. */
#ifndef FLAW_TESTS_MEASURE_CHECK_H
#define FLAW_TESTS_MEASURE_CHECK_H

#include "../check.h"

#include "base/file.h"
#include "flaw/picture.h"

/* A PNG of one colour with one pixel (x, y) of another at root/name. */
static inline void draw(const char *root, const char *name, int width, int height, uint32_t colour, int x, int y,
                        uint32_t spot)
{
    char path[512];
    flaw_picture p;
    flaw_error err;
    snprintf(path, sizeof path, "%s/%s", root, name);
    char *slash = strrchr(path, '/');
    *slash = 0;
    if (flaw_file_make_folder(path, &err) != FLAW_OK) fail_msg("%s", err.text);
    *slash = '/';
    if (flaw_picture_new(&p, width, height, &err) != FLAW_OK) fail_msg("%s", err.text);
    for (int i = 0; i < width * height; i++) {
        const uint32_t c = i == y * width + x ? spot : colour;
        p.rgb[3 * i] = (uint8_t)(c >> 16);
        p.rgb[3 * i + 1] = (uint8_t)(c >> 8);
        p.rgb[3 * i + 2] = (uint8_t)c;
    }
    if (flaw_picture_write_png(&p, path, &err) != FLAW_OK) fail_msg("%s", err.text);
    flaw_picture_release(&p);
}

static inline void draw_plain(const char *root, const char *name, uint32_t colour)
{
    draw(root, name, 8, 8, colour, 0, 0, colour);
}

#endif
