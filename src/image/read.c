/* Files to pixels: what a file is, is told by its first bytes, never by its name. */
#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/utf8.h"
#include "flaw/picture.h"
#include "image/decode.h"
#include "image/exif.h"

/* Kinds of file that people give by mistake, so that the message can say what came instead of a picture we read. */
typedef struct known_kind {
    const char *name;
    size_t offset, length;
    const char *magic;
} known_kind;

static const known_kind KINDS[] = {
    {"a GIF", 0, 4, "GIF8"},
    {"a WebP", 8, 4, "WEBP"},
    {"a TIFF", 0, 4, "II*\0"},
    {"a TIFF", 0, 4, "MM\0*"},
    {"a BigTIFF", 0, 4, "II+\0"},
    {"a BigTIFF", 0, 4, "MM\0+"},
    {"an AVIF", 4, 8, "ftypavif"},
    {"a HEIC", 4, 7, "ftyphei"},
    {"a HEIF", 4, 8, "ftypmif1"},
    {"a film (MP4 family)", 4, 4, "ftyp"},
    {"a JPEG XL", 0, 2, "\xff\x0a"},
    {"a JPEG XL", 4, 4, "JXL "},
    {"a JPEG 2000", 4, 4, "jP  "},
    {"a JPEG 2000", 0, 4, "\xff\x4f\xff\x51"},
    {"a Photoshop file", 0, 4, "8BPS"},
    {"an icon (ICO)", 0, 4, "\0\0\1\0"},
    {"a QOI", 0, 4, "qoif"},
    {"an OpenEXR", 0, 4, "\x76\x2f\x31\x01"},
    {"a DICOM file", 128, 4, "DICM"},
    {"a PDF", 0, 4, "%PDF"},
    {"a zip archive", 0, 4, "PK\3\4"},
    {"a gzip archive", 0, 2, "\x1f\x8b"},
    {"a NumPy array", 0, 6, "\x93NUMPY"},
    {"a PNG damaged on the way (line ends changed)", 0, 4, "\x89PNG"},
    {"HTML", 0, 5, "<html"},
    {"HTML", 0, 5, "<!doc"},
    {"XML or SVG", 0, 5, "<?xml"},
    {"XML or SVG", 0, 4, "<svg"},
    {"a PNM", 0, 3, "P5\n"},
    {"a PNM", 0, 3, "P6\n"},
};

/* Letters of HTML tags come in both cases; binary magics have none that differ only in case. */
static bool has_magic(const uint8_t *bytes, size_t size, const known_kind *kind)
{
    if (size < kind->offset + kind->length) return false;
    if (kind->magic[0] != '<') return memcmp(bytes + kind->offset, kind->magic, kind->length) == 0;
    for (size_t i = 0; i < kind->length; i++) {
        if (tolower(bytes[kind->offset + i]) != kind->magic[i]) return false;
    }
    return true;
}

static bool looks_like_text(const uint8_t *bytes, size_t size)
{
    size_t looked = size < 512 ? size : 512;
    for (size_t i = 0; i < looked; i++) {
        if (bytes[i] == 127 || (bytes[i] < 32 && !isspace(bytes[i]))) return false;
    }
    /* The last character may be cut off. */
    for (size_t cut = 0; cut < 4 && cut < looked; cut++) {
        if (flaw_utf8_valid((const char *)bytes, looked - cut)) return true;
    }
    return false;
}

static flaw_status refuse(const uint8_t *bytes, size_t size, const char *name, flaw_error *err)
{
    const char *kind = NULL;
    for (size_t i = 0; i < sizeof KINDS / sizeof KINDS[0] && !kind; i++) {
        if (has_magic(bytes, size, &KINDS[i])) kind = KINDS[i].name;
    }
    if (!kind && looks_like_text(bytes, size)) kind = "text";
    if (kind) return flaw_fail(err, FLAW_BAD_DATA, "'%s' is %s; a JPEG, PNG or BMP picture is needed", name, kind);
    char hex[3 * 8 + 1] = "";
    size_t shown = size < 8 ? size : 8;
    for (size_t i = 0; i < shown; i++) snprintf(hex + 3 * i, 4, " %02x", bytes[i]);
    return flaw_fail(err, FLAW_BAD_DATA,
                     "'%s' is of no known kind (begins with%s); a JPEG, PNG or BMP picture is needed", name, hex);
}

flaw_status flaw_picture_decode(flaw_picture *out, const uint8_t *bytes, size_t size, const char *name, flaw_error *err)
{
    flaw_picture picture = {0};
    int orientation = 1;
    flaw_status status;
    if (size == 0)
        return flaw_fail(err, FLAW_BAD_DATA, "'%s' is an empty file; a JPEG, PNG or BMP picture is needed", name);
    if (size >= 3 && memcmp(bytes, "\xff\xd8\xff", 3) == 0) {
        status = flaw_jpeg_decode(&picture, &orientation, bytes, size, name, err);
    } else if (size >= 8 && memcmp(bytes, "\x89PNG\r\n\x1a\n", 8) == 0) {
        status = flaw_png_decode(&picture, &orientation, bytes, size, name, err);
    } else if (size >= 2 && memcmp(bytes, "BM", 2) == 0) {
        status = flaw_bmp_decode(&picture, bytes, size, name, err);
    } else {
        return refuse(bytes, size, name, err);
    }
    if (status == FLAW_OK) status = flaw_picture_orient(&picture, orientation, err);
    if (status != FLAW_OK) {
        flaw_picture_release(&picture);
        return status;
    }
    *out = picture;
    return FLAW_OK;
}

flaw_status flaw_picture_read(flaw_picture *out, const char *path, flaw_error *err)
{
    if (flaw_file_is_folder(path)) {
        return flaw_fail(err, FLAW_BAD_DATA, "'%s' is a folder; a JPEG, PNG or BMP picture is needed", path);
    }
    flaw_bytes file;
    flaw_status status = flaw_file_read(&file, path, FLAW_PICTURE_MAX_FILE, err);
    if (status != FLAW_OK) return status;
    status = flaw_picture_decode(out, file.data, file.size, path, err);
    flaw_bytes_release(&file);
    return status;
}
