#include <string.h>

#include "kernel/weights.h"
#include "kernel/x86/levels.h"
#include "kernel/x86/vec_avx512.h"

#include "kernel/x86/narrow_avx512.h"

#define LEVEL(name) flaw_avx512_##name
enum { VECTORS_AT_ONCE = 4 };

#include "kernel/x86/weights.inc.c"
