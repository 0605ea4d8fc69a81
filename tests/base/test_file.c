#include "../check.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>

#include "base/file.h"

static void put(const char *path, const char *text)
{
    assert_int_equal(flaw_file_write(path, text, strlen(text), NULL), FLAW_OK);
}

static void assert_holds(const char *path, const char *text)
{
    flaw_bytes bytes;
    assert_int_equal(flaw_file_read(&bytes, path, 1 << 20, NULL), FLAW_OK);
    assert_string_equal(bytes.data, text);
    assert_int_equal(bytes.size, strlen(text));
    flaw_bytes_release(&bytes);
}

static size_t entries(const char *folder)
{
    flaw_names names;
    assert_int_equal(flaw_file_list(&names, folder, NULL), FLAW_OK);
    const size_t count = names.count;
    flaw_names_release(&names);
    return count;
}

static void test_write_and_read(void **state)
{
    char a[512];
    in_folder(a, *state, "a");
    put(a, "first");
    assert_holds(a, "first");
    put(a, "2nd");
    assert_holds(a, "2nd");
    put(a, "");
    assert_holds(a, "");
    assert_int_equal(entries(*state), 1); /* no temporary file is left */
}

static void test_large_file(void **state)
{
    enum { SIZE = 5000001 };
    char a[512];
    uint8_t *data = malloc(SIZE);
    assert_non_null(data);
    for (size_t i = 0; i < SIZE; i++) data[i] = (uint8_t)(i * i >> 7);
    assert_int_equal(flaw_file_write(in_folder(a, *state, "large"), data, SIZE, NULL), FLAW_OK);
    flaw_bytes read, mapped;
    assert_int_equal(flaw_file_read(&read, a, SIZE, NULL), FLAW_OK);
    assert_int_equal(flaw_file_map(&mapped, a, NULL), FLAW_OK);
    assert_true(mapped.mapped && !read.mapped);
    assert_int_equal(read.size, SIZE);
    assert_int_equal(mapped.size, SIZE);
    assert_int_equal(memcmp(read.data, data, SIZE), 0);
    assert_int_equal(memcmp(mapped.data, data, SIZE), 0);
    assert_int_equal(read.data[SIZE], 0);
    flaw_bytes_release(&read);
    flaw_bytes_release(&mapped);
    assert_null(mapped.data);
    free(data);
}

/* A size that is told and one that shows only while reading (a pipe, a device) meet the same limit. */
static void test_maximum(void **state)
{
    char a[512];
    flaw_error err;
    flaw_bytes bytes = {.size = 7};
    put(in_folder(a, *state, "a"), "12345");
    assert_int_equal(flaw_file_read(&bytes, a, 4, &err), FLAW_BAD_DATA);
    assert_contains(err.text, "/a' has 5 bytes, allowed are 4");
    assert_int_equal(bytes.size, 7);
    assert_int_equal(flaw_file_read(&bytes, "/dev/zero", 100000, &err), FLAW_BAD_DATA);
    assert_contains(err.text, "larger than the 100000 bytes allowed");
    assert_int_equal(flaw_file_read(&bytes, a, 5, NULL), FLAW_OK);
    flaw_bytes_release(&bytes);
    assert_int_equal(flaw_file_read(&bytes, a, SIZE_MAX, NULL), FLAW_OK);
    flaw_bytes_release(&bytes);
}

static void *feed(void *path)
{
    const int fd = open(path, O_WRONLY);
    for (int i = 0; i < 30000; i++) {
        if (write(fd, "0123456789", 10) != 10) break;
    }
    close(fd);
    return NULL;
}

static void test_pipe(void **state)
{
    char path[512];
    pthread_t feeder;
    flaw_bytes bytes;
    assert_int_equal(mkfifo(in_folder(path, *state, "pipe"), 0600), 0);
    assert_int_equal(flaw_file_map(&bytes, path, NULL), FLAW_BAD_DATA); /* at once, though nobody writes */
    pthread_create(&feeder, NULL, feed, path);
    assert_int_equal(flaw_file_read(&bytes, path, 1 << 20, NULL), FLAW_OK);
    pthread_join(feeder, NULL);
    assert_int_equal(bytes.size, 300000);
    assert_memory_equal(bytes.data + 299990, "0123456789", 11);
    flaw_bytes_release(&bytes);
}

