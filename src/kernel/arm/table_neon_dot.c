#include "kernel/arm/levels.h"
#include "kernel/ref/ref.h"

/* Compact weights are read by the reference. */
#define flaw_neon_weight_unpack flaw_weight_unpack
#define flaw_neon_weight_product flaw_ref_weight_product

#define TABLE flaw_kernels_neon_dot
#define TABLE_TEXT "neon-dot"
#define TABLE_LEVEL FLAW_LEVEL_NEON_DOT
#define TABLE_ATTENTION FLAW_INT8
#define TABLE_DIGITS NULL
#define LEVEL(name) flaw_neon_##name
static const flaw_engine *const engines[FLAW_PRECISIONS] = {
    &flaw_neon_engine_f32, &flaw_neon_engine_rounded, &flaw_neon_engine_dot};

#include "kernel/simd/table.inc.c"
