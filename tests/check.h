/* What all tests share: cmocka in the order it wants, checks that say more, and a folder that is removed at the end. */
#ifndef FLAW_TESTS_CHECK_H
#define FLAW_TESTS_CHECK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h> /* uses the headers above without including them */

#include <ftw.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "flaw/status.h"

#define assert_contains(text, part)                                                                                    \
    do {                                                                                                               \
        if (!strstr(text, part)) fail_msg("\"%s\" does not hold \"%s\"", text, part);                                  \
    } while (0)

#define assert_ok(call)                                                                                                \
    do {                                                                                                               \
        if ((call) != FLAW_OK) fail_msg("%s: %s", #call, err.text);                                                    \
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

/* "folder/name", in room that the caller gives. */
static inline const char *in_folder(char out[512], const void *folder, const char *name)
{
    snprintf(out, 512, "%s/%s", (const char *)folder, name);
    return out;
}

#endif