static void test_cannot_read(void **state)
{
    char path[512];
    flaw_error err;
    flaw_bytes bytes;
    assert_int_equal(flaw_file_read(&bytes, in_folder(path, *state, "none"), 10, &err), FLAW_MISSING);
    assert_contains(err.text, "/none': No such file");
    assert_int_equal(flaw_file_map(&bytes, path, &err), FLAW_MISSING);
    assert_int_equal(flaw_file_read(&bytes, *state, 10, &err), FLAW_BAD_DATA);
    assert_contains(err.text, "directory");
    assert_int_equal(flaw_file_map(&bytes, *state, &err), FLAW_BAD_DATA);
    assert_contains(err.text, "is a folder, expected is a file");
    put(path, "");
    assert_int_equal(flaw_file_map(&bytes, path, NULL), FLAW_OK);
    assert_int_equal(bytes.size, 0);
    assert_non_null(bytes.data);
    flaw_bytes_release(&bytes);
    char below[520];
    snprintf(below, sizeof below, "%s/x", path);
    assert_int_equal(flaw_file_read(&bytes, below, 10, &err), FLAW_MISSING);
}

static void refused_without_permission(const char *folder)
{
    char path[512];
    flaw_error err;
    flaw_bytes bytes;
    flaw_names names;
    put(in_folder(path, folder, "locked"), "x");
    assert_int_equal(chmod(path, 0), 0);
    assert_int_equal(flaw_file_read(&bytes, path, 10, &err), FLAW_IO);
    assert_contains(err.text, "Permission denied");
    assert_int_equal(chmod(path, 0600), 0);
    assert_int_equal(chmod(folder, 0500), 0); /* may be looked at, but nothing made in it */
    assert_int_equal(flaw_file_write(path, "y", 1, &err), FLAW_IO);
    assert_contains(err.text, "making a temporary file beside it: Permission denied");
    assert_holds(path, "x");
    assert_int_equal(chmod(folder, 0), 0);
    assert_int_equal(flaw_file_list(&names, folder, &err), FLAW_IO);
    assert_int_equal(flaw_file_read(&bytes, path, 10, &err), FLAW_IO);
    assert_int_equal(chmod(folder, 0700), 0);
}

/* No permission stops root, so root becomes nobody for this. */
static void test_no_permission(void **state)
{
    enum { NOBODY = 65534 };
    if (geteuid() != 0) {
        refused_without_permission(*state);
        return;
    }
    assert_int_equal(chown(*state, NOBODY, NOBODY), 0);
    assert_int_equal(seteuid(NOBODY), 0);
    const bool reachable = euidaccess(".", X_OK) == 0;
    if (reachable) refused_without_permission(*state);
    assert_int_equal(seteuid(0), 0);
    if (!reachable) {
        print_message("skipped: the build folder is closed to other users than root\n");
        skip();
    }
}

static void test_replaces_only_files(void **state)
{
    char path[512];
    flaw_error err;
    assert_int_equal(flaw_file_write(*state, "x", 1, &err), FLAW_IO);
    assert_contains(err.text, "it is a folder");
    /* A pipe stands for /dev/null here: a test of root's that fails must not take that from the machine. */
    struct stat info;
    assert_int_equal(mkfifo(in_folder(path, *state, "pipe"), 0600), 0);
    assert_int_equal(flaw_file_write(path, "x", 1, &err), FLAW_IO);
    assert_contains(err.text, "a device or a pipe");
    assert_int_equal(stat(path, &info), 0);
    assert_true(S_ISFIFO(info.st_mode));
    assert_int_equal(unlink(path), 0);
    assert_int_equal(flaw_file_write("", "x", 1, &err), FLAW_USAGE);
    assert_int_equal(flaw_file_write(in_folder(path, *state, "no/such"), "x", 1, &err), FLAW_IO);
    assert_int_equal(flaw_file_write(in_folder(path, *state, "new/"), "x", 1, &err), FLAW_USAGE);
    assert_int_equal(entries(*state), 0);
}

static void test_links_and_modes(void **state)
{
    char real[512], link[512], lost[512];
    struct stat info;
    put(in_folder(real, *state, "real"), "old");
    assert_int_equal(chmod(real, 0662), 0); /* more than a umask would give */
    assert_int_equal(symlink("real", in_folder(link, *state, "link")), 0);
    put(link, "new");
    assert_holds(real, "new");
    assert_int_equal(lstat(link, &info), 0);
    assert_true(S_ISLNK(info.st_mode));
    assert_int_equal(stat(real, &info), 0);
    assert_int_equal(info.st_mode & 07777, 0662);
    assert_int_equal(symlink("nowhere", in_folder(lost, *state, "lost")), 0);
    assert_int_equal(flaw_file_write(lost, "x", 1, NULL), FLAW_IO);

    const mode_t before = umask(027);
    char fresh[512];
    put(in_folder(fresh, *state, "fresh"), "x");
    umask(before);
    assert_int_equal(stat(fresh, &info), 0);
    assert_int_equal(info.st_mode & 07777, 0640);
}

