/* Loops over the kernels of this machine. */
#ifndef FLAW_TESTS_LEVEL_LOOP_H
#define FLAW_TESTS_LEVEL_LOOP_H

#include "kernel/kernel.h"

/* The next level after `level` that this machine has; with `vectors` the next with another kind of vector, because levels
 * that share their vectors compute float32 alike. */
static inline flaw_level level_after(flaw_level level, bool vectors)
{
    const flaw_kernels *now = flaw_kernels_exact(level), *next = NULL;
    int i = (int)level + 1;
    for (; i < FLAW_LEVEL_AUTO; i++) {
        next = flaw_kernels_exact((flaw_level)i);
        if (next && !(vectors && next->dot == now->dot)) break;
    }
    return (flaw_level)i;
}

#define AT_EVERY_LEVEL(level)                                                                                          \
    for (flaw_level level = FLAW_LEVEL_REF; level < FLAW_LEVEL_AUTO; level = level_after(level, false))
#define AT_EVERY_KIND_OF_VECTOR(level)                                                                                 \
    for (flaw_level level = FLAW_LEVEL_REF; level < FLAW_LEVEL_AUTO; level = level_after(level, true))

#endif
