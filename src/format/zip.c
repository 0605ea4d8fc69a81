/* The directory at the end says where everything lies; the local header before each entry says it again. Both are read
 * and must agree: a program that believes one of them only can be shown another archive. */
#include "format/zip.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/checked.h"
#include "base/cursor.h"

enum {
    LOCAL_SIZE = 30, /* bytes of the headers without their names and extra fields */
    CENTRAL_SIZE = 46,
    END_SIZE = 22,
    LOCATOR_SIZE = 20,
    END64_SIZE = 56,
    COMMENT_LIMIT = 65535,
    EXTRA_ZIP64 = 1,
    FLAG_ENCRYPTED = 1 << 0,
    FLAG_LATER = 1 << 3, /* sizes and CRC of the local header are zero and follow the data */
    FLAG_STRONG = 1 << 6,
};
#define MARK_LOCAL 0x04034b50u
#define MARK_CENTRAL 0x02014b50u
#define MARK_END 0x06054b50u
#define MARK_END64 0x06064b50u
#define MARK_LOCATOR 0x07064b50u
#define IN_ZIP64 0xffffffffu /* a 32-bit field whose number stands in the ZIP64 record */

typedef struct reader {
    const char *path;
    const uint8_t *bytes;
    size_t size;
    size_t directory, directory_end; /* bytes from the start */
    uint64_t entries;
    flaw_error *err;
} reader;

/* What a local and a central header both say about an entry. */
typedef struct header {
    uint16_t flags, method;
    uint32_t crc;
    uint64_t packed, size, at; /* at: of the local header; only central headers say it */
    const char *name;
    size_t name_size;
} header;

static flaw_status lies(const reader *r, size_t at, const char *what)
{
    return flaw_fail(r->err, FLAW_BAD_DATA, "%s: zip archive: byte %zu: %s", r->path, at, what);
}

static flaw_status entry_lies(const reader *r, size_t at, const header *h, const char *what)
{
    return flaw_fail(r->err, FLAW_BAD_DATA, "%s: zip archive: byte %zu: entry '%.*s': %s", r->path, at,
                     (int)(h->name_size < 200 ? h->name_size : 200), h->name, what);
}

static flaw_cursor over(const reader *r, size_t at, size_t end)
{
    return flaw_cursor_over(r->bytes + at, end - at);
}

/* The end record is the last thing in the file but for its comment. */
static bool find_end(const reader *r, size_t *at)
{
    if (r->size < END_SIZE) return false;
    for (size_t comment = 0; comment <= COMMENT_LIMIT && comment <= r->size - END_SIZE; comment++) {
        const size_t here = r->size - END_SIZE - comment;
        flaw_cursor c = over(r, here, r->size);
        if (flaw_cursor_u32le(&c) != MARK_END) continue;
        flaw_cursor_seek(&c, END_SIZE - 2);
        if (flaw_cursor_u16le(&c) == comment) {
            *at = here;
            return true;
        }
    }
    return false;
}

/* Where the directory lies, from the ZIP64 end record when there is one before `end`. Numbers of the plain record
 * that are not "see ZIP64" must be the same. */
