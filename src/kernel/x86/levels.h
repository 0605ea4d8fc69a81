/* The x86 levels. detect.c chooses among the tables. */
#ifndef FLAW_KERNEL_X86_LEVELS_H
#define FLAW_KERNEL_X86_LEVELS_H

#include "kernel/simd/level.h"

FLAW_DECLARE_LEVEL(flaw_avx2)
FLAW_DECLARE_LEVEL(flaw_avx512)

extern const flaw_engine flaw_avx2_engine_int8, flaw_avx2_engine_vnni, flaw_avx512_engine_int8, flaw_avx512_engine_vnni;
extern const flaw_engine flaw_avx512_engine_bf16, flaw_amx_engine_bf16, flaw_amx_engine_int8;
flaw_finish flaw_amx_finish, flaw_amx_finish_int8;
flaw_pack_cols flaw_avx512_pack_bf16; /* of both engines for bf16 */
extern const flaw_weight_digits flaw_vnni_digits; /* with AVX512-VNNI and VBMI */
extern const flaw_weight_many flaw_vnni_many;     /* with AVX512-VNNI */
extern const flaw_weight_many flaw_amx_many;      /* with tiles of bf16 */

extern const flaw_kernels flaw_kernels_avx2;
extern const flaw_kernels flaw_kernels_avx2_vnni;
extern const flaw_kernels flaw_kernels_avx512; /* bf16 products with float32 instructions on rounded values */
extern const flaw_kernels flaw_kernels_avx512_vnni;
extern const flaw_kernels flaw_kernels_avx512_bf16; /* with vdpbf16ps */
extern const flaw_kernels flaw_kernels_amx;         /* with tiles */

#endif
