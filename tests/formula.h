/* Numbers from a formula of name and index that tools/make_dino_golden.py and tools/make_methods_golden.py know, too. */
#ifndef FLAW_TESTS_FORMULA_H
#define FLAW_TESTS_FORMULA_H

#include <stddef.h>
#include <stdint.h>

/* In [-0.5, 0.5), from the name's FNV-1a hash and the index. */
static inline double uniform(const char *name, size_t index)
{
    uint32_t x = 2166136261u;
    for (; *name; name++) x = (x ^ (uint8_t)*name) * 16777619u;
    x += (uint32_t)index * 2654435761u;
    x = (x ^ x >> 16) * 0x85ebca6bu;
    x = (x ^ x >> 13) * 0xc2b2ae35u;
    return (x ^ x >> 16) / 4294967296.0 - 0.5;
}

#endif
