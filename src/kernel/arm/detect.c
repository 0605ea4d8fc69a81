#include "kernel/arm/detect.h"

#include "kernel/arm/levels.h"

/* Vectors of 4 floats belong to every aarch64 machine that runs Linux. */
const flaw_kernels *flaw_arm_kernels(flaw_level level)
{
    return level == FLAW_LEVEL_NEON ? &flaw_kernels_neon : NULL;
}
