/* The aarch64 levels. detect.c chooses among the tables. */
#ifndef FLAW_KERNEL_ARM_LEVELS_H
#define FLAW_KERNEL_ARM_LEVELS_H

#include "kernel/simd/level.h"

FLAW_DECLARE_LEVEL(flaw_neon)

extern const flaw_kernels flaw_kernels_neon; /* bf16 products with float32 instructions on rounded values */

#endif
