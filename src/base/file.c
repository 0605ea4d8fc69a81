#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/checked.h"

/* One message for every refusal of the system: what was tried, on which file, and its reason. */
static flaw_status refuse(flaw_error *err, const char *what, const char *path, int code)
{
    const flaw_status status = code == ENOENT || code == ENOTDIR ? FLAW_MISSING
                               : code == ENOMEM                  ? FLAW_NO_MEMORY
                               : code == EISDIR                  ? FLAW_BAD_DATA
                                                                 : FLAW_IO;
    return flaw_fail(err, status, "cannot %s '%s': %s", what, path, strerrordesc_np(code));
}

static int open_again(const char *path, int flags)
{
    int fd;
    do {
        fd = open(path, flags | O_CLOEXEC);
    } while (fd < 0 && errno == EINTR);
    return fd;
}

static flaw_status too_large(flaw_error *err, const char *path, size_t maximum)
{
    return flaw_fail(err, FLAW_BAD_DATA, "'%s' is larger than the %zu bytes allowed", path, maximum);
}

/* Read `fd` to its end into a growing block, `guess` bytes at first. The size the system tells is only a guess: pipes
 * have none and a file may grow meanwhile. */
static flaw_status read_all(flaw_bytes *out, int fd, const char *path, size_t guess, size_t maximum, flaw_error *err)
{
    size_t size = 0, capacity = 0;
    uint8_t *data = NULL;
    flaw_status status = FLAW_OK;
    for (;;) {
        if (capacity - size < 2) { /* one byte to read and the NUL */
            size_t more;
            if (!flaw_add_ok(&more, capacity, capacity ? capacity : guess) || !flaw_add_ok(&more, more, 2)) more = 0;
            uint8_t *grown = more ? realloc(data, more) : NULL;
            if (!grown) {
                status = refuse(err, "read", path, ENOMEM);
                break;
            }
            data = grown;
            capacity = more;
        }
        const ssize_t got = read(fd, data + size, capacity - size - 1);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) status = refuse(err, "read", path, errno);
        if (got <= 0) break;
        size += (size_t)got;
        if (size > maximum) {
            status = too_large(err, path, maximum);
            break;
        }
    }
    if (status != FLAW_OK) {
        free(data);
        return status;
    }
    data[size] = '\0';
    *out = (flaw_bytes){.data = data, .size = size};
    return FLAW_OK;
}

flaw_status flaw_file_read(flaw_bytes *out, const char *path, size_t maximum, flaw_error *err)
{
    const int fd = open_again(path, O_RDONLY);
    if (fd < 0) return refuse(err, "open", path, errno);
    struct stat info;
    flaw_status status;
    if (fstat(fd, &info) != 0) {
        status = refuse(err, "read", path, errno);
    } else if (S_ISREG(info.st_mode) && (uintmax_t)info.st_size > maximum) {
        status =
            flaw_fail(err, FLAW_BAD_DATA, "'%s' has %jd bytes, allowed are %zu", path, (intmax_t)info.st_size, maximum);
    } else {
        const size_t guess = S_ISREG(info.st_mode) && info.st_size > 0 ? (size_t)info.st_size : 4096;
        status = read_all(out, fd, path, guess, maximum, err);
    }
    close(fd);
    return status;
}

flaw_status flaw_file_map(flaw_bytes *out, const char *path, flaw_error *err)
{
    /* Without O_NONBLOCK a named pipe would hold us until somebody writes to it. */
    const int fd = open_again(path, O_RDONLY | O_NONBLOCK);
    if (fd < 0) return refuse(err, "open", path, errno);
    struct stat info;
    flaw_status status = FLAW_OK;
    if (fstat(fd, &info) != 0) {
        status = refuse(err, "read", path, errno);
    } else if (!S_ISREG(info.st_mode)) {
        status = flaw_fail(err, FLAW_BAD_DATA, "'%s' is %s, expected is a file", path,
                           S_ISDIR(info.st_mode) ? "a folder" : "a device or a pipe");
    } else if (info.st_size == 0) { /* mmap refuses length 0 */
        uint8_t *empty = calloc(1, 1);
        if (empty) *out = (flaw_bytes){.data = empty};
        else status = refuse(err, "read", path, ENOMEM);
    } else {
        void *at = mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (at != MAP_FAILED) *out = (flaw_bytes){.data = at, .size = (size_t)info.st_size, .mapped = true};
        else status = refuse(err, "map", path, errno);
    }
    close(fd);
    return status;
}

