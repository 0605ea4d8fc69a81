/* Every system call of writing (and reading) a file fails in turn, through the linker's --wrap: the old file stays as
 * it was, no temporary file is left, and the message names the file and the step. */
#include "../check.h"

#include <errno.h>
#include <fcntl.h>

#include "base/file.h"

typedef enum call { NONE, OPENAT, WRITE, FSYNC, CLOSE, RENAMEAT, READ } call;

/* The plan of one test: which call fails, at which of its uses (counted from 1), and how. */
static struct {
    call target;
    int nth, code, seen;
    size_t short_write; /* a write takes at most so many bytes; 0: all */
    int interrupt;      /* this many first writes, reads and syncs end with EINTR */
} plan;

static bool fails(call which)
{
    if (plan.target != which || ++plan.seen != plan.nth) return false;
    errno = plan.code;
    return true;
}

static bool interrupted(void)
{
    if (plan.interrupt == 0) return false;
    plan.interrupt--;
    errno = EINTR;
    return true;
}

int __real_openat(int folder, const char *path, int flags, mode_t mode);
int __wrap_openat(int folder, const char *path, int flags, mode_t mode);
int __wrap_openat(int folder, const char *path, int flags, mode_t mode)
{
    return fails(OPENAT) ? -1 : __real_openat(folder, path, flags, mode);
}

/* What openat is called where file sizes have 64 bits. */
int __wrap_openat64(int folder, const char *path, int flags, mode_t mode);
int __wrap_openat64(int folder, const char *path, int flags, mode_t mode)
{
    return __wrap_openat(folder, path, flags, mode);
}

ssize_t __real_write(int fd, const void *data, size_t size);
ssize_t __wrap_write(int fd, const void *data, size_t size);
ssize_t __wrap_write(int fd, const void *data, size_t size)
{
    if (interrupted()) return -1;
    if (fails(WRITE)) return plan.code == 0 ? 0 : -1;
    return __real_write(fd, data, plan.short_write && size > plan.short_write ? plan.short_write : size);
}

ssize_t __real_read(int fd, void *data, size_t size);
ssize_t __wrap_read(int fd, void *data, size_t size);
ssize_t __wrap_read(int fd, void *data, size_t size)
{
    if (interrupted() || fails(READ)) return -1;
    return __real_read(fd, data, plan.short_write && size > plan.short_write ? plan.short_write : size);
}

int __real_fsync(int fd);
int __wrap_fsync(int fd);
int __wrap_fsync(int fd)
{
    return interrupted() || fails(FSYNC) ? -1 : __real_fsync(fd);
}

int __real_close(int fd);
int __wrap_close(int fd);
int __wrap_close(int fd)
{
    const bool failing = fails(CLOSE);
    const int result = __real_close(fd);
    if (failing) errno = plan.code;
    return failing ? -1 : result;
}

int __real_renameat(int from, const char *old, int to, const char *new);
int __wrap_renameat(int from, const char *old, int to, const char *new);
int __wrap_renameat(int from, const char *old, int to, const char *new)
{
    return fails(RENAMEAT) ? -1 : __real_renameat(from, old, to, new);
}

static int begin(void **state)
{
    memset(&plan, 0, sizeof plan);
    return make_scratch(state);
}

/* The scratch folder holds one file "a" with this text, and nothing else. */
static void assert_only(const char *folder, const char *text)
{
    char a[512];
    flaw_names names;
    flaw_bytes bytes;
    plan.target = NONE;
    plan.interrupt = 0;
    plan.short_write = 0;
    assert_int_equal(flaw_file_list(&names, folder, NULL), FLAW_OK);
    assert_int_equal(names.count, 1);
    flaw_names_release(&names);
    assert_int_equal(flaw_file_read(&bytes, in_folder(a, folder, "a"), 100, NULL), FLAW_OK);
    assert_string_equal(bytes.data, text);
    flaw_bytes_release(&bytes);
}

static void fault(const char *folder, call target, int nth, int code, const char *after, const char *reason)
{
    char a[512];
    flaw_error err;
    in_folder(a, folder, "a");
    memset(&plan, 0, sizeof plan);
    assert_int_equal(flaw_file_write(a, "old", 3, NULL), FLAW_OK);
    plan.short_write = 4; /* several writes, so that the second one can fail */
    plan.target = target;
    plan.nth = nth;
    plan.code = code;
    assert_int_equal(flaw_file_write(a, "new text", 8, &err), FLAW_IO);
    assert_contains(err.text, a);
    assert_contains(err.text, reason);
    assert_only(folder, after);
}

