/* The kernels for any processor, in vectors of four that the compiler makes of what it finds. */
#include "attention_body.h"
#include "rows_body.h"

const got_ops got_ops_portable = GOT_OPS_TABLE;
