/* Which of the x86 levels this machine and its operating system run. */
#ifndef FLAW_KERNEL_X86_DETECT_H
#define FLAW_KERNEL_X86_DETECT_H

#include "kernel/kernel.h"

/* The table of exactly this level, or NULL. */
const flaw_kernels *flaw_x86_kernels(flaw_level level);

#endif