static flaw_status read_end64(reader *r, size_t *end, uint64_t *size, uint64_t *at)
{
    if (*end < LOCATOR_SIZE) return FLAW_OK;
    const size_t locator = *end - LOCATOR_SIZE;
    flaw_cursor c = over(r, locator, *end);
    if (flaw_cursor_u32le(&c) != MARK_LOCATOR) return FLAW_OK;
    const uint32_t disk = flaw_cursor_u32le(&c);
    const uint64_t record = flaw_cursor_u64le(&c);
    if (disk != 0 || flaw_cursor_u32le(&c) > 1) return lies(r, locator, "an archive of several files");
    if (locator < END64_SIZE || record > locator - END64_SIZE)
        return lies(r, locator, "the ZIP64 end record is said to lie where it cannot");
    c = over(r, (size_t)record, locator);
    if (flaw_cursor_u32le(&c) != MARK_END64) return lies(r, (size_t)record, "no ZIP64 end record here");
    if (flaw_cursor_u64le(&c) != locator - record - 12)
        return lies(r, (size_t)record, "the ZIP64 end record has a wrong size");
    flaw_cursor_seek(&c, 16);
    if (flaw_cursor_u32le(&c) != 0 || flaw_cursor_u32le(&c) != 0)
        return lies(r, (size_t)record, "an archive of several files");
    const uint64_t here = flaw_cursor_u64le(&c), entries = flaw_cursor_u64le(&c);
    const uint64_t size64 = flaw_cursor_u64le(&c), at64 = flaw_cursor_u64le(&c);
    if (here != entries || (r->entries != 0xffffu && r->entries != entries) || (*size != IN_ZIP64 && *size != size64) ||
        (*at != IN_ZIP64 && *at != at64))
        return lies(r, (size_t)record, "the ZIP64 end record and the plain one disagree");
    r->entries = entries;
    *size = size64;
    *at = at64;
    *end = (size_t)record;
    return FLAW_OK;
}

static flaw_status read_end(reader *r)
{
    size_t end;
    if (!find_end(r, &end))
        return flaw_fail(r->err, FLAW_BAD_DATA,
                         "%s: zip archive: no end record in %zu bytes: the file was cut, or is no zip archive", r->path,
                         r->size);
    flaw_cursor c = over(r, end, r->size);
    flaw_cursor_seek(&c, 4);
    const uint16_t disk = flaw_cursor_u16le(&c), first = flaw_cursor_u16le(&c);
    const uint16_t here = flaw_cursor_u16le(&c);
    r->entries = flaw_cursor_u16le(&c);
    if (disk != 0 || first != 0 || here != r->entries) return lies(r, end, "an archive of several files");
    uint64_t size = flaw_cursor_u32le(&c), at = flaw_cursor_u32le(&c);
    flaw_status status = read_end64(r, &end, &size, &at);
    if (status) return status;
    if (at > end || size != end - at)
        return flaw_fail(
            r->err, FLAW_BAD_DATA,
            "%s: zip archive: byte %zu: the directory is said to have %llu bytes from byte %llu on, but it "
            "must end here",
            r->path, end, (unsigned long long)size, (unsigned long long)at);
    if (r->entries > size / CENTRAL_SIZE)
        return flaw_fail(
            r->err, FLAW_BAD_DATA,
            "%s: zip archive: byte %zu: %llu entries claimed, the directory's %llu bytes hold %llu at most", r->path,
            end, (unsigned long long)r->entries, (unsigned long long)size, (unsigned long long)(size / CENTRAL_SIZE));
    r->directory = (size_t)at;
    r->directory_end = end;
    return FLAW_OK;
}

/* Numbers that did not fit into the header's 32 bits, in the ZIP64 extra field: only those, in this order. A local
 * header without CENTRAL's offset passes at NULL. False when the field is missing or too short. */
static bool read_extra(flaw_cursor extra, uint64_t *size, uint64_t *packed, uint64_t *at)
{
    uint64_t *const field[] = {size, packed, at};
    bool wanted = false;
    for (int i = 0; i < 3; i++) wanted = wanted || (field[i] && *field[i] == IN_ZIP64);
    if (!wanted) return true;
    while (flaw_cursor_left(&extra) >= 4) {
        const uint16_t kind = flaw_cursor_u16le(&extra), length = flaw_cursor_u16le(&extra);
        const uint8_t *body = flaw_cursor_bytes(&extra, length);
        if (!body) return false;
        if (kind != EXTRA_ZIP64) continue;
        flaw_cursor c = flaw_cursor_over(body, length);
        for (int i = 0; i < 3; i++)
            if (field[i] && *field[i] == IN_ZIP64) *field[i] = flaw_cursor_u64le(&c);
        return !c.failed;
    }
    return false;
}

