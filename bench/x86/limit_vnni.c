#define LIMIT limit_avx512_int8
#define CHAIN(n) "vpdpbusd %%zmm15, %%zmm15, %%zmm" #n "\n\t"
#define LANES 16
#include "limit_bytes.inc.c"
