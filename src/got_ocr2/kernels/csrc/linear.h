/* Linear layers over packed weights: y = epilogue(x W^T + bias) + residual.
 *
 * x, y, bias and residual are fp32. The weights lie in panels of GOT_PANEL outputs, each panel with all its inputs, so
 * that one token streams them once from front to back and many tokens find a panel in the cache. Per panel:
 *
 *   fp32  [k][32] floats.
 *   bf16  [k/2][32][2] halves of a word: inputs 2i and 2i+1 of one output. Widened exactly; arithmetic is in fp32.
 *   int8  [k/4][32][4] bytes: weight + 128. Times scales[output]; inputs are quantised token by token, see below.
 *   int4  [k/8][32][4] bytes: weight + 8; the low half byte is input 8i+j, the high one 8i+4+j.
 *         Scales are bf16, [panel][k/group][32].
 *   int16 [k/2][32][2] whole numbers. Times scales[output]; inputs are quantised to +-GOT_INT16_INPUT, and the sizes of an
 *         output's weights sum up to so little that 32 bits hold every sum.
 *   compact  bf16 in 12 bits, losslessly; see compact.h.
 *
 * k is padded with weights of value 0: to 2 for int16 and both kinds of bf16, to 4, and for int4 to whole groups; outputs are padded to whole panels.
 * For int8 and int4 every row of x becomes int8 at run time: q = round(x * 127 / max|x|), sums are exact int32; for int16
 * likewise with GOT_INT16_INPUT.
 *
 * One result does not depend on the other rows nor on the number of threads: every output is summed over k in the same
 * order, so a token computed alone and one computed in a batch agree to the last bit. A matrix unit, if one is
 * asked for, keeps this for all but both kinds of bf16, whose many rows agree with few within the rounding of fp32.
 */
#ifndef GOT_LINEAR_H
#define GOT_LINEAR_H

#include "compact.h"
#include "export.h"

#include <stddef.h>
#include <stdint.h>

#define GOT_PANEL 32
#define GOT_FORMATS 6
#define GOT_INT16_INPUT 4095

typedef enum {
    GOT_FP32 = 0,
    GOT_BF16 = 1,
    GOT_INT8 = 2,
    GOT_INT4 = 3,
    GOT_COMPACT = 4,
    GOT_INT16 = 5,
} got_format;

typedef enum {
    GOT_PLAIN = 0,
    GOT_GELU = 1,     /* x * Phi(x), with the error function */
    GOT_SILU_MUL = 2, /* silu(gate) * up: each panel holds 16 gates and their 16 ups, and gives 16 outputs */
} got_epilogue;

/* One packed layer. Pointers are to memory of the caller, `weights` on a 64-byte boundary; nothing is copied. */
typedef struct {
    int32_t format;   /* got_format */
    int32_t epilogue; /* got_epilogue */
    int32_t n;        /* outputs written to y, after the epilogue */
    int32_t k;        /* inputs, not padded */
    int32_t group;    /* int4: inputs that share a scale, a multiple of 8 */
    int32_t panels;   /* ceil(n / 32), or ceil(n / 16) for GOT_SILU_MUL */
    const void *weights;
    const void *scales; /* int8, int16: float[panels * 32]; int4: bf16; else NULL */
    const float *bias;  /* float[panels * 32] in the panels' order, or NULL */
    got_compact compact; /* GOT_COMPACT: what is not in the weights */
} got_linear;

/* Bytes of scratch, on a 64-byte boundary, that each thread needs for m rows. */
GOT_API size_t got_linear_scratch(const got_linear *layer, int m, int n_threads);

/* One member's share of y (m, n): call it from every member of a team with the same arguments but `thread` and
 * `scratch`, once between two barriers: a member that is done takes over work of the others, by the pool's lists. y is
 * complete after the next barrier. With n_threads 1 the call stands alone. Rows start ldx, ldy and ldr floats apart.
 * `residual` (m, n) is added after the epilogue; it may be NULL, or y itself. x must not overlap y. Needs m >= 1. */
void got_linear_run_part(const got_linear *layer, const float *x, ptrdiff_t ldx, int m, float *y, ptrdiff_t ldy,
                         const float *residual, ptrdiff_t ldr, int thread, int n_threads, void *scratch);

/* The same as a region of its own, with scratch of its own. Returns 0, or -1 without memory. */
GOT_API int got_linear_run(const got_linear *layer, const float *x, ptrdiff_t ldx, int m, float *y, ptrdiff_t ldy,
                           const float *residual, ptrdiff_t ldr);

/* Rows `ids` (count of them, each in 0..n-1) of the weight matrix as fp32, into out (count, k): the embedding lookup of
 * a tied head. Not for GOT_SILU_MUL. */
GOT_API void got_linear_rows(const got_linear *layer, const int64_t *ids, int count, float *out, ptrdiff_t ldo);

#endif
