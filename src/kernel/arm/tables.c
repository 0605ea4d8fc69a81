/* The tables of the aarch64 levels. */
#include "kernel/arm/levels.h"
#include "kernel/ref/ref.h"
#include "kernel/simd/table.h"

/* Compact weights are read by the reference. */
#define flaw_neon_weight_unpack flaw_weight_unpack
#define flaw_neon_weight_product flaw_ref_weight_product

TABLE(neon, "neon", FLAW_LEVEL_NEON, flaw_neon, flaw_neon_engine_rounded, flaw_neon_pack_rounded)