/* The header at the cursor, which moves past it. */
static flaw_status read_central(const reader *r, flaw_cursor *c, header *h)
{
    const size_t at = r->directory + flaw_cursor_offset(c);
    if (flaw_cursor_u32le(c) != MARK_CENTRAL) return lies(r, at, "no entry of the directory here");
    flaw_cursor_u32le(c); /* versions */
    h->flags = flaw_cursor_u16le(c);
    h->method = flaw_cursor_u16le(c);
    flaw_cursor_u32le(c); /* time and date */
    h->crc = flaw_cursor_u32le(c);
    h->packed = flaw_cursor_u32le(c);
    h->size = flaw_cursor_u32le(c);
    h->name_size = flaw_cursor_u16le(c);
    const uint16_t extra = flaw_cursor_u16le(c), comment = flaw_cursor_u16le(c), disk = flaw_cursor_u16le(c);
    flaw_cursor_bytes(c, 6); /* attributes */
    h->at = flaw_cursor_u32le(c);
    h->name = (const char *)flaw_cursor_bytes(c, h->name_size);
    const uint8_t *more = flaw_cursor_bytes(c, extra);
    flaw_cursor_bytes(c, comment);
    if (c->failed) return lies(r, at, "this entry of the directory goes past the directory's end");
    if (!read_extra(flaw_cursor_over(more, extra), &h->size, &h->packed, &h->at))
        return entry_lies(r, at, h, "its ZIP64 numbers are missing");
    if (disk != 0) return entry_lies(r, at, h, "it lies in another file");
    if (h->flags & (FLAG_ENCRYPTED | FLAG_STRONG)) return entry_lies(r, at, h, "it is encrypted");
    if (h->method != 0)
        return flaw_fail(r->err, FLAW_BAD_DATA,
                         "%s: zip archive: byte %zu: entry '%.*s' is compressed (method %d), only stored entries are "
                         "allowed",
                         r->path, at, (int)(h->name_size < 200 ? h->name_size : 200), h->name, h->method);
    if (h->packed != h->size) return entry_lies(r, at, h, "stored, but with two different sizes");
    return FLAW_OK;
}

/* The local header must say what the directory says; *data gets where the data begins. */
static flaw_status read_local(const reader *r, const header *h, size_t *data)
{
    if (h->at > r->directory || r->directory - h->at < LOCAL_SIZE)
        return entry_lies(r, (size_t)h->at, h, "the directory says that it begins here, past the entries");
    const size_t at = (size_t)h->at;
    flaw_cursor c = over(r, at, r->directory);
    if (flaw_cursor_u32le(&c) != MARK_LOCAL)
        return entry_lies(r, at, h, "the directory says that it begins here, but no entry does");
    flaw_cursor_u16le(&c); /* version */
    const uint16_t flags = flaw_cursor_u16le(&c), method = flaw_cursor_u16le(&c);
    flaw_cursor_u32le(&c); /* time and date */
    const uint32_t crc = flaw_cursor_u32le(&c);
    uint64_t packed = flaw_cursor_u32le(&c), size = flaw_cursor_u32le(&c);
    const uint16_t name_size = flaw_cursor_u16le(&c), extra = flaw_cursor_u16le(&c);
    const char *name = (const char *)flaw_cursor_bytes(&c, name_size);
    const uint8_t *more = flaw_cursor_bytes(&c, extra);
    if (c.failed) return entry_lies(r, at, h, "its local header goes past the entries");
    if (!read_extra(flaw_cursor_over(more, extra), &size, &packed, NULL))
        return entry_lies(r, at, h, "the ZIP64 numbers of its local header are missing");
    if (name_size != h->name_size || memcmp(name, h->name, name_size) != 0)
        return entry_lies(r, at, h, "its local header has another name");
    const bool later = (flags & FLAG_LATER) && crc == 0 && packed == 0 && size == 0;
    if (flags != h->flags || method != h->method ||
        (!later && (crc != h->crc || packed != h->packed || size != h->size)))
        return entry_lies(r, at, h, "its local header and the directory disagree");
    *data = at + flaw_cursor_offset(&c);
    if (h->size > flaw_cursor_left(&c)) return entry_lies(r, at, h, "its data goes past the entries");
    return FLAW_OK;
}

