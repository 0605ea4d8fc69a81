/* BMP without compression (BITMAPINFOHEADER and its successors, and the older core header): 1, 4 and 8 bits with a
 * palette, 24 bits, 32 bits whose fourth byte is dropped as Pillow's convert("RGB") does. Rows go upwards unless the
 * height is negative. Written here because no small library in Debian reads it (docs/decisions/0021). */
#include <string.h>

#include "base/checked.h"
#include "base/cursor.h"
#include "image/decode.h"

enum { CORE = 12, INFO = 40, WITH_MASKS = 52, UNCOMPRESSED = 0, BIT_FIELDS = 3 };

typedef struct bmp {
    const uint8_t *bytes;
    size_t size;
    const char *name;
    uint32_t header, offset; /* bytes of the second header; where the pixels begin */
    uint32_t width, height;
    bool upwards;
    uint16_t bits;
    uint32_t compression, colours; /* entries of the palette */
    int channel[3];                /* byte of red, green, blue within 4 */
    const uint8_t *palette;        /* [colours] of `entry` bytes: blue, green, red */
    size_t entry;
} bmp;

static flaw_status damaged(const bmp *b, const char *what, flaw_error *err)
{
    return flaw_fail(err, FLAW_BAD_DATA, "'%s': damaged BMP: %s", b->name, what);
}

static flaw_status truncated(const bmp *b, flaw_error *err)
{
    return flaw_fail(err, FLAW_BAD_DATA, "'%s': truncated BMP: ends after %zu bytes", b->name, b->size);
}

/* Size, depth and compression. */
static flaw_status read_header(bmp *b, flaw_cursor *c, flaw_error *err)
{
    flaw_cursor_bytes(c, 10); /* signature, compared by the caller; file size, reserved: writers lie there */
    b->offset = flaw_cursor_u32le(c);
    b->header = flaw_cursor_u32le(c);
    if (c->failed) return truncated(b, err);
    if (b->header != CORE && (b->header < INFO || b->header > 1024))
        return flaw_fail(err, FLAW_BAD_DATA, "'%s': damaged BMP: a header of %u bytes, expected 12 or 40 to 124",
                         b->name, b->header);
    bool core = b->header == CORE;
    b->width = core ? flaw_cursor_u16le(c) : flaw_cursor_u32le(c);
    b->height = core ? flaw_cursor_u16le(c) : flaw_cursor_u32le(c);
    uint16_t planes = flaw_cursor_u16le(c);
    b->bits = flaw_cursor_u16le(c);
    if (!core) {
        b->compression = flaw_cursor_u32le(c);
        flaw_cursor_bytes(c, 12); /* bytes of pixels, pixels a metre */
        b->colours = flaw_cursor_u32le(c);
        flaw_cursor_bytes(c, 4); /* colours that matter */
    }
    if (c->failed) return truncated(b, err);
    if (planes != 1) return damaged(b, "the number of planes is not 1", err);
    b->upwards = b->height < 0x80000000u;
    if (!b->upwards) b->height = 0u - b->height; /* 0x80000000 stays and is refused as too large */
    return flaw_picture_check_size(b->width, b->height, b->name, err);
}

/* A mask of whole bytes: which byte it is, or -1. */
static int byte_of(uint32_t mask)
{
    for (int i = 0; i < 4; i++)
        if (mask == 0xffu << (8 * i)) return i;
    return -1;
}

/* Which forms are read. */
static flaw_status check_form(bmp *b, flaw_cursor *c, flaw_error *err)
{
    static const char *const names[] = {"", "RLE8", "RLE4", "", "JPEG", "PNG"};
    const bool palette = b->bits == 1 || b->bits == 4 || b->bits == 8;
    for (int i = 0; i < 3; i++) b->channel[i] = 2 - i;
    if (!palette && b->bits != 24 && b->bits != 32)
        return flaw_fail(err, FLAW_BAD_DATA, "'%s': BMP of %u bits a pixel; 1, 4, 8, 24 and 32 are read", b->name,
                         b->bits);
    if (b->compression == BIT_FIELDS && b->bits == 32) {
        for (int i = 0; i < 3; i++) {
            b->channel[i] = byte_of(flaw_cursor_u32le(c));
            if (c->failed) return truncated(b, err);
            if (b->channel[i] < 0) return damaged(b, "colours that are not whole bytes", err);
        }
        return FLAW_OK;
    }
    if (b->compression != UNCOMPRESSED)
        return flaw_fail(err, FLAW_BAD_DATA, "'%s': BMP with compression %u %s; only uncompressed ones are read",
                         b->name, b->compression, b->compression < 6 ? names[b->compression] : "");
    return FLAW_OK;
}

