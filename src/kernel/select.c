/* The one place that decides which kernels run on this machine. */
#include "kernel/kernel.h"
#include "kernel/ref/ref.h"
#ifdef __x86_64__
#include "kernel/x86/detect.h"
#endif
#ifdef __aarch64__
#include "kernel/arm/detect.h"
#endif

const char *flaw_level_name(flaw_level level)
{
    static const char *const names[] = {"ref",    "neon",        "neon-dot",    "avx2", "avx2-vnni",
                                        "avx512", "avx512-vnni", "avx512-bf16", "amx",  "auto"};
    return names[level];
}

const flaw_kernels *flaw_kernels_exact(flaw_level level)
{
    if (level == FLAW_LEVEL_REF) return &flaw_kernels_ref;
#ifdef __x86_64__
    return flaw_x86_kernels(level);
#elif defined __aarch64__
    return flaw_arm_kernels(level);
#else
    return NULL;
#endif
}

const flaw_kernels *flaw_kernels_select(flaw_level max)
{
    for (int level = (int)max; level > FLAW_LEVEL_REF; level--) {
        const flaw_kernels *found = flaw_kernels_exact((flaw_level)level);
        if (found) return found;
    }
    return &flaw_kernels_ref;
}

flaw_level flaw_kernels_best(void)
{
    return flaw_kernels_select(FLAW_LEVEL_AUTO)->level;
}
