#include "isa.h"

#include <stdatomic.h>

static atomic_int used = -1;

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

int got_isa_use(int isa)
{
    if (isa < GOT_ISA_PORTABLE || isa > got_isa_best())
        return -1;
    atomic_store(&used, isa);
    return 0;
}
