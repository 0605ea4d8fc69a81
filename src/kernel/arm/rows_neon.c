#include <math.h>

#include "kernel/int8.h"
#include "kernel/arm/levels.h"
#include "kernel/arm/vec_neon.h"
#include "kernel/simd/attention.h"
#include "kernel/simd/vec_math.h"
#include "kernel/arm/whole_neon.h"

#define LEVEL(name) flaw_neon_##name
#include "kernel/simd/rows.inc.c"
#include "kernel/simd/exp_bytes.inc.c"
#include "kernel/simd/few.inc.c"
