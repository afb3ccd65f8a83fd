/* The linear kernels in the compiler's own vectors, for every other processor. */
#include "linear_body.h"

const got_linear_ops got_linear_plain = GOT_LINEAR_TABLE;
