/* The linear kernels for aarch64 with its products of small matrices (FEAT_BF16 and FEAT_I8MM), for many rows of bf16
 * and int8 weights; everything else with the dot product instruction, which such processors have.
 */
#include "isa.h"

#if GOT_MMLA
#if !defined(GOT_EMULATED_UNITS)
#define GOT_BYTE_DOT
GOT_TARGET_BEGIN(GOT_FEATURES_MMLA)
#endif

#include "linear_body.h"

#include "bf16_terms.h"
#include "mmla.h"

/* A block of 8 rows and 8 outputs has its sums in 16 of 32 registers and goes on by two steps. */
enum { BLOCK = 8, PAIRS = BLOCK / 2, STEPS = 2, RANGE_STEPS = 128 };
#define BLOCK_BYTES (STEPS * BLOCK * 4) /* weights of a block for these steps */

static float byte_row(const float *x, int k, int padded, int8_t *bytes, void *out)
{
    (void)bytes;
    return quantize(x, k, padded, out);
}

/* Words at places a and b of memory as the halves of a vector. */
GOT_INLINE vw join(const void *a, const void *b)
{
    typedef double halves __attribute__((vector_size(16)));
    double low, high; /* of 64 bits, in the same registers */
    memcpy(&low, a, sizeof low);
    memcpy(&high, b, sizeof high);
    return (vw)(halves){low, high};
}

/* `steps` of a panel, and zeros up to whole STEPS -> [GOT_PANEL / BLOCK][steps / 2][PAIRS][2 outputs][2 steps] words.
 * Bytes become signed. */
static void pair_steps(bool bytes, const uint8_t *weights, int steps, uint8_t *to)
{
    const int32_t sign = bytes ? (int32_t)0x80808080 : 0;
    for (int column = 0; column < GOT_PANEL; column += BLOCK)
        for (int s = 0; s < steps; s += STEPS)
            for (int c = column; c < column + BLOCK; c++, to += STEPS * 4) {
                int32_t words[STEPS] = {sign, sign};
                for (int i = 0; i < STEPS && s + i < steps; i++)
                    memcpy(&words[i], weights + (size_t)(s + i) * GOT_STEP_BYTES + c * 4, 4);
                words[0] ^= sign;
                words[1] ^= sign;
                memcpy(to, words, sizeof words);
            }
}

/* sums (8, 8 of 32) = or += x (8, steps) w (steps, 8): all terms of a range, the smallest first. */
GOT_INLINE void multiply_block(bool bytes, const uint8_t *w, const uint8_t *x, ptrdiff_t stride, int steps, int terms,
                               ptrdiff_t term_bytes, bool first, float *out)
{
    vw sums[PAIRS][PAIRS];
#define EACH_PAIR(i) UNROLLED for (int i = 0; i < PAIRS; i++)
    EACH_PAIR(r) EACH_PAIR(c) sums[r][c] = vw_set(0);
    for (int term = terms - 1; term >= 0; term--) {
        const uint8_t *input = x + term * term_bytes, *weights = w;
        for (int s = 0; s < steps; s += STEPS, input += STEPS * 4, weights += BLOCK_BYTES) {
            vw rows[PAIRS];
            EACH_PAIR(r) rows[r] = join(input + 2 * r * stride, input + (2 * r + 1) * stride);
            EACH_PAIR(c) {
                vw pair = vw_load(weights + c * GOT_VECTOR_BYTES);
                EACH_PAIR(r) {
                    if (bytes)
                        mm_add_bytes(&sums[r][c], rows[r], pair);
                    else
                        mm_add_bf16(&sums[r][c], rows[r], pair);
                }
            }
        }
    }
    EACH_PAIR(r) UNROLLED for (int c = 0; c < PAIRS; c += 2)
        UNROLLED for (int i = 0; i < 4; i += 2) {
            float *to = out + (2 * r + i / 2) * GOT_PANEL + 2 * c;
            vw four = {sums[r][c][i], sums[r][c][i + 1], sums[r][c + 1][i], sums[r][c + 1][i + 1]};
            if (!first)
                four = bytes ? four + vw_load(to) : (vw)vf_add((vf)four, vf_load(to));
            vw_store(to, four);
        }
}

GOT_INLINE void many_rows(const got_wide *job, bool bytes)
{
    const got_linear *layer = job->layer;
    const int inputs = got_step_inputs[got_tile_format(layer)], all = (layer->k + inputs - 1) / inputs;
    const int terms = bytes ? 1 : TERMS;
    const ptrdiff_t stride = job->ldx * 2, term_bytes = (stride - GOT_WIDE_EXTRA) / terms;
    for (int s = 0; s < all; s += RANGE_STEPS) {
        const int steps = all - s < RANGE_STEPS ? all - s : RANGE_STEPS;
        const ptrdiff_t block_bytes = (ptrdiff_t)((steps + STEPS - 1) / STEPS) * BLOCK_BYTES;
        pair_steps(bytes, job->weights + (size_t)s * GOT_STEP_BYTES, steps, job->room);
        for (int row = 0; row < job->rows; row += BLOCK)
            for (int block = 0; block < GOT_PANEL / BLOCK; block++)
                multiply_block(bytes, (const uint8_t *)job->room + block * block_bytes,
                               (const uint8_t *)job->x + row * stride + s * 4, stride, steps, terms, term_bytes, s == 0,
                               job->sums + row * GOT_PANEL + block * BLOCK);
    }
    finish(layer, job->panel, job->rows, job->sums, job->scales, job->y, job->ldy, job->residual, job->ldr);
}

static void many_rows_bf16(const got_wide *job) { many_rows(job, false); }
static void many_rows_int8(const got_wide *job) { many_rows(job, true); }

#undef GOT_WIDE
#define GOT_WIDE \
    { \
        [GOT_FP32] = {.product = wide_fp32}, [GOT_BF16] = {many_rows_bf16, split_row, 2 * TERMS}, \
        [GOT_INT8] = {many_rows_int8, byte_row, 1}, \
    }

const got_linear_ops got_linear_mmla = GOT_LINEAR_TABLE;

#if !defined(GOT_EMULATED_UNITS)
GOT_TARGET_END
#endif
#endif
