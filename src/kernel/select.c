/* The one place that decides which kernels run on this machine. */
#include "kernel/kernel.h"
#include "kernel/ref/ref.h"

flaw_level flaw_kernels_best(void)
{
    return FLAW_LEVEL_REF;
}

const flaw_kernels *flaw_kernels_select(flaw_level max)
{
    return &flaw_kernels_ref;
}