static int compare_bytes(const char *a, size_t a_size, const char *b, size_t b_size)
{
    const int order = memcmp(a, b, a_size < b_size ? a_size : b_size);
    return order ? order : (a_size > b_size) - (a_size < b_size);
}

static int compare_names(const void *a, const void *b)
{
    const flaw_zip_entry *x = a, *y = b;
    return compare_bytes(x->name, x->name_size, y->name, y->name_size);
}

static int compare_places(const void *a, const void *b)
{
    const flaw_zip_entry *x = a, *y = b;
    return (x->at > y->at) - (x->at < y->at);
}

static flaw_status refuse_pair(const reader *r, const flaw_zip_entry *e, const char *what)
{
    const header h = {.name = e->name, .name_size = e->name_size};
    return entry_lies(r, e->at, &h, what);
}

/* No byte belongs to two entries, no name to two. */
static flaw_status check_entries(const reader *r, flaw_zip_entry *entry, size_t count)
{
    qsort(entry, count, sizeof *entry, compare_places);
    for (size_t i = 1; i < count; i++)
        if (entry[i].at < (size_t)(entry[i - 1].data - r->bytes) + entry[i - 1].size)
            return refuse_pair(r, &entry[i], "it overlaps the entry before it");
    qsort(entry, count, sizeof *entry, compare_names);
    for (size_t i = 1; i < count; i++)
        if (compare_names(&entry[i - 1], &entry[i]) == 0) return refuse_pair(r, &entry[i], "this name comes twice");
    return FLAW_OK;
}

flaw_status flaw_zip_read(flaw_zip *out, const uint8_t *bytes, size_t size, const char *path, flaw_arena *arena,
                          flaw_error *err)
{
    reader r = {.path = path, .bytes = bytes, .size = size, .err = err};
    flaw_status status = read_end(&r);
    if (status) return status;
    const size_t count = (size_t)r.entries;
    flaw_zip_entry *entry = flaw_arena_alloc(arena, count, sizeof *entry);
    if (!entry) return flaw_fail(err, FLAW_NO_MEMORY, "%s: no memory for %zu entries", path, count);
    flaw_cursor c = over(&r, r.directory, r.directory_end);
    for (size_t i = 0; i < count; i++) {
        header h = {0};
        size_t data = 0;
        if ((status = read_central(&r, &c, &h)) || (status = read_local(&r, &h, &data))) return status;
        entry[i] = (flaw_zip_entry){.name = h.name,
                                    .name_size = h.name_size,
                                    .data = bytes + data,
                                    .size = (size_t)h.size,
                                    .at = (size_t)h.at,
                                    .crc = h.crc};
    }
    if (flaw_cursor_left(&c) != 0)
        return lies(&r, r.directory + flaw_cursor_offset(&c), "the directory has bytes after its last entry");
    if ((status = check_entries(&r, entry, count))) return status;
    *out = (flaw_zip){.entry = entry, .count = count};
    return FLAW_OK;
}

const flaw_zip_entry *flaw_zip_find(const flaw_zip *zip, const char *name, size_t name_size)
{
    const flaw_zip_entry key = {.name = name, .name_size = name_size};
    return zip->count ? bsearch(&key, zip->entry, zip->count, sizeof *zip->entry, compare_names) : NULL;
}

bool flaw_zip_intact(const flaw_zip_entry *entry)
{
    return crc32_z(crc32_z(0, NULL, 0), entry->data, entry->size) == entry->crc;
}
