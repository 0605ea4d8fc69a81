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

/* All bytes, synced; an errno value, 0 when done. A short write is continued, a write of nothing is an error. */
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

static flaw_status write_in(int folder, const char *base, mode_t mode, const char *path, const void *data, size_t size,
                            flaw_error *err)
{
    char name[64];
    const int fd = open_temporary(name, folder, mode ? mode : 0666);
    if (fd < 0) return refuse(err, path, "making a temporary file beside it", errno);
    const char *step = "writing";
    int code = write_all(fd, data, size);
    if (code == 0 && mode != 0 && fchmod(fd, mode) != 0) code = errno; /* the umask must not take from a kept mode */
    if (close(fd) != 0 && code == 0 && errno != EINTR) code = errno;
    if (code == 0 && renameat(folder, name, folder, base) != 0) {
        step = "renaming the temporary file";
        code = errno;
    }
    if (code != 0) {
        unlinkat(folder, name, 0);
        return refuse(err, path, step, code);
    }
    code = sync_folder(folder);
    if (code != 0) return refuse(err, path, "the file is complete, but syncing its folder failed", code);
    return FLAW_OK;
}

flaw_status flaw_file_write(const char *path, const void *data, size_t size, flaw_error *err)
{
    char target[PATH_MAX], parent[PATH_MAX];
    mode_t mode;
    const flaw_status found = find_target(target, &mode, path, err);
    if (found != FLAW_OK) return found;
    memcpy(parent, target, strlen(target) + 1);
    const char *slash = strrchr(target, '/');
    const int folder = open(dirname(parent), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0) return refuse(err, path, "opening its folder", errno);
    const flaw_status status = write_in(folder, slash ? slash + 1 : target, mode, path, data, size, err);
    close(folder);
    return status;
}
