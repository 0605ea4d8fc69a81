/* What one thread of this machine can do at most: loops that stay in registers. Each returns the operations of one call
 * (a multiplication and an addition are two). */
#ifndef FLAW_BENCH_LIMIT_H
#define FLAW_BENCH_LIMIT_H

typedef double limit_loop(void);

limit_loop limit_avx2_f32, limit_avx512_f32, limit_avx512_bf16, limit_amx_bf16;
limit_loop limit_avx2_int8, limit_avx512_int8, limit_amx_int8; /* vpdpbusd, of AVX-VNNI and of AVX-512; tiles */

/* The loop of the instruction that the products of a level ("avx2" ...) and precision ("f32", "bf16", "int8") are made of;
 * NULL where none is known. */
limit_loop *limit_loop_for(const char *level, const char *precision);

#endif
