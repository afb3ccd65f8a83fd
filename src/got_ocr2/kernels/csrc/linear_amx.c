/* The linear kernels in AVX-512, with AMX for many rows of bf16 and int8 weights.
 *
 * Panels lie in memory as tiles want them: 16 steps are two tiles of 16 outputs. fp32 and int4 weights stay with
 * AVX-512.
 */
#include "isa.h"

#if GOT_AMX
#if !defined(GOT_EMULATED_UNITS)
#define GOT_AVX512
GOT_TARGET_BEGIN(GOT_FEATURES_AMX)
#endif

#include "linear_body.h"

#include "amx.h"
#include "bf16_terms.h"

#define STEPS GOT_TILE_ROWS

/* (k) fp32 -> (padded) bytes, and behind them what cancels the weights' offset */
static float byte_row(const float *x, int k, int padded, int8_t *bytes, void *out)
{
    float unit = quantize(x, k, padded, bytes);
    int32_t cancel = 0;
    for (int i = 0; i < padded; i++)
        cancel -= 128 * bytes[i];
    memcpy(out, bytes, (size_t)padded);
    memcpy((int8_t *)out + padded, &cancel, sizeof cancel);
    return unit;
}

/* sums (16 or 32, 32) = x w: `terms` times all steps of a panel, whose last, incomplete STEPS are `tail`. */
GOT_INLINE void multiply_tiles(bool bytes, bool two, const uint8_t *w, const uint8_t *tail, int steps, const uint8_t *x,
                               ptrdiff_t stride, int terms, ptrdiff_t term_bytes, float *sums)
{
    tile_zero(0);
    tile_zero(1);
    tile_zero(2);
    tile_zero(3);
    for (int term = terms - 1; term >= 0; term--)
        for (int s = 0; s < steps; s += STEPS) {
            const uint8_t *a = x + term * term_bytes + (ptrdiff_t)s / STEPS * GOT_TILE_BYTES;
            const uint8_t *b = s + STEPS <= steps ? w + (ptrdiff_t)s * GOT_STEP_BYTES : tail;
            tile_load(4, a, stride);
            tile_load(6, b, GOT_STEP_BYTES);
            tile_load(7, b + GOT_TILE_BYTES, GOT_STEP_BYTES);
            if (two)
                tile_load(5, a + GOT_TILE_ROWS * stride, stride);
            if (bytes) {
                tile_add_bytes(0, 4, 6);
                tile_add_bytes(1, 4, 7);
                if (two) {
                    tile_add_bytes(2, 5, 6);
                    tile_add_bytes(3, 5, 7);
                }
            } else {
                tile_add_bf16(0, 4, 6);
                tile_add_bf16(1, 4, 7);
                if (two) {
                    tile_add_bf16(2, 5, 6);
                    tile_add_bf16(3, 5, 7);
                }
            }
        }
    tile_store(0, sums, GOT_PANEL * 4);
    tile_store(1, sums + GOT_PANEL / 2, GOT_PANEL * 4);
    if (two) {
        tile_store(2, sums + GOT_TILE_ROWS * GOT_PANEL, GOT_PANEL * 4);
        tile_store(3, sums + GOT_TILE_ROWS * GOT_PANEL + GOT_PANEL / 2, GOT_PANEL * 4);
    }
}

GOT_INLINE void many_rows(const got_wide *job, bool bytes)
{
    const got_linear *layer = job->layer;
    const int inputs = got_step_inputs[got_tile_format(layer)], steps = (layer->k + inputs - 1) / inputs;
    const int terms = bytes ? 1 : TERMS, left = steps % STEPS;
    const ptrdiff_t stride = job->ldx * 2, term_bytes = (stride - GOT_WIDE_EXTRA) / terms;
    uint8_t *tail = job->room;
    memset(tail, 0, STEPS * GOT_STEP_BYTES);
    memcpy(tail, job->weights + (size_t)(steps - left) * GOT_STEP_BYTES, (size_t)left * GOT_STEP_BYTES);
    tile_begin();
    for (int row = 0, rows; row < job->rows; row += rows) {
        const uint8_t *x = (const uint8_t *)job->x + row * stride;
        float *sums = job->sums + row * GOT_PANEL;
        rows = job->rows - row < 2 * GOT_TILE_ROWS ? job->rows - row : 2 * GOT_TILE_ROWS;
        if (rows > GOT_TILE_ROWS)
            multiply_tiles(bytes, true, job->weights, tail, steps, x, stride, terms, term_bytes, sums);
        else
            multiply_tiles(bytes, false, job->weights, tail, steps, x, stride, terms, term_bytes, sums);
        for (int r = 0; bytes && r < rows; r++) {
            int32_t cancel, *sum = (int32_t *)sums + r * GOT_PANEL;
            memcpy(&cancel, x + r * stride + term_bytes, sizeof cancel);
            for (int c = 0; c < GOT_PANEL; c++)
                sum[c] += cancel;
        }
        finish(layer, job->panel, rows, sums, job->scales + row, job->y + row * job->ldy, job->ldy,
               job->residual != NULL ? job->residual + row * job->ldr : NULL, job->ldr);
    }
    tile_end();
}

static void many_rows_bf16(const got_wide *job) { many_rows(job, false); }
static void many_rows_int8(const got_wide *job) { many_rows(job, true); }

#undef GOT_WIDE
#define GOT_WIDE \
    { \
        [GOT_BF16] = {many_rows_bf16, split_row, 2 * TERMS}, [GOT_INT8] = {many_rows_int8, byte_row, 1}, \
    }

const got_linear_ops got_linear_amx = GOT_LINEAR_TABLE;

#if !defined(GOT_EMULATED_UNITS)
GOT_TARGET_END
#endif
#endif
