/* The linear kernels in AVX2 with AVX-VNNI, for processors that have it and no AVX-512. */
#include "isa.h"

#if GOT_X86_VNNI
#define GOT_AVX2
#define GOT_BYTE_DOT
GOT_TARGET_BEGIN(GOT_FEATURES_AVX2_VNNI)

#include "linear_body.h"

const got_linear_ops got_linear_avx2_vnni = GOT_LINEAR_TABLE;

GOT_TARGET_END
#endif
