/* The linear kernels for aarch64 with the dot product instruction. */
#include "isa.h"

#if GOT_AARCH64
#define GOT_BYTE_DOT
GOT_TARGET_BEGIN(GOT_FEATURES_NEON_DOT)

#include "linear_body.h"

const got_linear_ops got_linear_neon_dot = GOT_LINEAR_TABLE;

GOT_TARGET_END
#endif
