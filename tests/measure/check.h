/* What the data set tests share: a scratch folder, and a writer of tiny pictures whose folders are made on the way. */
#ifndef FLAW_TESTS_MEASURE_CHECK_H
#define FLAW_TESTS_MEASURE_CHECK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h> /* uses the headers above without including them */

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "flaw/picture.h"

static inline int make_scratch(void **state)
{
    char *path = strdup("scratch-XXXXXX");
    if (!path || !mkdtemp(path)) return -1;
    *state = path;
    return 0;
}

static inline int remove_entry(const char *path, const struct stat *info, int kind, struct FTW *walk)
{
    return remove(path);
}

static inline int remove_scratch(void **state)
{
    const int code = nftw(*state, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    free(*state);
    return code;
}

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
