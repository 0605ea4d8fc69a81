/* The aarch64 levels. detect.c chooses among the tables. */
#ifndef FLAW_KERNEL_ARM_LEVELS_H
#define FLAW_KERNEL_ARM_LEVELS_H

#include "kernel/simd/level.h"

FLAW_DECLARE_LEVEL(flaw_neon)

extern const flaw_engine flaw_neon_engine_int8, flaw_neon_engine_dot;

/* bf16 products with float32 instructions on rounded values */
extern const flaw_kernels flaw_kernels_neon;
extern const flaw_kernels flaw_kernels_neon_dot; /* int8 products with sdot */

#endif