static void test_old_file_stays(void **state)
{
    fault(*state, OPENAT, 1, EMFILE, "old", "Too many open files");
    fault(*state, WRITE, 1, ENOSPC, "old", "No space left");
    fault(*state, WRITE, 2, EIO, "old", "Input/output error");
    fault(*state, WRITE, 2, 0, "old", "No space left"); /* a write of nothing, for ever */
    fault(*state, FSYNC, 1, EIO, "old", "Input/output error");
    fault(*state, CLOSE, 1, EIO, "old", "Input/output error"); /* network file systems tell it then */
    fault(*state, RENAMEAT, 1, EACCES, "old", "renaming");
}

static void test_folder_sync(void **state)
{
    fault(*state, FSYNC, 2, EIO, "new text", "the file is complete, but syncing its folder failed");
    char a[512];
    plan.target = FSYNC; /* a file system that cannot sync folders is no reason to fail */
    plan.seen = 0;
    plan.nth = 2;
    plan.code = EINVAL;
    assert_int_equal(flaw_file_write(in_folder(a, *state, "a"), "again", 5, NULL), FLAW_OK);
    assert_int_equal(plan.seen, 2);
    assert_only(*state, "again");
}

static void test_short_and_interrupted(void **state)
{
    char a[512];
    plan.short_write = 1;
    plan.interrupt = 3;
    assert_int_equal(flaw_file_write(in_folder(a, *state, "a"), "byte by byte", 12, NULL), FLAW_OK);
    assert_only(*state, "byte by byte");

    flaw_bytes bytes;
    plan.short_write = 5;
    plan.interrupt = 3;
    assert_int_equal(flaw_file_read(&bytes, a, 100, NULL), FLAW_OK);
    assert_string_equal(bytes.data, "byte by byte");
    flaw_bytes_release(&bytes);
}

/* What a crashed process left under the first names is passed by, not written over. */
static void test_temporary_name_taken(void **state)
{
    char a[512];
    plan.target = OPENAT;
    plan.nth = 1;
    plan.code = EEXIST;
    assert_int_equal(flaw_file_write(in_folder(a, *state, "a"), "x", 1, NULL), FLAW_OK);
    assert_int_equal(plan.seen, 2);
    assert_only(*state, "x");
}

static flaw_status stream(const char *path, flaw_error *err)
{
    flaw_file_stream *s;
    flaw_status status = flaw_file_stream_begin(&s, path, 10, err);
    if (status) return status;
    status = flaw_file_stream_write(s, "0123", 4, err);
    if (!status) status = flaw_file_stream_write(s, "456789", 6, err);
    if (!status) status = flaw_file_stream_rewrite(s, 2, "abc", 3, err);
    if (!status) status = flaw_file_stream_write(s, "!", 1, err);
    if (!status) return flaw_file_stream_end(s, err);
    flaw_file_stream_abandon(s);
    return status;
}

/* Piece by piece, with bytes replaced: whole, or nothing of it. */
static void test_stream(void **state)
{
    static const struct {
        call target;
        int nth, code;
    } faults[] = {{OPENAT, 1, EMFILE}, {WRITE, 1, ENOSPC}, {WRITE, 2, EIO}, {WRITE, 3, EIO},
                  {WRITE, 4, ENOSPC},  {FSYNC, 1, EIO},    {CLOSE, 1, EIO}, {RENAMEAT, 1, EACCES}};
    char a[512];
    flaw_error err;
    in_folder(a, *state, "a");
    assert_int_equal(stream(a, &err), FLAW_OK);
    assert_only(*state, "01abc56789!");
    assert_int_equal(flaw_file_write(a, "old", 3, NULL), FLAW_OK);
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        memset(&plan, 0, sizeof plan);
        plan.target = faults[i].target;
        plan.nth = faults[i].nth;
        plan.code = faults[i].code;
        assert_int_equal(stream(a, &err), FLAW_IO);
        assert_contains(err.text, a);
        assert_only(*state, "old");
    }
    flaw_file_stream_abandon(NULL);
}

static void test_read_fails_midway(void **state)
{
    char a[512];
    flaw_error err;
    flaw_bytes bytes = {.size = 7};
    assert_int_equal(flaw_file_write(in_folder(a, *state, "a"), "0123456789", 10, NULL), FLAW_OK);
    plan.short_write = 4;
    plan.target = READ;
    plan.nth = 2;
    plan.code = EIO;
    assert_int_equal(flaw_file_read(&bytes, a, 100, &err), FLAW_IO);
    assert_contains(err.text, "cannot read");
    assert_int_equal(bytes.size, 7);
}

#define faulty(test) cmocka_unit_test_setup_teardown(test, begin, remove_scratch)

int main(void)
{
    const struct CMUnitTest tests[] = {
        faulty(test_old_file_stays),       faulty(test_folder_sync),       faulty(test_short_and_interrupted),
        faulty(test_temporary_name_taken), faulty(test_read_fails_midway), faulty(test_stream),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
