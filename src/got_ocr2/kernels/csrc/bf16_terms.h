/* An fp32 number as the exact sum of three bf16 numbers, for units that multiply bf16 and sum fp32.
 *
 * Products of the terms with bf16 weights, the smallest terms' first, lose nothing but what fp32 sums round; numbers
 * below 2^-126 count as zero there.
 */
#ifndef GOT_BF16_TERMS_H
#define GOT_BF16_TERMS_H

#include "simd.h"

#define TERMS 3

/* The upper half of a number's bits, as bf16: the rest of it is exact. */
GOT_INLINE float upper_half(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, 4);
    bits &= 0xffff0000;
    memcpy(&x, &bits, 4);
    return x;
}

GOT_INLINE uint16_t to_bf16(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, 4);
    return (uint16_t)(bits >> 16);
}

/* (k) fp32 -> (TERMS, padded) bf16, the largest terms first: got_wide_way's prepare. */
static float split_row(const float *x, int k, int padded, int8_t *bytes, void *out)
{
    uint16_t *term = out;
    (void)bytes;
    memset(out, 0, (size_t)padded * TERMS * 2);
    for (int i = 0; i < k; i++) {
        float high = upper_half(x[i]), middle = upper_half(x[i] - high), low = x[i] - high - middle;
        term[i] = to_bf16(high);
        term[padded + i] = to_bf16(middle);
        term[2 * padded + i] = to_bf16(low);
    }
    return 1.0f;
}

#endif