static flaw_status find_palette(bmp *b, flaw_error *err)
{
    if (b->bits > 8) return FLAW_OK;
    const uint32_t most = 1u << b->bits;
    if (b->colours == 0) b->colours = most;
    if (b->colours > most)
        return flaw_fail(err, FLAW_BAD_DATA, "'%s': damaged BMP: %u colours in %u bits a pixel", b->name, b->colours,
                         b->bits);
    flaw_cursor c = flaw_cursor_over(b->bytes, b->size);
    b->entry = b->header == CORE ? 3 : 4;
    flaw_cursor_seek(&c, 14 + (size_t)b->header);
    b->palette = flaw_cursor_bytes(&c, b->colours * b->entry);
    return b->palette ? FLAW_OK : truncated(b, err);
}

static flaw_status read_row(uint8_t *rgb, const uint8_t *row, const bmp *b, flaw_error *err)
{
    if (b->bits > 8) {
        const size_t step = b->bits / 8;
        for (size_t x = 0; x < b->width; x++)
            for (int i = 0; i < 3; i++) rgb[3 * x + (size_t)i] = row[step * x + (size_t)b->channel[i]];
        return FLAW_OK;
    }
    const unsigned each = 8u / b->bits, mask = (1u << b->bits) - 1;
    for (size_t x = 0; x < b->width; x++) {
        const unsigned index = (unsigned)row[x / each] >> (8 - b->bits * (x % each + 1)) & mask;
        if (index >= b->colours)
            return flaw_fail(err, FLAW_BAD_DATA, "'%s': damaged BMP: colour %u of a palette of %u", b->name, index,
                             b->colours);
        for (size_t i = 0; i < 3; i++) rgb[3 * x + i] = b->palette[index * b->entry + 2 - i];
    }
    return FLAW_OK;
}

static flaw_status read_rows(flaw_picture *out, const bmp *b, flaw_error *err)
{
    /* Rows begin at multiples of four bytes; sizes are within the limits of pictures, so nothing overflows. */
    const size_t stride = ((size_t)b->width * b->bits + 31) / 32 * 4;
    flaw_cursor c = flaw_cursor_over(b->bytes, b->size);
    size_t all;
    if (!flaw_mul_ok(&all, stride, b->height) || !flaw_cursor_seek(&c, b->offset) || all > flaw_cursor_left(&c))
        return truncated(b, err);
    const uint8_t *rows = flaw_cursor_bytes(&c, all);
    flaw_picture picture = {0};
    flaw_status status = flaw_picture_new(&picture, (int)b->width, (int)b->height, err);
    for (size_t y = 0; y < b->height && status == FLAW_OK; y++) {
        const size_t to = b->upwards ? b->height - 1 - y : y;
        status = read_row(picture.rgb + 3 * to * b->width, rows + y * stride, b, err);
    }
    if (status == FLAW_OK) *out = picture;
    else flaw_picture_release(&picture);
    return status;
}

flaw_status flaw_bmp_decode(flaw_picture *out, const uint8_t *bytes, size_t size, const char *name, flaw_error *err)
{
    bmp b = {.bytes = bytes, .size = size, .name = name};
    flaw_cursor c = flaw_cursor_over(bytes, size);
    flaw_status status = read_header(&b, &c, err);
    if (status == FLAW_OK) status = check_form(&b, &c, err);
    if (status == FLAW_OK) status = find_palette(&b, err);
    if (status == FLAW_OK && b.offset < 14 + b.header) status = damaged(&b, "the pixels begin within the header", err);
    return status == FLAW_OK ? read_rows(out, &b, err) : status;
}
