/* Any bytes are a picture within the limits or are refused with a line that says why. A PNG is tried a second time with
 * its checksums mended, or no mutation would ever come past them. */
#include <string.h>

#include <zlib.h>

#include "flaw/picture.h"
#include "fuzz.h"

static void decode(const uint8_t *data, size_t size)
{
    flaw_picture picture = {.width = -7};
    flaw_error err = {.status = FLAW_OK};
    const flaw_status status = flaw_picture_decode(&picture, data, size, "input", &err);
    if (status != FLAW_OK) {
        flaw_fuzz_require(status == FLAW_BAD_DATA || status == FLAW_NO_MEMORY);
        flaw_fuzz_require(err.status == status && strlen(err.text) > 10 && picture.width == -7);
        return;
    }
    flaw_fuzz_require(picture.width >= 1 && picture.width <= FLAW_PICTURE_MAX_SIDE);
    flaw_fuzz_require(picture.height >= 1 && picture.height <= FLAW_PICTURE_MAX_SIDE);
    flaw_fuzz_require((uint64_t)picture.width * (uint64_t)picture.height <= FLAW_PICTURE_MAX_PIXELS);
    /* A copy of all pixels: the sanitizers see a block that is too small or not filled. */
    const size_t bytes = (size_t)picture.width * (size_t)picture.height * 3;
    uint8_t *copy = malloc(bytes);
    if (copy) flaw_fuzz_require(memcmp(memcpy(copy, picture.rgb, bytes), picture.rgb, bytes) == 0);
    free(copy);
    flaw_picture_release(&picture);
}

static uint32_t get_u32be(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static void mend_checksums(uint8_t *png, size_t size)
{
    for (size_t at = 8; size - at >= 12;) {
        const size_t length = get_u32be(png + at);
        if (length > size - at - 12) return;
        const uint32_t crc = (uint32_t)crc32(0, png + at + 4, (uInt)(length + 4));
        for (int i = 0; i < 4; i++) png[at + 8 + length + (size_t)i] = (uint8_t)(crc >> (24 - 8 * i));
        at += length + 12;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    decode(data, size);
    if (size < 8 || memcmp(data, "\x89PNG\r\n\x1a\n", 8) != 0) return 0;
    uint8_t *copy = malloc(size);
    if (!copy) return 0;
    memcpy(copy, data, size);
    mend_checksums(copy, size);
    decode(copy, size);
    free(copy);
    return 0;
}