static void test_in_current_folder(void **state)
{
    put("written-here.txt", "x");
    assert_holds("./written-here.txt", "x");
    assert_int_equal(unlink("written-here.txt"), 0);
}

static void *write_often(void *path)
{
    char text[20000];
    memset(text, 'a' + gettid() % 26, sizeof text);
    for (int i = 0; i < 30; i++) {
        if (flaw_file_write(path, text, sizeof text, NULL) != FLAW_OK) return path;
    }
    return NULL;
}

/* Four threads write one file while it is read: every reader sees one whole version. */
static void test_readers_see_whole_files(void **state)
{
    char path[512];
    pthread_t writer[4];
    put(in_folder(path, *state, "shared"), "");
    for (int i = 0; i < 4; i++) pthread_create(&writer[i], NULL, write_often, path);
    for (int i = 0; i < 200; i++) {
        flaw_bytes bytes;
        assert_int_equal(flaw_file_read(&bytes, path, 1 << 20, NULL), FLAW_OK);
        assert_true(bytes.size == 0 || bytes.size == 20000);
        for (size_t k = 1; k < bytes.size; k++) assert_int_equal(bytes.data[k], bytes.data[0]);
        flaw_bytes_release(&bytes);
    }
    for (int i = 0; i < 4; i++) {
        void *failed;
        pthread_join(writer[i], &failed);
        assert_null(failed);
    }
    assert_int_equal(entries(*state), 1);
}

static void test_make_folder(void **state)
{
    char path[512], file[512], below[512];
    flaw_error err;
    in_folder(path, *state, "a/b//c/");
    assert_int_equal(flaw_file_make_folder(path, NULL), FLAW_OK);
    assert_true(flaw_file_is_folder(path));
    assert_int_equal(flaw_file_make_folder(path, NULL), FLAW_OK);
    assert_int_equal(flaw_file_make_folder("/", NULL), FLAW_OK);
    assert_int_equal(flaw_file_make_folder("", &err), FLAW_USAGE);
    put(in_folder(file, *state, "file"), "x");
    assert_int_equal(flaw_file_make_folder(file, &err), FLAW_IO);
    assert_int_equal(flaw_file_make_folder(in_folder(below, *state, "file/x/y"), &err), FLAW_IO);
    assert_contains(err.text, "file/x/y");
    assert_false(flaw_file_is_folder(file));
    assert_true(flaw_file_exists(file));
    assert_false(flaw_file_exists(below));
}

static void test_list_is_sorted_by_bytes(void **state)
{
    static const char *const sorted[] = {".hidden", "A", "B", "a", "a.b", "ab", "b", "\xc3\xa4"};
    enum { COUNT = sizeof sorted / sizeof sorted[0] };
    char path[512];
    flaw_names names;
    flaw_error err;
    for (int i = 0; i < COUNT; i++) put(in_folder(path, *state, sorted[(i * 5 + 3) % COUNT]), "");
    assert_int_equal(flaw_file_list(&names, *state, NULL), FLAW_OK);
    assert_int_equal(names.count, COUNT);
    for (int i = 0; i < COUNT; i++) assert_string_equal(names.name[i], sorted[i]);
    flaw_names_release(&names);
    assert_int_equal(names.count, 0);
    assert_int_equal(flaw_file_list(&names, in_folder(path, *state, "none"), &err), FLAW_MISSING);
    assert_int_equal(flaw_file_list(&names, in_folder(path, *state, "A"), &err), FLAW_MISSING);
    assert_contains(err.text, "cannot list folder");
}

static void test_list_many_and_none(void **state)
{
    char path[512];
    flaw_names names;
    assert_int_equal(entries(*state), 0);
    for (int i = 0; i < 200; i++) {
        snprintf(path, sizeof path, "%s/%03d", (const char *)*state, 199 - i);
        close(open(path, O_CREAT | O_WRONLY, 0600));
    }
    assert_int_equal(flaw_file_list(&names, *state, NULL), FLAW_OK);
    assert_int_equal(names.count, 200);
    assert_string_equal(names.name[0], "000");
    assert_string_equal(names.name[199], "199");
    flaw_names_release(&names);
}

#define with_scratch(test) cmocka_unit_test_setup_teardown(test, make_scratch, remove_scratch)

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_scratch(test_write_and_read),
        with_scratch(test_large_file),
        with_scratch(test_maximum),
        with_scratch(test_pipe),
        with_scratch(test_cannot_read),
        with_scratch(test_no_permission),
        with_scratch(test_replaces_only_files),
        with_scratch(test_links_and_modes),
        cmocka_unit_test(test_in_current_folder),
        with_scratch(test_readers_see_whole_files),
        with_scratch(test_make_folder),
        with_scratch(test_list_is_sorted_by_bytes),
        with_scratch(test_list_many_and_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
