/* The growing files of base/file.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

struct flaw_file_log {
    int fd;
    char path[]; /* as the caller named it */
};

static flaw_status refuse(const char *path, const char *what, flaw_error *err)
{
    return flaw_fail(err, FLAW_IO, "cannot write '%s': %s: %s", path, what, strerrordesc_np(errno));
}

static flaw_status lock(const flaw_file_log *log, flaw_error *err)
{
    struct stat info;
    if (fstat(log->fd, &info)) return refuse(log->path, "opening it", err);
    if (!S_ISREG(info.st_mode))
        return flaw_fail(err, FLAW_IO, "cannot write '%s': it is no file", log->path);
    if (!flock(log->fd, LOCK_EX | LOCK_NB)) return FLAW_OK;
    if (errno == EWOULDBLOCK)
        return flaw_fail(err, FLAW_IO, "cannot write '%s': another process is writing it", log->path);
    return refuse(log->path, "locking it", err);
}

flaw_status flaw_file_log_open(flaw_file_log **out, const char *path, bool fresh, flaw_error *err)
{
    size_t room = strlen(path) + 1;
    flaw_file_log *log = malloc(sizeof *log + room);
    if (!log) return flaw_fail(err, FLAW_NO_MEMORY, "cannot write '%s': memory was refused", path);
    memcpy(log->path, path, room);
    log->fd = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | (fresh ? O_EXCL : 0), 0666);
    if (log->fd < 0 && fresh && errno == EEXIST) {
        free(log);
        return flaw_fail(err, FLAW_USAGE, "cannot write '%s': it is there already", path);
    }
    flaw_status s = log->fd < 0 ? refuse(path, "opening it", err) : lock(log, err);
    if (s) {
        if (log->fd >= 0) close(log->fd);
        free(log);
        return s;
    }
    *out = log;
    return FLAW_OK;
}

flaw_status flaw_file_log_cut(flaw_file_log *log, size_t size, flaw_error *err)
{
    return ftruncate(log->fd, (off_t)size) ? refuse(log->path, "cutting it", err) : FLAW_OK;
}

flaw_status flaw_file_log_append(flaw_file_log *log, const void *data, size_t size, flaw_error *err)
{
    const char *from = data;
    while (size) {
        ssize_t written = write(log->fd, from, size);
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return refuse(log->path, "writing", err);
        if (!written) return flaw_fail(err, FLAW_IO, "cannot write '%s': the disk takes no more", log->path);
        from += written;
        size -= (size_t)written;
    }
    return FLAW_OK;
}

flaw_status flaw_file_log_close(flaw_file_log *log, flaw_error *err)
{
    if (!log) return FLAW_OK;
    flaw_status s = fsync(log->fd) ? refuse(log->path, "syncing it", err) : FLAW_OK;
    if (close(log->fd) && !s) s = refuse(log->path, "closing it", err);
    free(log);
    return s;
}
