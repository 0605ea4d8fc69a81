#include "kernel/x86/detect.h"

#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kernel/x86/levels.h"

/* Leaf 7 of cpuid (Intel SDM vol. 2A, CPUID). */
enum { EDX_AMX_BF16 = 1 << 22, EDX_AMX_TILE = 1 << 24, EAX1_AVX512_BF16 = 1 << 5 };

/* Linux, arch/x86/include/uapi/asm/prctl.h: tile registers are a state component that a process must ask for. It
 * lasts for the process, threads included, and asking again is cheap. Refused by kernels before 5.16. */
enum { ASK_STATE_PERMISSION = 0x1023, STATE_TILE_DATA = 18 };

static bool has_avx2(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c");
}

static bool has_avx512(void)
{
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
}

static bool has_avx512_bf16(void)
{
    unsigned a = 0, b = 0, c = 0, d = 0;
    return __get_cpuid_count(7, 1, &a, &b, &c, &d) && (a & EAX1_AVX512_BF16);
}

static bool has_amx(void)
{
    unsigned a = 0, b = 0, c = 0, d = 0;
    if (!__get_cpuid_count(7, 0, &a, &b, &c, &d) || !(d & EDX_AMX_TILE) || !(d & EDX_AMX_BF16)) return false;
    return syscall(SYS_arch_prctl, ASK_STATE_PERMISSION, STATE_TILE_DATA) == 0;
}

const flaw_kernels *flaw_x86_select(flaw_level max)
{
    __builtin_cpu_init();
    if (max >= FLAW_LEVEL_AVX512 && has_avx512()) {
        if (!has_avx512_bf16()) return &flaw_kernels_avx512;
        return max >= FLAW_LEVEL_AMX && has_amx() ? &flaw_kernels_amx : &flaw_kernels_avx512_bf16;
    }
    return max >= FLAW_LEVEL_AVX2 && has_avx2() ? &flaw_kernels_avx2 : NULL;
}
