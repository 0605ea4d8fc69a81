#include "kernel/x86/levels.h"

#define TABLE flaw_kernels_amx
#define TABLE_TEXT "amx"
#define TABLE_LEVEL FLAW_LEVEL_AMX
#define TABLE_ATTENTION FLAW_BF16
#define TABLE_DIGITS &flaw_vnni_digits
#define TABLE_MANY &flaw_amx_many
#define LEVEL(name) flaw_avx512_##name
static const flaw_engine *const engines[FLAW_PRECISIONS] = {
    &flaw_avx512_engine_f32, &flaw_amx_engine_bf16, &flaw_amx_engine_int8};

#include "kernel/simd/table.inc.c"
