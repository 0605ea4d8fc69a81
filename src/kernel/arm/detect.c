#include "kernel/arm/detect.h"

#include <sys/auxv.h>

#include "kernel/arm/levels.h"

/* Vectors of 4 floats belong to every aarch64 machine that runs Linux; sdot (ARMv8.2) is told by the kernel. */
static bool has_dot(void)
{
    return (getauxval(AT_HWCAP) & HWCAP_ASIMDDP) != 0;
}

const flaw_kernels *flaw_arm_kernels(flaw_level level)
{
    switch (level) {
    case FLAW_LEVEL_NEON: return &flaw_kernels_neon;
    case FLAW_LEVEL_NEON_DOT: return has_dot() ? &flaw_kernels_neon_dot : NULL;
    default: return NULL;
    }
}
