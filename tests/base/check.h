/* What the tests of src/base share: cmocka in the order it wants, and a folder that is removed at the end. */
#ifndef FLAW_TESTS_BASE_CHECK_H
#define FLAW_TESTS_BASE_CHECK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <ftw.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define assert_contains(text, part)                                                                                    \
    do {                                                                                                               \
        if (!strstr(text, part)) fail_msg("\"%s\" does not hold \"%s\"", text, part);                                  \
    } while (0)

/* *state: path of a new empty folder below the current one. */
static inline int make_scratch(void **state)
{
    char *path = strdup("scratch-XXXXXX");
    if (!path || !mkdtemp(path)) return -1;
    *state = path;
    return 0;
}

static inline int remove_entry(const char *path, const struct stat *info, int kind, struct FTW *walk)
{
    return remove(path);
}

static inline int remove_scratch(void **state)
{
    chmod(*state, 0700);
    const int code = nftw(*state, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    free(*state);
    return code;
}

/* "folder/name" in a static-free way: the caller gives the room. */
static inline const char *in_folder(char out[256], const void *folder, const char *name)
{
    snprintf(out, 256, "%s/%s", (const char *)folder, name);
    return out;
}

#endif
