/* The linear kernels in AVX2. */
#include "isa.h"

#if GOT_X86
#define GOT_AVX2
GOT_TARGET_BEGIN(GOT_FEATURES_AVX2)

#include "linear_body.h"

const got_linear_ops got_linear_avx2 = GOT_LINEAR_TABLE;

GOT_TARGET_END
#endif
