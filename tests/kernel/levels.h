/* Shared by the kernels' tests: the tables this machine runs, arrays of odd alignment, random values. */
#ifndef FLAW_TESTS_KERNEL_LEVELS_H
#define FLAW_TESTS_KERNEL_LEVELS_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/random.h"
#include "../level_loop.h"

#define EPS 0x1p-24 /* half a unit in the last place of 1 in float32 */

/* Under an emulator one of so many rounds is run. */
#ifndef ROUNDS_SHARE
#define ROUNDS_SHARE 1
#endif

enum { LEVELS_MAX = FLAW_LEVEL_AUTO };

typedef struct levels {
    int count;
    const flaw_kernels *table[LEVELS_MAX];
} levels;

/* Every table that runs here, the reference first. */
static inline levels levels_here(void)
{
    levels all = {0};
    AT_EVERY_LEVEL(level) all.table[all.count++] = flaw_kernels_exact(level);
    return all;
}

/* n floats that start 4 bytes behind a multiple of 64, never freed by mistake: release with array_free. */
static inline float *array_new(size_t n)
{
    char *base = aligned_alloc(64, (n * sizeof(float) + 128 + 63) / 64 * 64);
    assert_non_null(base);
    return (float *)(void *)(base + 4);
}

static inline void array_free(float *x)
{
    free((char *)x - 4);
}

static inline float *array_random(flaw_random *r, size_t n, double size)
{
    float *x = array_new(n);
    for (size_t i = 0; i < n; i++) x[i] = (float)(size * flaw_random_normal(r));
    return x;
}

/* Scratch exactly as large as the kernel asked for, so that a sanitizer sees what is beyond. */
static inline void *room_new(size_t size)
{
    void *p = NULL;
    assert_int_equal(posix_memalign(&p, 64, size ? size : 1), 0);
    memset(p, 0xff, size); /* NaNs: what is used must have been written */
    return p;
}

static inline int dice(flaw_random *r, int from, int to)
{
    return from + flaw_random_below(r, to - from + 1);
}

static inline bool same_bits(const float *a, const float *b, size_t n)
{
    return memcmp(a, b, n * sizeof *a) == 0;
}

#endif
