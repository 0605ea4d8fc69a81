/* Zip archives whose entries are stored as they are (PKWARE's APPNOTE, with ZIP64): found, checked, not unpacked. */
#ifndef FLAW_FORMAT_ZIP_H
#define FLAW_FORMAT_ZIP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "flaw/status.h"

typedef struct flaw_zip_entry {
    const char *name; /* in the archive, not NUL-terminated */
    size_t name_size;
    const uint8_t *data; /* in the archive */
    size_t size;
    size_t at;    /* of the local header, bytes from the start */
    uint32_t crc; /* as the directory has it; flaw_zip_intact compares it with the data */
} flaw_zip_entry;

typedef struct flaw_zip {
    const flaw_zip_entry *entry; /* sorted by name (bytewise), in the arena */
    size_t count;
} flaw_zip;

/* Read the directory and every local header. FLAW_BAD_DATA names the entry and the byte: no or a lying end record, a
 * directory outside the file, local headers that disagree with it, entries that overlap each other or the directory,
 * compressed or encrypted entries, names that come twice. `path` is for messages. */
flaw_status flaw_zip_read(flaw_zip *out, const uint8_t *bytes, size_t size, const char *path, flaw_arena *arena,
                          flaw_error *err);
/* NULL when absent. */
const flaw_zip_entry *flaw_zip_find(const flaw_zip *zip, const char *name, size_t name_size);
/* Is the data what its CRC-32 says? Reads all of it. */
bool flaw_zip_intact(const flaw_zip_entry *entry);

#endif
