/* bf16 weights in 12 bits each, losslessly: weights of one panel have few exponents.
 *
 * A panel has a table of the 15 exponents that it uses most. A weight is a byte of sign and mantissa and a place in that
 * table; place 15 stands for a weight with another exponent, which is kept whole in a list, sorted by where it belongs.
 *
 * A step is 2 inputs of 32 outputs, as in bf16 panels: 64 bytes of sign and mantissa, then 32 bytes of places, the low
 * halves those of the first 32 weights. Of 32 weights, halves of 16 and in each of them eights lie in such an order that
 * interleaving two 128-bit lanes of bytes gives weights in the order of bf16 panels: byte (lane, half, i) is weight
 * (half, lane, i).
 */
#ifndef GOT_COMPACT_H
#define GOT_COMPACT_H

#include "export.h"

#include <stdint.h>

#define GOT_COMPACT_STEP 96
#define GOT_COMPACT_TABLE 16 /* bytes of a panel's table, the last one unused */
#define GOT_STEP_WEIGHTS 64

typedef struct {
    uint32_t place; /* of the weight in its bf16 panel */
    uint32_t value; /* bf16 */
} got_escape;

typedef struct {
    const uint8_t *tables;   /* [panels][16] */
    const int32_t *starts;   /* [panels + 1]: where each panel's escapes begin */
    const got_escape *escapes;
} got_compact;

/* Tables of bf16 panels, and where their escapes will begin. */
GOT_API void got_compact_survey(const uint16_t *panels, int count, int steps, uint8_t *tables, int32_t *starts);

/* bf16 panels -> [panels][steps][96], with what the survey found. */
GOT_API void got_compact_fill(const uint16_t *panels, int count, int steps, const uint8_t *tables, const int32_t *starts,
                              uint8_t *out, got_escape *escapes);

/* Where byte `i` of a step's first 64 stands among the weights of its bf16 step, and the other way round. */
static inline int got_compact_weight(int i)
{
    return i / 32 * 32 + i % 16 / 8 * 16 + i % 32 / 16 * 8 + i % 8;
}

#endif
