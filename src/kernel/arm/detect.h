/* Which of the aarch64 levels this machine and its operating system run. */
#ifndef FLAW_KERNEL_ARM_DETECT_H
#define FLAW_KERNEL_ARM_DETECT_H

#include "kernel/kernel.h"

/* The best table not above `max`, or NULL when only the reference will do. */
const flaw_kernels *flaw_arm_select(flaw_level max);

#endif