void flaw_bytes_drop(const flaw_bytes *bytes, const void *at, size_t size)
{
    /* A page that is touched brings its neighbours along, in aligned stretches of 64 KiB or, where the system keeps the
     * file in larger units, up to 2 MiB. They must go too, or a tenth of a file that is read piece by piece stays. */
    const uintptr_t around = (uintptr_t)2 << 20, begin = (uintptr_t)bytes->data, from = (uintptr_t)at;
    if (!bytes->mapped || size == 0 || from < begin || from - begin > bytes->size) return;
    if (size > bytes->size - (from - begin)) return;
    const uintptr_t end = begin + bytes->size, last = from + size;
    uintptr_t first = from - from % around;
    if (first < begin) first = begin; /* which is the beginning of a page */
    const uintptr_t stop = end - last < around ? end : last + (around - last % around) % around;
    /* A private mapping that nobody writes to: what is dropped is in the file. Advice may fail without harm. */
    madvise((void *)first, stop - first, MADV_DONTNEED);
}

void flaw_bytes_release(flaw_bytes *bytes)
{
    if (bytes->mapped) munmap(bytes->data, bytes->size);
    else free(bytes->data);
    *bytes = (flaw_bytes){0};
}

bool flaw_file_is_folder(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

bool flaw_file_exists(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0;
}

bool flaw_file_is_special(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && !S_ISREG(info.st_mode) && !S_ISDIR(info.st_mode);
}

/* mkdir that takes a folder already there (or made by somebody else meanwhile) for success. */
static flaw_status make_one(const char *part, const char *path, flaw_error *err)
{
    if (mkdir(part, 0777) == 0) return FLAW_OK;
    const int code = errno;
    if (flaw_file_is_folder(part)) return FLAW_OK;
    /* ENOTDIR is no missing input here, it is a file in the way. */
    return flaw_fail(err, FLAW_IO, "cannot make folder '%s': '%s': %s", path, part, strerrordesc_np(code));
}

flaw_status flaw_file_make_folder(const char *path, flaw_error *err)
{
    if (path[0] == '\0') return flaw_fail(err, FLAW_USAGE, "cannot make a folder: its name is empty");
    char *part = strdup(path);
    if (!part) return refuse(err, "make folder", path, ENOMEM);
    flaw_status status = FLAW_OK;
    for (char *slash = strchr(part + 1, '/'); slash && status == FLAW_OK; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        status = make_one(part, path, err);
        *slash = '/';
    }
    if (status == FLAW_OK) status = make_one(part, path, err);
    free(part);
    return status;
}

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Append the entry's name; false when memory is short. */
static bool add_name(flaw_names *names, size_t *capacity, const char *name)
{
    if (names->count == *capacity) {
        size_t count = *capacity ? *capacity : 16, bytes;
        if (!flaw_mul_ok(&count, count, 2) || !flaw_mul_ok(&bytes, count, sizeof *names->name)) return false;
        char **grown = realloc(names->name, bytes);
        if (!grown) return false;
        names->name = grown;
        *capacity = count;
    }
    char *copy = strdup(name);
    if (!copy) return false;
    names->name[names->count++] = copy;
    return true;
}

flaw_status flaw_file_list(flaw_names *out, const char *folder, flaw_error *err)
{
    DIR *dir = opendir(folder);
    if (!dir) return refuse(err, "list folder", folder, errno);
    flaw_names names = {0};
    size_t capacity = 0;
    int code = 0;
    while (code == 0) {
        errno = 0;
        const struct dirent *entry = readdir(dir);
        if (!entry) {
            code = errno;
            break;
        }
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
        if (!add_name(&names, &capacity, entry->d_name)) code = ENOMEM;
    }
    closedir(dir);
    if (code != 0) {
        flaw_names_release(&names);
        return refuse(err, "list folder", folder, code);
    }
    if (names.count > 0) qsort(names.name, names.count, sizeof *names.name, by_bytes);
    *out = names;
    return FLAW_OK;
}

void flaw_names_release(flaw_names *names)
{
    for (size_t i = 0; i < names->count; i++) free(names->name[i]);
    free(names->name);
    *names = (flaw_names){0};
}
