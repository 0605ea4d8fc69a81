/* The one seam to the file system: everything the library reads or writes goes through here. */
#ifndef FLAW_BASE_FILE_H
#define FLAW_BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "flaw/status.h"

/* Whole file in memory, NUL-terminated one byte past `size`. More than `maximum` bytes is FLAW_BAD_DATA. */
typedef struct flaw_bytes {
    uint8_t *data; /* owned: malloc, or a private read-only mapping when `mapped` */
    size_t size;
    bool mapped;
} flaw_bytes;

flaw_status flaw_file_read(flaw_bytes *out, const char *path, size_t maximum, flaw_error *err);
flaw_status flaw_file_map(flaw_bytes *out, const char *path, flaw_error *err); /* no NUL after a mapping */
/* Give the pages of a stretch within a mapping back to the system; they are read from the file again when touched. Does
 * nothing when `at` lies elsewhere. */
void flaw_bytes_drop(const flaw_bytes *bytes, const void *at, size_t size);
void flaw_bytes_release(flaw_bytes *bytes);

/* Write to a temporary name beside `path`, sync, rename. A crash leaves the old file or the new one. */
flaw_status flaw_file_write(const char *path, const void *data, size_t size, flaw_error *err);

/* The same for what is written piece by piece. `room` bytes are reserved on the disk at the beginning where the file
 * system can (0: none). After a failure, and when it is given up, flaw_file_stream_abandon leaves nothing behind;
 * flaw_file_stream_end frees it in any case. */
typedef struct flaw_file_stream flaw_file_stream;
flaw_status flaw_file_stream_begin(flaw_file_stream **out, const char *path, size_t room, flaw_error *err);
flaw_status flaw_file_stream_write(flaw_file_stream *s, const void *data, size_t size, flaw_error *err);
/* Replace bytes that were written before. */
flaw_status flaw_file_stream_rewrite(flaw_file_stream *s, size_t offset, const void *data, size_t size, flaw_error *err);
flaw_status flaw_file_stream_end(flaw_file_stream *s, flaw_error *err);
void flaw_file_stream_abandon(flaw_file_stream *s); /* NULL is fine */

/* A file that grows line by line. What was appended stays, but a crash may cut the last bytes; one process at a time
 * (a lock that ends with it). `fresh`: the file must not be there yet. */
typedef struct flaw_file_log flaw_file_log;
flaw_status flaw_file_log_open(flaw_file_log **out, const char *path, bool fresh, flaw_error *err);
/* Forget what lies behind `size` bytes. */
flaw_status flaw_file_log_cut(flaw_file_log *log, size_t size, flaw_error *err);
flaw_status flaw_file_log_append(flaw_file_log *log, const void *data, size_t size, flaw_error *err);
/* Everything on the disk, then closed; NULL is fine. */
flaw_status flaw_file_log_close(flaw_file_log *log, flaw_error *err);

/* mkdir -p. */
flaw_status flaw_file_make_folder(const char *path, flaw_error *err);
bool flaw_file_is_folder(const char *path);
bool flaw_file_exists(const char *path);
bool flaw_file_is_special(const char *path); /* a pipe, a device, a socket: reading may wait for ever */

/* Names (not paths) in a folder, sorted bytewise, without "." entries; free with flaw_names_release. */
typedef struct flaw_names {
    char **name;
    size_t count;
} flaw_names;
flaw_status flaw_file_list(flaw_names *out, const char *folder, flaw_error *err);
void flaw_names_release(flaw_names *names);

#endif
