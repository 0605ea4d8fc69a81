/* What one thread of this machine can do at most: loops that stay in registers. Each returns the floating-point
 * operations of one call (a multiplication and an addition are two). */
#ifndef FLAW_BENCH_LIMIT_H
#define FLAW_BENCH_LIMIT_H

double limit_avx2_f32(void);
double limit_avx512_f32(void);
double limit_avx512_bf16(void);
double limit_amx_bf16(void);

#endif
