#include <string.h>

#include "kernel/weights.h"
#include "kernel/x86/levels.h"
#include "kernel/x86/vec_avx2.h"

#include "kernel/x86/narrow_avx2.h"

#define LEVEL(name) flaw_avx2_##name
enum { VECTORS_AT_ONCE = 2 };

#include "kernel/x86/weights.inc.c"
