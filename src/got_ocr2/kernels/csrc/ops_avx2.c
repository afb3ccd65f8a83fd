/* The kernels in AVX2 and FMA: vectors of eight. */
#include "isa.h"

#if GOT_X86
#define GOT_AVX2
GOT_TARGET_BEGIN(GOT_FEATURES_AVX2)

#include "attention_body.h"
#include "rows_body.h"

const got_ops got_ops_avx2 = GOT_OPS_TABLE;

GOT_TARGET_END
#endif
