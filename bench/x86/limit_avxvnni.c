#define LIMIT limit_avx2_int8
#define CHAIN(n) "%{vex%} vpdpbusd %%ymm15, %%ymm15, %%ymm" #n "\n\t"
#define LANES 8
#include "limit_bytes.inc.c"
