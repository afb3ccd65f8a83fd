/* The linear kernels in AVX-512 with VNNI. */
#include "isa.h"

#if GOT_X86
#define GOT_AVX512
GOT_TARGET_BEGIN(GOT_FEATURES_AVX512)

#include "linear_body.h"

const got_linear_ops got_linear_avx512 = GOT_LINEAR_TABLE;

GOT_TARGET_END
#endif
