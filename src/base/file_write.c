/* The writing half of base/file.h: a reader sees the old file or the new one, whole, at every moment. */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

enum { TRIES = 1000 }; /* temporary names tried before giving up; a crashed process leaves at most one each */

static flaw_status refuse(flaw_error *err, const char *path, const char *what, int code)
{
    return flaw_fail(err, FLAW_IO, "cannot write '%s': %s: %s", path, what, strerrordesc_np(code));
}

/* Where the bytes go: links are followed (a link stays a link), and only a file may be replaced, for renaming over
 * /dev/null would take it from the whole machine. `mode` gets the permissions to keep, or 0 for a new file. */
static flaw_status find_target(char target[PATH_MAX], mode_t *mode, const char *path, flaw_error *err)
{
    struct stat info;
    *mode = 0;
    if (path[0] == '\0') return flaw_fail(err, FLAW_USAGE, "cannot write a file: its name is empty");
    if (stat(path, &info) == 0) {
        if (!S_ISREG(info.st_mode)) {
            return flaw_fail(err, FLAW_IO, "cannot write '%s': it is %s, expected is a file or nothing", path,
                             S_ISDIR(info.st_mode) ? "a folder" : "a device or a pipe");
        }
        *mode = info.st_mode & 07777;
        if (!realpath(path, target)) return refuse(err, path, "finding it", errno);
        return FLAW_OK;
    }
    if (errno != ENOENT) return refuse(err, path, "finding it", errno);
    if (lstat(path, &info) == 0) {
        return flaw_fail(err, FLAW_IO, "cannot write '%s': it is a link to nothing", path);
    }
    const size_t length = strlen(path);
    if (length >= PATH_MAX) return refuse(err, path, "finding it", ENAMETOOLONG);
    if (path[length - 1] == '/') return flaw_fail(err, FLAW_USAGE, "cannot write '%s': it ends with a slash", path);
    memcpy(target, path, length + 1);
    return FLAW_OK;
}

/* A new file in the open folder, under a name nobody else uses: process, address (differs by thread), count. */
static int open_temporary(char name[64], int folder, mode_t mode)
{
    for (int try = 0; try < TRIES; try++) {
        snprintf(name, 64, ".flaw-%ld-%zx-%d.tmp", (long)getpid(), (size_t)(uintptr_t)name, try);
        const int fd = openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
        if (fd >= 0 || (errno != EEXIST && errno != EINTR)) return fd;
    }
    return -1;
}

/* All bytes; an errno value, 0 when done. A short write is continued, a write of nothing is an error. */
static int write_all(int fd, const uint8_t *data, size_t size)
{
    while (size > 0) {
        const ssize_t done = write(fd, data, size);
        if (done < 0 && errno == EINTR) continue;
        if (done < 0) return errno;
        if (done == 0) return ENOSPC;
        data += done;
        size -= (size_t)done;
    }
    return 0;
}

static int sync_file(int fd)
{
    while (fsync(fd) != 0) {
        if (errno != EINTR) return errno;
    }
    return 0;
}

/* Make the rename itself last. Some file systems cannot sync a folder and say EINVAL: nothing to be done there. */
static int sync_folder(int folder)
{
    while (fsync(folder) != 0) {
        if (errno == EINVAL) return 0;
        if (errno != EINTR) return errno;
    }
    return 0;
}

/* A file under its temporary name. */
struct flaw_file_stream {
    char *path, *target; /* as given, and where it leads; one block at `path` */
    const char *base;    /* last part of target */
    int folder, fd;
    mode_t mode;   /* to keep; 0: a new file */
    char name[64]; /* temporary, in the folder */
};

static void stream_free(flaw_file_stream *s)
{
    close(s->folder);
    free(s->path);
    free(s);
}

/* Take the room on the disk at once, where the file system can: better refused now than after an hour of writing. */
static int reserve(int fd, size_t size)
{
    if (size == 0 || fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, (off_t)size) == 0) return 0;
    return errno == ENOSPC || errno == EFBIG || errno == EDQUOT ? errno : 0;
}

