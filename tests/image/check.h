/* What the tests of src/image share. */
#ifndef FLAW_TESTS_IMAGE_CHECK_H
#define FLAW_TESTS_IMAGE_CHECK_H

#include "../check.h"

#include "base/file.h"
#include "flaw/picture.h"

/* Whole file of tests/image/data; release with flaw_bytes_release. */
static inline flaw_bytes load_data(const char *name)
{
    char path[1024];
    flaw_bytes bytes;
    flaw_error err;
    const char *root = getenv("FLAW_SOURCE");
    snprintf(path, sizeof path, "%s/tests/image/data/%s", root ? root : ".", name);
    if (flaw_file_read(&bytes, path, 1 << 20, &err) != FLAW_OK) fail_msg("%s", err.text);
    return bytes;
}

static inline flaw_picture decode_data(const char *name)
{
    flaw_bytes bytes = load_data(name);
    flaw_picture picture;
    flaw_error err;
    if (flaw_picture_decode(&picture, bytes.data, bytes.size, name, &err) != FLAW_OK) fail_msg("%s", err.text);
    flaw_bytes_release(&bytes);
    return picture;
}

static inline flaw_picture new_picture(int width, int height)
{
    flaw_picture picture;
    flaw_error err;
    if (flaw_picture_new(&picture, width, height, &err) != FLAW_OK) fail_msg("%s", err.text);
    return picture;
}

static inline const uint8_t *pixel_at(const flaw_picture *p, int x, int y)
{
    return p->rgb + 3 * ((size_t)y * (size_t)p->width + (size_t)x);
}

#endif
