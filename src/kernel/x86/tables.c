/* The tables of the x86 levels. */
#include "kernel/simd/table.h"
#include "kernel/x86/levels.h"

TABLE(avx2, "avx2", FLAW_LEVEL_AVX2, flaw_avx2, flaw_avx2_engine_rounded, flaw_avx2_pack_rounded)
TABLE(avx512, "avx512", FLAW_LEVEL_AVX512, flaw_avx512, flaw_avx512_engine_rounded, flaw_avx512_pack_rounded)
TABLE(avx512_bf16, "avx512-bf16", FLAW_LEVEL_AVX512, flaw_avx512, flaw_avx512_engine_bf16, flaw_avx512_pack_bf16)
TABLE(amx, "amx", FLAW_LEVEL_AMX, flaw_avx512, flaw_amx_engine, flaw_avx512_pack_bf16)