static flaw_status stream_open(flaw_file_stream *s, size_t room, flaw_error *err)
{
    s->fd = open_temporary(s->name, s->folder, s->mode ? s->mode : 0666);
    if (s->fd < 0) return refuse(err, s->path, "making a temporary file beside it", errno);
    const int code = reserve(s->fd, room);
    if (code == 0) return FLAW_OK;
    close(s->fd);
    unlinkat(s->folder, s->name, 0);
    return refuse(err, s->path, "making room for it", code);
}

flaw_status flaw_file_stream_begin(flaw_file_stream **out, const char *path, size_t room, flaw_error *err)
{
    char target[PATH_MAX], parent[PATH_MAX];
    mode_t mode;
    flaw_status status = find_target(target, &mode, path, err);
    if (status) return status;
    const size_t path_size = strlen(path) + 1, target_size = strlen(target) + 1;
    flaw_file_stream *s = calloc(1, sizeof *s);
    char *names = malloc(path_size + target_size);
    if (!s || !names) {
        free(s);
        free(names);
        return flaw_fail(err, FLAW_NO_MEMORY, "cannot write '%s': no memory", path);
    }
    s->path = memcpy(names, path, path_size);
    s->target = memcpy(names + path_size, target, target_size);
    s->mode = mode;
    const char *slash = strrchr(s->target, '/');
    s->base = slash ? slash + 1 : s->target;
    s->folder = open(dirname(memcpy(parent, target, target_size)), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (s->folder < 0) {
        status = refuse(err, path, "opening its folder", errno);
        free(names);
        free(s);
        return status;
    }
    status = stream_open(s, room, err);
    if (status) stream_free(s);
    else *out = s;
    return status;
}

flaw_status flaw_file_stream_write(flaw_file_stream *s, const void *data, size_t size, flaw_error *err)
{
    const int code = write_all(s->fd, data, size);
    return code == 0 ? FLAW_OK : refuse(err, s->path, "writing", code);
}

flaw_status flaw_file_stream_rewrite(flaw_file_stream *s, size_t offset, const void *data, size_t size, flaw_error *err)
{
    const off_t end = lseek(s->fd, 0, SEEK_CUR);
    int code = end < 0 || lseek(s->fd, (off_t)offset, SEEK_SET) < 0 ? errno : write_all(s->fd, data, size);
    if (code == 0 && lseek(s->fd, end, SEEK_SET) < 0) code = errno;
    return code == 0 ? FLAW_OK : refuse(err, s->path, "writing", code);
}

void flaw_file_stream_abandon(flaw_file_stream *s)
{
    if (!s) return;
    close(s->fd);
    unlinkat(s->folder, s->name, 0);
    stream_free(s);
}

flaw_status flaw_file_stream_end(flaw_file_stream *s, flaw_error *err)
{
    const char *step = "writing";
    flaw_status status = FLAW_OK;
    int code = sync_file(s->fd);
    if (code == 0 && s->mode != 0 && fchmod(s->fd, s->mode) != 0) code = errno; /* the umask must not take from it */
    if (close(s->fd) != 0 && code == 0 && errno != EINTR) code = errno;
    if (code == 0 && renameat(s->folder, s->name, s->folder, s->base) != 0) {
        step = "renaming the temporary file";
        code = errno;
    }
    if (code != 0) {
        unlinkat(s->folder, s->name, 0);
        status = refuse(err, s->path, step, code);
    } else if ((code = sync_folder(s->folder)) != 0) {
        status = refuse(err, s->path, "the file is complete, but syncing its folder failed", code);
    }
    stream_free(s);
    return status;
}

flaw_status flaw_file_write(const char *path, const void *data, size_t size, flaw_error *err)
{
    flaw_file_stream *s = NULL;
    flaw_status status = flaw_file_stream_begin(&s, path, 0, err);
    if (status) return status;
    status = flaw_file_stream_write(s, data, size, err);
    if (!status) return flaw_file_stream_end(s, err);
    flaw_file_stream_abandon(s);
    return status;
}
