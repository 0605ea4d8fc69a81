#include <string.h>

#include "kernel/arm/levels.h"
#include "kernel/arm/vec_neon.h"
#include "kernel/bf16.h"
#include "kernel/int8.h"
#include "kernel/simd/engine.h"
#include "kernel/simd/vec_math.h"

#define LEVEL(name) flaw_neon_##name

#include "kernel/arm/tile_neon.h"

#include "kernel/simd/finish.inc.c"
#include "kernel/simd/product.inc.c"
