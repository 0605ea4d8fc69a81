#include "kernel/x86/detect.h"

#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kernel/x86/levels.h"

/* Leaf 7 of cpuid (Intel SDM vol. 2A, CPUID): subleaf 0 EDX, subleaf 1 EAX. */
enum { AMX_BF16 = 1 << 22, AMX_TILE = 1 << 24, AMX_INT8 = 1 << 25 };
enum { AVX_VNNI = 1 << 4, AVX512_BF16 = 1 << 5 };

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

static unsigned leaf7_eax1(void)
{
    unsigned a = 0, b = 0, c = 0, d = 0;
    return __get_cpuid_count(7, 1, &a, &b, &c, &d) ? a : 0;
}

static bool has_avx2_vnni(void)
{
    return has_avx2() && (leaf7_eax1() & AVX_VNNI);
}

static bool has_avx512_vnni(void)
{
    return has_avx512() && __builtin_cpu_supports("avx512vnni");
}

/* VBMI: what compact weights are read with. */
static bool has_avx512_bf16(void)
{
    return has_avx512_vnni() && __builtin_cpu_supports("avx512vbmi") && (leaf7_eax1() & AVX512_BF16);
}

static bool has_amx(void)
{
    const unsigned needed = AMX_BF16 | AMX_TILE | AMX_INT8;
    unsigned a = 0, b = 0, c = 0, d = 0;
    if (!has_avx512_bf16() || !__get_cpuid_count(7, 0, &a, &b, &c, &d) || (d & needed) != needed) return false;
    return syscall(SYS_arch_prctl, ASK_STATE_PERMISSION, STATE_TILE_DATA) == 0;
}

const flaw_kernels *flaw_x86_kernels(flaw_level level)
{
    __builtin_cpu_init();
    switch (level) {
    case FLAW_LEVEL_AVX2: return has_avx2() ? &flaw_kernels_avx2 : NULL;
    case FLAW_LEVEL_AVX2_VNNI: return has_avx2_vnni() ? &flaw_kernels_avx2_vnni : NULL;
    case FLAW_LEVEL_AVX512: return has_avx512() ? &flaw_kernels_avx512 : NULL;
    case FLAW_LEVEL_AVX512_VNNI: return has_avx512_vnni() ? &flaw_kernels_avx512_vnni : NULL;
    case FLAW_LEVEL_AVX512_BF16: return has_avx512_bf16() ? &flaw_kernels_avx512_bf16 : NULL;
    case FLAW_LEVEL_AMX: return has_amx() ? &flaw_kernels_amx : NULL;
    default: return NULL;
    }
}
