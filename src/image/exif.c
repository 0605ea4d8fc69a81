#include "image/exif.h"

#include <stdbool.h>
#include <string.h>

#include "base/cursor.h"

enum { TAG_ORIENTATION = 0x0112, TYPE_SHORT = 3, TYPE_LONG = 4 };

/* A TIFF structure is written in either byte order; which one stands in its first two bytes. */
typedef struct tiff {
    flaw_cursor at;
    bool big; /* "MM" */
} tiff;

static uint16_t read_u16(tiff *t)
{
    return t->big ? flaw_cursor_u16be(&t->at) : flaw_cursor_u16le(&t->at);
}

static uint32_t read_u32(tiff *t)
{
    return t->big ? flaw_cursor_u32be(&t->at) : flaw_cursor_u32le(&t->at);
}

/* One directory entry is 12 bytes: tag, type, count, then the value itself when it fits in 4 bytes.
 * Returns the orientation it holds, 0 when it holds none. */
static uint32_t read_entry(tiff *t)
{
    uint16_t tag = read_u16(t);
    uint16_t type = read_u16(t);
    uint32_t count = read_u32(t);
    if (tag == TAG_ORIENTATION && type == TYPE_SHORT && (count == 1 || count == 2)) {
        uint16_t value = read_u16(t);
        read_u16(t);
        return value;
    }
    uint32_t value = read_u32(t);
    return tag == TAG_ORIENTATION && type == TYPE_LONG && count == 1 ? value : 0;
}

int flaw_exif_orientation(const uint8_t *bytes, size_t size)
{
    if (size >= 6 && memcmp(bytes, "Exif\0\0", 6) == 0) {
        bytes += 6;
        size -= 6;
    }
    if (size < 8) return 1;
    tiff t = {.at = flaw_cursor_over(bytes, size), .big = bytes[0] == 'M'};
    if (memcmp(bytes, "II", 2) != 0 && memcmp(bytes, "MM", 2) != 0) return 1;
    flaw_cursor_seek(&t.at, 2);
    if (read_u16(&t) != 42) return 1;
    uint32_t directory = read_u32(&t);
    if (!flaw_cursor_seek(&t.at, directory)) return 1;
    int entries = read_u16(&t);
    for (int i = 0; i < entries && !t.at.failed; i++) {
        uint32_t value = read_entry(&t);
        if (value != 0) return value <= 8 && !t.at.failed ? (int)value : 1;
    }
    return 1;
}

/* Where output pixel (0, 0) comes from and how far the source moves per output column and row, in pixels. */
typedef struct turn {
    ptrdiff_t start, column, row;
    bool swapped; /* width and height change places */
} turn;

/* `w` and `h` are the stored picture's. E.g. 6 (camera turned so that the stored top is the right side): output (x, y)
 * is stored (y, h-1-x). */
static turn turn_for(int orientation, ptrdiff_t w, ptrdiff_t h)
{
    ptrdiff_t right = w - 1, bottom = (h - 1) * w;
    switch (orientation) {
    case 2: return (turn){right, -1, w, false};
    case 3: return (turn){right + bottom, -1, -w, false};
    case 4: return (turn){bottom, 1, -w, false};
    case 5: return (turn){0, w, 1, true};
    case 6: return (turn){bottom, -w, 1, true};
    case 7: return (turn){right + bottom, -w, -1, true};
    case 8: return (turn){right, w, -1, true};
    default: return (turn){0, 1, w, false};
    }
}

/* Squares keep both the rows read and the rows written in the cache when columns become rows. */
enum { SQUARE = 64 };

static void copy_square(const flaw_picture *to, const flaw_picture *from, const turn *t, int x0, int y0)
{
    int x1 = x0 + SQUARE < to->width ? x0 + SQUARE : to->width;
    int y1 = y0 + SQUARE < to->height ? y0 + SQUARE : to->height;
    for (int y = y0; y < y1; y++) {
        const uint8_t *source = from->rgb + 3 * (t->start + x0 * t->column + y * t->row);
        uint8_t *target = to->rgb + 3 * ((ptrdiff_t)y * to->width + x0);
        for (int x = x0; x < x1; x++, target += 3, source += 3 * t->column) {
            target[0] = source[0];
            target[1] = source[1];
            target[2] = source[2];
        }
    }
}

flaw_status flaw_picture_orient(flaw_picture *picture, int orientation, flaw_error *err)
{
    if (orientation <= 1 || orientation > 8) return FLAW_OK;
    turn t = turn_for(orientation, picture->width, picture->height);
    flaw_picture upright;
    flaw_status status = flaw_picture_new(&upright, t.swapped ? picture->height : picture->width,
                                          t.swapped ? picture->width : picture->height, err);
    if (status != FLAW_OK) return status;
    for (int y = 0; y < upright.height; y += SQUARE) {
        for (int x = 0; x < upright.width; x += SQUARE) copy_square(&upright, picture, &t, x, y);
    }
    flaw_picture_release(picture);
    *picture = upright;
    return FLAW_OK;
}
