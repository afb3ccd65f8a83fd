/* Which instructions the kernels use: chosen once at run time from what the processor and the system offer. */
#ifndef GOT_ISA_H
#define GOT_ISA_H

#include "export.h"

typedef enum {
    GOT_ISA_PORTABLE = 0, /* plain C, whatever the compiler makes of it */
    GOT_ISA_AVX2 = 1,     /* AVX2 and FMA */
    GOT_ISA_AVX512 = 2,   /* AVX-512 F, BW, DQ, VL and VNNI */
    /* Matrix units, for many rows: never the best unless asked for, since nobody has measured them. */
    GOT_ISA_AMX = 3,  /* AVX-512 with AMX */
    GOT_ISA_MMLA = 4, /* aarch64 with products of small matrices, FEAT_BF16 and FEAT_I8MM */
} got_isa;

/* The best that runs here, matrix units left out. */
GOT_API int got_isa_best(void);

/* The one in use: the best, unless got_isa_use chose another. */
GOT_API int got_isa_used(void);

/* The same for kernels that have no use for a matrix unit: never GOT_ISA_AMX nor GOT_ISA_MMLA. */
int got_isa_vectors(void);

/* Chooses another. Returns 0, or -1 and changes nothing where it cannot run here. The first time that AMX is chosen the
 * system is asked for permission, which it gives to all threads of the process. */
GOT_API int got_isa_use(int isa);

/* Whether the linear kernels may use the processor's instruction for products of bytes, where it is an addition to the
 * set in use: AVX-VNNI to AVX2, dot product to aarch64's plain C. It is used wherever it is there, unless
 * got_isa_allow_byte_dot(0) forbids it, for tests and comparisons. */
GOT_API int got_isa_byte_dot(void);
GOT_API void got_isa_allow_byte_dot(int allowed);

/* Files for one instruction set start with GOT_TARGET_BEGIN(...) and end with GOT_TARGET_END: no compiler flags needed,
 * and the rest of the library stays fit for any processor of the architecture. */
#define GOT_PRAGMA(text) _Pragma(#text)
#if defined(__clang__)
#define GOT_TARGET_BEGIN(features) \
    GOT_PRAGMA(clang attribute push(__attribute__((target(features))), apply_to = function))
#define GOT_TARGET_END GOT_PRAGMA(clang attribute pop)
#else
#define GOT_TARGET_BEGIN(features) GOT_PRAGMA(GCC push_options) GOT_PRAGMA(GCC target(features))
#define GOT_TARGET_END GOT_PRAGMA(GCC pop_options)
#endif

/* Emulated matrix units are for tests: with plain C, on any processor. */
#if defined(__x86_64__) && !defined(GOT_EMULATED_UNITS)
#define GOT_X86 1
#define GOT_AARCH64 0
#define GOT_FEATURES_AVX2 "avx,avx2,fma"
#define GOT_FEATURES_AVX2_VNNI "avx,avx2,fma,avxvnni"
#if defined(__clang__) ? __clang_major__ >= 12 : __GNUC__ >= 11
#define GOT_X86_VNNI 1 /* this compiler knows AVX-VNNI */
#else
#define GOT_X86_VNNI 0
#endif
#define GOT_FEATURES_AVX512 "avx,avx2,fma,avx512f,avx512bw,avx512dq,avx512vl,avx512vnni"
#define GOT_FEATURES_AMX GOT_FEATURES_AVX512 ",amx-tile,amx-bf16,amx-int8"
#elif defined(__aarch64__)
#define GOT_X86 0
#define GOT_X86_VNNI 0
#define GOT_AARCH64 1
#if defined(__clang__)
#define GOT_FEATURES_NEON_DOT "dotprod"
#define GOT_FEATURES_MMLA "dotprod,bf16,i8mm"
#else
#define GOT_FEATURES_NEON_DOT "arch=armv8.2-a+dotprod"
#define GOT_FEATURES_MMLA "arch=armv8.2-a+dotprod+bf16+i8mm"
#endif
#else
#define GOT_X86 0
#define GOT_X86_VNNI 0
#define GOT_AARCH64 0
#endif

/* A compiler that knows AMX also knows AVX-VNNI; permission is asked as Linux wants it. */
#if defined(GOT_EMULATED_UNITS) || (GOT_X86_VNNI && defined(__linux__))
#define GOT_AMX 1
#else
#define GOT_AMX 0
#endif

#if defined(GOT_EMULATED_UNITS) || (GOT_AARCH64 && (defined(__clang__) ? __clang_major__ >= 11 : __GNUC__ >= 10))
#define GOT_MMLA 1
#else
#define GOT_MMLA 0
#endif

#endif
