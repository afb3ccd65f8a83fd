/* aarch64's products of small matrices, of a pair of rows and a pair of outputs: four sums in a vector.
 *
 * With GOT_EMULATED_UNITS the same names come from plain C (mmla_emulated.h, beside the tests), for processors without.
 */
#ifndef GOT_MMLA_H
#define GOT_MMLA_H

#include "dot.h"

#if defined(GOT_EMULATED_UNITS)
#include "mmla_emulated.h"
#else

/* In assembly for the reason that dot.h gives, and the sums of either kind as `vw`: a cast would cost registers. */

/* sums (2, 2) fp32 += x (2, 4) w (2, 4)^T, of bf16 */
GOT_INLINE void mm_add_bf16(vw *sums, vw x, vw w)
{
    __asm__("bfmmla %0.4s, %1.8h, %2.8h" : "+w"(*sums) : "w"(x), "w"(w));
}

/* sums (2, 2) int32 += x (2, 8) w (2, 8)^T, of signed bytes */
GOT_INLINE void mm_add_bytes(vw *sums, vw x, vw w)
{
    __asm__("smmla %0.4s, %1.16b, %2.16b" : "+w"(*sums) : "w"(x), "w"(w));
}
#endif

#endif
