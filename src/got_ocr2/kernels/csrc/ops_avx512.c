/* The kernels in AVX-512: vectors of sixteen. */
#include "isa.h"

#if GOT_X86
#define GOT_AVX512
GOT_TARGET_BEGIN(GOT_FEATURES_AVX512)

#include "attention_body.h"
#include "rows_body.h"

const got_ops got_ops_avx512 = GOT_OPS_TABLE;

GOT_TARGET_END
#endif
