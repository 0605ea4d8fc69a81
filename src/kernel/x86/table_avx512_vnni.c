#include "kernel/x86/levels.h"

#define TABLE flaw_kernels_avx512_vnni
#define TABLE_TEXT "avx512-vnni"
#define TABLE_LEVEL FLAW_LEVEL_AVX512_VNNI
#define TABLE_ATTENTION FLAW_INT8
#define TABLE_MANY &flaw_vnni_many
#define LEVEL(name) flaw_avx512_##name
static const flaw_engine *const engines[FLAW_PRECISIONS] = {
    &flaw_avx512_engine_f32, &flaw_avx512_engine_rounded, &flaw_avx512_engine_vnni};

#include "kernel/simd/table.inc.c"
