#include "limit.h"

#include <stddef.h>
#include <string.h>

#ifdef __x86_64__
/* A level without instructions for a precision computes with those of float32. */
static const struct {
    const char *level, *precision;
    limit_loop *loop;
} loops[] = {
    {"avx2", NULL, limit_avx2_f32},
    {"avx2-vnni", "int8", limit_avx2_int8},
    {"avx2-vnni", NULL, limit_avx2_f32},
    {"avx512", NULL, limit_avx512_f32},
    {"avx512-vnni", "int8", limit_avx512_int8},
    {"avx512-vnni", NULL, limit_avx512_f32},
    {"avx512-bf16", "bf16", limit_avx512_bf16},
    {"avx512-bf16", "int8", limit_avx512_int8},
    {"avx512-bf16", "f32", limit_avx512_f32},
    {"amx", "bf16", limit_amx_bf16},
    {"amx", "int8", limit_amx_int8},
    {"amx", "f32", limit_avx512_f32},
};
#endif

limit_loop *limit_loop_for(const char *level, const char *precision)
{
#ifdef __x86_64__
    for (size_t i = 0; i < sizeof loops / sizeof loops[0]; i++)
        if (!strcmp(level, loops[i].level) && (!loops[i].precision || !strcmp(precision, loops[i].precision)))
            return loops[i].loop;
#endif
    return NULL;
}
