#include "isa.h"

#include <stdatomic.h>
#include <stdbool.h>

#if GOT_X86
#include <cpuid.h>
#if defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#endif
#elif GOT_AARCH64 && defined(__linux__)
#include <asm/hwcap.h>
#include <sys/auxv.h>
#elif GOT_AARCH64 && defined(__APPLE__)
#include <sys/sysctl.h>
#endif

static atomic_int used = -1;
static atomic_int byte_dot_allowed = 1;
static atomic_int byte_dot_found = -1;
static atomic_int unit_found[] = {[GOT_ISA_AMX] = -1, [GOT_ISA_MMLA] = -1};

int got_abi(void)
{
    return GOT_ABI;
}

int got_isa_best(void)
{
#if GOT_X86
    __builtin_cpu_init();
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma"))
        return GOT_ISA_PORTABLE;
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq")
        && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512vnni"))
        return GOT_ISA_AVX512;
    return GOT_ISA_AVX2;
#else
    return GOT_ISA_PORTABLE;
#endif
}

int got_isa_used(void)
{
    int isa = atomic_load(&used);
    return isa < 0 ? got_isa_best() : isa;
}

int got_isa_vectors(void)
{
    int isa = got_isa_used();
    return isa >= GOT_ISA_AMX ? got_isa_best() : isa;
}

static int find_amx(void)
{
#if defined(GOT_EMULATED_UNITS)
    return 1;
#elif GOT_AMX
    const unsigned needed = 1u << 22 | 1u << 24 | 1u << 25; /* AMX-BF16, AMX-TILE, AMX-INT8 */
    const int request_permission = 0x1023, tile_data = 18;   /* ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA */
    unsigned a, b, c, d;
    return got_isa_best() == GOT_ISA_AVX512 && __get_cpuid_count(7, 0, &a, &b, &c, &d) && (d & needed) == needed
           && syscall(SYS_arch_prctl, request_permission, tile_data) == 0;
#else
    return 0;
#endif
}

static int find_mmla(void)
{
#if defined(GOT_EMULATED_UNITS)
    return 1;
#elif GOT_MMLA && defined(__linux__)
    const unsigned long needed = HWCAP2_BF16 | HWCAP2_I8MM;
    return (getauxval(AT_HWCAP2) & needed) == needed && (getauxval(AT_HWCAP) & HWCAP_ASIMDDP) != 0;
#elif GOT_MMLA && defined(__APPLE__)
    int bf16 = 0, i8mm = 0;
    size_t size = sizeof bf16;
    return sysctlbyname("hw.optional.arm.FEAT_BF16", &bf16, &size, NULL, 0) == 0 && bf16
           && sysctlbyname("hw.optional.arm.FEAT_I8MM", &i8mm, &size, NULL, 0) == 0 && i8mm;
#else
    return 0;
#endif
}

/* Asked once: the answer comes from the processor or the system, or from the hypervisor in its own time. */
static int once(atomic_int *answer, int (*find)(void))
{
    int found = atomic_load(answer);
    if (found < 0) {
        found = find();
        atomic_store(answer, found);
    }
    return found;
}

int got_isa_use(int isa)
{
    bool offered = isa >= GOT_ISA_PORTABLE && isa <= got_isa_best();
    if (isa == GOT_ISA_AMX)
        offered = once(&unit_found[isa], find_amx);
    else if (isa == GOT_ISA_MMLA)
        offered = once(&unit_found[isa], find_mmla);
    if (!offered)
        return -1;
    atomic_store(&used, isa);
    return 0;
}

static int find_byte_dot(void)
{
#if GOT_X86_VNNI
    unsigned a, b, c, d;
    return __get_cpuid_count(7, 1, &a, &b, &c, &d) && (a >> 4 & 1); /* AVX-VNNI */
#elif GOT_AARCH64 && defined(__linux__)
    return (getauxval(AT_HWCAP) & HWCAP_ASIMDDP) != 0;
#elif GOT_AARCH64 && defined(__APPLE__)
    return 1; /* since the first of them */
#else
    return 0;
#endif
}

static int has_byte_dot(void)
{
    return once(&byte_dot_found, find_byte_dot) && (!GOT_X86 || got_isa_vectors() == GOT_ISA_AVX2);
}

int got_isa_byte_dot(void)
{
    return atomic_load(&byte_dot_allowed) && has_byte_dot();
}

void got_isa_allow_byte_dot(int allowed)
{
    atomic_store(&byte_dot_allowed, allowed);
}
