#include <math.h>

#include "kernel/int8.h"
#include "kernel/simd/attention.h"
#include "kernel/x86/levels.h"
#include "kernel/x86/vec_avx512.h"
#include "kernel/simd/vec_math.h"
#include "kernel/x86/whole_avx512.h"

#define LEVEL(name) flaw_avx512_##name
#include "kernel/simd/rows.inc.c"
#include "kernel/simd/exp_bytes.inc.c"
#include "kernel/simd/few.inc.c"
