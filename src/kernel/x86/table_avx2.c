#include "kernel/x86/levels.h"

#define TABLE flaw_kernels_avx2
#define TABLE_TEXT "avx2"
#define TABLE_LEVEL FLAW_LEVEL_AVX2
#define LEVEL(name) flaw_avx2_##name
static const flaw_engine *const engines[FLAW_PRECISIONS] = {
    &flaw_avx2_engine_f32, &flaw_avx2_engine_rounded, &flaw_avx2_engine_int8};

#include "kernel/simd/table.inc.c"
