/* The one place that decides which kernels run on this machine. */
#include "kernel/kernel.h"
#include "kernel/ref/ref.h"
#ifdef __x86_64__
#include "kernel/x86/detect.h"
#endif
#ifdef __aarch64__
#include "kernel/arm/detect.h"
#endif

const flaw_kernels *flaw_kernels_select(flaw_level max)
{
    const flaw_kernels *found = NULL;
#ifdef __x86_64__
    found = flaw_x86_select(max);
#endif
#ifdef __aarch64__
    found = flaw_arm_select(max);
#endif
    return found ? found : &flaw_kernels_ref;
}

flaw_level flaw_kernels_best(void)
{
    return flaw_kernels_select(FLAW_LEVEL_AMX)->level;
}
