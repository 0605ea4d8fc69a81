/* What the tests of src/format and src/model share: cmocka in its order, safetensors files made in memory, and a
 * scratch folder that is removed at the end. */
#ifndef FLAW_TESTS_FORMAT_CHECK_H
#define FLAW_TESTS_FORMAT_CHECK_H

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
#include <unistd.h>

#include "base/buffer.h"
#include "flaw/status.h"

#define assert_contains(text, part)                                                                                    \
    do {                                                                                                               \
        if (!strstr(text, part)) fail_msg("\"%s\" does not hold \"%s\"", text, part);                                  \
    } while (0)

#define assert_ok(call)                                                                                                \
    do {                                                                                                               \
        if ((call) != FLAW_OK) fail_msg("%s: %s", #call, err.text);                                                    \
    } while (0)

/* Header text with its length in front, then `data` zero bytes. */
static inline flaw_buffer make_safetensors(const char *header, size_t data)
{
    flaw_buffer b;
    uint64_t length = strlen(header);
    flaw_buffer_init(&b, (size_t)1 << 30);
    flaw_buffer_append(&b, &length, 8);
    flaw_buffer_text(&b, header);
    for (size_t i = 0; i < data; i++) flaw_buffer_append(&b, "", 1);
    return b;
}

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
    const int code = nftw(*state, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    free(*state);
    return code;
}

static inline const char *in_folder(char out[512], const void *folder, const char *name)
{
    snprintf(out, 512, "%s/%s", (const char *)folder, name);
    return out;
}

#endif
